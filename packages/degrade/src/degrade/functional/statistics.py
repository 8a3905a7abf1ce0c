"""Figures of a picture: noise, sharpness, likeness. They describe pixels and never make any.

Everything here is in the unit of its input; `levels` gives 8-bit grey levels, the unit of the field.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating]

LARGEST_PSNR = 100.0  # dB, of equal pictures: means and histograms stay finite
_NORMAL_MAD = 0.6744897501960817  # median of |x| of a standard normal x
_FLAT_SHARE = 0.25  # of the pixels, those with the least gradient
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def levels(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    """uint8 or uint16 pixels as float32 in 8-bit grey levels, 0..255."""
    return np.divide(pixels, 257 if pixels.dtype == np.uint16 else 1, dtype=np.float32)


def luma(image: NDArray[np.floating]) -> NDArray[np.float32]:
    """(H, W) BT.601 luma of (H, W, 1 or 3), unit of the input."""
    return np.asarray(image[..., 0] if image.shape[2] == 1 else image @ _LUMA, np.float32)


def noise_level(image: NDArray[np.floating]) -> float:
    """Standard deviation of the noise in (H, W, C), at least 3 x 3: the mean of its channels' estimates.

    Response to the mask [1 -2 1] x [1 -2 1] (Immerkaer, "Fast noise variance estimation", CVIU 64, 1996), which white
    noise of sigma gives a standard deviation of 6 sigma. Departs from it: the median of the absolute response instead
    of the mean, and only over the quarter of the pixels with the least Sobel gradient, so that edges do not count
    as noise. In white normal noise the gradient and the response at a pixel are independent: no bias from the choice.

    Fine texture is still taken for noise: about 1.5 levels on clean photographs, 2 on their x4 bicubic LR. Noise
    that is correlated between neighbours is read too low (the mask sees its finest part only).
    """
    return float(np.mean([_plane_noise(image[..., channel]) for channel in range(image.shape[2])]))


def _plane_noise(plane: Plane) -> float:
    plane = np.asarray(plane, np.float32)
    response, gradient = np.abs(_laplacian_difference(plane)).ravel(), _sobel_energy(plane).ravel()
    count = max(1, round(_FLAT_SHARE * gradient.size))
    flattest = np.argpartition(gradient, count - 1)[:count]
    return float(np.median(response[flattest])) / (6 * _NORMAL_MAD)


def _laplacian_difference(plane: Plane) -> Plane:
    columns = plane[:-2] - 2 * plane[1:-1] + plane[2:]
    return columns[:, :-2] - 2 * columns[:, 1:-1] + columns[:, 2:]


def _sobel_energy(plane: Plane) -> Plane:
    across, down = plane[:, 2:] - plane[:, :-2], plane[2:] - plane[:-2]
    horizontal = across[:-2] + 2 * across[1:-1] + across[2:]
    vertical = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    return horizontal * horizontal + vertical * vertical


def sharpness(plane: Plane) -> float:
    """Root of the mean gradient energy of (H, W): the rms length of the step to the next row and column, per pixel."""
    plane = np.asarray(plane, np.float64)
    down, across = np.diff(plane, axis=0), np.diff(plane, axis=1)
    return math.sqrt(float(np.mean(down * down)) + float(np.mean(across * across)))


def psnr(image: NDArray[np.floating], reference: NDArray[np.floating], *, white: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB over all samples, at most `LARGEST_PSNR`."""
    difference = np.asarray(image, np.float64) - reference
    error = float(np.mean(difference * difference))
    return LARGEST_PSNR if error == 0 else min(LARGEST_PSNR, 10 * math.log10(white * white / error))


def histogram(values: NDArray[np.floating], bins: int = 20) -> tuple[list[float], list[int]]:
    """`bins` + 1 edges from the least to the greatest value, and the counts between; equal values are one bin.

    The last bin holds its upper edge. Values must be finite and at least one.
    """
    low, high = float(np.min(values)), float(np.max(values))
    if not high > low or not (high - low) / bins > 0:
        return [low, high], [len(values)]
    counts, edges = np.histogram(values, bins, (low, high))
    return [float(edge) for edge in edges], [int(count) for count in counts]
