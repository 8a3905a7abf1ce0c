"""KernelGAN's generator: a deep linear network, which is one kernel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDES = (7, 5, 3, 1, 1, 1)  # of the convolutions, first to last
FEATURES = 64
KERNEL_SIDE = 1 + sum(side - 1 for side in SIDES)  # 13, the receptive field
STRIDE = 2  # of the last convolution, so of the whole


class DeepLinear(nn.Module):
    """Pictures (B, C, H, W) to (B, C, (H - 11) // 2, (W - 11) // 2): every channel by itself, nothing padded.

    Six convolutions in a row without bias or activation: 150,656 parameters for the 169 taps of their product, which is
    all that runs (`kernel`). It costs about a thousandth of the layers on a 64 x 64 crop, and gradients through it are
    theirs to rounding. The depth is there for the optimiser: it favours other kernels than 169 free taps would.

    Source: Bell-Kligler et al. 2019, "Blind super-resolution kernel estimation using an internal-GAN", section 3.1;
    start of the released code: normal, Glorot's variance times 0.1^2.
    """

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        channels = (1, *[FEATURES] * (len(SIDES) - 1), 1)
        shapes = [
            (after, before, side, side) for before, after, side in zip(channels, channels[1:], SIDES, strict=False)
        ]
        self.weights = nn.ParameterList(torch.empty(shape) for shape in shapes)
        for weight in self.weights:
            nn.init.xavier_normal_(weight, gain=0.1, generator=generator)

    def kernel(self) -> Tensor:
        """(13, 13): what the layers are together, as a correlation. Composed from the last layer backwards."""
        product = torch.ones(1, 1, 1, 1, dtype=self.weights[0].dtype, device=self.weights[0].device)
        for weight in reversed(list(self.weights)):
            product = F.conv_transpose2d(product, weight)  # (1, channels before the layer, side, side)
        return product[0, 0]

    def forward(self, pictures: Tensor) -> Tensor:
        return downscaled(pictures, self.kernel())


def downscaled(pictures: Tensor, kernel: Tensor) -> Tensor:
    """`pictures` (B, C, H, W) correlated with `kernel` (k, k), sampled at every second place where it lies inside."""
    planes = pictures.flatten(0, 1)[:, None]  # (B * C, 1, H, W)
    return F.conv2d(planes, kernel[None, None], stride=STRIDE)[:, 0].unflatten(0, pictures.shape[:2])
