"""DSGAN's critic: fine detail alone, judged at every pixel."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

_KERNEL = 5  # of the convolutions


@dataclass(frozen=True)
class HighPassCriticConfig:
    """`window`: side of the mean that is taken away, odd; 1 would leave nothing, 0 leaves the picture as it is."""

    window: int = 5
    features: int = 64

    def __post_init__(self) -> None:
        if self.window != 0 and (self.window < 3 or self.window % 2 == 0):
            raise ValueError(f"window: expected 0, or an odd number from 3, got {self.window}")
        if self.features < 1:
            raise ValueError(f"features: expected at least 1, got {self.features}")


class HighPassCritic(nn.Module):
    """Pictures (B, 3, H, W), RGB, [0, 1], any size, to logits (B, 1, H, W).

    What it judges is 0.5 + 0.5 * (picture - mean of its 5 x 5 surroundings, over what lies inside). 1,030,273
    parameters; keys of DSGAN's checkpoints (`net.net.0`).

    Source: Fritsche et al. 2019, "Frequency separation for real-world super-resolution", section 3.2; its code.
    Departs from it: no final sigmoid, the losses take logits.
    """

    def __init__(self, config: HighPassCriticConfig) -> None:
        super().__init__()
        self.config = config
        self.receptive_field: int | None = 3 * (_KERNEL - 1) + max(config.window, 1)
        n = config.features
        layers = nn.Sequential(
            nn.Conv2d(3, n, _KERNEL, padding=2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(n, 2 * n, _KERNEL, padding=2),
            nn.BatchNorm2d(2 * n),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * n, 4 * n, _KERNEL, padding=2),
            nn.BatchNorm2d(4 * n),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4 * n, 1, 1),
        )
        self.net = nn.Sequential(OrderedDict(net=layers))

    def forward(self, pictures: Tensor) -> Tensor:
        window = self.config.window
        if window:
            low = F.avg_pool2d(pictures, window, stride=1, padding=window // 2, count_include_pad=False)
            pictures = 0.5 + 0.5 * (pictures - low)
        return self.net(pictures)
