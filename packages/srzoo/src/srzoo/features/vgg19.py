"""VGG19 as a frozen trunk: pictures in, features of named layers out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srzoo.errors import ModelFileError
from srzoo.features.vgg19_weights import CONVOLUTIONS, Weights, read_weights

Normalisation = Literal["imagenet", "raw01", "caffe255", "native"]

_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
_CAFFE_GAIN = 255 * 0.226  # how much wider its input spreads than ImageNet-normalised input
_SMALLEST = 16  # pixels: block 5 has stride 16


class VGG19(nn.Module):
    """Pictures (B, 3, H, W), RGB, [0, 1], H and W of 16 or more, to the features of `layers`, in that order.

    `conv3_4` is that convolution's output, `relu3_4` the same after its ReLU; block n has stride 2^(n - 1).

    Args:
        normalisation: what the first convolution is fed. `imagenet`: (RGB - mean) / deviation; `raw01`: RGB in [0, 1]
            as it is; `caffe255`: BGR in 0..255 less Caffe's mean; `native`: what the weights were trained with, the
            features of Caffe's divided by 57.6, so that losses are of like size whichever weights there are.

    Source: Simonyan and Zisserman 2015, "Very deep convolutional networks", table 1, column E.
    """

    def __init__(self, weights: Weights, layers: tuple[str, ...], normalisation: Normalisation = "imagenet") -> None:
        super().__init__()
        check_layers(layers)
        if normalisation not in get_args(Normalisation):
            raise ValueError(f"normalisation: expected one of {get_args(Normalisation)}, got {normalisation!r}")
        self.layers, self.layout = layers, weights.layout
        native = "caffe255" if weights.layout == "caffe" else "imagenet"
        self.fed = native if normalisation == "native" else normalisation
        self.gain = _CAFFE_GAIN if normalisation == "native" and weights.layout == "caffe" else 1.0
        self.convolutions = nn.ModuleDict()
        tensors = weights.down_to(max(map(_convolution, layers), key=CONVOLUTIONS.index))
        for name in (key.removesuffix(".bias") for key in tensors if key.endswith(".bias")):
            kernel, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
            convolution = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1, device="meta")  # draws nothing
            convolution.load_state_dict({"weight": kernel, "bias": bias}, assign=True)
            self.convolutions[name] = convolution
        self.requires_grad_(False).eval()

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        if min(pictures.shape[2:]) < _SMALLEST:
            raise ValueError(f"expected pictures of at least 16 x 16, got {tuple(pictures.shape)}")
        found: dict[str, Tensor] = {}
        x = self._normalised(pictures)
        for name, convolution in self.convolutions.items():
            if name.endswith("_1") and name != "conv1_1":
                x = F.max_pool2d(x, 2)
            before = convolution(x)
            x = F.relu(before)  # not in place: `before` may be asked for
            found[name], found[name.replace("conv", "relu")] = before, x
        return tuple(found[layer] / self.gain for layer in self.layers)

    def _normalised(self, rgb: Tensor) -> Tensor:
        if self.fed == "imagenet":
            return (rgb - _column(_IMAGENET_MEAN, rgb)) / _column(_IMAGENET_DEVIATION, rgb)
        return rgb if self.fed == "raw01" else rgb.flip(1) * 255 - _column(_CAFFE_MEAN_BGR, rgb)


def load_vgg19(
    layers: tuple[str, ...], normalisation: Normalisation = "imagenet", *, weights: Path | None = None
) -> VGG19:
    """The trunk down to the deepest of `layers`, with the pretrained weights of a file, or else of timm's cache.

    Raises:
        WeightsMissingError: there are none, or they end before the deepest layer.
        ModelFileError: the file is damaged, is no VGG19, or expects another input than `normalisation` feeds.
    """
    read = read_weights(weights)
    if read.layout == {"imagenet": "caffe", "caffe255": "torchvision"}.get(normalisation):
        problem = f"{read.layout} weights, and normalisation '{normalisation}' feeds them another input"
        raise ModelFileError(read.origin, problem, "set normalisation to 'native'")
    return VGG19(read, layers, normalisation)


def check_layers(layers: tuple[str, ...]) -> None:
    """Raise ValueError unless `layers` names layers of VGG19."""
    known = {*CONVOLUTIONS, *(name.replace("conv", "relu") for name in CONVOLUTIONS)}
    if not layers or not known.issuperset(layers):
        raise ValueError(f"layers: expected some of conv1_1 .. conv5_4, relu1_1 .. relu5_4, got {list(layers)}")


def _convolution(layer: str) -> str:
    return layer.replace("relu", "conv")


def _column(values: tuple[float, float, float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(1, 3, 1, 1)
