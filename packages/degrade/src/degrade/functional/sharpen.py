"""Sharpening as cameras and training recipes do it: what a blur took away, added again.

The Gaussians are separable and mirrored at the image's edge with the edge pixel repeated.
"""

from __future__ import annotations

import numpy as np

from degrade.functional.color import luma
from degrade.functional.symmetric import filter_symmetric, gaussian_half
from degrade.image import Image
from degrade.jit import jit


def unsharp_mask(image: Image, sigma: float, size: int, weight: float, threshold: float) -> Image:
    """`image` sharpened where it differs from its blur by more than `threshold`, with a soft border.

    With residual r = image - blur(image) and mask m = blur(|r| > threshold), each per channel:
    m * clip(image + weight * r) + (1 - m) * image. The sharpened part is clipped to [0, 1], the rest is not.

    Args:
        sigma: of both blurs, in pixels.
        size: odd width of both kernels in pixels; a result needs `size - 1` pixels of surroundings.
        weight: 0 changes nothing; 0.5 is usual.
        threshold: in the image's unit, [0, 1].

    Source: Real-ESRGAN's sharpened ground truth and BSRGAN's `use_sharp`: size 51, weight 0.5, threshold 10 / 255.
    Departs from them: OpenCV, which they blur with, mirrors without repeating the edge pixel.
    """
    blurred = _blur(image, sigma, size // 2)
    mask = np.empty_like(image)
    _masked(image.reshape(-1), blurred.reshape(-1), np.float32(threshold), mask.reshape(-1))
    soft = _blur(mask, sigma, size // 2)
    _sharpened(image.reshape(-1), blurred.reshape(-1), np.float32(weight), soft.reshape(-1), mask.reshape(-1))
    return mask  # written over: a fresh array of this size costs more than the arithmetic


def overshoot(image: Image, sigma: float, amount: float, *, luma_only: bool = False) -> Image:
    """`image + amount * (image - blur(image))`: the halos that a camera's sharpening leaves along edges. Not clipped.

    Args:
        sigma: of the blur in pixels, which is cut off at 3 sigma (`halo_radius`); the width of the halo.
        amount: 0 changes nothing; a step edge of height 1 overshoots by half of it.
        luma_only: sharpen BT.601 luma and leave the differences R - Y and B - Y as they are.
    """
    sharp = luma(image) if luma_only else image
    halo = _blur(sharp, sigma, halo_radius(sigma))
    np.subtract(sharp, halo, out=halo)
    halo *= np.float32(amount)
    return np.add(image, halo, out=None if luma_only else halo)


def halo_radius(sigma: float) -> int:
    """How many pixels of surroundings `overshoot` reads."""
    return max(1, int(np.ceil(3 * sigma)))


def opencv_sigma(size: int) -> float:
    """The sigma that OpenCV takes for a Gaussian of which only the size is stated: 8 for 51 pixels."""
    return 0.3 * ((size - 1) * 0.5 - 1) + 0.8


def _blur(image: Image, sigma: float, radius: int) -> Image:
    return filter_symmetric(image, gaussian_half(sigma, radius))


@jit
def _masked(values, blurred, threshold, out):
    zero, one = np.float32(0.0), np.float32(1.0)
    for i in range(values.size):
        out[i] = one if abs(values[i] - blurred[i]) > threshold else zero


@jit
def _sharpened(values, blurred, weight, soft, out):
    zero, one = np.float32(0.0), np.float32(1.0)
    for i in range(values.size):
        value = values[i]
        sharp = value + weight * (value - blurred[i])
        sharp = sharp if sharp > zero else zero
        sharp = sharp if sharp < one else one
        out[i] = value + soft[i] * (sharp - value)
