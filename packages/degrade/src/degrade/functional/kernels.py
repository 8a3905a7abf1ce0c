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
    first, taps = _gaussian_taps(positions, sigma, size)
    return AxisMap(first, taps, length)


@jit
def _gaussian_taps(positions, sigma, size):
    half = 0.5 * size
    count = size + 1
    first = np.empty(positions.size, np.int64)
    taps = np.zeros((positions.size, count))
    previous = -1.0
    for i in range(positions.size):
        first[i] = int(np.ceil(positions[i] - half))
        phase = positions[i] - first[i]
        if i > 0 and phase == previous:  # whole ratios have one phase
            taps[i] = taps[i - 1]
            continue
        previous = phase
        nearest = np.floor(phase + 0.5) - phase
        total = 0.0
        for k in range(count):
            distance = k - phase
            if distance <= half:
                # the nearest tap's exponent is taken out: a tiny sigma must not underflow everywhere
                taps[i, k] = exp(-0.5 * (distance * distance - nearest * nearest) / (sigma * sigma))
                total += taps[i, k]
        for k in range(count):
            taps[i, k] /= total
    if np.all(taps[:, count - 1] == 0.0):
        return first, taps[:, : count - 1].copy()
    return first, taps
