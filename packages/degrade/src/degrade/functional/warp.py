"""A picture seen from a slightly moved and turned camera: cubic B-spline interpolation at any position.

Of four samples a side nothing keeps more of a photograph: the mean of 20 shots with known motions loses as little as
with quintic splines or Lanczos of five lobes; bilinear interpolation loses 2 to 6 dB more.
"""

from __future__ import annotations

from math import cos, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from degrade.jit import jit

BORDER = 2  # coefficients beyond each edge of the picture
REACH = 16  # rows beyond those used that settle the recursive filter: 0.268^16 < 1e-9

_POLE = sqrt(3.0) - 2.0


class Motion(NamedTuple):
    """How a frame shows what the reference shows, about the centre c of both.

    The reference's pixel c + (v, u) lies in the frame at c + scale * (v cos + u sin, u cos - v sin) + (y, x), angle in
    radians. With angle 0 and scale 1 it is `registration.Shift`.
    """

    y: float = 0.0
    x: float = 0.0
    angle: float = 0.0
    scale: float = 1.0


def coefficients(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H + 2 BORDER, W + 2 BORDER, C): the cubic B-spline through `image` (H, W, C), mirrored about its edge pixels.

    Source: Unser, Aldroubi and Eden 1993, the recursive filter; sums in float32.
    """
    height, width, channels = image.shape
    padded = np.empty((height + 2 * BORDER, width + 2 * BORDER, channels), np.float32)
    inner = padded[BORDER:-BORDER, BORDER:-BORDER]
    inner[:] = image
    _filter_down(inner)
    _filter_across(inner)
    for edge in range(1, BORDER + 1):  # a picture of one row or column is its own mirror
        inward = min(edge, height - 1)
        padded[BORDER - edge, BORDER:-BORDER] = inner[inward]
        padded[BORDER + height - 1 + edge, BORDER:-BORDER] = inner[height - 1 - inward]
    for edge in range(1, BORDER + 1):  # of whole rows, so that corners are filled, too
        inward = min(edge, width - 1)
        padded[:, BORDER - edge] = padded[:, BORDER + inward]
        padded[:, BORDER + width - 1 + edge] = padded[:, BORDER + width - 1 - inward]
    return padded


def warp(
    spline: NDArray[np.float32],
    motion: Motion,
    centre: tuple[float, float],
    rows: tuple[int, int],
    height: int,
    *,
    first: int = 0,
) -> NDArray[np.float32]:
    """Rows `rows[0]` to `rows[1] - 1` of the frame laid on the reference: (rows, W, C), not clipped.

    NaN where the frame does not cover a pixel: no value is invented.

    Args:
        spline: `coefficients` of the frame's rows from `first` on; must hold `source_rows(...)`.
        centre: (y, x) in both pictures, the fixed point of the rotation.
        height: of the whole frame; its width is the spline's.
    """
    out = np.empty((rows[1] - rows[0], spline.shape[1] - 2 * BORDER, spline.shape[2]), np.float32)
    a, b = motion.scale * cos(motion.angle), motion.scale * sin(motion.angle)
    _warp(spline, first, height, a, b, motion.y + centre[0], motion.x + centre[1], *centre, rows[0], out)
    return out


def source_rows(
    motion: Motion, centre: tuple[float, float], rows: tuple[int, int], height: int, width: int
) -> tuple[int, int]:
    """The rows of the frame (start, stop) that those of the reference need, `REACH` more at either cut."""
    a, b = motion.scale * cos(motion.angle), motion.scale * sin(motion.angle)
    sides = [b * (x - centre[1]) for x in (0, width - 1)]
    low = a * (rows[0] - centre[0]) + min(sides) + motion.y + centre[0]
    high = a * (rows[1] - 1 - centre[0]) + max(sides) + motion.y + centre[0]
    start = min(max(int(low) - REACH, 0), height - 1)
    return start, max(min(int(high) + REACH + 2, height), start + 1)


@jit
def _filter_down(image):
    """The recursive filter along the first axis, a row at a time, in place."""
    height, width, channels = image.shape
    if height == 1:
        return
    pole, gain = np.float32(_POLE), np.float32((1.0 - _POLE) * (1.0 - 1.0 / _POLE))
    start = np.zeros((width, channels), np.float32)
    power = np.float32(1.0)
    for k in range(REACH):
        y = k % (2 * height - 2)
        row = image[y if y < height else 2 * height - 2 - y]
        for x in range(width):
            for c in range(channels):
                start[x, c] += power * row[x, c]
        power *= pole
    for x in range(width):
        for c in range(channels):
            image[0, x, c] = gain * start[x, c]
    for y in range(1, height):
        for x in range(width):
            for c in range(channels):
                image[y, x, c] = gain * image[y, x, c] + pole * image[y - 1, x, c]
    last = np.float32(_POLE / (_POLE * _POLE - 1.0))
    for x in range(width):
        for c in range(channels):
            image[height - 1, x, c] = last * (image[height - 1, x, c] + pole * image[height - 2, x, c])
    for y in range(height - 2, -1, -1):
        for x in range(width):
            for c in range(channels):
                image[y, x, c] = pole * (image[y + 1, x, c] - image[y, x, c])


@jit
def _filter_across(image):
    """The same along the second axis."""
    height, width, channels = image.shape
    if width == 1:
        return
    pole, gain = np.float32(_POLE), np.float32((1.0 - _POLE) * (1.0 - 1.0 / _POLE))
    last = np.float32(_POLE / (_POLE * _POLE - 1.0))
    for y in range(height):
        row = image[y]
        for c in range(channels):
            start, power = np.float32(0.0), np.float32(1.0)
            for k in range(REACH):
                x = k % (2 * width - 2)
                start += power * row[x if x < width else 2 * width - 2 - x, c]
                power *= pole
            row[0, c] = gain * start
        for x in range(1, width):
            for c in range(channels):
                row[x, c] = gain * row[x, c] + pole * row[x - 1, c]
        for c in range(channels):
            row[width - 1, c] = last * (row[width - 1, c] + pole * row[width - 2, c])
        for x in range(width - 2, -1, -1):
            for c in range(channels):
                row[x, c] = pole * (row[x + 1, c] - row[x, c])


@jit
def _warp(spline, first, height, a, b, to_y, to_x, centre_y, centre_x, top, out):
    rows, width, channels = out.shape
    last = spline.shape[0] - 4
    for i in range(rows):
        v = top + i - centre_y
        for j in range(width):
            u = j - centre_x
            y, x = a * v + b * u + to_y, a * u - b * v + to_x
            if y < 0.0 or y > height - 1.0 or x < 0.0 or x > width - 1.0:
                for c in range(channels):
                    out[i, j, c] = np.nan
                continue
            row, column = int(y), int(x)
            v0, v1, v2, v3 = _weights(np.float32(y - row))
            u0, u1, u2, u3 = _weights(np.float32(x - column))
            row = min(max(row + 1 - first, 0), last)  # the four neighbours begin at row - 1, BORDER further down
            column += 1
            for c in range(channels):
                total = np.float32(0.0)
                for k in range(4):
                    line = spline[row + k]
                    weight = v0 if k == 0 else (v1 if k == 1 else (v2 if k == 2 else v3))
                    total += weight * (
                        (u0 * line[column, c] + u1 * line[column + 1, c])
                        + (u2 * line[column + 2, c] + u3 * line[column + 3, c])
                    )
                out[i, j, c] = total


@jit
def _weights(t):
    """Of the samples at -1, 0, 1 and 2 for a point at 0 <= t < 1."""
    s = np.float32(1.0) - t
    sixth, half, most = np.float32(1.0 / 6.0), np.float32(0.5), np.float32(2.0 / 3.0)
    two = np.float32(2.0)
    return sixth * s * s * s, most - half * t * t * (two - t), most - half * s * s * (two - s), sixth * t * t * t
