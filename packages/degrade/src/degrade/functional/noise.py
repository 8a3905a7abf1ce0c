"""Noise fields: each a pure function of the image, a 64-bit key and where the image lies.

A pixel's random words come from Philox with the counter (pixel, attempt, 0, 0), where `pixel` packs the row and column
counted from the patch's origin: so the same place has the same noise in whatever window it is evaluated.
Channels of a pixel are independent. Nothing here clips.
"""

from __future__ import annotations

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
    return _add_gaussian(image, np.float32(sigma), _signed(key), *origin)


def poisson(image: NDArray[np.float32], peak: float, key: int, origin: tuple[int, int] = (0, 0)) -> NDArray[np.float32]:
    """Photon noise, `P(image * peak) / peak`, independent per channel; values below 0 count as 0.

    Args:
        peak: expected count at 1.0, > 0.

    The sampler: expected counts under 10 by inversion of the distribution function, exact to 32 bits; from 10 on by the
    Cornish-Fisher expansion of its quantiles to order 1/lambda (Giles, "Approximation of the inverse Poisson cumulative
    distribution function", ACM TOMS 2016, section 2), rounded down. In float32 its error in total variation is
    below 2e-4 at 10 and 1e-4 from 20 on, in the mean below 1e-5 and in the variance below 3e-4, relative.
    """
    return _poisson(image, np.float32(peak), _signed(key), *origin)


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
def _random_words(key, y, x0, attempt, width, words):
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
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    n0, n1, n2, n3 = normals[0], normals[1], normals[2], normals[3]
    for i in range(w0.size):
        n0[i], n1[i] = unit_normal_pair(w0[i], w1[i])
    for i in range(w0.size):
        n2[i], n3[i] = unit_normal_pair(w2[i], w3[i])


@jit
def _add_gaussian(image, sigma, key, y0, x0):
    height, width, channels = image.shape
    out = np.empty_like(image)
    band = max(1, min(height, BAND_PIXELS // width))
    for y in range(0, height, band):
        count = min(band, height - y) * width
        words = np.empty((4, count), np.uint32)
        normals = np.empty((4, count), np.float32)
        _random_words(key, y + y0, x0, 0, width, words)
        _normals(words, normals)
        source = image[y : y + band].reshape(count, channels)
        target = out[y : y + band].reshape(count, channels)
        for c in range(channels):
            for i in range(count):
                target[i, c] = source[i, c] + sigma * normals[c, i]
    return out


@jit
def _poisson(image, peak, key, y0, x0):
    height, width, channels = image.shape
    out = np.empty_like(image)
    few, zero = np.float32(EXACT_BELOW), np.float32(0.0)
    band = max(1, min(height, BAND_PIXELS // width))
    for y in range(0, height, band):
        count = min(band, height - y) * width
        words = np.empty((4, count), np.uint32)
        normals = np.empty((4, count), np.float32)
        means = np.empty(count, np.float32)
        _random_words(key, y + y0, x0, 0, width, words)
        _normals(words, normals)
        source = image[y : y + band].reshape(count, channels)
        target = out[y : y + band].reshape(count, channels)
        rare = 0
        for c in range(channels):
            for i in range(count):
                mean = source[i, c] * peak
                rare += 1 if mean < few else 0
                means[i] = mean if mean > few else few
            _many(means, normals[c])
            for i in range(count):
                target[i, c] = means[i] / peak
        if rare > 0:
            _random_words(key, y + y0, x0, 1, width, words)
            for i in range(count):
                for c in range(channels):
                    mean = source[i, c] * peak
                    if mean < few:
                        target[i, c] = _few(mean if mean > zero else zero, words[c, i]) / peak
    return out


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
