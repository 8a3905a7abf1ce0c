"""HR patches that occur more than once: the same bytes, or nearly the same picture."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import resize

HASH_ROWS = 8  # and as many columns: 64 bits
MAX_DISTANCE = 4  # bits of 64 in which near duplicates may differ; two unrelated patches differ in about 32
LEAST_LIKENESS = 0.97  # correlation of the detail of near duplicates; two patches along one edge reach 0.93
_DETAIL_SIDE = 64  # pixels to which patches are reduced before their detail is compared
_BLOCK = 1024  # hashes compared with all others at a time


@dataclass(frozen=True)
class Fingerprint:
    """What a patch is known by: the digest of its bytes, and the signs of 64 steps of its thumbnail."""

    digest: bytes
    gradient_hash: int


def fingerprint(pixels: NDArray[Any], luma: NDArray[np.float32]) -> Fingerprint:
    """Of an HR patch (H, W, C) and its luma (H, W).

    The hash ("difference hash"): bit 8 y + x says whether thumbnail pixel (y, x + 1), each the mean of its part of the
    patch (8 rows, 9 columns), is brighter than (y, x). Gain, offset, noise and compression leave nearly all bits.
    """
    digest = hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()
    thumbnail = resize(luma[..., None], HASH_ROWS, HASH_ROWS + 1, "area", antialias=True)[..., 0]
    bits = np.diff(thumbnail, axis=1) > 0
    return Fingerprint(digest, int.from_bytes(np.packbits(bits).tobytes(), "big"))


def exact_duplicates(digests: list[bytes]) -> list[tuple[int, int]]:
    """(position, position of the first with the same digest), for every later one."""
    first: dict[bytes, int] = {}
    return [(i, first[digest]) for i, digest in enumerate(digests) if first.setdefault(digest, i) != i]


def near_duplicates(
    hashes: list[int], detail: Callable[[int], NDArray[np.float32]], *, max_distance: int = MAX_DISTANCE
) -> list[tuple[int, int, float]]:
    """(position, earlier position, likeness) of patches whose hashes agree and whose detail correlates.

    Only the first agreement of each is told. `detail` gives `detail_of` a patch; it is asked for candidates alone.
    """
    found: list[tuple[int, int, float]] = []
    taken: set[int] = set()
    for later, earlier in _candidates(hashes, max_distance):
        if later not in taken:
            likeness = correlation(detail(later), detail(earlier))
            if likeness >= LEAST_LIKENESS:
                taken.add(later)
                found.append((later, earlier, likeness))
    return sorted(found)


def detail_of(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is fine in a patch at a common size, at most 64 pixels a side: the difference from its 4 x 4 means.

    Two skies look alike in their thumbnails, not in this.
    """
    height, width = (min(side, _DETAIL_SIDE) for side in luma.shape)
    small = resize(luma[..., None], height, width, "area")
    coarse = resize(small, max(height // 4, 1), max(width // 4, 1), "area")
    return (small - resize(coarse, height, width, "linear", antialias=False))[..., 0]


def correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Pearson's, in [-1, 1]; 0 if either is constant or their sizes differ."""
    if one.shape != other.shape:
        return 0.0
    a, b = (np.asarray(plane, np.float64) - np.mean(plane, dtype=np.float64) for plane in (one, other))
    scale = np.sqrt(np.mean(a * a) * np.mean(b * b))
    return float(np.mean(a * b) / scale) if scale > 0 else 0.0


def _candidates(hashes: list[int], max_distance: int) -> Iterator[tuple[int, int]]:
    """(later, earlier) of hashes at most `max_distance` bits apart. N squared, 0.3 s for 20,000."""
    words = np.array(hashes, np.uint64)
    for start in range(0, len(words), _BLOCK):
        block = words[start : start + _BLOCK]
        distances = np.bitwise_count(block[:, None] ^ words[None, : start + len(block)])
        rows, columns = np.nonzero(distances <= max_distance)
        order = columns < rows + start
        by_row: dict[int, list[int]] = defaultdict(list)
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
            by_row[row + start].append(column)
        for later, earlier in by_row.items():
            yield from ((later, one) for one in earlier[:8])  # flat patches agree with all others: try a few
