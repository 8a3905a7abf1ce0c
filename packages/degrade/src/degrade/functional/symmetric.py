"""A symmetric separable filter at the image's own resolution, for wide kernels that no resize follows.

`resample.apply_axes` takes any filter per row and column; knowing that all are one symmetric kernel, this adds each two
pixels that share a weight first and turns nothing: about 4 times as fast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import exp
from degrade.image import Image, mirrored
from degrade.jit import jit

_STRIP = 1024  # values of a row worked on at a time: as many rows as a kernel has stay in the cache


def gaussian_half(sigma: float, radius: int) -> NDArray[np.float32]:
    """The weights of a Gaussian at distances 0..radius, (radius + 1,); both halves together sum to 1.

    Args:
        sigma: in pixels, > 0.
    """
    weights = [exp(-0.5 * (k * k) / (sigma * sigma)) for k in range(radius + 1)]
    total = weights[0] + 2 * sum(weights[1:])
    return np.array([weight / total for weight in weights], np.float32)


def filter_symmetric(image: Image, half: NDArray[np.float32]) -> Image:
    """`image` (H, W, C) filtered along both axes by the kernel with weight `half[k]` at distance k.

    Mirrored at the edges, the edge pixel repeated, as often as needed. Not clipped.
    """
    height, width, channels = image.shape
    reach = -(-(len(half) - 1) // 4) * 4  # weights are taken four at a time
    weights = np.zeros(reach + 1, np.float32)
    weights[: len(half)] = half
    rows, columns = (mirrored(-reach, length + reach, length) for length in (height, width))
    line = np.empty((columns.size, channels), np.float32)
    across = np.empty((height, width * channels), np.float32)
    _across(image.reshape(height, -1), columns, weights, line, line.reshape(-1), across)
    out = np.empty_like(image)
    _down(across, rows, weights, out.reshape(height, -1))
    return out


@jit
def _across(rows, columns, weights, line, flat, out):
    channels, size, reach = line.shape[1], out.shape[1], weights.size - 1
    for y in range(out.shape[0]):
        row, target = rows[y], out[y]
        flat[reach * channels : reach * channels + size] = row
        for x in range(reach):
            for c in range(channels):
                line[x, c] = row[columns[x] * channels + c]
                line[columns.size - 1 - x, c] = row[columns[columns.size - 1 - x] * channels + c]
        _first(target, weights[0], flat[reach * channels : reach * channels + size])
        for k in range(1, reach, 4):
            a, b = (reach - k) * channels, (reach + k) * channels  # left and right
            _four_pairs(
                target, weights[k], weights[k + 1], weights[k + 2], weights[k + 3],
                flat[a : a + size], flat[b : b + size],
                flat[a - channels : a - channels + size], flat[b + channels : b + channels + size],
                flat[a - 2 * channels : a - 2 * channels + size], flat[b + 2 * channels : b + 2 * channels + size],
                flat[a - 3 * channels : a - 3 * channels + size], flat[b + 3 * channels : b + 3 * channels + size],
            )  # fmt: skip


@jit
def _down(rows, places, weights, out):
    reach = weights.size - 1
    for start in range(0, out.shape[1], _STRIP):
        stop = min(start + _STRIP, out.shape[1])
        for y in range(out.shape[0]):
            target, at = out[y, start:stop], y + reach
            _first(target, weights[0], rows[places[at], start:stop])
            for k in range(1, reach, 4):
                a, b = at - k, at + k  # above and below
                _four_pairs(
                    target, weights[k], weights[k + 1], weights[k + 2], weights[k + 3],
                    rows[places[a], start:stop], rows[places[b], start:stop],
                    rows[places[a - 1], start:stop], rows[places[b + 1], start:stop],
                    rows[places[a - 2], start:stop], rows[places[b + 2], start:stop],
                    rows[places[a - 3], start:stop], rows[places[b + 3], start:stop],
                )  # fmt: skip


@jit
def _first(row, weight, x):
    for i in range(row.size):
        row[i] = weight * x[i]


@jit
def _four_pairs(row, p, q, r, s, a, b, c, d, e, f, g, h):
    for i in range(row.size):
        row[i] += (p * (a[i] + b[i]) + q * (c[i] + d[i])) + (r * (e[i] + f[i]) + s * (g[i] + h[i]))
