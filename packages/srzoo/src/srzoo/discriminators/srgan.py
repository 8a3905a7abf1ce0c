"""SRGAN's critic: eight 3x3 convolutions, every second of stride 2, and two dense layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

_STRIDE = 16  # of the last feature map
_HIDDEN = 1024
_SLOPE = 0.2


@dataclass(frozen=True)
class SRGANCriticConfig:
    """For square HR patches of side `patch`, a multiple of 16.

    Attributes:
        head: `dense` on the flattened features, as published, sees exactly `patch`; `pooled` on their mean takes
            pictures of any size from 16 up (leftthomas/SRGAN).
    """

    patch: int = 96
    features: int = 64
    head: Literal["dense", "pooled"] = "dense"

    def __post_init__(self) -> None:
        if self.patch < _STRIDE or self.patch % _STRIDE:
            raise ValueError(f"patch: expected a multiple of {_STRIDE}, got {self.patch}")
        if self.features < 1:
            raise ValueError(f"features: expected at least 1, got {self.features}")
        if self.head not in ("dense", "pooled"):
            raise ValueError(f"head: expected dense or pooled, got {self.head!r}")


class SRGANCritic(nn.Module):
    """Patches (B, 3, p, p), RGB, [0, 1], to logits (B, 1); large where the patch looks real.

    23,563,649 parameters at 96 px; `pooled` 5,215,425. Keys: Lornatang/SRGAN-PyTorch's; leftthomas/SRGAN's.

    Source: Ledig et al. 2017, "SRGAN", figure 4. Departs from it: no final sigmoid, the losses take logits.
    """

    def __init__(self, config: SRGANCriticConfig) -> None:
        super().__init__()
        self.config = config
        self.receptive_field: int | None = config.patch if config.head == "dense" else None  # None: all of it
        width = 8 * config.features
        if config.head == "dense":
            self.features = nn.Sequential(*_convolutions(config.features, bias=False))
            self.classifier = nn.Sequential(
                nn.Linear(width * (config.patch // _STRIDE) ** 2, _HIDDEN),
                nn.LeakyReLU(_SLOPE),
                nn.Linear(_HIDDEN, 1),
            )
        else:
            self.net = nn.Sequential(
                *_convolutions(config.features, bias=True),
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(width, _HIDDEN, 1),
                nn.LeakyReLU(_SLOPE),
                nn.Conv2d(_HIDDEN, 1, 1),
            )

    def forward(self, patches: Tensor) -> Tensor:
        side = self.config.patch
        if self.config.head == "pooled":
            if min(patches.shape[2:]) < _STRIDE:
                raise ValueError(f"expected at least {_STRIDE} x {_STRIDE} pixels, got {tuple(patches.shape)}")
            return torch.flatten(self.net(patches), 1)
        if tuple(patches.shape[1:]) != (3, side, side):
            raise ValueError(f"expected patches (B, 3, {side}, {side}), got {tuple(patches.shape)}")
        return self.classifier(torch.flatten(self.features(patches), 1))


def _convolutions(features: int, *, bias: bool) -> list[nn.Module]:
    """`bias` of the convolutions before a norm."""
    layers: list[nn.Module] = [nn.Conv2d(3, features, 3, padding=1), nn.LeakyReLU(_SLOPE)]
    inputs = features
    for number in range(1, 8):
        width = features * 2 ** (number // 2)
        convolution = nn.Conv2d(inputs, width, 3, stride=1 + number % 2, padding=1, bias=bias)
        layers += [convolution, nn.BatchNorm2d(width), nn.LeakyReLU(_SLOPE)]
        inputs = width
    return layers
