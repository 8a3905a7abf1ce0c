"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def psnr(image: NDArray, reference: NDArray, *, peak: float = 255.0) -> float:
    """10 log10(peak^2 / MSE) in dB, the MSE taken over all values at once in float64; infinite where they are equal.

    Raises:
        ValueError: shapes that differ, or nothing to compare.
    """
    if image.shape != reference.shape or image.size == 0:
        raise ValueError(f"expected two alike, got shapes {image.shape} and {reference.shape}")
    difference = np.subtract(image, reference, dtype=np.float64)
    mse = float(np.mean(np.square(difference, out=difference)))
    return 10 * math.log10(peak**2 / mse) if mse else math.inf
