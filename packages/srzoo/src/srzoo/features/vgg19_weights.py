"""Pretrained weights for VGG19: from timm's cache, or from a file in either of the two layouts. Nothing is downloaded.

Weights by torchvision (and so timm's) expect RGB in [0, 1] less ImageNet's mean, over its deviation. Those of the
original Caffe model expect BGR in 0..255 less a mean, and so are fed values some 57 times larger.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from srzoo.errors import ModelFileError, WeightsMissingError
from srzoo.features.weight_files import find_cached, read_tensors

Layout = Literal["torchvision", "caffe"]

_WIDTHS = (64, 128, 256, 512, 512)  # of the five blocks
CONVOLUTIONS = tuple(f"conv{block}_{n}" for block, count in enumerate((2, 2, 4, 4, 4), 1) for n in range(1, count + 1))
_NAME_BY_INDEX = {2 * i + int(name[4]) - 1: name for i, name in enumerate(CONVOLUTIONS)}  # `features.16` is conv3_4
_KEY = re.compile(r"(?:^|\.)(?:features\.(\d+)|(conv[1-5]_[1-4]))\.(weight|bias)$")

# Both layouts may carry the same keys: Caffe's weights are known by their first biases, and by one colour filter.
_CAFFE_BIASES = (0.72998, 0.06494, 0.03430, 0.82617, 0.25781, 0.54883, -0.01244, 0.34790)
_CAFFE_FILTER, _CAFFE_FILTER_BGR = 29, (-0.2362, -0.0840, 0.2090)
_TOLERANCE = 2e-3  # float16, and room for other conversions

_HUB_REPOSITORY, _TORCH_FILES = "timm/vgg19.tv_in1k", "vgg19-*.pth"
_CURE = (
    "give --vgg-weights FILE, or fetch timm's once where there is a network: "
    "python -c \"import timm; timm.create_model('vgg19', pretrained=True)\""
)


@dataclass(frozen=True)
class Weights:
    """Float32 weights by name (`conv3_4.weight`), and what input they were trained with."""

    tensors: Mapping[str, Tensor]
    layout: Layout
    origin: str

    def down_to(self, deepest: str) -> Mapping[str, Tensor]:
        """The weights of conv1_1 to `deepest`.

        Raises:
            WeightsMissingError: one of them is not there; names what is.
        """
        wanted = CONVOLUTIONS[: CONVOLUTIONS.index(deepest) + 1]
        for number, name in enumerate(wanted):
            if f"{name}.weight" not in self.tensors or f"{name}.bias" not in self.tensors:
                reach = f"reaches {wanted[number - 1]} only" if number else "has no conv1_1"
                raise WeightsMissingError(self.origin, f"{reach}, {deepest} is asked for", "ask for a layer it has")
        return {f"{name}.{part}": self.tensors[f"{name}.{part}"] for name in wanted for part in ("weight", "bias")}


def read_weights(path: Path | None = None) -> Weights:
    """The weights in `path`, else those in timm's cache, else those in torch's.

    Keys `features.N.*` (torchvision, timm) or `convB_N.*`, with or without a prefix; float16 to float64; a classifier
    is passed over, and so is the rest of a file that ends early.

    Raises:
        WeightsMissingError: no such file, or nothing in the caches; says what to do.
        ModelFileError: damaged, not plain tensors, or not VGG19.
    """
    file = path or find_cached(_TORCH_FILES, _HUB_REPOSITORY)
    if file is None:
        raise WeightsMissingError("VGG19", "no pretrained weights on this machine", _CURE)
    if not file.is_file():
        raise WeightsMissingError(file, "no such file", "check the path given as --vgg-weights")
    tensors = _named(file, read_tensors(file, "VGG19"))
    return Weights(tensors, _layout(tensors), str(file))


def _named(file: Path, table: Mapping[str, Any]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for key, tensor in table.items():
        match = _KEY.search(str(key))
        if match is None or not isinstance(tensor, Tensor):
            continue  # the classifier
        index, name, part = match.groups()
        name = name or _NAME_BY_INDEX.get(int(index))
        expected = _shape(name)[: 1 if part == "bias" else 4] if name in CONVOLUTIONS else None
        if tuple(tensor.shape) != expected:
            raise ModelFileError(file, f"not VGG19: {key} is {tuple(tensor.shape)}, not {expected}", "give VGG19's")
        if not torch.isfinite(tensor).all():
            raise ModelFileError(file, f"{key} has values that are not finite", "copy it again")
        tensors[f"{name}.{part}"] = tensor.float()
    if "conv1_1.weight" not in tensors or "conv1_1.bias" not in tensors:
        raise ModelFileError(file, "not VGG19: neither features.0 nor conv1_1 in it", "give VGG19's state dict")
    return tensors


def _shape(name: str) -> tuple[int, int, int, int]:
    block, number = int(name[4]) - 1, int(name[6])
    return (_WIDTHS[block], _WIDTHS[block] if number > 1 else (3, *_WIDTHS)[block], 3, 3)


def _layout(tensors: dict[str, Tensor]) -> Layout:
    """Which of the two models the weights are of. Caffe's in RGB order are turned to BGR, in place."""
    known = torch.tensor(_CAFFE_BIASES)
    if not torch.allclose(tensors["conv1_1.bias"][: len(known)], known, atol=_TOLERANCE):
        return "torchvision"
    centre = tensors["conv1_1.weight"][_CAFFE_FILTER, :, 1, 1]
    if torch.allclose(centre.flip(0), torch.tensor(_CAFFE_FILTER_BGR), atol=_TOLERANCE):
        tensors["conv1_1.weight"] = tensors["conv1_1.weight"].flip(1)
    return "caffe"
