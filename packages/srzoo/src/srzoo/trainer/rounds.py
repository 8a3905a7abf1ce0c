"""A step of an objective over a batch in parts: round after round, each with the losses of every part.

The parts advance together. What an objective makes in its first round (a fake) is there in its second for every part,
and an update lies between the two, as it does for a batch in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from srzoo.data import Batch
from srzoo.objectives.protocol import Objective

Losses = Mapping[str, Tensor]


class Rounds:
    """One step. Iterate over it, and over each round to its end, in order.

    Args:
        forward: entered for every forward pass, such as an autocast.
    """

    def __init__(self, objective: Objective, parts: Sequence[Batch], forward: AbstractContextManager[object]) -> None:
        self._objective, self._forward = objective, forward
        self._asked = [objective.step(part) for part in parts]
        self._shown: list[dict[str, Tensor]] = [{} for _ in parts]

    def __iter__(self) -> Iterator[Iterator[Losses]]:
        while (first := self._next(0)) is not None:
            yield self._round(first)
        for k in range(1, len(self._asked)):
            self._next(k)  # to its end
        self._objective.parts = self._means()

    def _round(self, first: Losses) -> Iterator[Losses]:
        yield first
        for k in range(1, len(self._asked)):
            losses = self._next(k)
            assert losses is not None
            yield losses

    def _next(self, k: int) -> Losses | None:
        self._objective.parts = self._shown[k]
        with self._forward:
            losses = next(self._asked[k], None)
        self._shown[k] = self._objective.parts
        return losses

    def _means(self) -> dict[str, Tensor]:
        if len(self._shown) == 1:
            return self._shown[0]
        return {name: torch.stack([shown[name] for shown in self._shown]).mean(0) for name in self._shown[0]}
