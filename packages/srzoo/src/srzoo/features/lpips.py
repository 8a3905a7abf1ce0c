"""LPIPS: how far apart two pictures are to a trunk, weighed by what people answered."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from srzoo.errors import ModelFileError, WeightsMissingError
from srzoo.features.lpips_trunks import TRUNKS, Net, Trunk, load_trunk
from srzoo.features.weight_files import read_tensors

_EPSILON = 1e-10  # beside the length of a feature column


class LPIPS(nn.Module):
    """Two batches of pictures (B, 3, H, W), RGB, [0, 1], to distances (B,), float32; 0 where they are equal.

    Each feature column scaled to length 1, squared differences weighed by channel, the mean over positions, the sum
    over layers. Version 0.1. Gradients reach both pictures, and no weight.

    Source: Zhang et al. 2018, "The unreasonable effectiveness of deep features", equation 1.

    Args:
        heads: one non-negative weight for each channel of each of the trunk's layers, any shape.
    """

    def __init__(self, trunk: Trunk, heads: Sequence[Tensor]) -> None:
        super().__init__()
        sizes = tuple(head.numel() for head in heads)
        if sizes != trunk.channels:
            raise ValueError(f"heads: expected {trunk.channels} weights for {trunk.net}, got {sizes}")
        self.trunk = trunk
        for number, head in enumerate(heads):
            self.register_buffer(f"head{number}", head.detach().reshape(1, -1, 1, 1))  # (1, C, 1, 1)

    def forward(self, image: Tensor, reference: Tensor) -> Tensor:
        if image.shape != reference.shape:
            raise ValueError(f"expected two alike, got {tuple(image.shape)} and {tuple(reference.shape)}")
        distance = torch.zeros((), device=image.device)
        for number, pair in enumerate(zip(self.trunk(image), self.trunk(reference), strict=True)):
            one, other = (_unit(features) for features in pair)
            head = self.get_buffer(f"head{number}")
            distance = distance + ((one - other).square() * head).sum(1).mean((1, 2))
        return distance


def load_lpips(net: Net = "alex", *, trunk: Path | None = None, heads: Path | None = None) -> LPIPS:
    """LPIPS with pretrained weights.

    Args:
        net: report `alex`; `vgg` serves as a loss.
        trunk: a file of torchvision's weights; None: from the caches.
        heads: a file of linear heads (`linN.model.1.weight`), or a folder with one NAME.pth for each net; None: those
            of the installed package `lpips`.

    Raises:
        WeightsMissingError, ModelFileError: as `load_trunk`.
    """
    features = load_trunk(net, trunk)
    return LPIPS(features, read_heads(net, heads))


def read_heads(net: Net, path: Path | None = None) -> list[Tensor]:
    """The linear heads of version 0.1, one (C,) for each layer; where from: see `load_lpips`."""
    file = _heads_file(net, path)
    table, heads = read_tensors(file, "LPIPS"), []
    for number, channels in enumerate(TRUNKS[net].channels):
        head = table.get(f"lin{number}.model.1.weight")
        if not isinstance(head, Tensor) or head.shape != (1, channels, 1, 1):
            found = tuple(head.shape) if isinstance(head, Tensor) else "missing"
            raise ModelFileError(file, f"lin{number} is {found}, not (1, {channels}, 1, 1)", f"give LPIPS's {net}.pth")
        if not torch.isfinite(head).all() or head.min() < 0:
            raise ModelFileError(file, f"lin{number} has weights below 0 or not finite", "copy it again")
        heads.append(head.float().flatten())
    return heads


def _heads_file(net: Net, path: Path | None) -> Path:
    if path is None:
        package = find_spec("lpips")
        places = list(package.submodule_search_locations or ()) if package else []
        files = [Path(place, "weights", "v0.1", f"{net}.pth") for place in places]
        found = next((file for file in files if file.is_file()), None)
        if found is None:
            raise WeightsMissingError("LPIPS", "no linear heads on this machine", "give a file, or pip install lpips")
        return found
    file = path / f"{net}.pth" if path.is_dir() else path
    if not file.is_file():
        raise WeightsMissingError(file, "no such file", "check the path given for LPIPS's heads")
    return file


def _unit(features: Tensor) -> Tensor:
    """Each column (along C) divided by its length; float32 at least. A column of zeros stays zero, with gradient 0."""
    wide = features if features.dtype == torch.float64 else features.float()
    length = wide.square().sum(1, keepdim=True).clamp_min(_EPSILON**2).sqrt()
    return wide / (length + _EPSILON)
