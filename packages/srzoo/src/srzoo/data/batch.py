"""One batch, on its way from uint8 rows to tensors in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Pixels = NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True)
class PixelBatch:
    """Rows of pairs as they come from shards: (B, H, W, C), uint8 or uint16; see `Batch` for the rest."""

    lr: Pixels
    hr: Pixels
    pairs: tuple[int, ...]
    keys: tuple[int, ...] = ()
    real_lr: Pixels | None = None


@dataclass(frozen=True)
class Batch:
    """What an objective steps on: (B, C, H, W) float32 in [0, 1], channels last in memory.

    Attributes:
        real_lr: LR pictures of a real camera, unpaired; None where the data has none.
        pairs: numbers of the pairs, to name them when a loss is not finite.
        keys: 64 bits for each row, a function of the number of the sample: what is random in a step is drawn from them.
    """

    lr: Tensor | None
    hr: Tensor | None
    pairs: tuple[int, ...]
    real_lr: Tensor | None = None
    keys: tuple[int, ...] = ()

    @classmethod
    def of(cls, pixels: PixelBatch, device: torch.device) -> Batch:
        """`pixels` on `device`; they cross to it as integers, four times smaller."""
        real = None if pixels.real_lr is None else _floats(pixels.real_lr, device)
        return cls(_floats(pixels.lr, device), _floats(pixels.hr, device), pixels.pairs, real, pixels.keys)

    def in_parts(self, count: int) -> list[Batch]:
        """`count` batches of as many rows each, in order; views. The rows must divide evenly."""
        if count == 1:
            return [self]
        rows = len(self.pairs) // count
        assert rows * count == len(self.pairs)
        cuts = [slice(k * rows, (k + 1) * rows) for k in range(count)]
        return [
            Batch(_cut(self.lr, c), _cut(self.hr, c), self.pairs[c], _cut(self.real_lr, c), self.keys[c]) for c in cuts
        ]


def _cut(tensor: Tensor | None, rows: slice) -> Tensor | None:
    return None if tensor is None else tensor[rows]


def _floats(pixels: Pixels, device: torch.device) -> Tensor:
    tensor = torch.from_numpy(pixels)
    if device.type == "cuda":
        tensor = tensor.pin_memory().to(device, non_blocking=True)
    white = 255.0 if pixels.dtype == np.uint8 else 65535.0
    return tensor.to(device).permute(0, 3, 1, 2).to(torch.float32).div_(white)  # a view: channels stay last
