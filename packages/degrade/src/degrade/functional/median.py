"""The median of a square neighbourhood, by comparisons that are the same for every pixel: its loops vectorise.

Columns are sorted once for all the windows that share them. In a window the rows are sorted too; then an entry with
enough others above it or below it cannot be the median, and among the rest smallest and largest are dropped in turn.
Floats are compared as the integers that sort alike: minimum and maximum of integers are one instruction each.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from degrade.jit import jit

SIZES = (3, 5, 7, 9)

_CHUNK = 256  # pixels and channels worked on at a time
_ALL_BUT_SIGN = np.int32(0x7FFFFFFF)
_Pairs = list[tuple[int, int]]


def median_filter(image: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """The median of each pixel's `size` x `size` neighbourhood, channel by channel; exact.

    Args:
        image: (H, W, C), finite; mirrored at its edges, the edge pixel repeated.
        size: 3, 5, 7 or 9.
    """
    if size not in SIZES:
        raise ValueError(f"expected a size of 3, 5, 7 or 9, got {size}")
    height, width, channels = image.shape
    half = size // 2
    keys = _flipped(np.ascontiguousarray(image).view(np.int32))
    padded = np.pad(keys, ((half, half), (half, half), (0, 0)), mode="symmetric").reshape(height + 2 * half, -1)
    out = np.empty((height, width * channels), np.int32)
    columns, window, middle = _networks(size)
    _medians(padded, size, channels, columns, window, middle, out)
    return _flipped(out).view(np.float32).reshape(image.shape)


def _flipped(bits: NDArray[np.int32]) -> NDArray[np.int32]:
    """The bits of floats as integers in the same order, and back: below zero all bits but the sign are inverted."""
    return bits ^ ((bits >> 31) & _ALL_BUT_SIGN)


@lru_cache(maxsize=4)
def _networks(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Pairs to compare in a column, pairs in a window of sorted columns, and where its median ends up."""
    line = _sorting_network(size)
    pairs = [(size * i + j, size * i + k) for i in range(size) for j, k in line]
    enough = (size * size + 1) // 2
    rest = [
        size * i + j
        for i in range(size)
        for j in range(size)
        if (i + 1) * (j + 1) <= enough and (size - i) * (size - j) <= enough
    ]
    chosen, middle = _selection(rest)
    return np.array(line), np.array(_needed(pairs + chosen, middle)), middle


def _sorting_network(count: int) -> _Pairs:
    """Batcher's odd-even merge sort, for any count; each pair puts the smaller first."""
    pairs: _Pairs = []
    p = 1
    while p < count:
        k = p
        while k >= 1:
            for j in range(k % p, count - k, 2 * k):
                for i in range(min(k, count - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        pairs.append((i + j, i + j + k))
            k //= 2
        p *= 2
    return pairs


def _selection(places: list[int]) -> tuple[_Pairs, int]:
    """Pairs that bring the median of an odd number of `places` to the place returned, dropping both ends in turn."""
    waiting = list(places)
    held = [waiting.pop() for _ in range(len(places) // 2 + 2 if len(places) > 1 else 1)]
    pairs: _Pairs = []
    while len(held) > 1:
        half = len(held) // 2
        pairs += [(held[i], held[-1 - i]) for i in range(half)]  # the smaller ones first
        lows, highs = held[: len(held) - half], held[half:]
        pairs += [(lows[0], low) for low in lows[1:]]
        pairs += [(high, highs[-1]) for high in highs[:-1]]
        held = held[1:-1]
        if waiting:
            held.append(waiting.pop())
    return pairs, held[0]


def _needed(pairs: _Pairs, place: int) -> _Pairs:
    """Without pairs that `place` does not depend on."""
    used, kept = {place}, []
    for low, high in reversed(pairs):
        if low in used or high in used:
            used |= {low, high}
            kept.append((low, high))
    return kept[::-1]


@jit
def _medians(padded, size, channels, column_pairs, window_pairs, middle, out):
    columns = np.empty((size, padded.shape[1]), np.int32)
    window = np.zeros((size * size, _CHUNK), np.int32)
    for y in range(out.shape[0]):
        for i in range(size):
            for x in range(padded.shape[1]):
                columns[i, x] = padded[y + i, x]
        _exchange(columns, column_pairs)
        for start in range(0, out.shape[1], _CHUNK):
            count = min(_CHUNK, out.shape[1] - start)
            for i in range(size):
                for j in range(size):
                    left = start + j * channels
                    for x in range(count):
                        window[size * i + j, x] = columns[i, left + x]
            _exchange(window, window_pairs)  # all of it: only whole rows are contiguous
            for x in range(count):
                out[y, start + x] = window[middle, x]


@jit
def _exchange(rows, pairs):
    for k in range(pairs.shape[0]):
        low, high = rows[pairs[k, 0]], rows[pairs[k, 1]]
        for x in range(low.size):
            a, b = low[x], high[x]
            low[x] = a if a < b else b
            high[x] = b if a < b else a
