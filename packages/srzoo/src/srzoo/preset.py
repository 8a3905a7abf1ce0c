"""A run as data: a strict TOML file that states networks, losses, optimisers and data, in one stage or several.

A file with `[[stages]]` lists stages, each usually `extends = "<preset>"` and a few changes; any other file is one
stage. An override goes to one stage as `stages.0.steps=100`, or as `steps=100` to every stage that has its table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import tomli_w
import torch
from torch import nn

from degrade.errors import UsageError
from degrade.schema import Table, build, merged, nearest, override, read_toml
from srzoo.data import DataConfig
from srzoo.degraders import DEGRADERS
from srzoo.discriminators import DISCRIMINATORS
from srzoo.errors import PresetError
from srzoo.networks import NETWORKS
from srzoo.objectives import OBJECTIVES
from srzoo.objectives.protocol import Objective
from srzoo.optim import OptimiserConfig, adam

_BUILDERS: dict[str, tuple[type[Any], type[nn.Module]]] = {**NETWORKS, **DISCRIMINATORS, **DEGRADERS}
_NETWORK_KEYS = ("type", "start_from", "ema")
_PLACES = {"shards", "validate", "real_lr"}


@dataclass(frozen=True)
class WatchConfig:
    """How often a run looks at itself, in steps. None of it changes the weights.

    Attributes:
        pairs: held-out pairs per validation.
        samples: rows of a sample picture.
    """

    log_every: int = 50
    validate_every: int = 1000
    save_every: int = 1000
    sample_every: int = 5000
    pairs: int = 64
    samples: int = 4

    def __post_init__(self) -> None:
        if min(self.log_every, self.validate_every, self.save_every, self.sample_every, self.pairs, self.samples) < 1:
            raise ValueError("expected whole numbers of at least 1")


@dataclass(frozen=True)
class NetworkPlan:
    """One network of a stage.

    Attributes:
        config: the frozen config of its class.
        start_from: `<earlier stage | run | file>[:role]` whose weights it begins with.
        ema: decay of the running average that is validated and saved, if any.
    """

    type: str
    config: Any
    start_from: str | None = None
    ema: float | None = None


@dataclass(frozen=True)
class Stage:
    """One stage of a run, checked; `table` is what it was built from, with every extension and override applied."""

    name: str
    source: str
    scale: int
    steps: int
    precision: Literal["auto", "bf16", "fp32"]
    objective: str
    loss: Any
    networks: Mapping[str, NetworkPlan]
    optimisers: Mapping[str, OptimiserConfig]
    data: DataConfig
    watch: WatchConfig
    table: Table

    def settings(self) -> Table:
        """The part of the table that decides the weights: a run may only be resumed with the same.

        Where the data lies is no part of it; what is in it is known by its digest.
        """
        kept = {key: value for key, value in self.table.items() if key not in {"watch", "source", "description"}}
        return kept | {"data": {k: v for k, v in self.table["data"].items() if k not in _PLACES}}

    def side(self, role: str) -> int:
        """Height and width of the pictures that a critic judges."""
        return _side(self.objective, role, self.data.patch, self.scale)


@dataclass(frozen=True)
class Preset:
    """A run: its name, and its stages in order."""

    name: str
    source: str
    stages: tuple[Stage, ...]
    text: str = field(repr=False)  # complete TOML, without `extends`

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)


@dataclass(frozen=True)
class _StageTable:
    name: str
    source: str
    scale: int
    steps: int
    objective: str
    networks: dict[str, dict[str, Any]]
    optimisers: dict[str, OptimiserConfig]
    data: DataConfig
    loss: dict[str, Any] = field(default_factory=dict)
    watch: WatchConfig = field(default_factory=WatchConfig)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    description: str = ""


@dataclass(frozen=True)
class _RunTable:
    name: str
    source: str
    stages: list[dict[str, Any]]
    description: str = ""


def preset_names() -> list[str]:
    """The presets that ship."""
    files = resources.files("srzoo").joinpath("presets").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load_preset(name_or_path: str, *, overrides: Iterable[str] = ()) -> Preset:
    """The preset of that name, or the file, with `path=value` overrides applied.

    Raises:
        PresetError: no such preset, or one that does not say what it must; names the file and the path in it.
    """
    try:
        table, origin = _resolved(name_or_path, ())
        if "stages" not in table:
            stages = [_stage(override(table, overrides, origin=origin), origin)]
            return Preset(stages[0].name, stages[0].source, tuple(stages), tomli_w.dumps(stages[0].table))
        return _run(table, list(overrides), origin)
    except UsageError as error:
        raise PresetError(error.subject, error.problem, error.cure) from None


def build_networks(stage: Stage, *, seed: int) -> dict[str, nn.Module]:
    """Freshly initialised networks of `stage`, by role. Seeds torch's global generator: initialisers draw from it."""
    torch.manual_seed(seed)
    return {role: _BUILDERS[plan.type][1](plan.config) for role, plan in stage.networks.items()}


