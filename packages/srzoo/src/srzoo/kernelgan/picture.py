"""Kernels as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from degrade.image import Pixels

_ZOOM, _GAP, _GROUND = 8, 8, 64


def kernel_sheet(kernels: Sequence[NDArray[np.floating]]) -> Pixels:
    """All of `kernels` (k, k), in reading order on a square sheet (H, W, 1): black is 0, white each one's largest tap.

    A tap is 8 x 8 pixels.
    """
    side = len(kernels[0]) * _ZOOM + _GAP
    columns = math.ceil(math.sqrt(len(kernels)))
    rows = math.ceil(len(kernels) / columns)
    sheet = np.full((rows * side + _GAP, columns * side + _GAP, 1), _GROUND, np.uint8)
    for index, kernel in enumerate(kernels):
        y, x = (_GAP + place * side for place in divmod(index, columns))
        levels = np.rint(255 * np.clip(kernel / kernel.max(), 0, 1)).astype(np.uint8)
        large = levels.repeat(_ZOOM, axis=0).repeat(_ZOOM, axis=1)
        sheet[y : y + len(large), x : x + len(large), 0] = large
    return sheet
