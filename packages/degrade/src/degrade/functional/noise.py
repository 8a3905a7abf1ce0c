"""Noise of independent pixels: each a pure function of the image, a 64-bit key and where the image lies.

A pixel's noise depends on its place in the patch, not on the window (`noise_field`). Nothing here clips.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from degrade.functional.noise_field import bands, random_words, unit_normals
from degrade.functional.poisson import poisson
from degrade.jit import jit

Image = NDArray[np.float32]
Mixing = Sequence[Sequence[float]]  # 3 x 3: channel c gets the sum over k of mixing[c][k] times normal number k

COLOUR: Mixing = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))  # a field for each channel
GRAY: Mixing = ((1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 0.0, 0.0))  # one field for all


def add_gaussian(image: Image, sigma: float, key: int, origin: tuple[int, int] = (0, 0)) -> Image:
    """White Gaussian noise, independent per channel.

    Args:
        image: (H, W, C), C at most 4.
        sigma: standard deviation, in the image's unit ([0, 1]).
        key: 64 bits; names the field.
        origin: row and column of the image's first pixel, counted from the patch's.
    """
    out = np.empty_like(image)
    for place, source, target in _banded(image, out, origin):
        _added(source, np.float32(sigma), unit_normals(key, *place), target)
    return out


def add_mixed_gaussian(image: Image, sigma: float, mixing: Mixing, key: int, origin: tuple[int, int] = (0, 0)) -> Image:
    """White Gaussian noise whose channels have the covariance `sigma**2 * mixing @ mixing.T`.

    Args:
        image: (H, W, 1 or 3); one channel gets what the first of three would.
        mixing: `GRAY` adds one field to all channels.
    """
    out = np.empty_like(image)
    for place, source, target in _banded(image, out, origin):
        _added(source, np.float32(sigma), _mixed_normals(key, place, mixing, image.shape[2]), target)
    return out


def speckle(image: Image, sigma: float, mixing: Mixing, key: int, origin: tuple[int, int] = (0, 0)) -> Image:
    """Multiplicative noise, `image + image * n`: n as `add_mixed_gaussian` adds it, dark pixels get less."""
    out = np.empty_like(image)
    for place, source, target in _banded(image, out, origin):
        _magnified(source, np.float32(sigma), _mixed_normals(key, place, mixing, image.shape[2]), target)
    return out


def add_uniform(
    image: Image, amplitude: float, key: int, origin: tuple[int, int] = (0, 0), *, gray: bool = False
) -> Image:
    """White noise uniform in (-amplitude, amplitude), of standard deviation amplitude / sqrt(3).

    Args:
        gray: one field for all channels instead of one each.
    """
    out = np.empty_like(image)
    for place, source, target in _banded(image, out, origin):
        words = random_words(key, place[0], place[1], 0, place[2], place[3])
        _added_uniform(source, np.float32(amplitude), words, gray, target)
    return out


def salt_and_pepper(
    image: Image, amount: float, salt: float, key: int, origin: tuple[int, int] = (0, 0), *, gray: bool = False
) -> Image:
    """Values replaced by 1 with the chance `amount * salt`, by 0 with `amount * (1 - salt)`; the rest unchanged.

    Args:
        gray: whole pixels are replaced instead of single channels.
    """
    out = np.empty_like(image)
    white, replaced = round(amount * salt * 2**32), round(amount * 2**32)
    for place, source, target in _banded(image, out, origin):
        words = random_words(key, place[0], place[1], 0, place[2], place[3])
        _replaced(source, white, replaced, words, gray, target)
    return out


def poisson_gaussian(
    image: Image,
    peak: float,
    sigma: float,
    keys: tuple[int, int],
    origin: tuple[int, int] = (0, 0),
    *,
    gain: float = 1.0,
) -> Image:
    """`gain * P(image * peak) / peak + n`, n Gaussian of standard deviation `sigma` (image unit).

    Source: Ren et al. 2020, Eq. 2, with alpha = `gain`. `keys` name the Poisson and the Gaussian field.
    """
    counted = poisson(image, peak, keys[0], origin)
    if gain != 1.0:
        counted *= np.float32(gain)
    return add_gaussian(counted, sigma, keys[1], origin)


def _banded(
    image: Image, out: Image, origin: tuple[int, int]
) -> Iterator[tuple[tuple[int, int, int, int], Image, Image]]:
    """For each band of rows: its place (y, x, height, width), and its pixels of image and result as (n, C)."""
    width, channels = image.shape[1:]
    for rows in bands(image):
        height = rows.stop - rows.start
        place = origin[0] + rows.start, origin[1], height, width
        yield place, image[rows].reshape(height * width, channels), out[rows].reshape(height * width, channels)


def _mixed_normals(key: int, place: tuple[int, int, int, int], mixing: Mixing, channels: int) -> Image:
    """(channels, height * width) normal numbers."""
    matrix = np.array(mixing, np.float32)[:channels]
    normals = unit_normals(key, *place, rows=4 if matrix[:, 2].any() else 2)
    mixed = np.empty((channels, normals.shape[1]), np.float32)
    _mixed(normals, matrix, mixed)
    return mixed


@jit
def _added(source, sigma, normals, out):
    for c in range(source.shape[1]):
        for i in range(source.shape[0]):
            out[i, c] = source[i, c] + sigma * normals[c, i]


@jit
def _magnified(source, sigma, normals, out):
    for c in range(source.shape[1]):
        for i in range(source.shape[0]):
            out[i, c] = source[i, c] + source[i, c] * (sigma * normals[c, i])


@jit
def _mixed(normals, mixing, out):
    for c in range(out.shape[0]):
        first, second = mixing[c, 0], mixing[c, 1]
        for i in range(out.shape[1]):
            out[c, i] = first * normals[0, i] + second * normals[1, i]
        if normals.shape[0] > 2:
            third = mixing[c, 2]
            for i in range(out.shape[1]):
                out[c, i] += third * normals[2, i]


@jit
def _added_uniform(source, amplitude, words, gray, out):
    for c in range(source.shape[1]):
        row = words[0 if gray else c]
        for i in range(source.shape[0]):
            unit = (np.float32(np.int32(row[i] >> np.uint32(9))) + np.float32(0.5)) * np.float32(2.0**-22)
            out[i, c] = source[i, c] + amplitude * (unit - np.float32(1.0))


@jit
def _replaced(source, white, replaced, words, gray, out):
    """`white` <= `replaced` <= 2**32: words below them are replaced."""
    for c in range(source.shape[1]):
        row = words[0 if gray else c]
        for i in range(source.shape[0]):
            word = np.int64(row[i])
            extreme = np.float32(1.0) if word < white else np.float32(0.0)
            out[i, c] = extreme if word < replaced else source[i, c]
