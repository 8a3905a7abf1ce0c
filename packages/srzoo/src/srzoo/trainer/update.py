"""One update: all backward passes, the mean over ranks, the check that all is finite, clipping, then all steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from srzoo.trainer.ranks import Ranks


@dataclass(frozen=True)
class Clipped:
    """An optimiser and the gradient norm it is held to, if any."""

    optimiser: torch.optim.Optimizer
    clip: float | None = None

    def parameters(self) -> list[Tensor]:
        return [p for group in self.optimiser.param_groups for p in group["params"]]


class NotFiniteError(ArithmeticError):
    """A loss or gradient is not finite on some rank; `str()` names it. No parameter has changed."""


def apply_update(
    asked: Iterable[Mapping[str, Tensor]], optimisers: Mapping[str, Clipped], ranks: Ranks, *, parts: int = 1
) -> None:
    """Step each named optimiser down the mean of its losses over the `parts` of a batch.

    A backward pass reaches only the parameters of its own optimiser, whatever else the graph holds. Each part is
    differentiated before the next one is asked for, so that one graph is in memory at a time. No optimiser steps
    before all backward passes are done and every loss and gradient is known to be finite on every rank.

    Raises:
        NotFiniteError: nothing was updated, and the gradients are cleared.
    """
    totals: dict[str, Tensor] = {}
    for losses in asked:
        for number, (name, loss) in enumerate(losses.items(), start=1):
            parameters = optimisers[name].parameters()
            if name not in totals:
                optimisers[name].optimiser.zero_grad(set_to_none=True)
            share = loss / parts if parts > 1 else loss
            torch.autograd.backward(share, inputs=parameters, retain_graph=number < len(losses))
            totals[name] = totals[name] + share.detach() if name in totals else share.detach()
    gradients = {name: [p.grad for p in optimisers[name].parameters() if p.grad is not None] for name in totals}
    for found in gradients.values():
        ranks.average_(found)
    norms = {name: get_total_norm(found) for name, found in gradients.items()}
    _check_finite(totals, norms, optimisers, ranks)
    for name in totals:
        clip, optimiser = optimisers[name].clip, optimisers[name].optimiser
        if clip is not None:
            clip_grads_with_norm_(optimisers[name].parameters(), clip, norms[name])
        optimiser.step()


def _check_finite(
    losses: Mapping[str, Tensor], norms: Mapping[str, Tensor], optimisers: Mapping[str, Clipped], ranks: Ranks
) -> None:
    values = torch.stack([value.detach().float() for name in losses for value in (losses[name], norms[name])])
    numbers = values.tolist()
    here = [number for number, value in enumerate(numbers, start=1) if value - value != 0]  # NaN or infinite
    worst = ranks.largest(here[0] if here else 0, values.device)
    if worst:
        for name in losses:
            optimisers[name].optimiser.zero_grad(set_to_none=True)
        what = [f"{kind} '{name}'" for name in losses for kind in ("loss", "gradient of")][worst - 1]
        said = f"{what} is {numbers[worst - 1]}" if here else f"{what} is not finite on another rank"
        raise NotFiniteError(said)
