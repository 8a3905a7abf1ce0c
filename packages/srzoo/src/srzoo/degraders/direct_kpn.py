"""DirectKPN, a rival of DML: the same backbone gives every pixel a kernel of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.degraders.layers import (
    EncoderDecoder,
    ExtraInput,
    ReceptiveField,
    Start,
    check_image,
    is_scripting,
    pad_symmetric,
)


@dataclass(frozen=True)
class DirectKPNConfig:
    """Kernels of `size` x `size` pixels.

    Attributes:
        features: width of the backbone.
        init: `glorot` as the paper says, or normal as in its `code`.
    """

    size: int = 15
    features: int = 32
    init: Start = "glorot"

    def __post_init__(self) -> None:
        if self.size < 1 or self.size % 2 == 0:
            raise ValueError(f"size: expected an odd number, got {self.size}")
        if self.features < 1:
            raise ValueError(f"features: expected at least 1, got {self.features}")
        if self.init not in ("glorot", "code"):
            raise ValueError(f"init: expected glorot or code, got {self.init!r}")


class DirectKPN(nn.Module):
    """Luma (B, 1, H, W) to luma of the same size, 16/255 to 235/255, not clipped; any size from 2 x 2.

    Mirrored at the edge of the image, the edge pixel repeated. `multiple` is where tiles may begin, because of the
    pooling; odd sizes work. 445,793 parameters. Kernels are made and used one row of taps at a time: without
    gradients, 15 maps of the image's size are alive, not 225; with them, autograd keeps all 225.

    Source: Xiao et al., "Degradation model learning for real-world single image super-resolution", its comparison with
    other models, and the released code: kernels as the last convolution gives them, not normalised.
    """

    def __init__(self, config: DirectKPNConfig) -> None:
        super().__init__()
        self.config, self.scale, self.multiple, self.size = config, 1, 2, config.size
        self.receptive_field: ReceptiveField = max(EncoderDecoder.radius, config.size // 2)
        self.inputs: tuple[ExtraInput, ...] = ()
        self.colour = "y"
        self.predict = EncoderDecoder(config.size**2, config.features, config.init)

    def forward(self, image: Tensor) -> Tensor:
        if not is_scripting():
            check_image(image, 1)
        height, width, size = image.shape[2], image.shape[3], self.size
        features, kernels, bias = self.predict.features(image), self.predict.last.weight, self.predict.last.bias
        assert bias is not None
        padded = pad_symmetric(image, size // 2)
        lr = torch.zeros_like(image)
        for row in range(size):
            first, end = row * size, (row + 1) * size
            weights = F.conv2d(features, kernels[first:end], bias[first:end], padding=3)  # (B, size, H', W')
            below = padded[:, 0, row : row + height]  # (B, H, W + size - 1)
            windows = below.unfold(2, width, 1).transpose(1, 2)  # (B, size, H, W): a view, shifted by 0 to size - 1
            lr = lr + (weights[:, :, :height, :width].to(image.dtype) * windows).sum(1, keepdim=True)
        return lr
