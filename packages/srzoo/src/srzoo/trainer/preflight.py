"""Everything that can be known to be wrong before the first step, found at once: one line per fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from degrade.errors import DegradeError
from degrade.shards.reader import ShardSet
from srzoo.data import check_batch, check_patch, large_enough
from srzoo.discriminators import DISCRIMINATORS
from srzoo.errors import IntegrityError, PresetError, SrzooError, UsageError
from srzoo.objectives import OBJECTIVES
from srzoo.preset import Preset, Stage
from srzoo.trainer.context import RunOptions
from srzoo.trainer.lr_validation import check_lr_size
from srzoo.trainer.material import Choices, Material, choices_of, open_folder, prepare
from srzoo.trainer.ranks import world_size
from srzoo.trainer.start import find_start

_ROWS = 5  # read of each set
_SHARDS_HAVE = ("lr", "hr")


class FaultsError(SrzooError):
    """Several faults at once; `faults` has them all."""

    def __init__(self, faults: tuple[DegradeError, ...]) -> None:
        first = faults[0]
        super().__init__(first.subject, f"{first.problem}; and {len(faults) - 1} more", "srzoo train --check lists all")
        self.faults = faults
        self.exit_code = max(fault.exit_code for fault in faults)


def check_run(preset: Preset, options: RunOptions) -> tuple[Material, ...]:
    """The material of every stage, once nothing is found to be wrong; no step is taken and nothing is written.

    Raises:
        DegradeError: the fault, if there is one; FaultsError with all of them, if there are several.
    """
    check = _Check(preset, options)
    prepared = [check.stage(number) for number in range(len(preset.stages))]
    faults = tuple({str(fault): fault for fault in check.faults}.values())  # stages that share a set share its faults
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise FaultsError(faults)
    return tuple(one for one in prepared if one is not None)


class _Check:
    """The faults found so far; folders are opened, and stages that choose alike prepared, once."""

    def __init__(self, preset: Preset, options: RunOptions) -> None:
        self.preset, self.options = preset, options
        self.faults: list[DegradeError] = []
        self._sets: dict[Path, ShardSet | None] = {}
        self._prepared: dict[Choices, Material | None] = {}

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except DegradeError as fault:
            self.faults.append(fault)

    def stage(self, number: int) -> Material | None:
        stage, options = self.preset.stages[number], self.options
        with self._noted():
            _networks(stage)
        with self._noted():
            _needs(stage, has_real_lr=bool(options.real_lr or stage.data.real_lr))
        with self._noted():
            check_batch(stage.data, world=world_size())
        with self._noted():
            self._start(number)
        with self._noted():
            choices = choices_of(stage.data, options.shards, options.validate, options.real_lr)
            folders = [*(choice.folder for choice in choices.train), *choices.validate]
            sets = [(folder, found) for folder in folders if (found := self._open(folder)) is not None]
            if self._fit(stage, sets) and len(sets) == len(folders):
                if choices not in self._prepared:
                    self._prepared[choices] = None  # where it fails: it fails once
                    self._prepared[choices] = prepare(choices, [found for _, found in sets], stage.watch)
                material = self._prepared[choices]
                if material is not None:
                    _check_lr(stage, material)
                return material
        return None

    def _open(self, folder: Path) -> ShardSet | None:
        if folder not in self._sets:
            self._sets[folder] = None
            with self._noted():
                self._sets[folder] = open_folder(folder)
                _check_rows(folder, self._sets[folder])
        return self._sets[folder]

    def _fit(self, stage: Stage, sets: list[tuple[Path, ShardSet]]) -> bool:
        """Whether all sets fit the stage and each other."""
        before = len(self.faults)
        for folder, one in sets:
            with self._noted():
                if one.scale != stage.scale:
                    raise PresetError(
                        folder,
                        f"shards of scale {one.scale}, but {stage.name} is of scale {stage.scale}",
                        f"use --set scale={one.scale}, or other shards",
                    )
                first, kind = sets[0][0], sets[0][1].dtype
                if one.dtype != kind:
                    raise UsageError(folder, f"pixels of {one.dtype}, but {first} has {kind}", "make them alike")
                _check_patch(stage, folder, one)
        return len(self.faults) == before

    def _start(self, number: int) -> None:
        """A network that begins with trained weights finds them, or an earlier stage makes them."""
        if not self.options.overwrite and any((self.options.out / "state").glob("step-*")):
            return  # a run that goes on has its own
        earlier = {stage.name for stage in self.preset.stages[:number]}
        for role, plan in self.preset.stages[number].networks.items():
            is_made = str(plan.start_from).partition(":")[0] in earlier and plan.type not in DISCRIMINATORS
            if plan.start_from and not is_made:
                find_start(plan, role, self.options.out)


def _networks(stage: Stage) -> None:
    """Every network is of the stage's scale, and a critic of a fixed size of what it judges."""
    for role, plan in stage.networks.items():
        for key, wanted in (("scale", stage.scale), ("patch", stage.side(role))):
            stated = getattr(plan.config, key, wanted)
            if stated != wanted:
                raise PresetError(
                    f"{stage.name}: networks.{role}.{key}",
                    f"{stated}, but the stage has {wanted}",
                    "leave it out: the stage says it once",
                )


def _needs(stage: Stage, *, has_real_lr: bool = False) -> None:
    has = (*_SHARDS_HAVE, "real_lr") if has_real_lr else _SHARDS_HAVE
    lacking = [part for part in stage.data.needs if part not in has]
    if lacking:
        cure = "add --real-lr DIR" if lacking == ["real_lr"] else f"they have {', '.join(_SHARDS_HAVE)}"
        raise PresetError(f"{stage.name}: data.needs", f"shards have no {', '.join(lacking)}", cure)


def _check_lr(stage: Stage, material: Material) -> None:
    """What a degrader trains and is validated on is large enough."""
    objective = OBJECTIVES[stage.objective][1]
    if objective.degrader is not None:
        border = getattr(stage.loss, "border", 0)  # a loss that leaves nothing off has no such key
        check_lr_size(material.pairs.hr_size, scale=stage.scale, border=border)
    if material.real_lr is not None:
        large_enough(material.real_lr, stage.data.patch // stage.scale)


def _check_patch(stage: Stage, folder: Path, one: ShardSet) -> None:
    try:
        check_patch(stage.data, scale=stage.scale, lr_size=one.lr_size)
    except PresetError as fault:
        raise PresetError(f"{folder}: {fault.subject}", fault.problem, fault.cure) from None


def _check_rows(folder: Path, one: ShardSet | None) -> None:
    """A few rows read well and use the range of their type."""
    assert one is not None
    rows = sorted({round(place) for place in np.linspace(0, len(one) - 1, _ROWS)})
    lr, hr = one.read_many(rows)
    for name, pixels in (("LR", lr), ("HR", hr)):
        if pixels.min() == pixels.max():
            raise IntegrityError(
                folder, f"{name} is {pixels.min()} in every pixel of {len(rows)} pairs", "make it again"
            )
        if pixels.dtype == np.uint16 and pixels.max() <= 255:
            raise IntegrityError(
                folder, f"{name} of 16 bits goes from {pixels.min()} to {pixels.max()} only", "fill 0 to 65535"
            )
