"""VDSR: a deep chain of convolutions that corrects the bicubic enlargement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.networks.layers import enlarge, reach_before_enlarging, replace_luma
from srzoo.tensors import luma


@dataclass(frozen=True)
class VDSRConfig:
    """20 convolutions in all are the paper's; one set of weights serves every scale.

    Attributes:
        channels: 1: luma, chroma stays the enlargement's; 3: RGB.
        dropout: share of the last features that training leaves out; DML's is 0.5, with `bias`.
    """

    scale: Literal[1, 2, 3, 4] = 4
    convs: int = 20
    features: int = 64
    channels: Literal[1, 3] = 1
    bias: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4):
            raise ValueError(f"scale: expected 1, 2, 3 or 4, got {self.scale}")
        if self.convs < 2 or self.features < 1 or self.channels not in (1, 3):
            raise ValueError("expected convs >= 2, features >= 1, and 1 or 3 channels")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected 0 <= dropout < 1, got {self.dropout}")


class ConvReLU(nn.Module):
    """A convolution and its ReLU."""

    def __init__(self, features: int, *, bias: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(features, features, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv(x))


class VDSR(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size. At scale 1 the size stays.

    664,704 parameters on luma; 665,921 with `bias`. With one channel it also takes luma (B, 1, h, w), MATLAB's, 16/255
    to 235/255, and gives luma.

    Source: Kim et al. 2016, "Accurate image super-resolution using very deep convolutional networks", section 3; keys,
    initialisation and missing biases are those of twtygqyy/pytorch-vdsr. Departs from them in that it enlarges by
    itself; its bicubic differs from MATLAB's in the last two LR pixels at the edge.
    """

    def __init__(self, config: VDSRConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        self.receptive_radius: int | None = reach_before_enlarging(config.convs, config.scale)
        features, bias = config.features, config.bias
        self.input = nn.Conv2d(config.channels, features, 3, padding=1, bias=bias)
        self.residual_layer = nn.Sequential(*(ConvReLU(features, bias=bias) for _ in range(config.convs - 2)))
        self.output = nn.Conv2d(features, config.channels, 3, padding=1, bias=bias)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.normal_(part.weight, std=(2 / (9 * part.out_channels)) ** 0.5)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)

    def forward(self, lr: Tensor) -> Tensor:
        enlarged = enlarge(lr, self.scale)
        is_split = self.config.channels == 1 and lr.shape[1] == 3
        plane = luma(enlarged) if is_split else enlarged
        x = self.residual_layer(F.relu(self.input(plane.to(self.input.weight.dtype))))
        sr = plane + self.output(F.dropout(x, self.config.dropout, self.training))
        return replace_luma(enlarged, sr) if is_split else sr
