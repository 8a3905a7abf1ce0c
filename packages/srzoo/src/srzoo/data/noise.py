"""White Gaussian noise for a batch: what each picture gets is a pure function of its key."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from degrade.card import NoiseInput

_MASK = (1 << 63) - 1  # a seed is a signed integer


def white_noise(keys: Sequence[int], size: tuple[int, int, int], sigma: float) -> Tensor:
    """(B, C, H, W) of mean 0 and standard deviation `sigma`, float32, on the CPU: the same numbers for every device.

    Args:
        keys: one of 64 bits for each picture.
        size: C, H, W.
    """
    noise = torch.empty((len(keys), *size))
    generator = torch.Generator()
    for row, key in zip(noise, keys, strict=True):
        generator.manual_seed(key & _MASK)
        row.normal_(std=sigma, generator=generator)
    return noise


def noise_beside(image: Tensor, inputs: Sequence[NoiseInput], keys: Sequence[int]) -> list[Tensor]:
    """The noise that a degrader with these `inputs` takes beside `image` (B, C, H, W), where `image` lies."""
    height, width = image.shape[2:]
    return [
        white_noise([key + number for key in keys], (one.channels, height, width), one.sigma).to(image.device)
        for number, one in enumerate(inputs)
    ]
