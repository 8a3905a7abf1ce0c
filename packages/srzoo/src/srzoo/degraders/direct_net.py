"""DirectNet, a rival of DML: the same backbone gives the change of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from srzoo.degraders.layers import EncoderDecoder, ExtraInput, ReceptiveField, Start, check_image, is_scripting


@dataclass(frozen=True)
class DirectNetConfig:
    """`features`: width of the backbone. `init`: `glorot` as the paper says, or normal as in its `code`."""

    features: int = 32
    init: Start = "glorot"

    def __post_init__(self) -> None:
        if self.features < 1:
            raise ValueError(f"features: expected at least 1, got {self.features}")
        if self.init not in ("glorot", "code"):
            raise ValueError(f"init: expected glorot or code, got {self.init!r}")


class DirectNet(nn.Module):
    """Luma (B, 1, H, W) to luma of the same size, 16/255 to 235/255, not clipped; any size from 2 x 2.

    `multiple` is where tiles may begin, because of the pooling; odd sizes work. 94,337 parameters.

    Source: Xiao et al., "Degradation model learning for real-world single image super-resolution", its comparison with
    other models, and the released code: residual learning.
    """

    def __init__(self, config: DirectNetConfig) -> None:
        super().__init__()
        self.config, self.scale, self.multiple = config, 1, 2
        self.receptive_field: ReceptiveField = EncoderDecoder.radius
        self.inputs: tuple[ExtraInput, ...] = ()
        self.colour = "y"
        self.change = EncoderDecoder(1, config.features, config.init)

    def forward(self, image: Tensor) -> Tensor:
        if not is_scripting():
            check_image(image, 1)
        return image + self.change(image).to(image.dtype)
