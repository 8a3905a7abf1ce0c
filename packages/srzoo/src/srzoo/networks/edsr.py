"""EDSR: residual blocks without normalisation, then pixel shuffles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from srzoo.networks.layers import LEVELS, MeanShift, pixel_shuffle_upsampler


@dataclass(frozen=True)
class EDSRConfig:
    """The baseline; the paper's large one has 32 `blocks`, 256 `features` and a `residual_scale` of 0.1."""

    scale: Literal[2, 3, 4] = 4
    blocks: int = 16
    features: int = 64
    residual_scale: float = 1.0

    def __post_init__(self) -> None:
        if self.scale not in (2, 3, 4):
            raise ValueError(f"scale: expected 2, 3 or 4, got {self.scale}")
        if self.blocks < 1 or self.features < 1:
            raise ValueError(f"expected blocks and features of at least 1, got {self.blocks} and {self.features}")


class ResidualBlock(nn.Module):
    """Convolution, ReLU, convolution, scaled and added to the input."""

    def __init__(self, features: int, residual_scale: float) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.body = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), nn.ReLU(), nn.Conv2d(features, features, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.residual_scale * self.body(x)


class EDSR(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size.

    1,517,571 parameters at x4 (x2 1,369,859, x3 1,554,499; large 43,089,923) and 24 of the fixed mean shifts.

    Source: Lim et al. 2017, "Enhanced deep residual networks for single image super-resolution", section 3; the keys
    and the inner range 0..255 are those of the released code, so its weights load.
    """

    def __init__(self, config: EDSRConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        self.receptive_radius: int | None = 2 * config.blocks + 4
        features = config.features
        blocks = [ResidualBlock(features, config.residual_scale) for _ in range(config.blocks)]
        self.sub_mean = MeanShift(-1)
        self.head = nn.Sequential(nn.Conv2d(3, features, 3, padding=1))
        self.body = nn.Sequential(*blocks, nn.Conv2d(features, features, 3, padding=1))
        self.tail = nn.Sequential(pixel_shuffle_upsampler(features, config.scale), nn.Conv2d(features, 3, 3, padding=1))
        self.add_mean = MeanShift(1)

    def forward(self, lr: Tensor) -> Tensor:
        shifted = self.sub_mean(lr * LEVELS)
        shallow = self.head(shifted.to(self.head[0].weight.dtype))
        deep = shallow + self.body(shallow)
        return self.add_mean(self.tail(deep)) / LEVELS
