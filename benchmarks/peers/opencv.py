"""OpenCV and NumPy: the straightforward version, as most repositories have it, and one tuned by hand."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from peers.generic import KERNEL_SIZE, SCALE, Patches, Settings, Way, draw, to_uint8

FLAGS = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


def prepare() -> list[Way]:
    cv2.setNumThreads(1)
    random = np.random.default_rng(0)
    return [
        Way("OpenCV filter2D 15x15 float + NumPy noise", lambda patches: plain(patches, random)),
        Way("OpenCV GaussianBlur float + NumPy noise", lambda patches: gaussian_blur(patches, random)),
        Way("OpenCV sepFilter2D + NumPy Generator float32, tuned", lambda patches: tuned(patches, random)),
    ]


def plain(patches: Patches, random: np.random.Generator) -> Patches:
    settings = draw(random)
    taps = cv2.getGaussianKernel(KERNEL_SIZE, settings.sigma)
    image = patches[0].astype(np.float32) / 255
    image = cv2.filter2D(image, -1, taps @ taps.T, borderType=cv2.BORDER_REFLECT_101)
    return to_uint8(numpy_noise(shrink(image, settings), settings, random))[None]


def gaussian_blur(patches: Patches, random: np.random.Generator) -> Patches:
    settings = draw(random)
    image = patches[0].astype(np.float32) / 255
    image = cv2.GaussianBlur(image, (KERNEL_SIZE, KERNEL_SIZE), settings.sigma)
    return to_uint8(numpy_noise(shrink(image, settings), settings, random))[None]


def tuned(patches: Patches, random: np.random.Generator) -> Patches:
    """Separable from uint8 to float32, short taps where sigma allows, float32 noise in place, one conversion."""
    settings = draw(random)
    size = min(KERNEL_SIZE, 2 * int(np.ceil(3.5 * settings.sigma)) + 1)
    taps = cv2.getGaussianKernel(size, settings.sigma, cv2.CV_32F)
    image = shrink(cv2.sepFilter2D(patches[0], cv2.CV_32F, taps, taps), settings)
    if settings.peak:
        np.maximum(image, 0, out=image)
        image *= settings.peak / 255
        image = random.poisson(image).astype(np.float32)
        image *= 255 / settings.peak
    if settings.noise_sigma:
        noise = random.standard_normal(image.shape, dtype=np.float32)
        noise *= settings.noise_sigma * 255
        image += noise
    return cv2.convertScaleAbs(np.maximum(image, 0, out=image))[None]


def shrink(image: NDArray[np.float32], settings: Settings) -> NDArray[np.float32]:
    height, width = image.shape[0] // SCALE, image.shape[1] // SCALE
    return cv2.resize(image, (width, height), interpolation=FLAGS[settings.filter])  # pyright: ignore[reportReturnType]


def numpy_noise(image: NDArray[np.float32], settings: Settings, random: np.random.Generator) -> NDArray[np.floating]:
    noisy: NDArray[np.floating] = image
    if settings.peak:
        noisy = random.poisson(np.clip(noisy, 0, 1) * settings.peak) / settings.peak
    if settings.noise_sigma:
        noisy = noisy + random.normal(0, settings.noise_sigma, image.shape)
    return noisy
