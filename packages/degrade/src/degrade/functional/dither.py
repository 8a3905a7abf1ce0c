"""Fewer levels: rounding, and dithers that turn its error into a pattern or a noise.

Every function clips to [0, 1] and gives multiples of 1 / (levels - 1). Channels are quantised apart; gray alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from degrade.functional.noise_field import bands, random_words
from degrade.image import Image
from degrade.jit import jit

# The parts of a pixel's error that go to the pixels one and two to the right, to those left below, below and right
# below, and to the one two below.
_DIFFUSION = {
    "floyd_steinberg": (7 / 16, 0.0, 3 / 16, 5 / 16, 1 / 16, 0.0),
    "atkinson": (1 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 8),  # a quarter of the error is dropped
}


def quantise(image: Image, levels: int) -> Image:
    """The nearest of `levels` (at least 2) even steps, halves upward."""
    out = np.empty_like(image)
    _rounded(image.reshape(-1), np.float32(levels - 1), out.reshape(-1))
    return out


def dither_ordered(image: Image, levels: int, origin: tuple[int, int] = (0, 0)) -> Image:
    """Rounded with the thresholds of Bayer's 8 x 8 matrix, the same for all channels.

    Args:
        origin: row and column of the image's first pixel counted from the patch's, where the matrix begins.

    Source: Bayer, "An optimum method for two-level rendition of continuous-tone pictures", ICC 1973. The thresholds are
    (m + 1/2) / 64 with m = 0..63, so a flat area keeps its mean to 1/128 of a step.
    """
    height, width, channels = image.shape
    matrix = np.roll(_bayer(3), (-origin[0], -origin[1]), (0, 1))
    lines = matrix[:, np.arange(width) & 7].repeat(channels, 1)
    out = np.empty_like(image)
    _ordered(image.reshape(height, -1), np.float32(levels - 1), lines, out.reshape(height, -1))
    return out


def dither_noise(image: Image, levels: int, key: int, origin: tuple[int, int] = (0, 0)) -> Image:
    """Rounded up with a chance equal to the fraction: the mean is kept; independent per pixel and channel.

    Args:
        key: 64 bits; names the field.
        origin: row and column of the image's first pixel, counted from the patch's.
    """
    out = np.empty_like(image)
    width, channels = image.shape[1:]
    for rows in bands(image):
        height = rows.stop - rows.start
        words = random_words(key, origin[0] + rows.start, origin[1], 0, height, width)
        source, target = (array[rows].reshape(height * width, channels) for array in (image, out))
        _noisy(source, np.float32(levels - 1), words, target)
    return out


def diffuse_error(image: Image, levels: int, method: Literal["floyd_steinberg", "atkinson"]) -> Image:
    """Rounded pixel by pixel, left to right and top to bottom, each error handed to pixels that come later.

    A pixel depends on all before it: where the image begins matters. Errors that leave the image are dropped.

    Source: Floyd and Steinberg, "An adaptive algorithm for spatial grey scale", Proc. SID 1976; Atkinson's filter as
    Apple's HyperScan had it, which hands on six eighths, so shadows and lights saturate.
    """
    out = np.empty_like(image)
    channels = image.shape[2]
    errors = np.zeros((3, (image.shape[1] + 4) * channels), np.float32)  # two pixels of room on either side
    parts = np.array(_DIFFUSION[method], np.float32)
    shape = image.shape[0], -1
    _diffused(image.reshape(shape), np.float32(levels - 1), parts, channels, errors, out.reshape(shape))
    return out


@lru_cache(maxsize=1)
def _bayer(order: int) -> NDArray[np.float32]:
    """The thresholds of Bayer's matrix of side 2**order."""
    matrix = np.zeros((1, 1), np.int64)
    for _ in range(order):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return ((matrix + 0.5) / matrix.size).astype(np.float32)


@jit
def _level(value, offset, top):
    """The step of a value times `top`, clipped, after adding `offset` and cutting the fraction."""
    zero = np.float32(0.0)
    level = value if value > zero else zero
    return np.floor((level if level < top else top) + offset)


@jit
def _rounded(values, top, out):
    half = np.float32(0.5)
    for i in range(values.size):
        out[i] = _level(values[i] * top, half, top) / top


@jit
def _ordered(rows, top, lines, out):
    for y in range(rows.shape[0]):
        line = lines[y & 7]
        for i in range(line.size):
            out[y, i] = _level(rows[y, i] * top, line[i], top) / top


@jit
def _noisy(pixels, top, words, out):
    unit, half = np.float32(2.0**-15), np.float32(0.5)  # with more bits 255 and the offset would round up to 256
    for c in range(pixels.shape[1]):
        for i in range(pixels.shape[0]):
            offset = (np.float32(words[c, i] >> np.uint32(17)) + half) * unit
            out[i, c] = _level(pixels[i, c] * top, offset, top) / top


@jit
def _diffused(rows, top, parts, channels, errors, out):
    """`errors` holds what the current and the next two rows receive, in steps."""
    zero, half = np.float32(0.0), np.float32(0.5)
    right, second, below_left, below, below_right, two_below = (
        parts[0],
        parts[1],
        parts[2],
        parts[3],
        parts[4],
        parts[5],
    )
    width = rows.shape[1]
    for y in range(rows.shape[0]):
        here, following, last = errors[y % 3], errors[(y + 1) % 3], errors[(y + 2) % 3]
        for i in range(width):
            value = rows[y, i] * top
            value = value if value > zero else zero
            value = value if value < top else top
            at = i + 2 * channels
            value += here[at]
            level = _level(value, half, top)
            error = value - level
            out[y, i] = level / top
            here[at + channels] += right * error
            here[at + 2 * channels] += second * error
            following[at - channels] += below_left * error
            following[at] += below * error
            following[at + channels] += below_right * error
            last[at] += two_below * error
        here[:] = zero
