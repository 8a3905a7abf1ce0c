"""KAIR (the code of BSRGAN), restricted to the recipe's steps: its kernel, its full-size convolution, its noises."""

from __future__ import annotations

import random
import sys
import warnings

import numpy as np

from peers.generic import KERNEL_SIZE, Patches, Settings, Way, checkout, draw, to_uint8
from peers.opencv import shrink

ORIGIN = "cszn/KAIR"


def prepare() -> list[Way]:
    folder = checkout("KAIR", ORIGIN)
    sys.path.insert(0, str(folder))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from utils import utils_blindsr as kair  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.remove(str(folder))
    if not hasattr(kair.scipy, "finfo"):  # an alias of NumPy's that SciPy dropped
        kair.scipy.finfo = np.finfo
    generator = np.random.default_rng(0)
    random.seed(0)

    def degrade(patches: Patches) -> Patches:
        settings = draw(generator)
        image = patches[0].astype(np.float32) / 255
        kernel = kair.fspecial("gaussian", KERNEL_SIZE, settings.sigma)
        image = kair.ndimage.convolve(image, np.expand_dims(kernel, axis=2), mode="mirror")
        return to_uint8(noisy(shrink(image, settings), settings))[None]

    def noisy(image: np.ndarray, settings: Settings) -> np.ndarray:
        if settings.peak:
            image = kair.add_Poisson_noise(image).astype(np.float32)
        if settings.noise_sigma:
            image = kair.add_Gaussian_noise(image, 1, max(1, round(settings.noise_sigma * 255)))
        return image

    return [Way("KAIR / BSRGAN, same steps", degrade)]
