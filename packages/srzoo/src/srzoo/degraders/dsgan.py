"""DSGAN's generator: bicubic LR restyled as a camera's, at LR size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srzoo.degraders.layers import ExtraInput, ReceptiveField, check_image, is_scripting


@dataclass(frozen=True)
class DSGANConfig:
    """`blocks` residual blocks of `features` channels."""

    blocks: int = 8
    features: int = 64

    def __post_init__(self) -> None:
        if self.blocks < 1 or self.features < 1:
            raise ValueError(f"expected blocks and features of at least 1, got {self.blocks} and {self.features}")


class ResidualBlock(nn.Module):
    """Convolution, PReLU, convolution, added to the input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.prelu = nn.PReLU()
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.prelu(self.conv1(x)))


class DSGAN(nn.Module):
    """Bicubic LR (B, 3, h, w) to LR of the same size, RGB, [0, 1]; any size. 594,380 parameters.

    Source: Fritsche et al. 2019, "Frequency separation for real-world super-resolution"; keys and start of the
    released code. No skip from the image to the output, which is a sigmoid.
    """

    def __init__(self, config: DSGANConfig) -> None:
        super().__init__()
        self.config, self.scale, self.multiple = config, 1, 1
        self.receptive_field: ReceptiveField = 2 * config.blocks + 2
        self.inputs: tuple[ExtraInput, ...] = ()
        self.colour = "rgb"
        self.block_input = nn.Sequential(nn.Conv2d(3, config.features, 3, padding=1), nn.PReLU())
        self.res_blocks = nn.Sequential(*(ResidualBlock(config.features) for _ in range(config.blocks)))
        self.block_output = nn.Conv2d(config.features, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        if not is_scripting():
            check_image(image, 3)
        shallow = self.block_input(image.to(self.block_output.weight.dtype))
        return torch.sigmoid(self.block_output(self.res_blocks(shallow)).to(image.dtype))
