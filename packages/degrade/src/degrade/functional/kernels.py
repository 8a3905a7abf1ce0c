"""Blur kernels: the weights, and nothing about where they come from.

A kernel is (K, K) float64, K odd, with the sum 1; entry [K // 2, K // 2] belongs to the pixel itself (a correlation).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import asin, bessel_j1, cos_pi, exp, power, sin_pi
from degrade.functional.resample import AxisMap
from degrade.jit import jit

Kernel = NDArray[np.float64]

MAX_SIZE = 41  # widest kernel of a recipe

SMALLEST_SIGMA = 0.01  # pixels: below, a Gaussian at pixel centres is one pixel to the last bit
_GAUSSIAN, _GENERALIZED, _PLATEAU = 0, 1, 2
_PI = math.pi


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


def gaussian_kernel(
    size: int, sigma_x: float, sigma_y: float, angle: float = 0.0, *, at: tuple[float, float] | None = None
) -> Kernel:
    """A Gaussian of standard deviation `sigma_x` along `angle` and `sigma_y` across it: exp(-q / 2), q = x' S^-1 x.

    S = R(angle) diag(sigma_x**2, sigma_y**2) R(angle)', in (x, y) with y downward: `angle` turns from x towards y.

    Args:
        size: odd width; weights are those at pixel centres (not their means over pixels), the rest is dropped.
        at: (y, x) in [0, 1): the kernel for a sample that lies between pixels, as `ContinuousKernelDraw.kernel_at`.

    Source: Zhang et al. 2018 (SRMD) and BasicSR's `bivariate_Gaussian`, which give the same weights.
    """
    return _bell(_GAUSSIAN, size, sigma_x, sigma_y, angle, 1.0, at)


def generalized_gaussian_kernel(
    size: int, sigma_x: float, sigma_y: float, angle: float, beta: float, *, at: tuple[float, float] | None = None
) -> Kernel:
    """exp(-q**beta / 2), q as in `gaussian_kernel`: flatter than a Gaussian for `beta` above 1, peaked below.

    Source: Liu et al. 2020 ("Estimating generalized Gaussian blur kernels..."), as in BasicSR.
    """
    return _bell(_GENERALIZED, size, sigma_x, sigma_y, angle, beta, at)


def plateau_kernel(
    size: int, sigma_x: float, sigma_y: float, angle: float, beta: float, *, at: tuple[float, float] | None = None
) -> Kernel:
    """1 / (q**beta + 1), q as in `gaussian_kernel`: flat in the middle, long tails. Source: BasicSR."""
    return _bell(_PLATEAU, size, sigma_x, sigma_y, angle, beta, at)


def disk_kernel(radius: float) -> Kernel:
    """Defocus of a round aperture: each pixel's weight is the share of its area that the disk covers, exactly.

    (K, K) with K = `disk_size(radius)`. Radius 0.5 and less lies inside one pixel and changes nothing.
    """
    kernel = np.empty((disk_size(radius), disk_size(radius)))
    _disk_weights(max(radius, 0.25), kernel)
    return kernel


def disk_size(radius: float) -> int:
    """The odd width of the pixels that a disk touches."""
    return 2 * max(0, math.ceil(radius - 0.5)) + 1


def sinc_kernel(size: int, cutoff: float) -> Kernel:
    """The circular low-pass of `cutoff` radians per pixel: cutoff * J1(cutoff r) / (2 pi r); overshoots and rings.

    Cut off to a square of odd `size` and scaled to the sum 1. Source: Wang et al. 2021 (Real-ESRGAN), Eq. 6.
    """
    kernel = np.empty((size, size))
    _sinc_weights(cutoff, kernel)
    return kernel


def recentred(kernel: Kernel) -> Kernel:
    """`kernel` moved by its centre of mass, whole pixels and then linearly between pixels; wider where that needs it.

    A linear move keeps the first moment, so the centre of mass is in the middle to rounding.
    """
    y, x = (axis if abs(axis) > 1e-9 else 0.0 for axis in centre_of_mass(kernel))
    grow = math.ceil(max(abs(y), abs(x)))
    moved = np.zeros((kernel.shape[0] + 2 * grow, kernel.shape[1] + 2 * grow))
    _move(kernel, grow - y, grow - x, moved)
    return moved


def centre_of_mass(kernel: Kernel) -> tuple[float, float]:
    """(y, x) of the weights' first moment, counted from the middle; the weights need not sum to 1."""
    return _first_moment(kernel)


def normalised(kernel: NDArray[np.float32]) -> Kernel:
    """`kernel` in float64 with the sum 1."""
    result = np.ascontiguousarray(kernel, np.float64).copy()
    _normalise(result)
    return result


