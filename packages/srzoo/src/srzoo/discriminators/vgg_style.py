"""The critic of SRGAN's successors: a VGG-like chain that halves the patch, then two linear layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

_SMALLEST, _LARGEST = 3, 4  # side of the last feature map
_WIDEST = 8  # times the first stage's features
_HIDDEN = 100


@dataclass(frozen=True)
class VggStyleConfig:
    """For square HR patches of side `patch`: 3 or 4 times a power of two (96, 128, 192, 256, or small ones)."""

    patch: int = 128
    features: int = 64

    def __post_init__(self) -> None:
        if self.features < 1:
            raise ValueError(f"features: expected at least 1, got {self.features}")
        if _stages(self.patch) == 0:
            raise ValueError(f"patch: expected 3 or 4 times a power of two (96, 128, 192, 256), got {self.patch}")


class VggStyle(nn.Module):
    """Patches (B, 3, p, p), RGB, [0, 1], to logits (B, 1); large where the patch looks real.

    Each stage: a 3x3 convolution, then a 4x4 one of stride 2; batch norm after all but the first. Sees the whole patch.
    14,499,401 parameters at 128, 20,696,649 at 192, 21,055,049 at 256.

    Source: Wang et al. 2018, "ESRGAN", whose code adapts SRGAN's critic (Ledig et al. 2017, figure 4); its keys.
    """

    def __init__(self, config: VggStyleConfig) -> None:
        super().__init__()
        self.config = config
        self.receptive_field = config.patch
        stages = _stages(config.patch)
        widths = [config.features * min(2**stage, _WIDEST) for stage in range(stages)]
        inputs = 3
        self._chain: list[tuple[str, str | None]] = []
        for stage, width in enumerate(widths):
            self._add(stage, 0, nn.Conv2d(inputs, width, 3, padding=1, bias=stage == 0), normed=stage > 0)
            self._add(stage, 1, nn.Conv2d(width, width, 4, stride=2, padding=1, bias=False), normed=True)
            inputs = width
        side = config.patch >> stages
        self.linear1 = nn.Linear(inputs * side**2, _HIDDEN)
        self.linear2 = nn.Linear(_HIDDEN, 1)
        self.lrelu = nn.LeakyReLU(0.2)

    def forward(self, patches: Tensor) -> Tensor:
        side = self.config.patch
        if tuple(patches.shape[1:]) != (3, side, side):
            raise ValueError(f"expected patches (B, 3, {side}, {side}), got {tuple(patches.shape)}")
        x = patches
        for conv, norm in self._chain:
            x = self.get_submodule(conv)(x)
            x = self.lrelu(x if norm is None else self.get_submodule(norm)(x))
        return self.linear2(self.lrelu(self.linear1(torch.flatten(x, 1))))

    def _add(self, stage: int, part: int, conv: nn.Conv2d, *, normed: bool) -> None:
        conv_name, norm_name = f"conv{stage}_{part}", f"bn{stage}_{part}"
        self.add_module(conv_name, conv)
        if normed:
            self.add_module(norm_name, nn.BatchNorm2d(conv.out_channels))
        self._chain.append((conv_name, norm_name if normed else None))


def _stages(patch: int) -> int:
    """How often `patch` is halved; 0 if it cannot be halved to the last feature map's side."""
    stages = 0
    while patch > _LARGEST and patch % 2 == 0:
        patch, stages = patch // 2, stages + 1
    return stages if patch in (_SMALLEST, _LARGEST) else 0
