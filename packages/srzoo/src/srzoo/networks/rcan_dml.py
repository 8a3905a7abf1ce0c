"""RCAN as degradation model learning uses it: luma, the size of its input, and skips of a tenth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from srzoo.networks.layers import enlarge, replace_luma
from srzoo.tensors import luma


@dataclass(frozen=True)
class DMLRCANConfig:
    """`groups` of `blocks`; `skip` is the share of its input that every block, group and the network adds."""

    scale: Literal[1, 2, 3, 4] = 1
    groups: int = 5
    blocks: int = 10
    features: int = 64
    reduction: int = 16
    skip: float = 0.1

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4):
            raise ValueError(f"scale: expected 1, 2, 3 or 4, got {self.scale}")
        if min(self.groups, self.blocks, self.reduction) < 1:
            raise ValueError("expected groups, blocks and reduction of at least 1")
        if self.features < self.reduction or self.features % self.reduction:
            raise ValueError(f"features: expected a multiple of reduction, got {self.features} and {self.reduction}")


class AttentionBlock(nn.Module):
    """Two convolutions, each channel scaled by a weight from all channels' means, and a share of the input."""

    def __init__(self, config: DMLRCANConfig) -> None:
        super().__init__()
        features, narrow = config.features, config.features // config.reduction
        self.skip = config.skip
        self.body = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1), nn.ReLU(), nn.Conv2d(features, features, 3, padding=1)
        )
        self.attention = nn.Sequential(
            nn.Conv2d(features, narrow, 1), nn.ReLU(), nn.Conv2d(narrow, features, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        deep = self.body(x)
        return deep * self.attention(deep.mean((2, 3), keepdim=True)) + self.skip * x


class ResidualGroup(nn.Module):
    """A chain of blocks, and a share of the input; no convolution at its end."""

    def __init__(self, config: DMLRCANConfig) -> None:
        super().__init__()
        self.skip = config.skip
        self.body = nn.Sequential(*(AttentionBlock(config) for _ in range(config.blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.skip * x


class DMLRCAN(nn.Module):
    """LR to SR, about [0, 1], not clipped; any size. At scale 1 the size stays. 3,723,017 parameters.

    Takes luma (B, 1, h, w) and gives luma, or RGB (B, 3, h, w) and gives RGB with the input's chroma. Luma is MATLAB's,
    16/255 to 235/255. Pools over the whole picture, so tiles differ a little from it.

    Source: Xiao et al., "Degradation model learning for real-world single image super-resolution", and its released
    code: the skip, not the residual, is scaled, at all three levels, and the network's own skip is the image. Departs
    from it above scale 1, which it does not have: there it works on the bicubic enlargement, as VDSR does.
    """

    def __init__(self, config: DMLRCANConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        self.receptive_radius: int | None = None
        self.head = nn.Sequential(nn.Conv2d(1, config.features, 3, padding=1), nn.ReLU())
        self.body = nn.Sequential(*(ResidualGroup(config) for _ in range(config.groups)))
        self.tail = nn.Conv2d(config.features, 1, 3, padding=1)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):  # N(0, 1 / (k*k*out)), as released
                nn.init.normal_(part.weight, std=(part.kernel_size[0] ** 2 * part.out_channels) ** -0.5)
                nn.init.zeros_(part.bias)  # type: ignore[reportArgumentType]  it has one

    def forward(self, lr: Tensor) -> Tensor:
        enlarged = enlarge(lr, self.scale)
        plane = luma(enlarged) if lr.shape[1] == 3 else enlarged
        deep = self.tail(self.body(self.head(plane.to(self.tail.weight.dtype))))
        sr = deep + self.config.skip * plane
        return replace_luma(enlarged, sr) if lr.shape[1] == 3 else sr
