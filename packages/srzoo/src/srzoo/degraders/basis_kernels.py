"""DML: a blur that changes from pixel to pixel, as a weighted sum of a few learned kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.degraders.layers import EncoderDecoder, ExtraInput, ReceptiveField, check_image, is_scripting, pad_symmetric


@dataclass(frozen=True)
class BasisKernelsConfig:
    """`kernels` of `size` x `size` pixels; the paper's N is 4, 8 or 16.

    Attributes:
        features: width of the network that weighs the kernels.
        init: where training starts. Kernels are uniform random numbers, each kernel normalised to a sum of 1 (`sum1`,
            the paper: pictures come out N/2 times too bright at first) or 4/N (`code`: twice too bright). The other
            weights are Glorot's, in `code` normal. `unit` is ours: as `sum1`, but the kernels' weights start near 1/N.
    """

    kernels: int = 8
    size: int = 15
    features: int = 32
    init: Literal["sum1", "code", "unit"] = "sum1"

    def __post_init__(self) -> None:
        if self.kernels < 1 or self.features < 1:
            raise ValueError(f"expected kernels and features of at least 1, got {self.kernels} and {self.features}")
        if self.size < 1 or self.size % 2 == 0:
            raise ValueError(f"size: expected an odd number, got {self.size}")
        if self.init not in ("sum1", "code", "unit"):
            raise ValueError(f"init: expected sum1, code or unit, got {self.init!r}")


class BasisKernels(nn.Module):
    """Luma (B, 1, H, W) to luma of the same size, 16/255 to 235/255, not clipped; any size from 2 x 2.

    Mirrored at the edge of the image, the edge pixel repeated. `multiple` is where tiles may begin, because of the
    pooling; odd sizes work. 105,320 parameters and 1,800 of the kernels (N = 4: 99,044 and 900; 16: 117,872 and 3,600).

    Source: Xiao et al., "Degradation model learning for real-world single image super-resolution", equations 2 and 3,
    and the released code. Weights are sigmoids: they do not sum to 1, and kernels are normalised at the start only, as
    there. Computed as N convolutions and a weighted sum, which is the same and far cheaper than a kernel per pixel.
    """

    def __init__(self, config: BasisKernelsConfig) -> None:
        super().__init__()
        self.config, self.scale, self.multiple, self.radius = config, 1, 2, config.size // 2
        self.receptive_field: ReceptiveField = max(EncoderDecoder.radius, self.radius)
        self.inputs: tuple[ExtraInput, ...] = ()
        self.colour = "y"
        self.weigh = EncoderDecoder(config.kernels, config.features, "code" if config.init == "code" else "glorot")
        basis = torch.rand(config.kernels, 1, config.size, config.size)
        basis /= basis.sum((2, 3), keepdim=True)
        self.basis = nn.Parameter(basis * (4 / config.kernels) if config.init == "code" else basis)
        if config.init == "unit" and config.kernels > 1:
            nn.init.constant_(self.weigh.last.bias, -math.log(config.kernels - 1))  # type: ignore[reportArgumentType]  it has one

    def weight_maps(self, image: Tensor) -> Tensor:
        """(B, N, H, W), 0 to 1: how much of each kernel every pixel of `image` (B, 1, H, W) gets."""
        return torch.sigmoid(self.weigh(image).to(image.dtype))

    def kernels_at(self, image: Tensor, positions: Sequence[tuple[int, int]]) -> Tensor:
        """(B, P, size, size): the kernels of the pixels at P `positions` (y, x). Taps lie as the pixels they weigh."""
        rows, columns = zip(*positions, strict=True)
        weights = self.weight_maps(image)[:, :, list(rows), list(columns)]  # (B, N, P)
        return torch.einsum("bnp,nij->bpij", weights, self.basis[:, 0].to(image.dtype))

    def forward(self, image: Tensor) -> Tensor:
        if not is_scripting():
            check_image(image, 1)
        filtered = self._filtered(pad_symmetric(image, self.radius))  # (B, N, H, W)
        return (self.weight_maps(image) * filtered).sum(1, keepdim=True)

    def _filtered(self, padded: Tensor) -> Tensor:
        """Every kernel's picture, in the image's precision: the result is made of these, bfloat16 costs a level."""
        if is_scripting():  # autocast is no part of an exported file
            return F.conv2d(padded, self.basis)
        with torch.autocast(padded.device.type, enabled=False):
            return F.conv2d(padded, self.basis.to(padded.dtype))
