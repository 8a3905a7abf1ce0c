"""Structural similarity, the form that super-resolution papers report, and one form that inflates it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import AxisMap, apply_axes

_SIDE, _SIGMA = 11, 1.5  # pixels, of the Gaussian window
_SKIMAGE_SIDE = 7  # pixels, of scikit-image's uniform one
_K1, _K2 = 0.01, 0.03


def ssim(image: NDArray, reference: NDArray, *, peak: float = 255.0) -> float:
    """The mean over all channels and all windows that lie whole inside the picture; 1 where both are equal.

    Args:
        image: (H, W, C), at least 11 x 11.

    Raises:
        ValueError: shapes that differ, or smaller than the window.

    Source: Wang et al. 2004, "Image quality assessment", section III: 11 x 11 window, sigma 1.5, K = (0.01, 0.03).
    """
    _check(image, reference, _SIDE)
    taps = np.exp(-((np.arange(_SIDE) - _SIDE // 2) ** 2) / (2 * _SIGMA**2))
    values = [_map(image[..., c], reference[..., c], taps / taps.sum(), peak).mean() for c in range(image.shape[2])]
    return float(np.mean(values))


def ssim_skimage_float2(image: NDArray, reference: NDArray, *, peak: float = 255.0) -> float:
    """What scikit-image gave for [0, 1] floats whose range it was not told: it took that of -1..1, twice theirs.

    7 x 7 uniform window, sample covariance, constants for a range of 2 * `peak`. Some 0.03 to 0.12 above `ssim` on
    bicubic: only for reproducing DML's tables.

    Source: DML's code, `compare_ssim(y1, y2)`.
    """
    _check(image, reference, _SKIMAGE_SIDE)
    taps, count = np.full(_SKIMAGE_SIDE, 1 / _SKIMAGE_SIDE), _SKIMAGE_SIDE**2
    maps = [
        _map(image[..., c], reference[..., c], taps, 2 * peak, covariance=count / (count - 1))
        for c in range(image.shape[2])
    ]
    return float(np.mean([values.mean() for values in maps]))


def _check(image: NDArray, reference: NDArray, side: int) -> None:
    if image.shape != reference.shape or image.ndim != 3:
        raise ValueError(f"expected two alike (H, W, C), got shapes {image.shape} and {reference.shape}")
    if min(image.shape[:2]) < side:
        raise ValueError(f"expected at least {side} x {side} pixels, got {image.shape[0]} x {image.shape[1]}")


def _map(
    x: NDArray, y: NDArray, taps: NDArray[np.float64], peak: float, *, covariance: float = 1.0
) -> NDArray[np.float64]:
    """SSIM at every place where the window lies inside; `covariance` is the factor of all second moments."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    moments = np.stack([x, y, x * x + y * y, x * y], axis=2)  # (H, W, 4)
    rows, columns = (_window(taps, length) for length in x.shape)
    mean_x, mean_y, power, product = np.moveaxis(apply_axes(moments, rows, columns), 2, 0)
    means_squared, means_product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances, covariances = covariance * (power - means_squared), covariance * (product - means_product)
    c1, c2 = (_K1 * peak) ** 2, (_K2 * peak) ** 2
    return (2 * means_product + c1) * (2 * covariances + c2) / ((means_squared + c1) * (variances + c2))


def _window(taps: NDArray[np.float64], length: int) -> AxisMap:
    """The window at every place where it lies inside."""
    count = length - len(taps) + 1
    return AxisMap(np.arange(count), np.tile(taps, (count, 1)), length)
