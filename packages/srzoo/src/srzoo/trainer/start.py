"""`start_from`: the weights that a network begins with."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from srzoo.checkpoint import load_degrader, load_model, newest_state
from srzoo.degraders import DEGRADERS
from srzoo.discriminators import DISCRIMINATORS
from srzoo.errors import PresetError
from srzoo.preset import NetworkPlan


def load_start(network: nn.Module, role: str, plan: NetworkPlan, out: Path) -> None:
    """Load the weights that `plan.start_from` names into `network`: a product, else a run's newest training state.

    Raises:
        PresetError: nothing of that name is trained yet, or it is another network.
        ModelFileError: a file that cannot be read.
    """
    path = find_start(plan, role, out)
    if path.is_dir():
        _load_state(network, role, plan, path)
        return
    model = load_degrader(path) if plan.type in DEGRADERS else load_model(path)
    if (model.name, model.network.config) != (plan.type, plan.config):
        raise PresetError(
            path,
            f"holds {model.name} {model.network.config}, but {role} is {plan.type} {plan.config}",
            "state the same type and settings, or another start_from",
        )
    network.load_state_dict(model.network.state_dict())


def find_start(plan: NetworkPlan, role: str, out: Path) -> Path:
    """A file as it stands; else the product of an earlier stage, a run folder, or a run beside this one.

    For what is no product, a critic or CycleGAN's way back, the folder of training states of a run.

    Raises:
        PresetError: nothing of that name is trained yet.
    """
    assert plan.start_from is not None
    name, stated = _parsed(plan.start_from, role)
    is_critic = plan.type in DISCRIMINATORS
    if Path(name).is_file() and not is_critic:
        return Path(name)
    for folder in (out / name, Path(name), out.parent / name):
        if not is_critic and (folder / f"{stated}.safetensors").is_file():
            return folder / f"{stated}.safetensors"
        is_trained = is_critic or any(folder.glob("*.safetensors"))  # a run that ended has its products
        if is_trained and any((folder / "state").glob("step-*")):
            return folder / "state"
    what = "training state of a run" if is_critic else "trained"
    raise PresetError(
        f"networks.{role}.start_from",
        f"no {what} '{plan.start_from}' beside {out}",
        f"train it first (srzoo train {name}), or --set networks.{role}.start_from="
        + ("RUN:ROLE" if is_critic else "FILE.safetensors"),
    )


def _parsed(reference: str, role: str) -> tuple[str, str]:
    name, colon, stated = reference.rpartition(":")
    return (name, stated) if colon else (reference, role)


def _load_state(network: nn.Module, role: str, plan: NetworkPlan, states: Path) -> None:
    assert plan.start_from is not None
    stated = _parsed(plan.start_from, role)[1]
    state, _ = newest_state(states, put_aside=False)
    prefix = f"network/{stated}/"
    tensors = {} if state is None else state.tensors
    own = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    if not own:
        raise PresetError(states, f"no whole state there has a '{stated}'", "name another run or role")
    try:
        network.load_state_dict(own)
    except RuntimeError:
        problem = f"its '{stated}' is another network than {role}, {plan.type} {plan.config}"
        raise PresetError(states, problem, "state the same type and settings, or another start_from") from None
