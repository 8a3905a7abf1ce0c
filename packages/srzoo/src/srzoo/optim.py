"""Adam, and the learning rate as a closed form of the step: nothing to save, nothing to drift."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn


@dataclass(frozen=True)
class OptimiserConfig:
    """How one group of networks is stepped.

    Attributes:
        networks: roles whose parameters it owns.
        schedule: `constant`; `milestones` multiplies by `factor` after each milestone; `cosine` falls from
            `learning_rate` to `floor` times it over the steps of the stage; `linear` stays for the share `hold` of the
            steps, then falls evenly to `floor` times it.
        milestones: steps, rising.
        warmup: steps over which the rate first rises linearly from 0.
        clip: the largest gradient norm over all parameters together; larger gradients are scaled down.
    """

    networks: tuple[str, ...]
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    schedule: Literal["constant", "milestones", "cosine", "linear"] = "constant"
    milestones: tuple[int, ...] = ()
    factor: float = 0.5
    floor: float = 0.0
    hold: float = 0.5
    warmup: int = 0
    clip: float | None = None

    def __post_init__(self) -> None:
        if not self.networks:
            raise ValueError("networks: expected at least one role")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate: expected > 0, got {self.learning_rate}")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas: expected both in [0, 1), got {self.betas}")
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones: expected rising steps, got {self.milestones}")
        if (self.schedule == "milestones") != bool(self.milestones):
            raise ValueError("milestones: expected exactly where schedule = 'milestones'")
        if not 0 <= self.hold < 1:
            raise ValueError(f"hold: expected a share of the steps in [0, 1), got {self.hold}")
        if self.clip is not None and not self.clip > 0:
            raise ValueError(f"clip: expected > 0, got {self.clip}")


def learning_rate_at(config: OptimiserConfig, step: int, steps: int) -> float:
    """The learning rate of update `step` (1 is the first) in a stage of `steps`."""
    rate = config.learning_rate
    if config.schedule == "milestones":
        rate *= config.factor ** bisect_right(config.milestones, step - 1)
    elif config.schedule == "cosine":
        fraction = min(1.0, (step - 1) / max(1, steps))
        rate *= config.floor + (1 - config.floor) * (1 + math.cos(math.pi * fraction)) / 2
    elif config.schedule == "linear":
        held = config.hold * steps
        fraction = min(1.0, max(0.0, (step - 1 - held) / (steps - held)))
        rate *= 1 - (1 - config.floor) * fraction
    return rate * min(1.0, step / config.warmup) if config.warmup else rate


def adam(config: OptimiserConfig, networks: Iterable[nn.Module]) -> torch.optim.Adam:
    """Adam over all trainable parameters of `networks`.

    Source: Kingma and Ba 2015, "Adam: a method for stochastic optimization".
    """
    parameters = [p for network in networks for p in network.parameters() if p.requires_grad]
    return torch.optim.Adam(
        parameters,
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.epsilon,
        weight_decay=config.weight_decay,
        fused=all(p.device.type in {"cpu", "cuda"} for p in parameters),
    )
