"""DDNSR's degrader: a clean HR picture and a real LR picture, whose noise and artefacts the LR takes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from degrade.card import ReferenceInput
from srzoo.degraders.layers import (
    ExtraInput,
    ReceptiveField,
    check_extra,
    check_image,
    is_scripting,
    start_convolutions,
)

_SLOPE = 0.2


@dataclass(frozen=True)
class DualInputConfig:
    """`features` of the narrowest layers; the others are 2, 4 and 8 times as wide.

    Attributes:
        single: zeros take the place of the reference, whatever is given (ablation D).
    """

    scale: Literal[4] = 4
    blocks: int = 8
    features: int = 64
    single: bool = False

    def __post_init__(self) -> None:
        if self.scale != 4:
            raise ValueError(f"scale: expected 4, got {self.scale}")
        if self.blocks < 1 or self.features < 1:
            raise ValueError(f"expected blocks and features of at least 1, got {self.blocks} and {self.features}")


class ResidualBlock(nn.Module):
    """Convolution, activation, convolution, added to the input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(features, features, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class DualInput(nn.Module):
    """HR (B, 3, H, W) and a real LR picture (B, 3, H/4, W/4) to LR of its size, RGB, about [0, 1], not clipped.

    H and W are multiples of 4. 4,341,763 parameters. Zeros around the picture, so what its edge looks like reaches
    `receptive_field` pixels inwards.

    Source: "DDNSR, a dual-input degradation network for real-world super-resolution", figure 2 and appendix A, and the
    released code: what is added to the residual branch is the 64-channel feature map of HR, not the image, and the last
    convolution gives 3 channels, where the figure prints n64.
    """

    def __init__(self, config: DualInputConfig) -> None:
        super().__init__()
        self.config, self.scale, self.multiple, self.single = config, config.scale, config.scale, config.single
        # LR pixels of the reference's branch, then the body's and the tail's; HR itself reaches less far. Zeros are
        # like what surrounds them, so their first convolution does not see the edge.
        branch = 3 if config.single else 4
        self.receptive_field: ReceptiveField = config.scale * (branch + 1 + 2 * config.blocks + 1 + 1)
        self.inputs: tuple[ExtraInput, ...] = (ReferenceInput("a real LR picture"),)
        self.colour = "rgb"
        n = config.features
        self.hr_branch = nn.Sequential(
            nn.Conv2d(3, n, 3, padding=1),
            nn.Conv2d(n, 2 * n, 3, padding=1), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(2 * n, 2 * n, 4, stride=2, padding=1), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(2 * n, 4 * n, 3, padding=1), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(4 * n, 4 * n, 4, stride=2, padding=1), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(4 * n, n, 3, padding=1),
        )  # fmt: skip
        self.reference_branch = nn.Sequential(
            nn.Conv2d(3, n, 3, padding=1), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(n, 2 * n, 3, padding=1), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(2 * n, 4 * n, 3, padding=1), nn.LeakyReLU(_SLOPE),
            nn.Conv2d(4 * n, 8 * n, 3, padding=1), nn.LeakyReLU(_SLOPE),
        )  # fmt: skip
        self.body = nn.Sequential(
            nn.Conv2d(9 * n, n, 3, padding=1),
            *(ResidualBlock(n) for _ in range(config.blocks)),
            nn.Conv2d(n, n, 3, padding=1),
        )
        self.tail = nn.Conv2d(n, 3, 3, padding=1)
        start_convolutions(self, "glorot")

    def forward(self, image: Tensor, reference: Tensor) -> Tensor:
        if not is_scripting():
            check_image(image, 3, self.multiple)
            check_extra("reference", reference, image, 3, self.scale)
        if self.single:
            reference = torch.zeros_like(reference)
        dtype = self.tail.weight.dtype
        hr_features = self.hr_branch(image.to(dtype))
        both = torch.cat([hr_features, self.reference_branch(reference.to(dtype))], 1)
        return self.tail(hr_features + self.body(both)).to(image.dtype)
