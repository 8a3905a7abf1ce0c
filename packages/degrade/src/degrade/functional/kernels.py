"""Blur kernels: the weights, and nothing about where they come from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import exp
from degrade.functional.resample import AxisMap
from degrade.jit import jit


def gaussian_axis(length: int, sigma: float, size: int) -> AxisMap:
    """An isotropic Gaussian blur along one axis, as wide as its input.

    Args:
        sigma: in pixels, > 0.
        size: odd width of the kernel in pixels; weights beyond it are dropped and the rest sums to 1.
    """
    return gaussian_axis_at(length, np.arange(length, dtype=np.float64), sigma, size)


def gaussian_axis_at(length: int, positions: NDArray[np.float64], sigma: float, size: int) -> AxisMap:
    """The same blur evaluated at `positions` (pixel units) that need not be pixel centres.

    Weights are the Gaussian at the distances between pixel centres and position, for distances up to size / 2: between
    pixels an even number of taps, placed evenly, so the result is not shifted.
    """
    first = np.ceil(positions - 0.5 * size).astype(np.int64)
    taps = np.empty((positions.size, size + 1))
    _gaussian_taps(positions, first, sigma, 0.5 * size, taps)
    return AxisMap(first, taps if taps[:, size].any() else taps[:, :size], length)


@jit
def _gaussian_taps(positions, first, sigma, half, taps):
    count = taps.shape[1]
    previous = -1.0
    for i in range(positions.size):
        phase = positions[i] - first[i]
        if phase == previous:  # whole ratios have one phase
            for k in range(count):
                taps[i, k] = taps[i - 1, k]
            continue
        previous = phase
        nearest = np.floor(phase + 0.5) - phase
        total = 0.0
        for k in range(count):
            distance = k - phase
            # the nearest tap's exponent is taken out: a tiny sigma must not underflow everywhere
            exponent = -0.5 * (distance * distance - nearest * nearest) / (sigma * sigma)
            taps[i, k] = exp(exponent) if distance <= half else 0.0
            total += taps[i, k]
        for k in range(count):
            taps[i, k] /= total