def _bell(
    shape: int,
    size: int,
    sigma_x: float,
    sigma_y: float,
    angle: float,
    beta: float,
    at: tuple[float, float] | None,
) -> Kernel:
    y, x = (0.0, 0.0) if at is None else at
    width = size if at is None else size + 1
    kernel = np.empty((width, width))
    sigma_x, sigma_y = max(sigma_x, SMALLEST_SIGMA), max(sigma_y, SMALLEST_SIGMA)
    turns = 0.0 if sigma_x == sigma_y else angle / math.pi  # round ones stay symmetric to the bit
    _bell_weights(shape, sigma_x, sigma_y, turns, beta, float(y), float(x), size, kernel)
    return kernel


@jit
def _bell_weights(shape, sigma_x, sigma_y, turns, beta, y, x, size, kernel):
    cosine, sine = cos_pi(turns), sin_pi(turns)
    along, across = 1.0 / (sigma_x * sigma_x), 1.0 / (sigma_y * sigma_y)
    xx = cosine * cosine * along + sine * sine * across
    yy = sine * sine * along + cosine * cosine * across
    xy = cosine * sine * (along - across)
    middle, half = size // 2, 0.5 * size
    least = np.inf
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            dy, dx = (a - middle) - y, (b - middle) - x
            q = max(0.0, xx * dx * dx + yy * dy * dy + 2.0 * xy * dx * dy)
            q = power(q, beta) if shape != _GAUSSIAN and beta != 1.0 else q
            q = q if abs(dy) <= half and abs(dx) <= half else np.inf
            kernel[a, b] = q
            least = min(least, q)
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            q = kernel[a, b]
            if q == np.inf:
                kernel[a, b] = 0.0
            elif shape == _PLATEAU:
                kernel[a, b] = (least + 1.0) / (q + 1.0)
            else:  # the nearest pixel's exponent is taken out: a tiny sigma must not underflow everywhere
                kernel[a, b] = exp(-0.5 * (q - least))
    _normalise(kernel)


@jit
def _normalise(kernel):
    total = 0.0
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            total += kernel[a, b]
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            kernel[a, b] /= total


@jit
def _disk_weights(radius, kernel):
    middle = kernel.shape[0] // 2
    for a in range(middle + 1):
        for b in range(a + 1):  # an eighth of the plane; the rest follows by symmetry
            low_y, low_x = max(a - 0.5, 0.0), max(b - 0.5, 0.0)
            weight = _covered(radius, a + 0.5, b + 0.5) - _covered(radius, low_y, b + 0.5)
            weight += _covered(radius, low_y, low_x) - _covered(radius, a + 0.5, low_x)
            weight *= (1.0 if a else 2.0) * (1.0 if b else 2.0)
            _spread(max(weight, 0.0), a, b, kernel)
    _normalise(kernel)


@jit
def _spread(weight, a, b, kernel):
    """`weight` at the eight places that mirror and turn into (a, b) from the middle."""
    middle = kernel.shape[0] // 2
    for y, x in ((a, b), (b, a)):
        kernel[middle + y, middle + x] = weight
        kernel[middle + y, middle - x] = weight
        kernel[middle - y, middle + x] = weight
        kernel[middle - y, middle - x] = weight


@jit
def _covered(radius, y, x):
    """The area that the disk and [0, y] x [0, x] share."""
    y, x = min(y, radius), min(x, radius)
    if y * y + x * x <= radius * radius:
        return y * x
    corner = np.sqrt(max(0.0, radius * radius - y * y))  # where the circle comes down to height y
    return y * corner + _under_circle(radius, x) - _under_circle(radius, corner)


@jit
def _under_circle(radius, x):
    """The integral of sqrt(radius**2 - t**2) from 0 to x."""
    root = np.sqrt(max(0.0, radius * radius - x * x))
    return 0.5 * (x * root + radius * radius * asin(min(1.0, x / radius)))


@jit
def _sinc_weights(cutoff, kernel):
    middle = kernel.shape[0] // 2
    for a in range(middle + 1):
        for b in range(a + 1):
            r = np.sqrt(np.float64(a * a + b * b))
            weight = 0.25 * cutoff * cutoff / _PI if a == 0 else cutoff * bessel_j1(cutoff * r) / (2.0 * _PI * r)
            _spread(weight, a, b, kernel)
    _normalise(kernel)


@jit
def _first_moment(kernel):
    total, y, x = 0.0, 0.0, 0.0
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            total += kernel[a, b]
            y += (a - 0.5 * (kernel.shape[0] - 1)) * kernel[a, b]
            x += (b - 0.5 * (kernel.shape[1] - 1)) * kernel[a, b]
    return y / total, x / total


@jit
def _move(kernel, y, x, moved):
    """Adds `kernel`, its first weight at (y, x) of `moved`, shared among the four pixels around."""
    top, left = np.int64(np.floor(y)), np.int64(np.floor(x))
    low, right = y - top, x - left
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            for i, row_share in ((0, 1.0 - low), (1, low)):
                for j, column_share in ((0, 1.0 - right), (1, right)):
                    if row_share * column_share != 0.0:
                        moved[top + a + i, left + b + j] += row_share * column_share * kernel[a, b]
