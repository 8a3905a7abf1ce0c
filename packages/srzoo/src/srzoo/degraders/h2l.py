"""H2L of SRDGAN: HR and a noise map to LR, by residual blocks whose outputs cascade, and one strided convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.card import NoiseInput
from srzoo.degraders.layers import ExtraInput, ReceptiveField, check_extra, check_image, is_scripting
from srzoo.tensors import every_nth

_SLOPE = 0.2


@dataclass(frozen=True)
class H2LConfig:
    """What the paper leaves open, and its four blocks.

    Attributes:
        noise: how the noise map enters: as more channels of the input, or added to the image.
        noise_channels: of the map; 1 added to the image is grey noise.
        sigma: standard deviation of the noise, images being [0, 1]; the paper's 0.05.
        tail: the last convolution sees its own s x s block of HR pixels, or `wide` 2s x 2s around it (s even).
        skip: what of each s x s block of HR the network adds to: the pixel that recipe `nearest` takes (right of and
            below the centre if s is even), so that what is left to learn is the noise; the mean; or nothing.
    """

    scale: Literal[1, 2, 3, 4] = 4
    noise: Literal["concat", "add"] = "concat"
    noise_channels: Literal[1, 3] = 3
    sigma: float = 0.05
    blocks: int = 4
    features: int = 64
    tail: Literal["block", "wide"] = "block"
    skip: Literal["none", "mean", "nearest"] = "none"

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4):
            raise ValueError(f"scale: expected 1, 2, 3 or 4, got {self.scale}")
        if self.noise not in ("concat", "add") or self.noise_channels not in (1, 3):
            raise ValueError(f"noise: expected concat or add, 1 or 3 channels, got {self.noise}, {self.noise_channels}")
        if self.tail not in ("block", "wide") or (self.tail == "wide" and self.scale % 2):
            raise ValueError(f"tail: expected block, or wide at an even scale, got {self.tail!r} at {self.scale}")
        if self.skip not in ("none", "mean", "nearest"):
            raise ValueError(f"skip: expected none, mean or nearest, got {self.skip!r}")
        if self.blocks < 1 or self.features < 1 or not self.sigma > 0:
            raise ValueError(
                f"expected blocks and features >= 1, sigma > 0, got {self.blocks}, {self.features}, {self.sigma}"
            )


class ResidualBlock(nn.Module):
    """Convolution, activation, convolution, added to the input, activation."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)
        self.activation = nn.LeakyReLU(_SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        deep = self.conv2(self.activation(self.conv1(x)))
        return self.activation(x + deep)


class Cascade(nn.Module):
    """Blocks, each followed by a 1x1 convolution over the outputs of all blocks so far and the input."""

    def __init__(self, blocks: int, features: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ResidualBlock(features) for _ in range(blocks))
        self.fusions = nn.ModuleList(nn.Conv2d((n + 2) * features, features, 1) for n in range(blocks))

    def forward(self, x: Tensor) -> Tensor:
        outputs = [x]
        for block, fusion in zip(self.blocks, self.fusions, strict=True):
            outputs.append(block(x))
            x = fusion(torch.cat(outputs, 1))
        return x


class H2L(nn.Module):
    """HR (B, 3, H, W) and noise (B, n, H, W) to LR (B, 3, H/s, W/s), RGB, about [0, 1], not clipped.

    H and W are multiples of `scale`. 359,619 parameters.

    Source: "SRDGAN: learning the noise prior for super resolution with dual generative adversarial networks",
    figure 2: four residual blocks of two convolutions and two activations, cascading shortcuts (as in Ahn et al. 2018,
    "CARN"), a last convolution of stride s. Widths and activations are ours; so is the last kernel, of s
    or 2s pixels: LR pixels then lie in the middle of their HR pixels (3x3 would shift them by 1.5 HR pixels at x4).
    """

    def __init__(self, config: H2LConfig) -> None:
        super().__init__()
        self.config, self.scale, self.multiple = config, config.scale, config.scale
        wide = config.tail == "wide"
        self.receptive_field: ReceptiveField = 1 + 2 * config.blocks + (config.scale // 2 if wide else 0)
        self.inputs: tuple[ExtraInput, ...] = (NoiseInput(config.noise_channels, config.sigma),)
        self.colour, self.adds_noise = "rgb", config.noise == "add"
        self.adds_pixel, self.adds_mean = config.skip == "nearest", config.skip == "mean"
        inputs = 3 if self.adds_noise else 3 + config.noise_channels
        self.head = nn.Sequential(nn.Conv2d(inputs, config.features, 3, padding=1), nn.LeakyReLU(_SLOPE))
        self.body = Cascade(config.blocks, config.features)
        kernel, padding = (2 * config.scale, config.scale // 2) if wide else (config.scale, 0)
        self.tail = nn.Conv2d(config.features, 3, kernel, stride=config.scale, padding=padding)

    def forward(self, image: Tensor, noise: Tensor) -> Tensor:
        if not is_scripting():
            check_image(image, 3, self.scale)
            check_extra("noise", noise, image, self.config.noise_channels, scale=1)
        both = image + noise if self.adds_noise else torch.cat([image, noise], 1)
        lr = self.tail(self.body(self.head(both.to(self.tail.weight.dtype)))).to(image.dtype)
        if self.adds_pixel:
            return lr + every_nth(image, self.scale)
        return lr + F.avg_pool2d(image, self.scale) if self.adds_mean else lr
