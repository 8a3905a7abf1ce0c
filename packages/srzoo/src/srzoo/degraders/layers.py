"""What several degraders share: checks, starts and edges, DML's backbone, and luma alone on RGB."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.card import NoiseInput, ReferenceInput
from srzoo.tensors import luma

# A condition on these is decided when a degrader is exported, and what they exclude is no part of the file.
is_scripting = torch.jit.is_scripting  # type: ignore[reportPrivateImportUsage]  documented
is_tracing = torch.jit.is_tracing  # type: ignore[reportPrivateImportUsage]  documented

ReceptiveField = int | Literal["whole"]
Start = Literal["glorot", "code"]

ExtraInput = NoiseInput | ReferenceInput


def check_image(image: Tensor, channels: int, multiple: int = 1) -> None:
    """Raise ValueError unless `image` is (B, channels, H, W), H and W multiples of `multiple`; silent while traced."""
    if is_tracing():
        return
    if image.ndim != 4 or image.shape[1] != channels or image.shape[2] % multiple or image.shape[3] % multiple:
        sizes = f", height and width multiples of {multiple}" if multiple > 1 else ""
        raise ValueError(f"expected an image (B, {channels}, H, W){sizes}, got {tuple(image.shape)}")


def check_extra(name: str, given: Tensor, image: Tensor, channels: int, scale: int) -> None:
    """Raise ValueError unless `given` is (B, channels, H/scale, W/scale) for this `image`; silent while traced."""
    if is_tracing():
        return
    expected = (image.shape[0], channels, image.shape[2] // scale, image.shape[3] // scale)
    if tuple(given.shape) != expected:
        raise ValueError(f"{name}: expected {expected}, got {tuple(given.shape)}")


def start_convolutions(network: nn.Module, start: Start) -> None:
    """Set every convolution's weights, and its bias to zero.

    `glorot`: uniform, variance 2 / (fan in + fan out); Keras's own. `code`: N(0, 1 / (k*k*out)), DML's released code.
    """
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            if start == "glorot":
                nn.init.xavier_uniform_(part.weight)
            else:
                nn.init.normal_(part.weight, std=(part.kernel_size[0] ** 2 * part.out_channels) ** -0.5)
            nn.init.zeros_(part.bias)  # type: ignore[reportArgumentType]  it has one


def pad_symmetric(image: Tensor, radius: int) -> Tensor:
    """(B, C, H, W) to (B, C, H + 2*radius, W + 2*radius): mirrored, the edge pixel repeated; any size."""
    rows = _mirrored(image.shape[2], radius, image.device)
    columns = _mirrored(image.shape[3], radius, image.device)
    return image.index_select(2, rows).index_select(3, columns)


def _mirrored(length: int, radius: int, device: torch.device) -> Tensor:
    around = torch.arange(-radius, length + radius, device=device).remainder(2 * length)
    return torch.minimum(around, 2 * length - 1 - around)


class EncoderDecoder(nn.Module):
    """F of degradation model learning: luma (B, 1, H, W) to maps (B, outputs, H, W), not squashed; at least 2 x 2.

    Odd sizes are mirrored to even ones inside. 92,768 parameters and 1,569 for each output, at 32 features.

    Source: Xiao et al., "Degradation model learning for real-world single image super-resolution", and its released
    code: a single level of pooling. Departs from it: bilinear doubling is centred (TensorFlow 1, as called there,
    shifts it by half a pixel).
    """

    radius = 18  # pixels around an output pixel: 10 by way of the skip, 18 by way of the pooled half

    def __init__(self, outputs: int, features: int, start: Start) -> None:
        super().__init__()
        self.encoder = nn.Sequential(_conv(1, features), *_rectified_convolutions(features))
        self.pooled = nn.Sequential(nn.MaxPool2d(2), *_rectified_convolutions(features))
        self.decoder = nn.Sequential(
            _conv(2 * features, features), nn.ReLU(), _conv(features, features), nn.ReLU(), _conv(features, features),
            nn.ReLU(),
        )  # fmt: skip
        self.last = nn.Conv2d(features, outputs, 7, padding=3)
        start_convolutions(self, start)

    def features(self, image: Tensor) -> Tensor:
        """(B, features, H', W'), what `last` sees; H' and W' are H and W, or one more where those are odd."""
        odd = [0, image.shape[3] % 2, 0, image.shape[2] % 2]
        even = F.pad(image.to(self.last.weight.dtype), odd, mode="reflect")
        fine = self.encoder(even)
        coarse = F.interpolate(self.pooled(fine), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.decoder(torch.cat([coarse.to(fine.dtype), fine], 1))

    def forward(self, image: Tensor) -> Tensor:
        return self.last(self.features(image))[:, :, : image.shape[2], : image.shape[3]]


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _rectified_convolutions(features: int) -> list[nn.Module]:
    """Three times a ReLU and a convolution."""
    return [part for _ in range(3) for part in (nn.ReLU(), _conv(features, features))]


class LumaOnly(nn.Module):
    """A degrader of luma, made to take and give RGB (B, 3, H, W), about [0, 1], not clipped; chroma is copied.

    What is exported in place of a degrader whose `colour` is `y`. Unchanged luma gives the image back bit for bit.

    Raises:
        ValueError: when built, if `degrader` works on RGB, changes the size (whose chroma then?) or has more inputs.
    """

    def __init__(self, degrader: nn.Module) -> None:
        super().__init__()
        given: Any = degrader
        if (given.colour, given.scale, given.inputs) != ("y", 1, ()):
            raise ValueError(
                "expected a degrader of luma at scale 1 without more inputs, "
                f"got colour {given.colour}, scale {given.scale}, inputs {given.inputs}"
            )
        self.degrader = degrader
        self.scale, self.multiple, self.colour = given.scale, given.multiple, given.colour
        self.receptive_field: ReceptiveField = given.receptive_field
        self.inputs: tuple[ExtraInput, ...] = ()

    def forward(self, image: Tensor) -> Tensor:
        if not is_scripting():
            check_image(image, 3)
        before = luma(image)
        change = (self.degrader(before) - before) * (255 / 219)  # white's luma less black's
        return image + change  # with Cb and Cr kept, every channel moves alike
