"""A run from its first step to its last: lock, shards, stages, and going on from where an earlier try ended."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from degrade.atomic import resource_error, write_bytes
from srzoo.checkpoint import State, newest_state
from srzoo.errors import PresetError, ResourceError, WeightsMissingError
from srzoo.preset import Preset, Stage, check_weights
from srzoo.trainer.context import Context, Outcome, RunOptions
from srzoo.trainer.device import pick_device, settings
from srzoo.trainer.journal import LOG, Journal
from srzoo.trainer.material import Material
from srzoo.trainer.preflight import check_run
from srzoo.trainer.ranks import Ranks, joined, local_rank
from srzoo.trainer.stage import StageRun
from srzoo.trainer.stopping import StopRequest
from srzoo.trainer.watcher import Watcher

_OURS = ("state", "samples", "tensorboard", LOG, "diverged.json", "preset.toml")
_SHOWN_CHANGES = 4


def train(preset: Preset, options: RunOptions, watcher: Watcher | None = None) -> Outcome:
    """Run all stages of `preset`, or go on with the unfinished run in `options.out`.

    Going on gives the same bits as never having stopped: on the CPU with the same number of threads and processes,
    on CUDA with `deterministic`; with `compile` in all tries or in none.

    Raises:
        DegradeError: what `check_run` finds before anything is written.
        PresetError: the run in the folder has other settings or shards.
        WeightsMissingError: the stage to run first needs pretrained features. A later one is left out instead.
        DivergedError: a loss or gradient is not finite; the last saved state is untouched.
        ResourceError: another run holds the folder; no room; no permission.
    """
    device = pick_device(options.device, local_rank=local_rank())
    with ExitStack() as stack:
        stack.enter_context(settings(threads=options.threads, deterministic=options.deterministic))
        materials = check_run(preset, options)
        ranks = stack.enter_context(joined(device))
        watcher = watcher if watcher and ranks.is_first else Watcher()
        if ranks.is_first:
            stack.enter_context(_locked(options.out))
        ranks.wait()
        facts = _facts(preset, materials, options)
        state = None if options.overwrite else _found(options, facts, ranks, watcher)
        left_out = _left_out(preset, options, first=state.facts["stage"] if state else 0)
        if options.overwrite and ranks.is_first:
            _clear(options.out, preset)
        for sentence in (_plan(preset), *_sentences(preset, materials), *left_out.values()):
            watcher.note(sentence)
        if state:
            watcher.note(f"going on from step {state.step} of {preset.steps}")
        journal = None
        if ranks.is_first:
            write_bytes(options.out / "preset.toml", preset.text.encode())
            journal = stack.enter_context(Journal(options.out, step=state.step if state else 0))
        stop = stack.enter_context(StopRequest())
        context = Context(preset, options, device, ranks, stop, watcher, materials, journal, facts)
        return _stages(context, state, left_out)


def check(preset: Preset, options: RunOptions) -> list[str]:
    """What `train` would say before its first step, if nothing is wrong; no network is built, nothing is written.

    Raises:
        DegradeError: what `check_run` finds, or WeightsMissingError.
    """
    materials = check_run(preset, options)
    left_out = _left_out(preset, options, first=0)
    return [_plan(preset), *_sentences(preset, materials), *left_out.values()]


def _plan(preset: Preset) -> str:
    def described(stage: Stage) -> str:
        parts = f" in {stage.data.accumulate} parts" if stage.data.accumulate > 1 else ""
        return (
            f"{stage.name}, {stage.steps} steps of {stage.data.batch} x {stage.data.patch // stage.scale} px LR{parts}"
        )

    stages = ", then ".join(described(stage) for stage in preset.stages)
    return stages if len(preset.stages) == 1 else f"{preset.name}: {stages}"


def _stages(context: Context, state: State | None, left_out: dict[int, str]) -> Outcome:
    preset, folder, done = context.preset, context.options.out, 0
    reached = state.facts["stage"] if state else 0
    for number, stage in enumerate(preset.stages):
        if number in left_out:
            return Outcome("finished", done, preset.steps, folder, left_out=left_out[number])
        if number >= reached:
            run = StageRun(context, number, steps_before=done)
            run.begin(state if state and number == reached else None)
            if not run.train():
                return Outcome("stopped", done + run.step, preset.steps, folder, signal=context.stop.signal)
            if context.ranks.is_first and len(preset.stages) > 1:
                run.keep_products()
            context.ranks.wait()
        done += stage.steps
        if context.stop.signal and done < preset.steps:
            return Outcome("stopped", done, preset.steps, folder, signal=context.stop.signal)
    return Outcome("finished", done, preset.steps, folder)


def _sentences(preset: Preset, materials: tuple[Material, ...]) -> list[str]:
    """What is said of the data: once for all stages that share it, else with the name of the stage."""
    if all(material is materials[0] for material in materials):
        return list(materials[0].sentences)
    named = zip(preset.stages, materials, strict=True)
    return [f"{stage.name}: {sentence}" for stage, material in named for sentence in material.sentences]


def _facts(preset: Preset, materials: tuple[Material, ...], options: RunOptions) -> dict[str, Any]:
    named = list(zip(preset.stages, materials, strict=True))
    return {
        "settings": {stage.name: stage.settings() for stage in preset.stages},
        "shards": {stage.name: material.facts for stage, material in named},
        "seed": options.seed,
    }


def _found(options: RunOptions, facts: dict[str, Any], ranks: Ranks, watcher: Watcher) -> State | None:
    """The state to go on from, once it is known to belong to the same run."""
    state, notes = None, []
    if ranks.is_first:
        state, notes = newest_state(options.out / "state")
    ranks.wait()  # the first one puts broken states aside before the others look
    if not ranks.is_first:
        state, _ = newest_state(options.out / "state", put_aside=False)
    for note in notes:
        watcher.warn(note)
    if state is None:
        return None
    changes = [
        f"{path} was {_short(old)}, is {_short(new)}"
        for key in facts
        for path, old, new in _changes(key, state.facts.get(key), facts[key])
    ]
    if changes and not options.override:
        shown = "; ".join(changes[:_SHOWN_CHANGES])
        more = f"; and {len(changes) - _SHOWN_CHANGES} more" if len(changes) > _SHOWN_CHANGES else ""
        raise PresetError(
            options.out,
            f"the run in it has other settings: {shown}{more}",
            "use --override to go on with the new ones, --overwrite to start over, or another --out",
        )
    for change in changes:
        watcher.warn(f"overridden: {change}")
    return state


def _changes(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if old is None and isinstance(new, dict):
        old = {}
    if new is None and isinstance(old, dict):
        new = {}
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _changes(f"{path}.{key}".removeprefix("settings."), old.get(key), new.get(key))
    elif old != new:
        yield path, old, new


def _short(value: Any) -> str:
    text = "not stated" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:16]}..."


def _left_out(preset: Preset, options: RunOptions, *, first: int) -> dict[int, str]:
    """Stages whose pretrained features are missing, with the reason; the one to run first may not be among them."""
    reasons: dict[int, str] = {}
    for number, stage in enumerate(preset.stages[first:], start=first):
        try:
            check_weights(stage, vgg_weights=options.vgg_weights)
        except WeightsMissingError as error:
            if number == first:
                raise
            reasons[number] = f"{stage.name} is left out: {error}"
            break
    return reasons


def _clear(out: Path, preset: Preset) -> None:
    """Remove what a run writes, and nothing else."""
    for name in (*_OURS, *(stage.name for stage in preset.stages)):
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for product in out.glob("*.safetensors"):
        product.unlink()


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold the run folder; the system lets go of it when this process dies, however it dies."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / ".lock").open("a")
    except OSError as error:
        raise resource_error(out, error) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ResourceError(out, "another run is training in it", "wait for it, or choose another --out") from None
        yield
