"""A set of shards from start to finish: plan, what is there already, what is missing, the manifest last."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from degrade.atomic import resource_error, sweep, write_bytes
from degrade.errors import ResourceError, UsageError
from degrade.recipe import Recipe
from degrade.shards.layout import MANIFEST_NAME, PLAN_NAME, SKIPPED_NAME
from degrade.shards.manifest import Manifest, ShardRecord, write_manifest
from degrade.sources.folder import Skipped
from degrade.synthesize.inputs import DEFAULT_PAIRS, gather, nothing_usable
from degrade.synthesize.journal import JOURNAL_NAME, Journal
from degrade.synthesize.lock import folder_lock
from degrade.synthesize.plan import Plan, check_sizes
from degrade.synthesize.planning import loaded, make_plan
from degrade.synthesize.resume import clear, holds_another_run, intact, known_shards, remove
from degrade.synthesize.task import Outcome
from degrade.synthesize.workers import Finished, Job, in_processes, in_this_process, on_executor

Progress = Callable[[int, int], None]  # pairs there are, pairs planned


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run came to. `num_made` pairs and `seconds` are of this call; the rest is of the whole set."""

    folder: Path
    recipe: str
    scale: int
    patch: int
    variants: int
    num_pairs: int
    num_planned: int
    num_made: int
    num_photos: int
    num_shards: int
    num_bytes: int
    seconds: float
    workers: int
    skipped: tuple[Skipped, ...]
    is_dry_run: bool = False

    @property
    def pairs_per_second(self) -> float:
        return self.num_made / self.seconds if self.seconds > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "folder": str(self.folder), "pairs_per_second": round(self.pairs_per_second, 1)}


