"""What the trainer knows of an objective: which networks there are, and what each step asks to be minimised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

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
        restyles: whether that degrader is given bicubic LR and keeps its size, rather than HR.
        lr_critics: roles that judge pictures of LR size; other critics judge HR patches.
        border: LR pixels on each side that the degrader's pixel term, and so its validation, leaves off.
        parts: the weighted terms of the last step, detached, for the log. The trainer swaps the dict when it steps
            on parts of a batch in turn, so an objective finds the one that belongs to its batch.
        state: what later steps depend on beside weights, such as a pool of earlier fakes; empty where there is
            nothing. Detached tensors that may change their size; saved with the training state, and replaced by what
            was saved before a run goes on. Each process of a run has its own, all of the same names and sizes.
    """

    networks: Mapping[str, nn.Module]
    products: tuple[str, ...]
    upscaler: str | None
    degrader: str | None
    restyles: bool
    lr_critics: frozenset[str]
    border: int
    parts: dict[str, Tensor]
    state: dict[str, Tensor]

    def __init__(self, config: Any, networks: Mapping[str, nn.Module], *, vgg_weights: Path | None = None) -> None: ...

    @staticmethod
    def optimisers(config: Any) -> dict[str, tuple[str, ...]]:
        """Each optimiser with the roles that it steps; no role has two."""
        ...

    @staticmethod
    def check(config: Any, *, vgg_weights: Path | None) -> None:
        """Raise WeightsMissingError if pretrained features are needed that are not on this machine."""
        ...

    def step(self, batch: Batch) -> Iterator[dict[str, Tensor]]:
        """Yield {optimiser: loss}; the trainer minimises one yielded dict before it asks for the next.

        All losses of a dict are differentiated before any optimiser steps, each with regard to the weights of its own
        optimiser alone, whatever else its graph holds: they may share one graph. So an adversarial term needs no
        frozen critic, and a loss that two networks minimise is yielded under both names, or under their common
        optimiser, which takes one backward pass.

        A loss is a mean over the batch. What is random is drawn from `batch.keys`, so that a run can go on. Several
        steps on parts of one batch may be under way at once (accumulation): what one leaves for its next round it
        keeps in its own frame; in `state` only what outlives the step.
        """
        ...

    def to(self, device: torch.device, dtype: torch.dtype | None) -> None:
        """Move the networks and all frozen features, and lay weights out for autocast's `dtype`, or None: float32."""
        ...
