"""Random numbers addressed by what they are for, never drawn in sequence.

Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) turns a 64-bit key and
four 32-bit counter words into four random words. The key says which photo (and seed), the words say which
patch, variant, step and field: so a draw depends on nothing else, and adding a step changes no other draw.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from degrade.elementary import cos_pi, log
from degrade.jit import jit

MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


@jit
def philox(key_low, key_high, c0, c1, c2, c3):
    """Four random 32-bit words (as uint64) from a key of two words and a counter of four (uint64 each)."""
    k0, k1 = key_low, key_high
    for _ in range(10):
        p0 = MULTIPLIER_0 * c0
        p1 = MULTIPLIER_1 * c2
        c0 = (p1 >> _SHIFT) ^ c1 ^ k0
        c1 = p1 & _MASK
        c2 = (p0 >> _SHIFT) ^ c3 ^ k1
        c3 = p0 & _MASK
        k0 = (k0 + WEYL_0) & _MASK
        k1 = (k1 + WEYL_1) & _MASK
    return c0, c1, c2, c3


@jit
def _block(signed_key, c0, c1, c2, c3):
    key = np.uint64(signed_key)
    words = philox(key & _MASK, key >> _SHIFT, np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3))
    return (words[0] << _SHIFT) | words[1], (words[2] << _SHIFT) | words[3]


@jit
def _normal(key, c0, c1, c2, c3):
    first, second = _block(key, c0, c1, c2, c3)
    radius = np.sqrt(-2.0 * log((np.float64(first >> np.uint64(11)) + 0.5) * 2.0**-53))
    return radius * cos_pi(2.0 * (np.float64(second >> np.uint64(11)) * 2.0**-53))


def block(key: int, counter: tuple[int, int, int, int]) -> tuple[int, int]:
    """128 random bits as two integers of 64, for a 64-bit `key` and four 32-bit counter words."""
    return _block(signed(key), *counter)


def signed(key: int) -> int:
    """Numba takes a Python integer for a signed one; the bits are the same."""
    return key - (1 << 64) if key >> 63 else key


def source_key(seed: int, sha256: str) -> int:
    """The 64-bit key of a photo in a run: BLAKE2b of the seed and of the photo's SHA-256 (hex).

    For a generator, `sha256` is that of its description. The recipe is not in it, so two recipes on one
    photo share patches and noise.
    """
    text = f"degrade:{seed}:{sha256}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


@lru_cache(maxsize=4096)
def name_word(name: str) -> int:
    """The counter word of a step id or a field name."""
    return zlib.crc32(name.encode())


@dataclass(frozen=True, slots=True)
class Stream:
    """All random numbers of one variant of one patch of one photo."""

    key: int
    patch: int = 0
    variant: int = 0

    def step(self, step_id: str) -> StepStream:
        """The numbers of one step of a recipe."""
        return StepStream(self, name_word(step_id))


@dataclass(frozen=True, slots=True)
class StepStream:
    """The numbers of one step; every field has its own, so asking in another order changes nothing."""

    stream: Stream
    step_word: int

    def uniform(self, field: str, low: float = 0.0, high: float = 1.0) -> float:
        """Uniform in [low, high], 53 bits."""
        unit = (self.bits(field)[0] >> 11) * 2.0**-53
        return low + (high - low) * unit

    def integer(self, field: str, count: int) -> int:
        """Uniform in 0..count-1, with a bias below count / 2**64."""
        return (self.bits(field)[0] * count) >> 64

    def choice(self, field: str, weights: tuple[float, ...]) -> int:
        """An index, with chances in proportion to `weights`."""
        mark = self.uniform(field) * sum(weights)
        for index, weight in enumerate(weights):
            mark -= weight
            if mark < 0:
                return index
        return max(index for index, weight in enumerate(weights) if weight > 0)

    def normal(self, field: str) -> float:
        """Standard normal (Box and Muller on 53 bits)."""
        return _normal(signed(self.stream.key), *self._counter(field))

    def key64(self, field: str) -> int:
        """64 random bits: the key of a noise field."""
        return self.bits(field)[1]

    def bits(self, field: str) -> tuple[int, int]:
        return block(self.stream.key, self._counter(field))

    def _counter(self, field: str) -> tuple[int, int, int, int]:
        return self.stream.patch, self.stream.variant, self.step_word, name_word(field)
