"""LPIPS as something to minimise."""

from __future__ import annotations

from torch import Tensor, nn

from srzoo.features.lpips import LPIPS


class LPIPSLoss(nn.Module):
    """The mean LPIPS of a batch, pictures (B, 3, H, W) in [0, 1]; a float32 scalar. Gradients reach the image only.

    Source: Zhang et al. 2018, "The unreasonable effectiveness of deep features"; DSGAN's code weighs it by 0.01.
    """

    def __init__(self, distance: LPIPS) -> None:
        super().__init__()
        self.distance = distance

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        return self.distance(image, target.detach()).mean()
