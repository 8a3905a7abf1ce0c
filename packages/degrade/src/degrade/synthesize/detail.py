"""How much there is to see in a patch, so that sky and walls need not fill a training set."""

from __future__ import annotations

import numpy as np

from degrade.image import Pixels
from degrade.jit import jit


def detail(pixels: Pixels, y: int, x: int, side: int) -> float:
    """Mean absolute Laplacian of the luma, in 8-bit levels, over a square of `side` pixels at (y, x).

    Luma is (77 R + 150 G + 29 B) / 256, the Laplacian the four neighbours less four times the pixel; the
    outermost ring of the square only serves as neighbours. Smooth sky gives about 1, a busy texture 20 and
    more; noise counts, too.

    Args:
        pixels: (H, W, 3).
    """
    return _detail(pixels, y, x, side)


@jit
def _detail(pixels, y, x, side):
    luma = np.empty((side, side), np.int32)
    for i in range(side):
        for j in range(side):
            r, g, b = pixels[y + i, x + j, 0], pixels[y + i, x + j, 1], pixels[y + i, x + j, 2]
            luma[i, j] = np.int32(77) * np.int32(r) + np.int32(150) * np.int32(g) + np.int32(29) * np.int32(b)
    total = np.int64(0)  # whole numbers: exact in any order
    for i in range(1, side - 1):
        for j in range(1, side - 1):
            around = luma[i - 1, j] + luma[i + 1, j] + luma[i, j - 1] + luma[i, j + 1]
            total += abs(around - np.int32(4) * luma[i, j])
    return np.float64(total) / (256.0 * max((side - 2) * (side - 2), 1))
