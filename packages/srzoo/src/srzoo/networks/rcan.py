"""RCAN: residual groups of residual blocks with channel attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from srzoo.networks.layers import LEVELS, MeanShift, pixel_shuffle_upsampler


@dataclass(frozen=True)
class RCANConfig:
    """`groups` of `blocks`; `reduction` is how much channel attention narrows before it widens again."""

    scale: Literal[1, 2, 3, 4, 8] = 4
    groups: int = 10
    blocks: int = 20
    features: int = 64
    reduction: int = 16

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4, 8):
            raise ValueError(f"scale: expected 1, 2, 3, 4 or 8, got {self.scale}")
        if min(self.groups, self.blocks, self.reduction) < 1:
            raise ValueError("expected groups, blocks and reduction of at least 1")
        if self.features < self.reduction or self.features % self.reduction:
            raise ValueError(f"features: expected a multiple of reduction, got {self.features} and {self.reduction}")


class ChannelAttention(nn.Module):
    """Scales every channel by a weight computed from all channels' means over the whole picture."""

    def __init__(self, features: int, reduction: int) -> None:
        super().__init__()
        narrow = features // reduction
        self.conv_du = nn.Sequential(
            nn.Conv2d(features, narrow, 1), nn.ReLU(), nn.Conv2d(narrow, features, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.conv_du(x.mean((2, 3), keepdim=True))


class AttentionBlock(nn.Module):
    """Two convolutions and channel attention, added to the input."""

    def __init__(self, features: int, reduction: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(features, features, 3, padding=1),
            ChannelAttention(features, reduction),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class ResidualGroup(nn.Module):
    """A chain of blocks and one convolution, added to the input."""

    def __init__(self, blocks: int, features: int, reduction: int) -> None:
        super().__init__()
        chain = [AttentionBlock(features, reduction) for _ in range(blocks)]
        self.body = nn.Sequential(*chain, nn.Conv2d(features, features, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class RCAN(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size.

    15,592,379 parameters at x4, 24 of them the fixed mean shifts (x2 15,444,667, x3 15,629,307, x8
    15,740,091). Pools over the whole picture, so tiles differ a little from it.

    Source: Zhang et al. 2018, "Image super-resolution using very deep residual channel attention networks", sections 3
    and 4.1; the keys and the inner range 0..255 are those of the released code, so its weights load.
    """

    def __init__(self, config: RCANConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        self.receptive_radius: int | None = None
        features = config.features
        groups = [ResidualGroup(config.blocks, features, config.reduction) for _ in range(config.groups)]
        self.sub_mean = MeanShift(-1)
        self.head = nn.Sequential(nn.Conv2d(3, features, 3, padding=1))
        self.body = nn.Sequential(*groups, nn.Conv2d(features, features, 3, padding=1))
        self.tail = nn.Sequential(pixel_shuffle_upsampler(features, config.scale), nn.Conv2d(features, 3, 3, padding=1))
        self.add_mean = MeanShift(1)

    def forward(self, lr: Tensor) -> Tensor:
        shifted = self.sub_mean(lr * LEVELS)
        shallow = self.head(shifted.to(self.head[0].weight.dtype))
        deep = shallow + self.body(shallow)
        return self.add_mean(self.tail(deep)) / LEVELS
