"""Distances between two pictures, pixel by pixel. Each is a mean over all values, computed in float32."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def l1(image: Tensor, target: Tensor) -> Tensor:
    """The mean absolute difference."""
    return F.l1_loss(image.float(), target.float())


def mse(image: Tensor, target: Tensor) -> Tensor:
    """The mean squared difference."""
    return F.mse_loss(image.float(), target.float())


def charbonnier(image: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """The mean of sqrt(difference^2 + epsilon^2): L1 with a round tip.

    Source: Lai et al. 2017, "Deep Laplacian pyramid networks", section 3.3; its epsilon.
    """
    difference = image.float() - target.float()
    return torch.sqrt(difference.square() + epsilon**2).mean()
