"""SRResNet, the generator of SRGAN: residual blocks with batch normalisation between two 9x9 convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn


@dataclass(frozen=True)
class SRResNetConfig:
    """`bias`: whether convolutions before a batch normalisation have one; the paper's ports differ in that."""

    scale: Literal[2, 3, 4] = 4
    blocks: int = 16
    features: int = 64
    bias: bool = False

    def __post_init__(self) -> None:
        if self.scale not in (2, 3, 4):
            raise ValueError(f"scale: expected 2, 3 or 4, got {self.scale}")
        if self.blocks < 1 or self.features < 1:
            raise ValueError(f"expected blocks and features of at least 1, got {self.blocks} and {self.features}")


class ResidualBlock(nn.Module):
    """Convolution, normalisation, PReLU, convolution, normalisation, added to the input."""

    def __init__(self, features: int, *, bias: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1, bias=bias)
        self.bn1 = nn.BatchNorm2d(features)
        self.prelu = nn.PReLU()
        self.conv2 = nn.Conv2d(features, features, 3, padding=1, bias=bias)
        self.bn2 = nn.BatchNorm2d(features)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(x)))))


class Upsampling(nn.Module):
    """Convolution, pixel shuffle, PReLU."""

    def __init__(self, features: int, step: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(features, step**2 * features, 3, padding=1)
        self.shuffle = nn.PixelShuffle(step)
        self.prelu = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.prelu(self.shuffle(self.conv(x)))


class SRResNet(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size.

    1,547,350 parameters at x4; 1,549,462 with `bias`.

    Source: Ledig et al. 2017, "Photo-realistic single image super-resolution using a generative adversarial network",
    figure 4; keys of Lornatang's SRGAN-PyTorch of March 2021, which CSR-GAN builds on, and as there the output is
    linear and training starts from torch's own initialisation.
    """

    def __init__(self, config: SRResNetConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        self.receptive_radius: int | None = 2 * config.blocks + 8
        features = config.features
        self.conv1 = nn.Sequential(nn.Conv2d(3, features, 9, padding=4), nn.PReLU())
        self.trunk = nn.Sequential(*(ResidualBlock(features, bias=config.bias) for _ in range(config.blocks)))
        self.conv2 = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1, bias=config.bias), nn.BatchNorm2d(features)
        )
        steps = {2: (2,), 3: (3,), 4: (2, 2)}[config.scale]
        self.upsampling = nn.Sequential(*(Upsampling(features, step) for step in steps))
        self.conv3 = nn.Conv2d(features, 3, 9, padding=4)

    def forward(self, lr: Tensor) -> Tensor:
        shallow = self.conv1(lr.to(self.conv3.weight.dtype))
        deep = shallow + self.conv2(self.trunk(shallow))
        return self.conv3(self.upsampling(deep)).float()
