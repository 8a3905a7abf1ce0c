"""Structural similarity, the form that super-resolution papers report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import AxisMap, apply_axes

_SIDE, _SIGMA = 11, 1.5  # pixels, of the Gaussian window
_K1, _K2 = 0.01, 0.03


def ssim(image: NDArray, reference: NDArray, *, peak: float = 255.0) -> float:
    """The mean over all channels and all windows that lie whole inside the picture; 1 where both are equal.

    Args:
        image: (H, W, C), at least 11 x 11.

    Raises:
        ValueError: shapes that differ, or smaller than the window.

    Source: Wang et al. 2004, "Image quality assessment", section III: 11 x 11 window, sigma 1.5, K = (0.01, 0.03).
    """
    if image.shape != reference.shape or image.ndim != 3:
        raise ValueError(f"expected two alike (H, W, C), got shapes {image.shape} and {reference.shape}")
    if min(image.shape[:2]) < _SIDE:
        raise ValueError(f"expected at least {_SIDE} x {_SIDE} pixels, got {image.shape[0]} x {image.shape[1]}")
    values = [_map(image[..., c], reference[..., c], peak).mean() for c in range(image.shape[2])]
    return float(np.mean(values))


def _map(x: NDArray, y: NDArray, peak: float) -> NDArray[np.float64]:
    x, y = x.astype(np.float64), y.astype(np.float64)
    moments = np.stack([x, y, x * x + y * y, x * y], axis=2)  # (H, W, 4)
    rows, columns = (_window(length) for length in x.shape)
    mean_x, mean_y, power, product = np.moveaxis(apply_axes(moments, rows, columns), 2, 0)
    means_squared, means_product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances, covariance = power - means_squared, product - means_product
    c1, c2 = (_K1 * peak) ** 2, (_K2 * peak) ** 2
    return (2 * means_product + c1) * (2 * covariance + c2) / ((means_squared + c1) * (variances + c2))


def _window(length: int) -> AxisMap:
    """The Gaussian at every place where it lies inside."""
    taps = np.exp(-((np.arange(_SIDE) - _SIDE // 2) ** 2) / (2 * _SIGMA**2))
    count = length - _SIDE + 1
    return AxisMap(np.arange(count), np.tile(taps / taps.sum(), (count, 1)), length)