def build_objective(stage: Stage, networks: Mapping[str, nn.Module], *, vgg_weights: Path | None) -> Objective:
    """The objective of `stage` over `networks`.

    Raises:
        WeightsMissingError: it needs pretrained features that are not on this machine.
    """
    return OBJECTIVES[stage.objective][1](stage.loss, networks, vgg_weights=vgg_weights)


def build_optimisers(stage: Stage, networks: Mapping[str, nn.Module]) -> dict[str, torch.optim.Adam]:
    return {
        name: adam(config, [networks[role] for role in config.networks]) for name, config in stage.optimisers.items()
    }


def check_weights(stage: Stage, *, vgg_weights: Path | None) -> None:
    """Raise WeightsMissingError now if `stage` would later lack pretrained features."""
    OBJECTIVES[stage.objective][1].check(stage.loss, vgg_weights=vgg_weights)


def _resolved(name_or_path: str, seen: tuple[str, ...]) -> tuple[Table, str]:
    """The table of a preset with `extends` applied, and the name of its file for messages."""
    text, origin = _text(name_or_path)
    if origin in seen:
        raise PresetError(origin, f"extends itself through {' -> '.join(seen)}", "break the circle")
    table = read_toml(text, origin=origin)
    return _extended(table, origin, (*seen, origin)), origin


def _extended(table: Table, origin: str, seen: tuple[str, ...]) -> Table:
    below = table.pop("extends", None)
    if below is None:
        return table
    if not isinstance(below, str):
        raise PresetError(origin, f"extends: expected the name of a preset, got {below!r}", "name one")
    ground = _resolved(below, seen)[0]
    if "stages" in ground:
        raise PresetError(origin, f"extends: '{below}' has stages of its own", "extend one of its stages")
    return merged(ground, table)


def _text(name_or_path: str) -> tuple[str, str]:
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        path = Path(name_or_path)
        try:
            return path.read_text(encoding="utf-8"), name_or_path
        except UnicodeDecodeError:
            raise PresetError(path, "not UTF-8 text", "give a TOML file") from None
        except OSError as error:
            raise PresetError(path, f"cannot be read: {error.strerror or error}", "check the path") from None
    if name_or_path not in preset_names():
        raise PresetError(name_or_path, "no such preset", nearest(name_or_path, preset_names()))
    file = resources.files("srzoo").joinpath("presets", f"{name_or_path}.toml")
    return file.read_text(encoding="utf-8"), f"{name_or_path}.toml"


def _run(table: Table, overrides: list[str], origin: str) -> Preset:
    own = [assignment for assignment in overrides if assignment.strip().startswith(("stages.", "name="))]
    shared = [assignment for assignment in overrides if assignment not in own]
    run = build(_RunTable, table, origin=origin)
    if not run.stages:
        raise PresetError(origin, "stages: an empty list", "state at least one")
    tables = [_extended(dict(stage), origin, (origin,)) for stage in run.stages]
    resolved = override({**table, "stages": tables}, own, origin=origin)
    run = build(_RunTable, resolved, origin=origin)
    tables = [_shared(stage, shared, run.stages, origin) for stage in run.stages]
    stages = [_stage(stage, f"{origin}: stages.{number}") for number, stage in enumerate(tables)]
    names = [stage.name for stage in stages]
    if len(set(names)) < len(names):
        raise PresetError(origin, f"stages: the names {names} repeat", "give each stage its own name")
    return Preset(run.name, run.source, tuple(stages), tomli_w.dumps({**resolved, "stages": tables}))


