"""PatchGAN: a logit for every 70 x 70 window, or every smaller one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.discriminators.layers import Norm, check_norm, norm_layer

_SLOPE = 0.2
_WINDOWS = {3: 70, 2: 34, 1: 16}  # pixels, by the number of strided convolutions


@dataclass(frozen=True)
class PatchCriticConfig:
    """`norm` and the edges, by whose critic it is.

    Attributes:
        norm: `batch` (Impressionism), `instance` (CycleGAN), `keras` or `keras_frozen` (DDNSR's paper, its code).
            A convolution before an instance norm has a bias, as there, though the norm takes it away again.
        padding: of the two last convolutions: `one` pixel on every side, so that each makes the map one smaller, or
            `same` (TensorFlow, DDNSR): one left and above, two right and below.
        strided: convolutions that halve the map: 3 for windows of 70 x 70 pixels, 2 for 34 x 34, 1 for 16 x 16.
    """

    features: int = 64
    norm: Norm = "batch"
    padding: Literal["one", "same"] = "one"
    strided: int = 3

    def __post_init__(self) -> None:
        check_norm(self.norm)
        if self.features < 1:
            raise ValueError(f"features: expected at least 1, got {self.features}")
        if not 1 <= self.strided <= 3:
            raise ValueError(f"strided: expected 1 to 3, got {self.strided}")
        if self.padding not in ("one", "same"):
            raise ValueError(f"padding: expected one or same, got {self.padding!r}")


class PatchCritic(nn.Module):
    """Pictures (B, 3, H, W), RGB, [0, 1], at least 24 x 24, to a map of logits (B, 1, H/8 - 2, W/8 - 2).

    With fewer strided convolutions 8 and 24 are 4 and 12, or 2 and 6. With `padding="same"` the map is H/8 x W/8.
    2,765,633 parameters with batch norm, 2,764,737 with instance norm.

    Source: Isola et al. 2017, "Image-to-image translation", appendix 6.1.2 (70 x 70, 16 x 16); the keys of CycleGAN's
    code.
    """

    def __init__(self, config: PatchCriticConfig) -> None:
        super().__init__()
        self.config = config
        self.receptive_field: int | None = _WINDOWS[config.strided]
        self._smallest = 3 * 2**config.strided  # pixels: the last map has one entry
        bias = config.norm == "instance"
        last = _SameConv2d if config.padding == "same" else nn.Conv2d
        width = config.features
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(_SLOPE)]
        for stride in (*[2] * (config.strided - 1), 1):
            kind = nn.Conv2d if stride == 2 else last
            layers.append(kind(width, 2 * width, 4, stride=stride, padding=1, bias=bias))
            width *= 2
            layers += [norm_layer(config.norm, width), nn.LeakyReLU(_SLOPE)]
        self.model = nn.Sequential(*layers, last(width, 1, 4, padding=1))

    def forward(self, pictures: Tensor) -> Tensor:
        if min(pictures.shape[2:]) < self._smallest:
            raise ValueError(f"expected at least {self._smallest} pixels a side, got {tuple(pictures.shape)}")
        return self.model(pictures)


class _SameConv2d(nn.Conv2d):
    """4x4, stride 1, whose map has the size of its input."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.pad(input, (0, 1, 0, 1)))  # and one on every side
