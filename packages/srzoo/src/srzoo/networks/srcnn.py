"""SRCNN: three convolutions on the bicubic enlargement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.networks.layers import enlarge, reach_before_enlarging, replace_luma
from srzoo.tensors import luma


@dataclass(frozen=True)
class SRCNNConfig:
    """9-1-5; the paper's better and slower one is 9-5-5.

    Attributes:
        kernels: sizes of the three convolutions.
        features: of the first and second one.
        channels: 1: luma, chroma stays the enlargement's; 3: RGB.
    """

    scale: Literal[1, 2, 3, 4] = 4
    kernels: tuple[int, int, int] = (9, 1, 5)
    features: tuple[int, int] = (64, 32)
    channels: Literal[1, 3] = 1

    def __post_init__(self) -> None:
        if self.scale not in (1, 2, 3, 4):
            raise ValueError(f"scale: expected 1, 2, 3 or 4, got {self.scale}")
        if any(kernel < 1 or kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError(f"kernels: expected odd sizes, got {self.kernels}")
        if min(self.features) < 1 or self.channels not in (1, 3):
            raise ValueError(f"expected features >= 1, and 1 or 3 channels, got {self.features} and {self.channels}")


class SRCNN(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, about [0, 1], not clipped; any size. At scale 1 the size stays.

    8,129 parameters; 57,281 as 9-5-5. With one channel it also takes luma (B, 1, h, w), MATLAB's, 16/255 to 235/255,
    and gives luma.

    Source: Dong et al. 2016, "Image super-resolution using deep convolutional networks", section 3; keys of
    yjn870/SRCNN-pytorch. Departs from it: padded convolutions, so that the output has the full size in training, too.
    """

    def __init__(self, config: SRCNNConfig) -> None:
        super().__init__()
        self.config, self.scale = config, config.scale
        reach = sum(kernel // 2 for kernel in config.kernels)
        self.receptive_radius: int | None = reach_before_enlarging(reach, config.scale)
        (k1, k2, k3), (first, second), channels = config.kernels, config.features, config.channels
        self.conv1 = nn.Conv2d(channels, first, k1, padding=k1 // 2)
        self.conv2 = nn.Conv2d(first, second, k2, padding=k2 // 2)
        self.conv3 = nn.Conv2d(second, channels, k3, padding=k3 // 2)
        for convolution in (self.conv1, self.conv2, self.conv3):
            nn.init.normal_(convolution.weight, std=1e-3)
            nn.init.zeros_(convolution.bias)  # type: ignore[reportArgumentType]  it has one

    def forward(self, lr: Tensor) -> Tensor:
        enlarged = enlarge(lr, self.scale)
        is_split = self.config.channels == 1 and lr.shape[1] == 3
        plane = luma(enlarged) if is_split else enlarged
        x = F.relu(self.conv1(plane.to(self.conv1.weight.dtype)))
        sr = self.conv3(F.relu(self.conv2(x))).float()
        return replace_luma(enlarged, sr) if is_split else sr
