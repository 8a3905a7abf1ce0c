"""What KernelGAN's generator minimises beside the critic's verdict: terms of its kernel, their weights over time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from srzoo.kernelgan.generator import KERNEL_SIDE, STRIDE

MIDDLE = KERNEL_SIDE // 2 + (STRIDE - 1) / 2  # 6.5, tap coordinates: between the two middle pixels of what is sampled
_EDGE_SCALE = 30.0
_SPARSE_POWER = 0.2
_BICUBIC_256 = (-3.0, -9.0, 29.0, 111.0, 111.0, 29.0, -9.0, -3.0)  # of one axis, cubic of a = -0.5

_PERIOD = 200  # steps
_DECAY = 100.0
_SIMILAR, _SIMILAR_STEPS = 0.4, 3  # the bicubic term, that many steps in a row, is small: the weights begin to move
_LEAST_BICUBIC, _SMALL_BICUBIC = 5e-6, 5e-3


@dataclass
class Weights:
    """The weights of the generator's terms; that of the critic's verdict is 1.

    Once the bicubic term was below 0.4 three times in a row, its weight falls to a hundredth at every 200th step, down
    to 5e-6. When it first falls below 5e-3, `centre` becomes 1 and `sparse` 5.

    Source: Bell-Kligler et al. 2019, section 3.3; numbers and schedule of the released code.
    """

    bicubic: float = 5.0
    unit_sum: float = 0.5
    boundary: float = 0.5
    centre: float = 0.0
    sparse: float = 0.0
    times_similar: int = 0

    def after(self, step: int, bicubic_loss: float) -> None:
        """Move on after `step`, counted from 0, in which the bicubic term was `bicubic_loss`."""
        if step == 0:
            return
        if self.times_similar < _SIMILAR_STEPS:
            self.times_similar = self.times_similar + 1 if bicubic_loss < _SIMILAR else 0
        elif step % _PERIOD == 0 and self.bicubic > _LEAST_BICUBIC:
            self.bicubic = max(self.bicubic / _DECAY, _LEAST_BICUBIC)
            if self.bicubic < _SMALL_BICUBIC:
                self.centre, self.sparse = 1.0, 5.0

    def total(self, kernel: Tensor, bicubic_loss: Tensor) -> Tensor:
        """The weighted sum of `bicubic_loss` and the terms of `kernel` (13, 13)."""
        total = self.bicubic * bicubic_loss + self.unit_sum * unit_sum(kernel) + self.boundary * boundary(kernel)
        if self.centre:
            total = total + self.centre * centre(kernel)
        return total + self.sparse * sparsity(kernel) if self.sparse else total


def bicubic(generated: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of `generated` from the same crops, bicubically downscaled.

    Departs from the released code, whose target for each channel is the sum of all three.
    """
    return F.mse_loss(generated, target)


def unit_sum(kernel: Tensor) -> Tensor:
    """|1 - sum|."""
    return (1 - kernel.sum()).abs()


def boundary(kernel: Tensor) -> Tensor:
    """Mean of 30 * (1 - exp(-r^2 / (2 * 13^2))) * |tap| over all taps; the inner 9 x 9 count for nothing."""
    return (kernel * _boundary_mask().to(kernel)).abs().mean()


def centre(kernel: Tensor) -> Tensor:
    """Mean of the two squared distances of the centre of mass from 6.5, the middle of a block of 2 x 2."""
    places = torch.arange(KERNEL_SIDE, dtype=kernel.dtype, device=kernel.device)
    found = torch.stack([kernel.sum(1) @ places, kernel.sum(0) @ places]) / kernel.sum()
    return (found - MIDDLE).square().mean()


def sparsity(kernel: Tensor) -> Tensor:
    """Mean of |tap|^0.2: many small taps cost more than few large ones."""
    return (kernel.abs() ** _SPARSE_POWER).mean()


@lru_cache
def bicubic_kernel() -> Tensor:
    """(13, 13): MATLAB's antialiased bicubic to half the size, 8 x 8, in the middle of a block of 2 x 2."""
    line = F.pad(torch.tensor(_BICUBIC_256) / 256, (3, 2))
    return torch.outer(line, line)


@lru_cache
def _boundary_mask() -> Tensor:
    steps = torch.arange(KERNEL_SIDE, dtype=torch.float64) - KERNEL_SIDE // 2
    bell = torch.exp(-steps.square() / (2 * KERNEL_SIDE**2))
    mask = _EDGE_SCALE * (1 - torch.outer(bell, bell))
    mask[2:-2, 2:-2] = 0
    return mask.float()
