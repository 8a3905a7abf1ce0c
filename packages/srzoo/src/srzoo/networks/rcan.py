"""RCAN: residual groups of residual blocks with channel attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MEAN_RGB = (0.4488, 0.4371, 0.4040)  # of DIV2K
LEVELS = 255.0  # inside, the network works on 0..255, as the published weights do


@dataclass(frozen=True)
class RCANConfig:
    """`groups` of `blocks`; `reduction` is how much channel attention narrows before it widens again."""

    scale: Literal[2, 3, 4] = 4
    groups: int = 10
    blocks: int = 20
    features: int = 64
    reduction: int = 16

    def __post_init__(self) -> None:
        if self.scale not in (2, 3, 4):
            raise ValueError(f"scale: expected 2, 3 or 4, got {self.scale}")
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


class MeanShift(nn.Module):
    """A fixed 1x1 convolution that adds `shift` to each channel; loaded weights may differ a little from that.

    Always float32: 0..255 in bfloat16 would lose half a level.
    """

    def __init__(self, shift: tuple[float, float, float]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(3).view(3, 3, 1, 1), requires_grad=False)
        self.bias = nn.Parameter(torch.tensor(shift), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x.float(), self.weight.float(), self.bias.float())


class RCAN(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size.

    15,592,379 parameters at x4, 24 of them the fixed mean shifts (x2 15,444,667, x3 15,629,307). Pools over the whole
    picture, so tiles differ a little from it.

    Source: Zhang et al. 2018, "Image super-resolution using very deep residual channel attention networks", sections 3
    and 4.1; the keys and the inner range 0..255 are those of the released code, so its weights load.
    """

    def __init__(self, config: RCANConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        self.receptive_radius: int | None = None
        features = config.features
        red, green, blue = (LEVELS * mean for mean in MEAN_RGB)
        groups = [ResidualGroup(config.blocks, features, config.reduction) for _ in range(config.groups)]
        self.sub_mean = MeanShift((-red, -green, -blue))
        self.head = nn.Sequential(nn.Conv2d(3, features, 3, padding=1))
        self.body = nn.Sequential(*groups, nn.Conv2d(features, features, 3, padding=1))
        self.tail = nn.Sequential(_upsampler(features, config.scale), nn.Conv2d(features, 3, 3, padding=1))
        self.add_mean = MeanShift((red, green, blue))

    def forward(self, lr: Tensor) -> Tensor:
        shifted = self.sub_mean(lr * LEVELS)
        shallow = self.head(shifted.to(self.head[0].weight.dtype))
        deep = shallow + self.body(shallow)
        return self.add_mean(self.tail(deep)) / LEVELS


def _upsampler(features: int, scale: int) -> nn.Sequential:
    step = 3 if scale == 3 else 2
    layers: list[nn.Module] = []
    for _ in range(2 if scale == 4 else 1):
        layers += [nn.Conv2d(features, step**2 * features, 3, padding=1), nn.PixelShuffle(step)]
    return nn.Sequential(*layers)
