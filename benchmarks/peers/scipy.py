"""SciPy: two passes of correlate1d, then OpenCV's resize and NumPy's noise."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import correlate1d

from peers.generic import KERNEL_SIZE, Patches, Way, draw, to_uint8
from peers.opencv import numpy_noise, shrink


def prepare() -> list[Way]:
    random = np.random.default_rng(0)
    return [Way("SciPy correlate1d + NumPy noise", lambda patches: degrade(patches, random))]


def degrade(patches: Patches, random: np.random.Generator) -> Patches:
    settings = draw(random)
    taps = cv2.getGaussianKernel(KERNEL_SIZE, settings.sigma, cv2.CV_32F)[:, 0]
    image = patches[0].astype(np.float32) / 255
    image = correlate1d(correlate1d(image, taps, axis=0, mode="mirror"), taps, axis=1, mode="mirror")
    return to_uint8(numpy_noise(shrink(image, settings), settings, random))[None]
