"""albumentations: one Compose of its own transforms (its shot noise works in linear light)."""

from __future__ import annotations

import numpy as np

from peers.generic import KERNEL_SIZE, SCALE, Absent, Patches, Way
from peers.opencv import FLAGS


def prepare() -> list[Way]:
    try:
        import albumentations
    except ImportError:
        raise Absent("pip install albumentations") from None

    def compose(height: int, width: int) -> albumentations.Compose:
        size = {"height": height // SCALE, "width": width // SCALE}
        poisson = albumentations.ShotNoise(scale_range=(1 / 150, 1 / 50), p=1)
        strong = albumentations.GaussNoise(std_range=(0, 25 / 255), p=1)
        weak = albumentations.GaussNoise(std_range=(0, 5 / 255), p=1)
        noises = [strong, poisson, albumentations.Sequential([poisson, weak], p=1)]
        return albumentations.Compose(
            [
                albumentations.GaussianBlur(blur_limit=(KERNEL_SIZE, KERNEL_SIZE), sigma_limit=(0.2, 3.0), p=1),
                albumentations.OneOf([albumentations.Resize(**size, interpolation=f) for f in FLAGS.values()], p=1),
                albumentations.OneOf(noises, p=1),
            ],
            seed=0,
        )

    pipelines: dict[tuple[int, int], albumentations.Compose] = {}

    def degrade(patches: Patches) -> Patches:
        size = (patches.shape[1], patches.shape[2])
        if size not in pipelines:
            pipelines[size] = compose(*size)
        return np.ascontiguousarray(pipelines[size](image=patches[0])["image"])[None]

    return [Way("albumentations Compose", degrade)]
