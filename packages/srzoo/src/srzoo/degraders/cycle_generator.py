"""CycleGAN's generator: a picture of one camera restyled as one of another, at the same size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srzoo.degraders.layers import ExtraInput, ReceptiveField, check_image, is_scripting


@dataclass(frozen=True)
class CycleGeneratorConfig:
    """`blocks` residual blocks at a quarter of the size; `features` at full size.

    Attributes:
        strided: convolutions that halve the size, and double the features, before the blocks; 0 to 2.
        skip: the network gives what is added to the picture, instead of a new one. Our own, for networks and runs too
            small to learn to paint the picture itself.
    """

    blocks: int = 9
    features: int = 64
    strided: int = 2
    skip: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.strided <= 2:
            raise ValueError(f"strided: expected 0 to 2, got {self.strided}")
        if self.blocks < 1 or self.features < 1:
            raise ValueError(f"expected blocks and features of at least 1, got {self.blocks} and {self.features}")


class InstanceNorm(nn.Module):
    """Every channel of every picture with mean 0 and variance 1; torch's, without its checks, which export as code."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.instance_norm(x, None, None, None, None, True, 0.0, 1e-5, True)


class ResidualBlock(nn.Module):
    """Convolution, instance norm, ReLU, convolution, instance norm, added to the input; mirrored at the edge."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(features, features, 3), InstanceNorm(), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(features, features, 3), InstanceNorm(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class CycleGenerator(nn.Module):
    """Pictures (B, 3, H, W) to pictures of the same size, RGB, [0, 1] (about that, with `skip`); H and W are multiples
    of 4 (2, 1 with fewer strided convolutions), at least 8.

    Instance norms see the whole picture: parts of it come out otherwise. 11,378,179 parameters.

    Source: Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks", appendix
    7.2; the keys and the start, N(0, 0.02), of the released code, which works on [-1, 1], as we do inside.
    """

    def __init__(self, config: CycleGeneratorConfig) -> None:
        super().__init__()
        self.config, self.scale, self.multiple, self.skip = config, 1, 2**config.strided, config.skip
        self.receptive_field: ReceptiveField = "whole"
        self.inputs: tuple[ExtraInput, ...] = ()
        self.colour = "rgb"
        width = config.features
        layers = [nn.ReflectionPad2d(3), *_normed(nn.Conv2d(3, width, 7))]
        widths = [width * 2**level for level in range(config.strided + 1)]
        for inputs in widths[:-1]:
            layers += _normed(nn.Conv2d(inputs, 2 * inputs, 3, stride=2, padding=1))
        layers += [ResidualBlock(widths[-1]) for _ in range(config.blocks)]
        for outputs in widths[-2::-1]:
            layers += _normed(nn.ConvTranspose2d(2 * outputs, outputs, 3, stride=2, padding=1, output_padding=1))
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())
        for part in self.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(part.weight, std=0.02)
                nn.init.zeros_(part.bias)  # type: ignore[reportArgumentType]  it has one
        if config.skip:  # from the picture itself: a critic learns what sets it apart, not what a random change does
            nn.init.zeros_(self.model[-2].weight)  # pyright: ignore[reportArgumentType]  a convolution

    def forward(self, image: Tensor) -> Tensor:
        if not is_scripting():
            check_image(image, 3, self.multiple)
        # Not "type: ignore": torch.jit reads that as a type.
        signed = (2 * image - 1).to(self.model[1].weight.dtype)  # pyright: ignore[reportCallIssue, reportArgumentType]
        made = self.model(signed).to(image.dtype)
        return image + made / 2 if self.skip else (made + 1) / 2


def _normed(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    return [convolution, InstanceNorm(), nn.ReLU()]
