"""chainner_ext: its antialiased resize behind OpenCV's blur, as wtp_dataset_destroyer combines them."""

from __future__ import annotations

import cv2
import numpy as np

from peers.generic import KERNEL_SIZE, SCALE, Absent, Patches, Way, draw, to_uint8
from peers.opencv import numpy_noise


def prepare() -> list[Way]:
    try:
        import chainner_ext
    except ImportError:
        raise Absent("pip install chainner_ext") from None
    kinds = chainner_ext.ResizeFilter
    filters = {
        "nearest": kinds.Nearest,
        "bilinear": kinds.Linear,
        "bicubic": kinds.CubicCatrom,
        "lanczos": kinds.Lanczos,
    }
    random = np.random.default_rng(0)

    def degrade(patches: Patches) -> Patches:
        settings = draw(random)
        image = patches[0].astype(np.float32) / 255
        image = cv2.GaussianBlur(image, (KERNEL_SIZE, KERNEL_SIZE), settings.sigma)
        size = (image.shape[1] // SCALE, image.shape[0] // SCALE)
        small = chainner_ext.resize(image, size, filters[settings.filter], False)
        return to_uint8(numpy_noise(small, settings, random))[None]

    return [Way("chainner_ext resize + NumPy noise", degrade)]
