"""Distance between two pictures as VGG19 sees them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.features.vgg19 import VGG19, Normalisation, check_layers, load_vgg19


@dataclass(frozen=True)
class PerceptualConfig:
    """Which features are compared, and how.

    Attributes:
        layers: `conv5_4` is that convolution's output, `relu5_4` the same after its ReLU.
        weights: one per layer; none states 1 for each.
        normalisation: what the trunk is fed; see `VGG19`.
    """

    layers: tuple[str, ...] = ("conv5_4",)
    weights: tuple[float, ...] = ()
    normalisation: Normalisation = "imagenet"
    distance: Literal["l1", "mse"] = "l1"

    def __post_init__(self) -> None:
        check_layers(self.layers)
        if self.weights and len(self.weights) != len(self.layers):
            raise ValueError(f"weights: expected one per layer ({len(self.layers)}), got {len(self.weights)}")


class PerceptualLoss(nn.Module):
    """The weighted sum over layers of the mean feature distance; a float32 scalar. Gradients reach the image only.

    Source: Johnson et al. 2016, "Perceptual losses"; Ledig et al. 2017, "SRGAN" (relu5_4, mse); Wang et al. 2018,
    "ESRGAN" (conv5_4, l1).
    """

    def __init__(self, config: PerceptualConfig, trunk: VGG19) -> None:
        super().__init__()
        if trunk.layers != config.layers:
            raise ValueError(f"expected a trunk that gives {config.layers}, got one that gives {trunk.layers}")
        self.trunk = trunk
        self.weights = config.weights or (1.0,) * len(config.layers)
        self.distance = F.l1_loss if config.distance == "l1" else F.mse_loss

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.trunk(target)
        found = self.trunk(image)
        total = image.new_zeros((), dtype=torch.float32)
        for weight, one, other in zip(self.weights, found, wanted, strict=True):
            total = total + weight * self.distance(one.float(), other.float())
        return total


def load_perceptual(config: PerceptualConfig, *, weights: Path | None = None) -> PerceptualLoss:
    """The loss of `config` over pretrained features.

    Args:
        weights: a file of VGG19; None looks where `load_vgg19` says.

    Raises:
        WeightsMissingError: the features are not on this machine.
    """
    return PerceptualLoss(config, load_vgg19(config.layers, config.normalisation, weights=weights))
