"""Real-ESRGAN's critic: a U-Net with spectral norm that judges every pixel."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.discriminators.layers import SpectralConv2d

_MULTIPLE = 8  # of the size: three halvings


@dataclass(frozen=True)
class UNetCriticConfig:
    """`skips`: the features of the way down are added on the way up."""

    features: int = 64
    skips: bool = True

    def __post_init__(self) -> None:
        if self.features < 1:
            raise ValueError(f"features: expected at least 1, got {self.features}")


class UNetCritic(nn.Module):
    """Pictures (B, 3, H, W), RGB, [0, 1], H and W multiples of 8, to logits (B, 1, H, W).

    Bias only in the first and the last convolution. 4,376,897 parameters; BasicSR's keys.

    Source: Wang et al. 2021, "Real-ESRGAN", section 3.4.
    """

    receptive_field: int | None = 64  # at most; 56 for pixels well inside their block of 8

    def __init__(self, config: UNetCriticConfig) -> None:
        super().__init__()
        self.config = config
        n = config.features
        self.conv0 = nn.Conv2d(3, n, 3, padding=1)
        self.conv1 = SpectralConv2d(n, 2 * n, 4, stride=2)
        self.conv2 = SpectralConv2d(2 * n, 4 * n, 4, stride=2)
        self.conv3 = SpectralConv2d(4 * n, 8 * n, 4, stride=2)
        self.conv4 = SpectralConv2d(8 * n, 4 * n, 3)
        self.conv5 = SpectralConv2d(4 * n, 2 * n, 3)
        self.conv6 = SpectralConv2d(2 * n, n, 3)
        self.conv7 = SpectralConv2d(n, n, 3)
        self.conv8 = SpectralConv2d(n, n, 3)
        self.conv9 = nn.Conv2d(n, 1, 3, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        if any(side % _MULTIPLE or not side for side in pictures.shape[2:]):
            raise ValueError(f"expected height and width that are multiples of 8, got {tuple(pictures.shape)}")
        down = [_active(self.conv0(pictures))]
        for convolution in (self.conv1, self.conv2, self.conv3):
            down.append(_active(convolution(down[-1])))
        x = down.pop()
        for convolution in (self.conv4, self.conv5, self.conv6):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x, skip = _active(convolution(x)), down.pop()
            x = x + skip if self.config.skips else x
        return self.conv9(_active(self.conv8(_active(self.conv7(x)))))


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)
