"""What several networks share around their convolutions: enlargement, luma, DIV2K's mean colour, memory layout."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.tensors import luma

MEAN_RGB = (0.4488, 0.4371, 0.4040)  # of DIV2K
LEVELS = 255.0  # RCAN and EDSR work on 0..255 inside, as their published weights do

_WHITE_LESS_BLACK = (65.481 + 128.553 + 24.966) / 255  # of luma


def fastest_layout(network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> torch.memory_format:
    """How `network`'s weights and input should lie in memory to train fastest; `dtype` is autocast's, or None.

    Channels-last, but for float32 on a CPU with networks that say `float32_layout` (measured there: 10 to 26 % for
    plain chains and dense blocks; the others lose up to 45 % by it).
    """
    layout = getattr(network, "float32_layout", torch.channels_last)
    return layout if device.type == "cpu" and dtype is None else torch.channels_last


def enlarge(lr: Tensor, scale: int) -> Tensor:
    """`lr` (B, C, h, w) made `scale` times larger by the bicubic of MATLAB (a = -0.5); not clipped.

    Differs from MATLAB's in the last two LR pixels at the edge: the filter is cut there and normalised again.
    """
    if scale == 1:
        return lr
    return F.interpolate(lr, scale_factor=scale, mode="bicubic", antialias=True)  # without antialias, a is -0.75


def reach_before_enlarging(radius: int, scale: int) -> int:
    """How many LR pixels `radius` enlarged pixels and the bicubic's own taps come to, around a whole LR pixel."""
    return radius if scale == 1 else -(-(2 * radius + scale - 1) // (2 * scale)) + 1


def replace_luma(rgb: Tensor, new: Tensor) -> Tensor:
    """`rgb` (B, 3, H, W) with the luma `new` (B, 1, H, W) and its own chroma; not clipped."""
    return rgb + (new - luma(rgb)) / _WHITE_LESS_BLACK  # with Cb and Cr kept, every channel moves alike


class MeanShift(nn.Module):
    """A fixed 1x1 convolution that adds `sign` times the mean colour, on 0..255; loaded weights may differ a little.

    Always float32: 0..255 in bfloat16 would lose half a level.
    """

    def __init__(self, sign: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(3).view(3, 3, 1, 1), requires_grad=False)
        self.bias = nn.Parameter(torch.tensor([sign * LEVELS * mean for mean in MEAN_RGB]), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x.float(), self.weight.float(), self.bias.float())


def pixel_shuffle_upsampler(features: int, scale: int) -> nn.Sequential:
    """(B, features, h, w) to (B, features, s*h, s*w): a convolution and a pixel shuffle for each factor of 2 or 3.

    No activation, as in EDSR and RCAN; empty at scale 1. Keys `0`, `2`, `4`.
    """
    layers: list[nn.Module] = []
    for step in {1: (), 2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}[scale]:
        layers += [nn.Conv2d(features, step**2 * features, 3, padding=1), nn.PixelShuffle(step)]
    return nn.Sequential(*layers)
