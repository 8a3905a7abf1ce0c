"""`start_from`: the weights that a network begins with."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from srzoo.checkpoint import load_degrader, load_model
from srzoo.degraders import DEGRADERS
from srzoo.errors import PresetError
from srzoo.preset import NetworkPlan


def load_start(network: nn.Module, role: str, plan: NetworkPlan, out: Path) -> None:
    """Load the weights that `plan.start_from` names into `network`.

    Raises:
        PresetError: nothing of that name is trained yet, or it is another network.
        ModelFileError: a file that cannot be read.
    """
    assert plan.start_from is not None
    path = find_start(plan.start_from, role, out)
    model = load_degrader(path) if plan.type in DEGRADERS else load_model(path)
    if (model.name, model.network.config) != (plan.type, plan.config):
        raise PresetError(
            path,
            f"holds {model.name} {model.network.config}, but {role} is {plan.type} {plan.config}",
            "state the same type and settings, or another start_from",
        )
    network.load_state_dict(model.network.state_dict())


def find_start(reference: str, role: str, out: Path) -> Path:
    """A file as it stands; else the product of an earlier stage, a run folder, or a run beside this one.

    Raises:
        PresetError: nothing of that name is trained yet.
    """
    name, colon, stated = reference.rpartition(":")
    if not colon:
        name, stated = reference, role
    if Path(name).is_file():
        return Path(name)
    for folder in (out / name, Path(name), out.parent / name):
        path = folder / f"{stated}.safetensors"
        if path.is_file():
            return path
    raise PresetError(
        f"networks.{role}.start_from",
        f"no trained '{reference}' beside {out}",
        f"train it first (srzoo train {name}), or --set networks.{role}.start_from=FILE.safetensors",
    )
