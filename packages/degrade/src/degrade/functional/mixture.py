"""Blur that changes over the image: a few kernels, mixed by weights that vary smoothly from place to place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from degrade.functional.convolve import filter_kernel
from degrade.functional.noise_field import random_words
from degrade.jit import jit

MAX_KERNELS = 8


def mix_kernels(image: NDArray[np.float32], kernels: Sequence[NDArray[np.float64]], weights: NDArray) -> NDArray:
    """sum_m weights[m] * (kernels[m] correlated with `image`); mirrored at the edges, not clipped.

    Args:
        image: (H, W, C) float32.
        kernels: each (K, K), K odd.
        weights: (M, H, W) float32.
    """
    total = np.zeros(image.shape, np.float32)
    for kernel, weight in zip(kernels, weights, strict=True):
        anchor = kernel.shape[0] // 2, kernel.shape[1] // 2
        _add_weighted(filter_kernel(image, kernel, anchor), weight, total)
    return total


def mixture_weights(
    count: int, height: int, width: int, period: int, key: int, origin: tuple[int, int] = (0, 0)
) -> NDArray[np.float32]:
    """(count, height, width) positive weights that sum to 1 at every pixel; bit-equal on whatever window.

    Random numbers on a lattice of `period` pixels, one for each kernel, are joined by quintic steps (Perlin 2002);
    their fourth powers, as shares of the sum, are the weights: at most places one or two kernels prevail.

    Args:
        key: 64 bits; names the field.
        origin: row and column of the first pixel, counted from the patch's.
    """
    top, left = origin[0] // period, origin[1] // period
    rows, columns = (origin[0] + height - 1) // period + 2 - top, (origin[1] + width - 1) // period + 2 - left
    words = np.concatenate([random_words(key, top, left, block, rows, columns) for block in range(-(-count // 4))])
    lattice = words.reshape(-1, rows, columns)[:count]
    weights = np.empty((count, height, width), np.float32)
    _fill_weights(lattice, origin[0] - top * period, origin[1] - left * period, period, weights)
    return weights


@jit
def _fill_weights(lattice, y0, x0, period, weights):
    count, height, width = weights.shape
    across = np.empty(width)
    for x in range(width):
        across[x] = _step((x0 + x) % period / period)
    fields = np.empty((count, width))
    edge = np.empty(lattice.shape[2])
    for y in range(height):
        i, share = (y0 + y) // period, _step((y0 + y) % period / period)
        for m in range(count):
            for j in range(edge.size):
                edge[j] = _unit(lattice[m, i, j]) * (1.0 - share) + _unit(lattice[m, i + 1, j]) * share
            for x in range(width):
                j = (x0 + x) // period
                value = edge[j] * (1.0 - across[x]) + edge[j + 1] * across[x]
                fields[m, x] = value * value * value * value
        for x in range(width):
            total = 0.0
            for m in range(count):
                total += fields[m, x]
            for m in range(count):
                weights[m, y, x] = fields[m, x] / total


@jit
def _unit(word):
    """In (0, 1)."""
    return (np.float64(word) + 0.5) * 2.0**-32


@jit
def _step(t):
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


@jit
def _add_weighted(image, weight, total):
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            for c in range(image.shape[2]):
                total[y, x, c] += weight[y, x] * image[y, x, c]
