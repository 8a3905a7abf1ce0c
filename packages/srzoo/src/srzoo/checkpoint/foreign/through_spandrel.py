"""Networks that this package does not have, through the optional library spandrel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from srzoo.errors import ModelFileError


class SpandrelNetwork(nn.Module):
    """LR (B, 3, h, w) to SR (B, 3, s*h, s*w), RGB, clipped to [0, 1]; any size. For inference only.

    How far it sees is not known, so tiles are faded into each other.
    """

    receptive_radius: int | None = None
    config = None

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.scale: int = descriptor.scale
        self.network: nn.Module = descriptor.model
        self._descriptor = descriptor

    def forward(self, lr: Tensor) -> Tensor:
        is_half = any(parameter.dtype == torch.bfloat16 for parameter in self.network.parameters())
        with torch.autocast(lr.device.type, torch.bfloat16, enabled=is_half):
            return self._descriptor(lr.clone()).float()  # some networks write into their input


def load_through_spandrel(path: Path, tensors: Mapping[str, Tensor]) -> tuple[str, SpandrelNetwork]:
    """The name and the network of `tensors`.

    Raises:
        ModelFileError: spandrel is not installed, does not know them either, or they are no RGB upscaler.
    """
    unknown = f"no model of srzoo, and no layout it knows (keys {', '.join(sorted(tensors)[:3])})"
    try:
        import spandrel
    except ImportError:
        raise ModelFileError(path, unknown, "install srzoo[foreign], which reads many more") from None
    try:
        descriptor = spandrel.ModelLoader(device="cpu").load_from_state_dict(dict(tensors))
    except spandrel.UnsupportedModelError:
        raise ModelFileError(path, f"{unknown}, nor spandrel", "give the weights of an upscaler") from None
    except Exception as error:  # recognised, but with keys or shapes that do not fit
        reason = " ".join(str(error).split())[:120]
        raise ModelFileError(path, f"spandrel cannot load it ({reason})", "copy it again, or give another") from None
    name = descriptor.architecture.name
    if not isinstance(descriptor, spandrel.ImageModelDescriptor) or descriptor.purpose not in {"SR", "Restoration"}:
        raise ModelFileError(path, f"{name} is no upscaler", "give the weights of an upscaler")
    if (descriptor.input_channels, descriptor.output_channels) != (3, 3):
        raise ModelFileError(path, f"{name} of {descriptor.input_channels} channels", "give one for RGB")
    return name, SpandrelNetwork(descriptor)
