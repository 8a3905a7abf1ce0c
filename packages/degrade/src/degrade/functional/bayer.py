"""The Bayer mosaic: one colour per pixel, and the full image from it again.

A pattern is named by its two rows, as "RGGB", and anchored at the patch: the first letter belongs to its pixel (0, 0).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.jit import jit

Image = NDArray[np.float32]
Raw = NDArray[np.float32]  # (H, W), one value per pixel

RED_SITES = {"RGGB": (0, 0), "GRBG": (0, 1), "GBRG": (1, 0), "BGGR": (1, 1)}  # row and column of red in two by two

# What a missing colour is made of. Columns: the pixel itself, the sums of its two neighbours left and right and above
# and below, of the two second next ones on each axis, and of the four diagonal ones. Rows: green where red or blue is;
# where green is, the colour left and right of it, the colour above and below; where red or blue is, the other of them.
WEIGHTS = {
    "bilinear": np.array(
        [[0, 0.25, 0.25, 0, 0, 0], [0, 0.5, 0, 0, 0, 0], [0, 0, 0.5, 0, 0, 0], [0, 0, 0, 0, 0, 0.25]], np.float32
    ),
    "malvar": np.array(
        [[4, 2, 2, -1, -1, 0], [5, 4, 0, -1, 0.5, -1], [5, 0, 4, 0.5, -1, -1], [6, 0, 0, -1.5, -1.5, 2]], np.float32
    )
    / np.float32(8),
}
REACH = 2


def mosaic(image: Image, pattern: str, origin: tuple[int, int] = (0, 0)) -> Raw:
    """(H, W): of each pixel of `image` (H, W, 3) the one colour that the pattern has there.

    Args:
        origin: row and column of the image's first pixel, counted from the patch's.
    """
    out = np.empty(image.shape[:2], np.float32)
    _sampled(image, *red_site(pattern, origin), out)
    return out


def demosaic(raw: Raw, pattern: str, method: str, origin: tuple[int, int] = (0, 0)) -> Image:
    """(H, W, 3) from one colour per pixel; not clipped. Both methods reproduce linear ramps exactly.

    Beyond the edge the mosaic is mirrored at the edge pixel, which keeps its colours in step.

    Args:
        method: "bilinear", or "malvar" for the 5 x 5 filters of Malvar, He and Cutler, "High-quality linear
            interpolation for demosaicing of Bayer-patterned color images", ICASSP 2004, figure 2.
        origin: as in `mosaic`.
    """
    height, width = raw.shape
    rows, columns = _mirrored(height), _mirrored(width)
    out = np.empty((height, width, 3), np.float32)
    _interpolated(raw, rows, columns, WEIGHTS[method], *red_site(pattern, origin), out)
    return out


def red_site(pattern: str, origin: tuple[int, int]) -> tuple[int, int]:
    """Row and column, 0 or 1, of the first red pixel of a window that starts at `origin`."""
    y, x = RED_SITES[pattern]
    return (y - origin[0]) % 2, (x - origin[1]) % 2


def _mirrored(length: int) -> NDArray[np.intp]:
    """Indices from -2 to length + 1, the edge pixel not repeated."""
    if length == 1:
        return np.zeros(1 + 2 * REACH, np.intp)
    folded = np.arange(-REACH, length + REACH, dtype=np.intp) % (2 * length - 2)
    return np.minimum(folded, 2 * length - 2 - folded)


@jit
def _sampled(image, red_y, red_x, out):
    for y in range(out.shape[0]):
        in_red_row = y % 2 == red_y
        for x in range(out.shape[1]):
            in_red_column = x % 2 == red_x
            channel = 1 if in_red_row != in_red_column else (0 if in_red_row else 2)
            out[y, x] = image[y, x, channel]


@jit
def _interpolated(raw, rows, columns, weights, red_y, red_x, out):
    height, width = raw.shape
    lines = np.empty((5, width + 4), np.float32)  # the row and two on either side, mirrored at their ends
    made = np.empty((4, width), np.float32)
    for y in range(height):
        for i in range(5):
            source, line = raw[rows[y + i]], lines[i]
            for x in range(width):
                line[x + 2] = source[x]
            for x in (0, 1, width + 2, width + 3):
                line[x] = source[columns[x]]
        _combined(lines, weights, made)
        in_red_row = y % 2 == red_y
        site = red_x if in_red_row else 1 - red_x  # the columns of this row's red or blue
        here, other = (0, 2) if in_red_row else (2, 0)
        for x in range(site, width, 2):
            out[y, x, here], out[y, x, 1], out[y, x, other] = lines[2, x + 2], made[0, x], made[3, x]
        for x in range(1 - site, width, 2):
            out[y, x, here], out[y, x, 1], out[y, x, other] = made[1, x], lines[2, x + 2], made[2, x]


@jit
def _combined(lines, weights, made):
    """The four interpolations at every pixel of a row; which is needed where, is chosen after."""
    far_above, above, here, below, far_below = lines[0], lines[1], lines[2], lines[3], lines[4]
    for k in range(4):
        own, beside, upright, far_beside, far_upright, diagonal = weights[k]
        for x in range(made.shape[1]):
            near = own * here[x + 2] + beside * (here[x + 1] + here[x + 3]) + upright * (above[x + 2] + below[x + 2])
            far = far_beside * (here[x] + here[x + 4]) + far_upright * (far_above[x + 2] + far_below[x + 2])
            corners = (above[x + 1] + above[x + 3]) + (below[x + 1] + below[x + 3])
            made[k, x] = near + far + diagonal * corners
