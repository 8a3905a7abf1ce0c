"""The three trunks of LPIPS as frozen feature extractors: AlexNet, VGG16, SqueezeNet 1.1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from srzoo.errors import ModelFileError, WeightsMissingError
from srzoo.features.weight_files import find_cached, read_tensors

Net = Literal["alex", "vgg", "squeeze"]

_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN_BGR = (104.0, 117.0, 123.0)

# SqueezeNet's original weights have torchvision's keys and shapes, but want another input; known by their first biases.
_CAFFE_SQUEEZE_BIASES = (-0.0144, 0.1609, -0.0166, 0.0053, -0.0422, -0.0793, 0.1892, 0.1334)
_TOLERANCE = 2e-3  # float16, and room for other conversions


class Trunk(nn.Module):
    """Pictures (B, 3, H, W), RGB, [0, 1], to the features after the ReLUs that LPIPS looks at, in order.

    Args:
        weights: torchvision's `features.N...` for `net`; None: random ones, for tests.
        fed: `imagenet`: (RGB - mean) / deviation, which is LPIPS's own scaling; `caffe`: BGR in 0..255 less a mean.
    """

    def __init__(
        self, net: Net, weights: Mapping[str, Tensor] | None = None, fed: Literal["imagenet", "caffe"] = "imagenet"
    ) -> None:
        super().__init__()
        plan = TRUNKS[net]
        self.net, self.fed, self.taps, self.smallest, self.channels = net, fed, plan.taps, plan.smallest, plan.channels
        with torch.device("cpu" if weights is None else "meta"):  # draws nothing where weights are given
            self.features = nn.Sequential(*plan.layers())
        if weights is not None:
            self.load_state_dict(dict(weights), assign=True)
        self.requires_grad_(False).eval()

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        if min(pictures.shape[2:]) < self.smallest or pictures.shape[1] != 3:
            raise ValueError(
                f"expected pictures (B, 3, H, W) of at least {self.smallest} x {self.smallest}, "
                f"got {tuple(pictures.shape)}"
            )
        x, found = self._normalised(pictures), []
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.taps:
                found.append(x)
        return tuple(found)

    def _normalised(self, rgb: Tensor) -> Tensor:
        if self.fed == "caffe":
            return rgb.flip(1) * 255 - _column(_CAFFE_MEAN_BGR, rgb)
        return (rgb - _column(_IMAGENET_MEAN, rgb)) / _column(_IMAGENET_DEVIATION, rgb)


def load_trunk(net: Net, weights: Path | None = None) -> Trunk:
    """The trunk with the pretrained weights of a file, or else of timm's or torch's cache.

    Keys `features.N...` as torchvision has them, with or without a classifier. SqueezeNet's original Caffe weights
    under these keys are known by their values, and fed what they expect: a usable distance, not the published one.

    Raises:
        WeightsMissingError: no such file, or nothing in the caches.
        ModelFileError: damaged, or another network's.
    """
    if net not in TRUNKS:
        raise ValueError(f"net: expected one of {', '.join(get_args(Net))}, got {net!r}")
    plan = TRUNKS[net]
    file = weights or find_cached(plan.torch_files, plan.repository)
    if file is None:
        cure = f"give a file, or fetch torchvision's once where there is a network ({plan.torch_files})"
        raise WeightsMissingError(plan.name, "no pretrained weights on this machine", cure)
    if not file.is_file():
        raise WeightsMissingError(file, "no such file", f"check the path given for {plan.name}")
    tensors = _features(file, read_tensors(file, plan.name), plan)
    is_caffe = net == "squeeze" and torch.allclose(
        tensors["features.0.bias"][: len(_CAFFE_SQUEEZE_BIASES)], torch.tensor(_CAFFE_SQUEEZE_BIASES), atol=_TOLERANCE
    )
    return Trunk(net, tensors, "caffe" if is_caffe else "imagenet")


@dataclass(frozen=True)
class _Plan:
    name: str
    layers: Callable[[], list[nn.Module]]
    taps: tuple[int, ...]  # layers whose output LPIPS looks at
    channels: tuple[int, ...]  # of these outputs
    smallest: int  # side of a picture that still has a pixel in every one of them
    torch_files: str
    repository: str | None = None


def _alexnet() -> list[nn.Module]:
    """Krizhevsky 2014, "One weird trick", which is torchvision's; down to its fifth ReLU."""
    return [
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
    ]


def _vgg16() -> list[nn.Module]:
    """Simonyan and Zisserman 2015, table 1, column D; down to relu5_3."""
    layers, inputs = [], 3
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return layers[:-1]


class _Fire(nn.Module):
    """Iandola et al. 2016, "SqueezeNet", section 3.2; all ReLUs inside."""

    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.squeeze(x))
        return torch.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], 1))


def _squeezenet() -> list[nn.Module]:
    """SqueezeNet 1.1: no padding at the edge, pools that keep a last partial window."""

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, stride=2, ceil_mode=True)

    return [
        nn.Conv2d(3, 64, 3, stride=2),
        nn.ReLU(),
        pool(),
        _Fire(64, 16, 64),
        _Fire(128, 16, 64),
        pool(),
        _Fire(128, 32, 128),
        _Fire(256, 32, 128),
        pool(),
        _Fire(256, 48, 192),
        _Fire(384, 48, 192),
        _Fire(384, 64, 256),
        _Fire(512, 64, 256),
    ]


TRUNKS: dict[Net, _Plan] = {
    "alex": _Plan("AlexNet", _alexnet, (1, 4, 7, 9, 11), (64, 192, 384, 256, 256), 31, "alexnet-*.pth"),
    "vgg": _Plan(
        "VGG16", _vgg16, (3, 8, 15, 22, 29), (64, 128, 256, 512, 512), 16, "vgg16-*.pth", "timm/vgg16.tv_in1k"
    ),
    "squeeze": _Plan(
        "SqueezeNet",
        _squeezenet,
        (1, 4, 7, 9, 10, 11, 12),
        (64, 128, 256, 384, 384, 512, 512),
        17,
        "squeezenet1_1-*.pth",
    ),
}


def _features(file: Path, table: Mapping[str, object], plan: _Plan) -> dict[str, Tensor]:
    """The trunk's tensors in float32; the classifier and what lies deeper is passed over."""
    with torch.device("meta"):
        wanted = {f"features.{key}": value.shape for key, value in nn.Sequential(*plan.layers()).state_dict().items()}
    tensors: dict[str, Tensor] = {}
    for key, shape in wanted.items():
        tensor = table.get(key)
        if not isinstance(tensor, Tensor) or tensor.shape != shape:
            found = tuple(tensor.shape) if isinstance(tensor, Tensor) else "missing"
            problem = f"not {plan.name}: {key} is {found}, not {tuple(shape)}"
            raise ModelFileError(file, problem, f"give {plan.name}'s state dict")
        if not torch.isfinite(tensor).all():
            raise ModelFileError(file, f"{key} has values that are not finite", "copy it again")
        tensors[key] = tensor.float()
    return tensors


def _column(values: tuple[float, float, float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).view(1, 3, 1, 1)
