"""SRVGGNetCompact: a plain chain of convolutions at LR size, added to the enlarged input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class CompactConfig:
    """`convs` hidden convolutions of `features` channels; 16 and 32 are the two published sizes."""

    scale: Literal[1, 2, 3, 4] = 4
    convs: int = 16
    features: int = 64

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4):
            raise ValueError(f"scale: expected 1, 2, 3 or 4, got {self.scale}")
        if self.convs < 0 or self.features < 1:
            raise ValueError(f"expected convs >= 0 and features >= 1, got {self.convs} and {self.features}")


class Compact(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size.

    621,424 parameters at x4; 1,213,296 with 32 hidden convolutions. The input stays float32 when the weights are
    bfloat16: it is added to the output at full precision.

    Source: Wang et al. 2021, "Real-ESRGAN", the released `SRVGGNetCompact`; same keys, so its weights load. Departs
    from it in where training starts: weights that keep the signal's size along the chain, and zeros in the last
    convolution. So it learns at once; from torch's own start it stays the enlarged input for hundreds of steps
    (x4, 16 x 48, 300 steps of batch 8: 1.9 dB behind).
    """

    float32_layout: ClassVar[torch.memory_format] = torch.contiguous_format

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        self.receptive_radius: int | None = config.convs + 2
        features = config.features
        layers: list[nn.Module] = [nn.Conv2d(3, features, 3, padding=1), nn.PReLU(features)]
        for _ in range(config.convs):
            layers += [nn.Conv2d(features, features, 3, padding=1), nn.PReLU(features)]
        layers.append(nn.Conv2d(features, 3 * config.scale**2, 3, padding=1))
        self.body = nn.Sequential(*layers)
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, a=0.25)  # the slope that PReLU starts with
                nn.init.zeros_(layer.bias)  # type: ignore[reportArgumentType]  it has one
        nn.init.zeros_(layers[-1].weight)  # type: ignore[reportArgumentType]  a convolution

    def forward(self, lr: Tensor) -> Tensor:
        residual = self.body(lr.to(next(self.parameters()).dtype))  # (B, 3*s*s, h, w)
        nearest = lr.repeat_interleave(self.scale**2, dim=1)  # enlarged by the shuffle below
        return F.pixel_shuffle(residual + nearest, self.scale)
