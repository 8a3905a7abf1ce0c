"""Everything that decides the next step, as named tensors: weights, averages, optimisers, what an objective keeps.

Learning rates, crops, the order of pairs and random numbers are closed forms of the step, so they need no state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from srzoo.trainer.update import Clipped

if TYPE_CHECKING:
    from timm.utils.model_ema import ModelEmaV3


def gather(
    networks: Mapping[str, nn.Module],
    averages: Mapping[str, ModelEmaV3],
    optimisers: Mapping[str, Clipped],
    kept: Sequence[Mapping[str, Tensor]] = (),
) -> dict[str, Tensor]:
    """All tensors of a running stage, by name; `kept` is the objective's `state` in each process."""
    tensors: dict[str, Tensor] = {}
    for role, network in networks.items():
        tensors |= {f"network/{role}/{key}": value for key, value in network.state_dict().items()}
    for role, average in averages.items():
        tensors |= {f"average/{role}/{key}": value for key, value in average.module.state_dict().items()}
    for name, clipped in optimisers.items():
        for index, parameter in enumerate(clipped.parameters()):
            for key, value in clipped.optimiser.state[parameter].items():
                tensors[f"optimiser/{name}/{index}/{key}"] = value
    for rank, own in enumerate(kept):
        tensors |= {f"objective/{rank}/{key}": value for key, value in own.items()}
    return tensors


def restore(
    tensors: Mapping[str, Tensor],
    networks: Mapping[str, nn.Module],
    averages: Mapping[str, ModelEmaV3],
    optimisers: Mapping[str, Clipped],
) -> None:
    """Put the tensors of `gather` back.

    Raises:
        ValueError: names or shapes that do not fit.
    """
    for role, network in networks.items():
        _load(network, _below(tensors, f"network/{role}/"))
    for role, average in averages.items():
        _load(average.module, _below(tensors, f"average/{role}/"))
    for name, clipped in optimisers.items():
        for index, parameter in enumerate(clipped.parameters()):
            saved = _below(tensors, f"optimiser/{name}/{index}/")
            clipped.optimiser.state[parameter] = {key: _placed(value, parameter) for key, value in saved.items()}


def kept_by(tensors: Mapping[str, Tensor], rank: int, device: torch.device) -> dict[str, Tensor]:
    """The objective's `state` in process `rank`, or, where there were fewer, in one of those, on `device`."""
    ranks = 1 + max((int(key.split("/")[1]) for key in tensors if key.startswith("objective/")), default=0)
    return {key: value.to(device) for key, value in _below(tensors, f"objective/{rank % ranks}/").items()}


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _load(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _placed(value: Tensor, parameter: Tensor) -> Tensor:
    """A moment beside its parameter, with the same strides: the kernels then run over it exactly as before."""
    if value.shape != parameter.shape:
        return value.to(parameter.device) if value.ndim else value.clone()  # Adam's step counter
    return torch.empty_like(parameter).copy_(value)
