"""Photon noise: Poisson counts of an image, each a pure function of the image, a 64-bit key and where the image lies.

Nothing here clips its result.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import exp
from degrade.functional.noise_field import bands, random_words, unit_normals
from degrade.image import Pixels, to_float, to_pixels
from degrade.jit import jit

EXACT_BELOW = 10.0  # expected counts under this are drawn by inversion

_MOST = 60  # no count above it has a chance of 2**-32 at a mean of 10
_BLOCK = 256  # small expected counts that are inverted together
_INVERSE = 1.0 / np.maximum(np.arange(_MOST + 1), 1.0)


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
    for rows in bands(image):
        height = rows.stop - rows.start
        place = origin[0] + rows.start, origin[1]
        source, target = (array[rows].reshape(height * width, channels) for array in (image, out))
        means = np.empty(height * width, np.float32)
        normals = unit_normals(key, *place, height, width, 2 if channels == 1 else 4)
        rare = _counted(source, np.float32(peak), normals, means, target)
        if rare:
            _counted_exactly(source, np.float32(peak), random_words(key, *place, 1, height, width), target)
    return out


def gray_poisson(
    image: NDArray[np.float32], peak: float, key: int, origin: tuple[int, int] = (0, 0)
) -> NDArray[np.float32]:
    """The photon noise of the luma (BT.601; a gray image is its own), added to every channel.

    Source: Real-ESRGAN (Wang et al. 2021), whose code rounds the luma to 8 bits first (`scaled_poisson`), and BSRGAN+.
    """
    gray = luma(image)
    return _plus(image, poisson(gray, peak, key, origin), gray, 1.0)


def scaled_poisson(
    image: NDArray[np.float32], scale: float, key: int, origin: tuple[int, int] = (0, 0), *, gray: bool = False
) -> NDArray[np.float32]:
    """`image + scale * (P(q * peak) / peak - q)`, q the image (or its luma) clipped and rounded to 8 bits.

    `peak` is `distinct_power(q)`: of the whole array that is given, all channels together.

    Source: Real-ESRGAN and BasicSR, `random_generate_poisson_noise`. Departs from it: halves round upward, luma by
    BT.601 to three digits, and the sum is not clipped.
    """
    levels = to_pixels(luma(image) if gray else image)
    rounded = to_float(levels)
    return _plus(image, poisson(rounded, float(distinct_power(levels)), key, origin), rounded, scale)


def distinct_power(levels: Pixels) -> int:
    """The number of distinct 8-bit levels in the array, rounded up to a power of two: 1 to 256."""
    return 1 << (_distinct(levels.reshape(-1)) - 1).bit_length()


def luma(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, 1): BT.601 luma of sRGB values, 0.299 R + 0.587 G + 0.114 B; a gray image itself."""
    if image.shape[2] == 1:
        return image
    out = np.empty((*image.shape[:2], 1), np.float32)
    _weighed(image.reshape(-1, 3), out.reshape(-1))
    return out


def _plus(
    image: NDArray[np.float32], counted: NDArray[np.float32], expected: NDArray[np.float32], scale: float
) -> NDArray[np.float32]:
    out = np.empty_like(image)
    pixels = image.shape[0] * image.shape[1]
    source, counts, means, target = (array.reshape(pixels, -1) for array in (image, counted, expected, out))
    _added_difference(source, counts, means, np.float32(scale), target)
    return out


@jit
def _weighed(pixels, out):
    for i in range(out.size):
        out[i] = np.float32(0.299) * pixels[i, 0] + np.float32(0.587) * pixels[i, 1] + np.float32(0.114) * pixels[i, 2]


@jit
def _added_difference(image, counted, expected, scale, out):
    """`counted` and `expected` have the image's channels, or one for all of them."""
    if counted.shape[1] == image.shape[1]:
        flat_image, flat_counted, flat_expected = image.reshape(-1), counted.reshape(-1), expected.reshape(-1)
        flat_out = out.reshape(-1)
        for i in range(flat_image.size):
            flat_out[i] = flat_image[i] + scale * (flat_counted[i] - flat_expected[i])
    else:
        for i in range(image.shape[0]):
            difference = scale * (counted[i, 0] - expected[i, 0])
            for c in range(image.shape[1]):
                out[i, c] = image[i, c] + difference


@jit
def _distinct(levels):
    seen = np.zeros(256, np.uint8)
    for i in range(levels.size):
        seen[levels[i]] = 1
    total = 0
    for level in range(256):
        total += seen[level]
    return total


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
    """The small expected counts, by inversion: gathered, so that a block of them is inverted in step."""
    few, zero = np.float32(EXACT_BELOW), np.float32(0.0)
    places = np.empty(_BLOCK, np.int64)
    means, marks, counts = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK, np.int64)
    work = np.empty((2, _BLOCK))
    pixels = source.shape[0]
    for c in range(source.shape[1]):
        filled = 0
        for i in range(pixels):
            places[filled] = i
            filled += 1 if source[i, c] * peak < few else 0
            if filled == _BLOCK or i == pixels - 1:
                for j in range(filled):
                    mean = source[places[j], c] * peak
                    means[j] = mean if mean > zero else zero
                    marks[j] = (np.float64(words[c, places[j]]) + 0.5) * 2.0**-32
                _few(means[:filled], marks[:filled], work[0, :filled], work[1, :filled], counts[:filled])
                for j in range(filled):
                    out[places[j], c] = np.float32(counts[j]) / peak
                filled = 0


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
def _few(means, marks, chances, totals, counts):
    """Counts whose distribution function first reaches a random mark; `chances` and `totals` are room to work in."""
    for i in range(means.size):
        chances[i] = totals[i] = exp(-means[i])
        counts[i] = 0
    for k in range(1, _MOST + 1):
        still_below = 0
        inverse = _INVERSE[k]
        for i in range(means.size):
            below = 1 if marks[i] > totals[i] else 0
            still_below += below
            counts[i] += below
            chances[i] *= means[i] * inverse
            totals[i] += chances[i]
        if still_below == 0:
            return
