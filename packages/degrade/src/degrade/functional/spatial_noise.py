"""Gaussian noise whose neighbouring pixels are alike, as after denoising, demosaicing or resizing in a camera."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import exp
from degrade.functional.noise_field import unit_normals
from degrade.jit import jit

Image = NDArray[np.float32]

MAX_CORRELATION = 16.0  # pixels; the field is evaluated three times as far around the image


def add_spatial_gaussian(
    image: Image, sigma: float, correlation: float, chroma: float, key: int, origin: tuple[int, int] = (0, 0)
) -> Image:
    """Gaussian noise of standard deviation `sigma` that a Gaussian of `correlation` pixels has smoothed; not clipped.

    The white field is evaluated beyond the image as far as the smoothing reaches, so that neither the window nor its
    edge shows. Two pixels at the distance d have the correlation exp(-d**2 / (4 correlation**2)).

    Args:
        image: (H, W, 1 or 3).
        sigma: in the image's unit ([0, 1]), after smoothing: the kernel is scaled to unit energy.
        correlation: standard deviation of the smoothing, cut off at three of it; 0 leaves the noise white.
        chroma: share of the variance that is each channel's own, in [0, 1]; the rest is one field for all of them.
        key: 64 bits; names the field.
        origin: row and column of the image's first pixel, counted from the patch's.
    """
    height, width, channels = image.shape
    taps = _unit_energy(correlation)
    reach = len(taps) // 2
    padded = height + 2 * reach, width + 2 * reach
    white = unit_normals(key, origin[0] - reach, origin[1] - reach, *padded, rows=4 if chroma else 2)
    fields = white[1:] if chroma else white[:1]  # row 0 is the field for all channels
    if 0.0 < chroma < 1.0:
        _blended(fields, np.float32(sqrt(chroma)), white[0], np.float32(sqrt(1.0 - chroma)))
    smooth = np.empty((min(channels, len(fields)), height, width), np.float32)
    for field, result in zip(fields, smooth, strict=False):
        _smoothed(field.reshape(padded), taps, result)
    out = np.empty_like(image)
    _added(image, np.float32(sigma), smooth, out)
    return out


@lru_cache(maxsize=16)
def _unit_energy(correlation: float) -> NDArray[np.float32]:
    """A Gaussian of odd length whose squares sum to 1."""
    reach = ceil(3 * correlation)
    weights = [exp(-0.5 * (i / correlation) ** 2) if i else 1.0 for i in range(-reach, reach + 1)]
    energy = 0.0
    for weight in weights:
        energy += weight * weight
    return np.array([weight / sqrt(energy) for weight in weights], np.float32)


@jit
def _blended(fields, own, common, shared):
    for c in range(fields.shape[0]):
        for i in range(fields.shape[1]):
            fields[c, i] = own * fields[c, i] + shared * common[i]


@jit
def _smoothed(field, taps, out):
    """Both axes; `field` is larger than `out` by the reach of `taps` on every side."""
    height, width = out.shape
    column = np.empty(field.shape[1], np.float32)
    for y in range(height):
        for x in range(column.size):
            column[x] = taps[0] * field[y, x]
        for k in range(1, taps.size):
            for x in range(column.size):
                column[x] += taps[k] * field[y + k, x]
        for x in range(width):
            out[y, x] = taps[0] * column[x]
        for k in range(1, taps.size):
            for x in range(width):
                out[y, x] += taps[k] * column[x + k]


@jit
def _added(image, sigma, fields, out):
    """`fields` (C, H, W), or (1, H, W) for all channels."""
    for y in range(image.shape[0]):
        for c in range(image.shape[2]):
            field = fields[c if fields.shape[0] > 1 else 0, y]
            for x in range(image.shape[1]):
                out[y, x, c] = image[y, x, c] + sigma * field[x]
