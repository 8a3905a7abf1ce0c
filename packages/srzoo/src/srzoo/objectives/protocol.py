"""What the trainer knows of an objective: which networks there are, and what each step asks to be minimised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from srzoo.data import Batch


class Objective(Protocol):
    """Losses over a set of networks. It never steps an optimiser and never calls backward.

    Attributes:
        networks: every network that trains, by role.
        products: roles that are saved as `<role>.safetensors`.
        upscaler: the role that maps LR to SR and is validated by PSNR, or None.
        degrader: the role that maps HR to LR and is validated by LR PSNR, or None.
        lr_critics: roles that judge pictures of LR size; other critics judge HR patches.
        border: LR pixels on each side that the degrader's pixel term, and so its validation, leaves off.
        parts: the weighted terms of the last step, detached, for the log. The trainer swaps the dict when it steps
            on parts of a batch in turn, so an objective finds the one that belongs to its batch.
    """

    networks: Mapping[str, nn.Module]
    products: tuple[str, ...]
    upscaler: str | None
    degrader: str | None
    lr_critics: frozenset[str]
    border: int
    parts: dict[str, Tensor]

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        """Yield {optimiser: loss}; the trainer minimises one yielded dict before it asks for the next.

        A loss is a mean over the batch. Several steps on parts of one batch may be under way at once (accumulation):
        what one leaves for its next round it keeps in its own frame.
        """
        ...

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        """Move the networks and all frozen features, and lay weights out for autocast's `dtype`, or None: float32."""
        ...