def _shared(stage: Table, assignments: list[str], stages: list[Table], origin: str) -> Table:
    """`stage` with the assignments whose table it has (all of them, where no stage has it: then it is an error)."""

    def has_table(table: Any, path: list[str]) -> bool:
        for key in path:
            table = table.get(key) if isinstance(table, dict) else None
        return isinstance(table, dict)

    for assignment in assignments:
        parent = assignment.partition("=")[0].strip().split(".")[:-1]
        if has_table(stage, parent) or not any(has_table(other, parent) for other in stages):
            stage = override(stage, [assignment], origin=origin)
    return stage


def _stage(table: Table, origin: str) -> Stage:
    read = build(_StageTable, table, origin=origin)
    if read.objective not in OBJECTIVES:
        raise PresetError(origin, f"objective: unknown '{read.objective}'", nearest(read.objective, OBJECTIVES))
    config_class, objective_class = OBJECTIVES[read.objective]
    loss = build(config_class, read.loss, origin=f"{origin}: loss")
    steps = objective_class.optimisers(loss)
    _check_roles(origin, "networks", read.networks, [role for roles in steps.values() for role in roles])
    _check_roles(origin, "optimisers", read.optimisers, steps)
    for name, roles in steps.items():
        _check_roles(origin, f"optimisers.{name}.networks", read.optimisers[name].networks, roles)
    if read.steps < 1 or read.scale < 1:
        raise PresetError(origin, f"steps, scale: expected at least 1, got {read.steps}, {read.scale}", "mend them")
    plans = {role: _network(network, role, read, origin) for role, network in read.networks.items()}
    return Stage(
        name=read.name,
        source=read.source,
        scale=read.scale,
        steps=read.steps,
        precision=read.precision,
        objective=read.objective,
        loss=loss,
        networks=plans,
        optimisers=read.optimisers,
        data=read.data,
        watch=read.watch,
        table=table,
    )


def _check_roles(origin: str, what: str, given: Iterable[str], expected: Iterable[str]) -> None:
    if sorted(given) != sorted(expected):
        raise PresetError(
            origin,
            f"{what}: expected {', '.join(sorted(expected))}, got {', '.join(sorted(given))}",
            "state just those",
        )


def _network(table: Table, role: str, read: _StageTable, origin: str) -> NetworkPlan:
    where = f"{origin}: networks.{role}"
    type_ = table.get("type")
    if not isinstance(type_, str) or type_ not in _BUILDERS:
        raise PresetError(where, f"type: unknown {type_!r}", nearest(str(type_), _BUILDERS))
    config_class = _BUILDERS[type_][0]
    settings = {key: value for key, value in table.items() if key not in _NETWORK_KEYS}
    fields = config_class.__dataclass_fields__
    side = _side(read.objective, role, read.data.patch, read.scale)
    for key, value in (("scale", read.scale), ("patch", side)):  # the stage says them once
        if key in fields:
            settings.setdefault(key, value)
    plan = build(_Common, {key: table[key] for key in _NETWORK_KEYS if key in table}, origin=where)
    config = build(config_class, settings, origin=where)
    objective = OBJECTIVES[read.objective][1]
    if role == objective.degrader:
        _check_degrader(type_, config, read.scale, where, restyles=objective.restyles)
    return NetworkPlan(plan.type, config, plan.start_from, plan.ema)


def _side(objective: str, role: str, patch: int, scale: int) -> int:
    return patch // scale if role in OBJECTIVES[objective][1].lr_critics else patch


def _check_degrader(type_: str, config: Any, scale: int, where: str, *, restyles: bool) -> None:
    if type_ not in DEGRADERS:
        raise PresetError(where, f"type: {type_} makes no LR", f"use one of {', '.join(DEGRADERS)}")
    if restyles:
        return  # LR to LR, whatever the scale between LR and HR
    if not hasattr(config, "scale") and scale != 1:
        raise PresetError(where, f"{type_} keeps the size, but the stage's scale is {scale}", "use --set scale=1")


@dataclass(frozen=True)
class _Common:
    type: str
    start_from: str | None = None
    ema: float | None = None

    def __post_init__(self) -> None:
        if self.ema is not None and not 0 < self.ema < 1:
            raise ValueError(f"ema: expected 0 < ema < 1, got {self.ema}")