def synthesize(
    hr: Sequence[Path | str] | Path | str,
    recipe: str | Path | Recipe,
    out: Path | str,
    *,
    scale: int | None = None,
    patch: int = 192,
    pairs: int | None = None,
    per_image: int | None = None,
    variants: int = 1,
    seed: int = 0,
    workers: int | Executor | None = None,
    min_detail: float = 0.0,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> Summary:
    """Make LR-HR pairs from photographs, as shards in the folder `out`.

    The same call on the same folder goes on where an earlier one ended; finished shards are checked by their
    SHA-256 and kept. The shards depend on the photos, the recipe and the settings, on nothing else.

    Args:
        hr: files, folders (searched through) and `dead-leaves:COUNT@HEIGHTxWIDTH`; empty: sample pictures.
        recipe: a recipe, its name, or a TOML file; `overrides` are `path=value` each.
        patch: side of an HR patch in pixels, a multiple of the scale.
        pairs: in all; or `per_image` patches from each photo; neither: as many as tile each photo once (2000
            pairs from sample pictures).
        variants: pairs made from each HR patch.
        workers: processes (all cores unless given; 1: none beside this one), or a `concurrent.futures` executor.
        min_detail: take the first of 8 positions with a mean absolute Laplacian of this many 8-bit levels, else
            the most detailed of them.
        overwrite: start over where `out` holds another run.
        dry_run: plan only; nothing is written.
        progress: called with (pairs there are, pairs planned); `notice` with a line about what is chosen.

    Raises:
        UsageError: settings that do not go together, no usable photo, or (PlanChangedError) another run in `out`.
        ResourceError: disk full, no permission, or another process at work in `out`.
    """
    began = time.monotonic()
    chosen = loaded(recipe, overrides, scale)
    check_sizes(patch=patch, scale=chosen.scale, variants=variants, pairs=pairs, per_image=per_image, seed=seed)
    named = [hr] if isinstance(hr, str | Path) else hr
    inputs = gather(named, least_side=patch * chosen.reduction, patches=pairs and pairs // variants)
    if inputs.note and notice:
        notice(inputs.note)
    if not hr and pairs is None and per_image is None:
        pairs = -(-DEFAULT_PAIRS // variants) * variants
    plan = make_plan(
        inputs.sources,
        chosen,
        patch=patch,
        pairs=pairs,
        per_image=per_image,
        variants=variants,
        seed=seed,
        min_detail=min_detail,
    )
    how = How(workers=workers, overwrite=overwrite, dry_run=dry_run, progress=progress)
    return carry_out(plan, chosen, Path(out), inputs.skipped, how, began=began)


@dataclass(frozen=True)
class How:
    """What decides how a plan is carried out, but not what comes of it; see `synthesize`."""

    workers: int | Executor | None = None
    overwrite: bool = False
    dry_run: bool = False
    progress: Progress | None = None


def carry_out(
    plan: Plan, recipe: Recipe | None, folder: Path, skipped: Sequence[Skipped], how: How, *, began: float
) -> Summary:
    """Make in `folder` what of the plan is missing there; `began` is the `time.monotonic()` that seconds count from."""
    summary = Summary(
        folder=folder,
        recipe=recipe.name if recipe else plan.recipe_name,
        scale=plan.scale,
        patch=plan.patch,
        variants=plan.variants,
        num_pairs=0,
        num_planned=plan.num_pairs,
        num_made=0,
        num_photos=sum(source.quota > 0 for source in plan.sources),
        num_shards=plan.num_shards,
        num_bytes=0,
        seconds=0.0,
        workers=0 if isinstance(how.workers, Executor) else min(how.workers or cores(), plan.num_shards),
        skipped=tuple(skipped),
        is_dry_run=how.dry_run,
    )
    if how.dry_run:
        holds_another_run(folder, plan, how.overwrite)
        return replace(summary, seconds=time.monotonic() - began)
    workers = how.workers if isinstance(how.workers, Executor) else summary.workers
    with _folder(folder), folder_lock(folder):
        run = _Run(folder, plan, recipe, workers, how.progress)
        run.go(how.overwrite, summary.skipped)
    records = [outcome.record for outcome in run.done.values() if outcome.record is not None]
    failed = {entry.sha256 for entry in run.skipped}
    return replace(
        summary,
        num_pairs=sum(record.num_pairs for record in records),
        num_made=run.num_made,
        num_photos=sum(planned.quota > 0 and planned.source.sha256 not in failed for planned in plan.sources),
        num_shards=len(records),
        num_bytes=sum(record.num_bytes for record in records),
        seconds=time.monotonic() - began,
        skipped=run.skipped,
    )


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _folder(folder: Path) -> Iterator[None]:
    """Create the folder; take it away again if nothing came to lie in it."""
    was_there = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ResourceError(folder, "is a file, not a folder", "choose another --out") from None
    except OSError as error:
        raise resource_error(folder, error) from None
    try:
        yield
    finally:
        if not was_there:
            with contextlib.suppress(OSError):
                folder.rmdir()


class _Run:
    """The coordinator of one folder, which it holds the lock of."""

    def __init__(
        self, folder: Path, plan: Plan, recipe: Recipe | None, workers: int | Executor, progress: Progress | None
    ) -> None:
        self.folder, self.plan, self.recipe, self.workers, self.progress = folder, plan, recipe, workers, progress
        self.done: dict[int, Outcome] = {}
        self.skipped: tuple[Skipped, ...] = ()
        self.num_made = 0
        self._finished = 0
        self._making: dict[int, int] = {}  # shard: pairs made of it so far

    def go(self, overwrite: bool, skipped: Iterable[Skipped]) -> None:
        """Make what is missing, then write the manifest."""
        sweep(self.folder)
        if holds_another_run(self.folder, self.plan, overwrite):
            clear(self.folder)
        if not (self.folder / PLAN_NAME).exists():
            write_bytes(self.folder / PLAN_NAME, self.plan.text().encode())
        known, left_out, is_complete = known_shards(self.folder, self.plan)
        threads = self.workers if isinstance(self.workers, int) else cores()
        for index, outcome in intact(self.folder, known, threads):
            self._add(index, outcome)
        missing = [index for index in range(self.plan.num_shards) if index not in self.done]
        if not is_complete or missing:
            self.journal = Journal(self.folder, self.done, left_out)
            remove(self.folder / MANIFEST_NAME)
            self._make(missing)
        self._gather_skipped(skipped, left_out)
        if not is_complete or missing:
            self._finish()
        remove(self.folder / JOURNAL_NAME)

    def _make(self, missing: Sequence[int]) -> None:
        job = Job(self.plan, self.recipe, self.folder / PLAN_NAME, self.folder, self._on_progress)
        try:
            with contextlib.closing(_finished(job, missing, self.workers)) as finished:
                for index, outcome in finished:
                    self.journal.add(index, outcome)
                    self.num_made += self._add(index, outcome)
        finally:
            sweep(self.folder)  # what workers left that were killed while they wrote

    def _finish(self) -> None:
        records = tuple(outcome.record for _, outcome in sorted(self.done.items()) if outcome.record is not None)
        if not records:
            clear(self.folder)
            raise UsageError(self.folder, *nothing_usable(self.skipped))
        lines = "".join(json.dumps(asdict(entry), separators=(",", ":")) + "\n" for entry in self.skipped)
        if lines:
            write_bytes(self.folder / SKIPPED_NAME, lines.encode())
        else:
            remove(self.folder / SKIPPED_NAME)
        write_manifest(self.folder, _manifest(self.plan, records, len(self.skipped)))

    def _gather_skipped(self, seen: Iterable[Skipped], earlier: Iterable[Skipped]) -> None:
        """Every input left out, once, in an order of its own."""
        all_of_them = {*seen, *earlier}
        for outcome in self.done.values():
            all_of_them.update(outcome.skipped)
        self.skipped = tuple(sorted(all_of_them, key=lambda entry: (entry.path, entry.sha256, entry.message)))

    def _add(self, index: int, outcome: Outcome) -> int:
        """Count shard `index` as done; its pairs."""
        num_pairs = outcome.record.num_pairs if outcome.record else 0
        self.done[index] = outcome
        self._finished += num_pairs
        self._making.pop(index, None)
        self._tell()
        return num_pairs

    def _on_progress(self, index: int, pairs: int) -> None:
        self._making[index] = pairs
        self._tell()

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self._finished + sum(self._making.values()), self.plan.num_pairs)


def _finished(job: Job, missing: Sequence[int], workers: int | Executor) -> Finished:
    if isinstance(workers, Executor):
        return on_executor(job, missing, workers)
    if workers <= 1 or len(missing) <= 1:
        return in_this_process(job, missing)
    return in_processes(job, missing, workers)


def _manifest(plan: Plan, records: tuple[ShardRecord, ...], num_skipped: int) -> Manifest:
    return Manifest(
        plan_sha256=plan.digest(),
        recipe_digest=plan.recipe_digest,
        seed=plan.seed,
        scale=plan.scale,
        hr_height=plan.patch,
        hr_width=plan.patch,
        zoom=plan.zoom,
        num_planned=plan.num_pairs,
        num_skipped=num_skipped,
        complete=True,
        engine=plan.engine,
        libraries=plan.libraries,
        tool=plan.tool,
        shards=records,
    )
