"""What a network does to colours: the low frequencies of SR against those of LR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import AxisMap, apply_axes, imresize

_SIGMA = 4.0  # LR pixels
_CUT = 3  # sigmas


@dataclass(frozen=True)
class ColorShift:
    """In 8-bit levels, one number for each channel.

    Attributes:
        mean: what the whole picture gained.
        spread: the mean absolute change, which also sees shifts that cancel.
    """

    mean: tuple[float, ...]
    spread: tuple[float, ...]


def color_shift(sr: NDArray[np.uint8], lr: NDArray[np.uint8]) -> ColorShift:
    """How far the colours of `sr` (s*h, s*w, C) lie from those of `lr` (h, w, C); all 0 for pure bicubic enlargement.

    Both at SR's size (LR by bicubic), blurred by a Gaussian of sigma 4 LR pixels, edges mirrored. Source: our own.

    Raises:
        ValueError: sizes that are no whole multiple, or other channels.
    """
    scale = sr.shape[0] // lr.shape[0]
    if sr.shape != (scale * lr.shape[0], scale * lr.shape[1], lr.shape[2]):
        raise ValueError(f"expected SR a whole multiple of LR, got shapes {sr.shape} and {lr.shape}")
    height, width = sr.shape[:2]
    difference = sr - imresize(lr, height, width)
    rows, columns = (_gaussian(scale * _SIGMA, length) for length in (height, width))
    shift = apply_axes(difference, rows, columns)
    return ColorShift(tuple(map(float, shift.mean((0, 1)))), tuple(map(float, np.abs(shift).mean((0, 1)))))


def _gaussian(sigma: float, length: int) -> AxisMap:
    reach = round(_CUT * sigma)
    taps = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    return AxisMap(np.arange(length) - reach, np.tile(taps / taps.sum(), (length, 1)), length)
