"""What several critics are made of: norms by name, and a convolution of limited gain."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Norm = Literal["batch", "instance", "keras", "keras_frozen"]

_KERAS_EPSILON, _KERAS_MOMENTUM = 1e-3, 0.01  # torch's momentum is one less Keras's


class FrozenBatchNorm2d(nn.Module):
    """What Keras's batch norm is while it is never told that it trains: a gain and an offset of each channel.

    Its statistics stay at mean 0 and variance 1. (B, C, H, W) to the same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        gain = self.weight / (1 + _KERAS_EPSILON) ** 0.5
        return x * gain[:, None, None] + self.bias[:, None, None]


class SpectralConv2d(nn.Module):
    """A bias-free convolution whose matrix (outputs, inputs * k * k) has a largest singular value of about 1.

    One power iteration a forward pass in training mode, none in evaluation. Not torch's parametrisation: its keys are
    others than those of published critics (`weight_orig`, `weight_u`, `weight_v`), and it iterates when it is made.

    Source: Miyato et al. 2018, "Spectral normalization", algorithm 1.
    """

    weight_u: Tensor
    weight_v: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        plain = nn.Conv2d(inputs, outputs, kernel, bias=False)  # for its initial values
        self.stride = stride
        self.weight_orig = plain.weight
        self.register_buffer("weight_u", F.normalize(torch.randn(outputs), dim=0))
        self.register_buffer("weight_v", F.normalize(torch.randn(inputs * kernel**2), dim=0))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight_orig / self._largest_gain(), stride=self.stride, padding=1)

    def _largest_gain(self) -> Tensor:
        matrix = self.weight_orig.flatten(1)
        if self.training:
            with torch.no_grad():
                self.weight_v.copy_(F.normalize(matrix.T @ self.weight_u, dim=0, eps=1e-12))
                self.weight_u.copy_(F.normalize(matrix @ self.weight_v, dim=0, eps=1e-12))
        # Copies: a second forward pass before the backward one must not change what this one saved.
        return torch.dot(self.weight_u.clone(), matrix @ self.weight_v.clone())


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """`batch`; `instance` without parameters; `keras`: batch norm with Keras's settings; `keras_frozen`: see above."""
    if norm == "instance":
        return nn.InstanceNorm2d(channels)
    if norm == "keras_frozen":
        return FrozenBatchNorm2d(channels)
    if norm == "keras":
        return nn.BatchNorm2d(channels, eps=_KERAS_EPSILON, momentum=_KERAS_MOMENTUM)
    return nn.BatchNorm2d(channels)


def check_norm(norm: str) -> None:
    """Raise ValueError unless `norm` is known."""
    if norm not in get_args(Norm):
        raise ValueError(f"norm: expected one of {', '.join(get_args(Norm))}, got {norm!r}")
