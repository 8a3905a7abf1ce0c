"""SSIM as the video codec Daala's `dump_ssim` takes it: only for reproducing the tables of SRResNet and SRGAN."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import AxisMap, apply_axes

_SIGMA = 1.5 / 256  # of the picture's height
_WEIGHT = 256  # of the kernel: its taps are integers
_K1, _K2 = 0.01, 0.03


def ssim_daala(image: NDArray, reference: NDArray, *, peak: float = 255.0) -> float:
    """The mean over all channels of `image` (H, W, C); 1 where both are equal.

    The Gaussian window grows with the height, its taps are rounded to 1/256. It is cut off at the border, and each
    place counts by what is left of it. Not comparable with `ssim`.

    Source: xiph/daala, `tools/dump_ssim.c`, for square pixels.
    """
    if image.shape != reference.shape or image.ndim != 3:
        raise ValueError(f"expected two alike (H, W, C), got shapes {image.shape} and {reference.shape}")
    taps = _kernel(_SIGMA * image.shape[0], min(image.shape[:2]))
    rows, columns = (_inside(taps, length) for length in image.shape[:2])
    weight = np.outer(rows.taps.sum(1), columns.taps.sum(1))
    values = [_mean(image[..., c], reference[..., c], rows, columns, weight, peak) for c in range(image.shape[2])]
    return float(np.mean(values))


def _mean(x: NDArray, y: NDArray, rows: AxisMap, columns: AxisMap, weight: NDArray, peak: float) -> float:
    x, y = x.astype(np.float64), y.astype(np.float64)
    moments = np.stack([x, y, x * x + y * y, x * y], axis=2)  # (H, W, 4)
    mean_x, mean_y, power, product = np.moveaxis(apply_axes(moments, rows, columns) / weight[..., None], 2, 0)
    means_squared, means_product = mean_x**2 + mean_y**2, mean_x * mean_y
    c1, c2 = (_K1 * peak) ** 2, (_K2 * peak) ** 2
    structure = (2 * (product - means_product) + c2) / (power - means_squared + c2)
    return float(np.average((2 * means_product + c1) / (means_squared + c1) * structure, weights=weight))


def _kernel(sigma: float, longest: int) -> NDArray[np.float64]:
    """Odd; as long as its outermost tap counts, which it does from half a unit up."""
    least = math.sqrt(math.pi / 2) * sigma / _WEIGHT
    reach = 0 if least >= 1 else math.floor(sigma * math.sqrt(-2 * math.log(least)))
    reach = min(reach, longest - 1)
    gauss = np.exp(-0.5 * (np.arange(1, reach + 1) / sigma) ** 2) / (math.sqrt(2 * math.pi) * sigma)
    side = np.floor(_WEIGHT * gauss + 0.5)
    return np.concatenate([side[::-1], [_WEIGHT - 2 * side.sum()], side])


def _inside(taps: NDArray[np.float64], length: int) -> AxisMap:
    """The kernel centred on every sample, without what lies outside."""
    first = np.arange(length) - len(taps) // 2
    position = first[:, None] + np.arange(len(taps))
    return AxisMap(first, np.where((position >= 0) & (position < length), taps, 0.0), length)
