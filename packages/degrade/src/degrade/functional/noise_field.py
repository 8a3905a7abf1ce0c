"""Random words and normal numbers addressed by pixel, the raw material of every noise.

A pixel's random words come from Philox with the counter (pixel, attempt, 0, 0), where `pixel` packs the row and column
counted from the patch's origin: so the same place has the same noise in whatever window it is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import unit_normal_pair
from degrade.jit import jit
from degrade.rng import MULTIPLIER_0, MULTIPLIER_1, WEYL_0, WEYL_1, signed

MAX_CHANNELS = 4  # a Philox block holds four words
BAND_PIXELS = 4096  # pixels worked on at a time: their words and normals stay in the cache

_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def bands(image: NDArray[np.float32]) -> Iterator[slice]:
    """Whole rows of `image` (H, W, C), so many that their words and normals stay in the cache."""
    height, width, channels = image.shape
    if channels > MAX_CHANNELS:
        raise ValueError(f"expected at most {MAX_CHANNELS} channels, got {channels}")
    band = max(1, min(height, BAND_PIXELS // width))
    return (slice(y, min(y + band, height)) for y in range(0, height, band))


def random_words(key: int, y: int, x: int, attempt: int, height: int, width: int) -> NDArray[np.uint32]:
    """(4, height * width): four words for each pixel of the window whose first pixel is at (y, x).

    Args:
        key: 64 bits; names the field.
        attempt: which block of four, 32 bits.
    """
    words = np.empty((4, height * width), np.uint32)
    _fill_words(signed(key), y, x, attempt, width, words)
    return words


def unit_normals(
    key: int, y: int, x: int, height: int, width: int, rows: int = 4, attempt: int = 0
) -> NDArray[np.float32]:
    """(rows, height * width) standard normal numbers, a row for each channel; of 4 rows, or of the first 2."""
    normals = np.empty((rows, height * width), np.float32)
    _normals(random_words(key, y, x, attempt, height, width)[:rows], normals)
    return normals


def normal_maps(key: int, y: int, x: int, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Standard normal numbers in the shape (channels, height, width), of a window whose first pixel is at (y, x).

    The first four channels are those of `unit_normals`, each further four those of the next block.
    """
    channels, height, width = shape
    blocks = [unit_normals(key, y, x, height, width, attempt=block) for block in range(-(-channels // MAX_CHANNELS))]
    return np.concatenate(blocks)[:channels].reshape(shape)


@jit
def _fill_words(key, y, x0, attempt, width, words):
    """Four random words for each pixel of whole rows from row `y` on; `words` is (4, rows * width) uint32.

    The same Philox as `rng.philox`, with the rounds outermost: so the loop over pixels vectorises.
    """
    k0, k1 = np.uint64(key) & _MASK, np.uint64(key) >> _SHIFT
    count = words.shape[1]
    c0, c1, c2, c3 = words[0], words[1], words[2], words[3]
    for start in range(0, count, width):
        row = np.uint32(((y + start // width) & 0xFFFF) << 16)
        for x in range(width):
            c0[start + x] = row | np.uint32((x + x0) & 0xFFFF)
    for i in range(count):
        c1[i], c2[i], c3[i] = np.uint32(attempt), np.uint32(0), np.uint32(0)
    for _ in range(10):
        for i in range(count):
            p0 = MULTIPLIER_0 * np.uint64(c0[i])
            p1 = MULTIPLIER_1 * np.uint64(c2[i])
            c0[i] = np.uint32((p1 >> _SHIFT) ^ np.uint64(c1[i]) ^ k0)
            c2[i] = np.uint32((p0 >> _SHIFT) ^ np.uint64(c3[i]) ^ k1)
            c1[i] = np.uint32(p1 & _MASK)
            c3[i] = np.uint32(p0 & _MASK)
        k0 = (k0 + WEYL_0) & _MASK
        k1 = (k1 + WEYL_1) & _MASK


@jit
def _normals(words, normals):
    for pair in range(0, words.shape[0], 2):
        for i in range(words.shape[1]):
            normals[pair, i], normals[pair + 1, i] = unit_normal_pair(words[pair, i], words[pair + 1, i])
