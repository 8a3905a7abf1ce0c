"""Noise fields: each a pure function of the image, a 64-bit key and where the image lies.

A pixel's random words come from Philox with the counter (pixel, attempt, 0, 0), where `pixel` packs the row and column
counted from the patch's origin: so the same place has the same noise in whatever window it is evaluated.
Channels of a pixel are independent. Nothing here clips.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import exp, unit_normal_pair
from degrade.jit import jit
from degrade.rng import MULTIPLIER_0, MULTIPLIER_1, WEYL_0, WEYL_1

MAX_CHANNELS = 4  # a Philox block holds four words
EXACT_BELOW = 10.0  # expected counts under this are drawn by inversion

BAND_PIXELS = 4096  # pixels worked on at a time: their words and normals stay in the cache

_MOST = 60  # no count above it has a chance of 2**-32 at a mean of 10
_INVERSE = 1.0 / np.maximum(np.arange(_MOST + 1), 1.0)
_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def add_gaussian(
    image: NDArray[np.float32], sigma: float, key: int, origin: tuple[int, int] = (0, 0)
) -> NDArray[np.float32]:
    """White Gaussian noise, independent per channel.

    Args:
        image: (H, W, C), C at most 4.
        sigma: standard deviation, in the image's unit ([0, 1]).
        key: 64 bits; names the field.
        origin: row and column of the image's first pixel, counted from the patch's.
    """
    out = np.empty_like(image)
    width, channels = image.shape[1:]
    for rows in _bands(image):
        height = rows.stop - rows.start
        normals = _unit_normals(key, origin[0] + rows.start, origin[1], height, width)
        source, target = (array[rows].reshape(height * width, channels) for array in (image, out))
        _added(source, np.float32(sigma), normals, target)
    return out


def poisson(image: NDArray[np.float32], peak: float, key: int, origin: tuple[int, int] = (0, 0)) -> NDArray[np.float32]:
    """Photon noise, `P(image * peak) / peak`, independent per channel; values below 0 count as 0.

    Args:
        peak: expected count at 1.0, > 0.

    The sampler: expected counts under 10 by inversion of the distribution function, exact to 32 bits; from 10 on by the
    Cornish-Fisher expansion of its quantiles to order 1/lambda (Giles, "Approximation of the inverse Poisson cumulative
    distribution function", ACM TOMS 2016, section 2), rounded down. In float32 its error in total variation is
    below 2e-4 at 10 and 1e-4 from 20 on, in the mean below 1e-5 and in the variance below 3e-4, relative.
    """
    out = np.empty_like(image)
    width, channels = image.shape[1:]
    for rows in _bands(image):
        height = rows.stop - rows.start
        place = origin[0] + rows.start, origin[1]
        source, target = (array[rows].reshape(height * width, channels) for array in (image, out))
        means = np.empty(height * width, np.float32)
        rare = _counted(source, np.float32(peak), _unit_normals(key, *place, height, width), means, target)
        if rare:
            _counted_exactly(source, np.float32(peak), _random_words(key, *place, 1, height, width), target)
    return out


def poisson_gaussian(
    image: NDArray[np.float32],
    peak: float,
    sigma: float,
    keys: tuple[int, int],
    origin: tuple[int, int] = (0, 0),
    *,
    gain: float = 1.0,
) -> NDArray[np.float32]:
    """`gain * P(image * peak) / peak + n`, n Gaussian of standard deviation `sigma` (image unit).

    Source: Ren et al. 2020, Eq. 2, with alpha = `gain`. `keys` name the Poisson and the Gaussian field.
    """
    counted = poisson(image, peak, keys[0], origin)
    if gain != 1.0:
        counted *= np.float32(gain)
    return add_gaussian(counted, sigma, keys[1], origin)


def _signed(key: int) -> int:
    return key - (1 << 64) if key >> 63 else key


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


def _bands(image: NDArray[np.float32]) -> Iterator[slice]:
    """Whole rows, so many that their words and normals stay in the cache."""
    height, width, channels = image.shape
    if channels > MAX_CHANNELS:
        raise ValueError(f"expected at most {MAX_CHANNELS} channels, got {channels}")
    band = max(1, min(height, BAND_PIXELS // width))
    return (slice(y, min(y + band, height)) for y in range(0, height, band))


def _random_words(key: int, y: int, x: int, attempt: int, height: int, width: int) -> NDArray[np.uint32]:
    words = np.empty((4, height * width), np.uint32)
    _fill_words(_signed(key), y, x, attempt, width, words)
    return words


def _unit_normals(key: int, y: int, x: int, height: int, width: int) -> NDArray[np.float32]:
    """(4, height * width) standard normal numbers, a row for each channel."""
    normals = np.empty((4, height * width), np.float32)
    _normals(_random_words(key, y, x, 0, height, width), normals)
    return normals


@jit
def _normals(words, normals):
    for pair in range(0, 4, 2):
        for i in range(words.shape[1]):
            normals[pair, i], normals[pair + 1, i] = unit_normal_pair(words[pair, i], words[pair + 1, i])


@jit
def _added(source, sigma, normals, out):
    for c in range(source.shape[1]):
        for i in range(source.shape[0]):
            out[i, c] = source[i, c] + sigma * normals[c, i]


@jit
def _counted(source, peak, normals, means, out):
    """Counts over `peak` by the expansion; how many expected counts are too small for it."""
    few = np.float32(EXACT_BELOW)
    rare = 0
    for c in range(source.shape[1]):
        for i in range(source.shape[0]):
            mean = source[i, c] * peak
            rare += 1 if mean < few else 0
            means[i] = mean if mean > few else few
        _many(means, normals[c])
        for i in range(source.shape[0]):
            out[i, c] = means[i] / peak
    return rare


@jit
def _counted_exactly(source, peak, words, out):
    """The small expected counts, by inversion."""
    few, zero = np.float32(EXACT_BELOW), np.float32(0.0)
    for i in range(source.shape[0]):
        for c in range(source.shape[1]):
            mean = source[i, c] * peak
            if mean < few:
                out[i, c] = _few(mean if mean > zero else zero, words[c, i]) / peak


@jit
def _many(means, normals):
    """Replace each mean (10 and more) by the count at its normal quantile."""
    zero = np.float32(0.0)
    for i in range(means.size):
        mean, w = means[i], normals[i]
        root = np.sqrt(mean)
        square = w * w
        first = np.float32(1 / 3) + square * np.float32(1 / 6)
        second = w * (np.float32(-1 / 36) - square * np.float32(1 / 72)) / root
        third = (np.float32(-8 / 405) + square * (np.float32(7 / 810) + square * np.float32(1 / 270))) / mean
        count = np.floor(mean + root * w + (first + (second + third)))
        means[i] = count if count > zero else zero


@jit
def _few(mean, word):
    """The count whose distribution function first exceeds a random mark."""
    mark = (np.float64(word) + 0.5) * 2.0**-32
    chance = exp(-np.float64(mean))
    total, count = chance, 0
    while mark > total and count < _MOST:
        count += 1
        chance *= np.float64(mean) * _INVERSE[count]
        total += chance
    return np.float32(count)
