"""PLKSR: large kernels on a few of the channels, everything at LR size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_MIXER_KERNELS = {"CCM": (3, 1), "ICCM": (1, 3), "DCCM": (3, 3)}


@dataclass(frozen=True)
class PLKSRConfig:
    """The paper's PLKSR; its tiny one has 12 `blocks`, a `kernel` of 13 and no `attention`.

    Attributes:
        kernel: size of the large kernel.
        partial: how many channels it sees; the others pass.
        mixer: the two convolutions at the start of a block: 3x3 and 1x1, 1x1 and 3x3, or 3x3 twice.
        attention: whether every value is weighted by a sigmoid of its surroundings.
    """

    scale: Literal[1, 2, 3, 4] = 4
    blocks: int = 28
    features: int = 64
    kernel: int = 17
    partial: int = 16
    mixer: Literal["CCM", "ICCM", "DCCM"] = "DCCM"
    attention: bool = True

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4):
            raise ValueError(f"scale: expected 1, 2, 3 or 4, got {self.scale}")
        if self.blocks < 1 or self.kernel % 2 == 0 or not 0 < self.partial <= self.features:
            raise ValueError("expected blocks >= 1, an odd kernel, and 0 < partial <= features")
        if self.mixer not in _MIXER_KERNELS:
            raise ValueError(f"mixer: expected one of {', '.join(_MIXER_KERNELS)}, got {self.mixer!r}")


class ChannelMixer(nn.Sequential):
    """Twice the channels, GELU, and back."""

    def __init__(self, features: int, kernels: tuple[int, int]) -> None:
        first, second = kernels
        super().__init__(
            nn.Conv2d(features, 2 * features, first, padding=first // 2),
            nn.GELU(),
            nn.Conv2d(2 * features, features, second, padding=second // 2),
        )


class PartialLargeKernel(nn.Module):
    """A large convolution of the first `partial` channels."""

    def __init__(self, partial: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(partial, partial, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        seen, passed = x.tensor_split([self.conv.in_channels], dim=1)
        return torch.cat((self.conv(seen), passed), 1)


class ElementAttention(nn.Module):
    """Every value times a sigmoid of a convolution of its surroundings."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.f = nn.Sequential(nn.Conv2d(features, features, 3, padding=1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return x * self.f(x)


class PLKBlock(nn.Module):
    """Mix channels, look far, weigh, refine; added to the input."""

    def __init__(self, config: PLKSRConfig) -> None:
        super().__init__()
        features = config.features
        self.channe_mixer = ChannelMixer(features, _MIXER_KERNELS[config.mixer])  # spelt so in the published weights
        self.lk = PartialLargeKernel(config.partial, config.kernel)
        self.attn = ElementAttention(features) if config.attention else nn.Identity()
        self.refine = nn.Conv2d(features, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.refine(self.attn(self.lk(self.channe_mixer(x))))


class PLKSR(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size.

    7,386,096 parameters at x4. The input stays float32 when the weights are bfloat16: it is added to the output at
    full precision.

    Source: Lee et al. 2024, "Partial large kernel CNNs for efficient super-resolution", section 3, and its released
    code; same keys and initialisation.
    """

    def __init__(self, config: PLKSRConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        small = sum(kernel // 2 for kernel in _MIXER_KERNELS[config.mixer]) + int(config.attention)
        self.receptive_radius: int | None = config.blocks * (small + config.kernel // 2) + 2
        blocks = [PLKBlock(config) for _ in range(config.blocks)]
        self.feats = nn.Sequential(
            nn.Conv2d(3, config.features, 3, padding=1),
            *blocks,
            nn.Conv2d(config.features, 3 * config.scale**2, 3, padding=1),
        )
        kept = [block.channe_mixer[0] for block in blocks]  # these start as torch does
        for part in self.modules():
            if isinstance(part, nn.Conv2d) and all(part is not other for other in kept):
                nn.init.trunc_normal_(part.weight, std=0.02)

    def forward(self, lr: Tensor) -> Tensor:
        residual = self.feats(lr.to(next(self.parameters()).dtype))  # (B, 3*s*s, h, w)
        nearest = lr.repeat_interleave(self.scale**2, dim=1)  # enlarged by the shuffle below
        return F.pixel_shuffle(residual + nearest, self.scale)
