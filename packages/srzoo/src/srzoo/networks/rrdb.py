"""RRDBNet: residual in residual dense blocks, the generator of ESRGAN and of most that followed it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.2  # of every leaky ReLU
_SHARE = 0.2  # of every residual


@dataclass(frozen=True)
class RRDBConfig:
    """`blocks` of three inner blocks each; 23 (ESRGAN), 25 (SRDGAN's L2H) and 6 (anime) are published.

    Attributes:
        growth: channels that each convolution of a dense block adds.
        block: dense blocks, or plain residual blocks in their place.
        unshuffle: how many times smaller than LR the trunk works; None: as published, 4 at x1, 2 at x2, else 1. Older
            models of x1 and x2 have 1.
    """

    scale: Literal[1, 2, 4, 8] = 4
    blocks: int = 23
    features: int = 64
    growth: int = 32
    block: Literal["dense", "residual"] = "dense"
    unshuffle: Literal[1, 2, 4] | None = None

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 4, 8) or self.unshuffle not in (1, 2, 4, None):
            raise ValueError(
                f"expected a scale of 1, 2, 4 or 8, and unshuffle 1, 2 or 4, got {self.scale} and {self.unshuffle}"
            )
        if min(self.blocks, self.features, self.growth) < 1:
            raise ValueError("expected blocks, features and growth of at least 1")
        if self.block not in ("dense", "residual"):
            raise ValueError(f"block: expected dense or residual, got {self.block!r}")

    @property
    def shrinking(self) -> int:
        return self.unshuffle or {1: 4, 2: 2}.get(self.scale, 1)


class DenseBlock(nn.Module):
    """Five convolutions, each of everything before it; a share of the last is added to the input."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, growth, 3, padding=1)
        self.conv2 = nn.Conv2d(features + growth, growth, 3, padding=1)
        self.conv3 = nn.Conv2d(features + 2 * growth, growth, 3, padding=1)
        self.conv4 = nn.Conv2d(features + 3 * growth, growth, 3, padding=1)
        self.conv5 = nn.Conv2d(features + 4 * growth, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x1 = F.leaky_relu(self.conv1(x), _SLOPE)
        x2 = F.leaky_relu(self.conv2(torch.cat((x, x1), 1)), _SLOPE)
        x3 = F.leaky_relu(self.conv3(torch.cat((x, x1, x2), 1)), _SLOPE)
        x4 = F.leaky_relu(self.conv4(torch.cat((x, x1, x2, x3), 1)), _SLOPE)
        return x + _SHARE * self.conv5(torch.cat((x, x1, x2, x3, x4), 1))


class ResidualBlock(nn.Module):
    """Two convolutions; a share of the second is added to the input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + _SHARE * self.conv2(F.leaky_relu(self.conv1(x), _SLOPE))


class RRDB(nn.Module):
    """Three blocks in a row; a share of the last is added to the input."""

    def __init__(self, config: RRDBConfig) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_inner_block(config) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return x + _SHARE * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size.

    16,697,987 parameters at x4 (25 blocks 18,136,835, 6 blocks 4,467,779; x2 16,703,171, x8 16,734,915). Where the
    trunk works on unshuffled pixels, the picture is mirrored to a multiple of `unshuffle` and the result cropped; what
    a pixel becomes then depends on where it lies in the picture, so no radius makes tiles exact.

    Source: Wang et al. 2018, "ESRGAN", section 3.1; keys and the unshuffled x1 and x2 are those of Real-ESRGAN's
    release. `block = "residual"`: Guan et al. 2019, "SRDGAN", section 3, which allows either.
    """

    float32_layout: ClassVar[torch.memory_format] = torch.contiguous_format

    def __init__(self, config: RRDBConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        inner = 15 if config.block == "dense" else 6
        self.receptive_radius: int | None = None if config.shrinking > 1 else inner * config.blocks + 4
        features = config.features
        self.conv_first = nn.Conv2d(3 * config.shrinking**2, features, 3, padding=1)
        self.body = nn.Sequential(*(RRDB(config) for _ in range(config.blocks)))
        self.conv_body = nn.Conv2d(features, features, 3, padding=1)
        self.doublings = int(math.log2(config.scale * config.shrinking))
        for number in range(1, self.doublings + 1):
            self.add_module(f"conv_up{number}", nn.Conv2d(features, features, 3, padding=1))
        self.conv_hr = nn.Conv2d(features, features, 3, padding=1)
        self.conv_last = nn.Conv2d(features, 3, 3, padding=1)
        for convolution in self.body.modules():
            if isinstance(convolution, nn.Conv2d):
                nn.init.kaiming_normal_(convolution.weight)
                convolution.weight.data *= 0.1
                nn.init.zeros_(convolution.bias)  # type: ignore[reportArgumentType]  it has one

    def forward(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[2:]
        shallow = self.conv_first(_unshuffled(lr, self.config.shrinking).to(self.conv_first.weight.dtype))
        x = shallow + self.conv_body(self.body(shallow))
        for number in range(1, self.doublings + 1):
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.leaky_relu(self.get_submodule(f"conv_up{number}")(x), _SLOPE)
        sr = self.conv_last(F.leaky_relu(self.conv_hr(x), _SLOPE))
        return sr[:, :, : self.scale * height, : self.scale * width].float()


def _inner_block(config: RRDBConfig) -> nn.Module:
    return DenseBlock(config.features, config.growth) if config.block == "dense" else ResidualBlock(config.features)


def _unshuffled(lr: Tensor, factor: int) -> Tensor:
    """(B, 3*f*f, ceil(h/f), ceil(w/f)) of `lr` (B, 3, h, w)."""
    if factor == 1:
        return lr
    below, right = -lr.shape[2] % factor, -lr.shape[3] % factor
    if below or right:
        can_mirror = below < lr.shape[2] and right < lr.shape[3]
        lr = F.pad(lr, (0, right, 0, below), mode="reflect" if can_mirror else "replicate")
    return F.pixel_unshuffle(lr, factor)
