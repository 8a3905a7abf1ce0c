"""One shard, a pure function of (plan, index): making it twice is harmless and gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from degrade.errors import ImageError
from degrade.image import Pixels, window
from degrade.pipeline import PairKey, degrade_window
from degrade.recipe import Recipe
from degrade.rng import Stream
from degrade.shards.layout import Rows, ShardHeader, SourceRow
from degrade.shards.manifest import ShardRecord
from degrade.shards.writer import write_shard
from degrade.sources.folder import Skipped
from degrade.sources.load import load
from degrade.sources.source import Source
from degrade.synthesize.detail import detail
from degrade.synthesize.inputs import left_out, too_small
from degrade.synthesize.plan import CANDIDATES, Cut, Plan, cuts

POSITION = "@position"  # the step that draws where a patch lies; no recipe can name it by accident


@dataclass(frozen=True)
class Outcome:
    """A finished shard: its record (None where every one of its sources failed) and the sources left out."""

    record: ShardRecord | None
    skipped: tuple[Skipped, ...]


Announce = Callable[[int | None, int], None]  # the source about to be read (None: about to write), pairs made so far


def make_shard(
    plan: Plan,
    recipe: Recipe,
    index: int,
    folder: Path,
    *,
    announce: Announce = lambda source, pairs: None,
    without: Mapping[int, str] | None = None,
) -> Outcome:
    """Make shard `index` of `plan` in `folder`.

    Args:
        without: sources not to be touched, each with the reason.

    Raises:
        ResourceError: the shard cannot be written.
    """
    made = _Columns(plan, plan.pairs_of(index), bool(recipe.hr))
    skipped = []
    for cut in cuts(plan, index):
        source = plan.sources[cut.source].source
        announce(cut.source, made.num_pairs)
        reason = (without or {}).get(cut.source)
        pixels = _read(source, plan.patch) if reason is None else left_out(source, "crash", reason)
        if isinstance(pixels, Skipped):
            skipped.append(pixels)
        else:
            _cut(made, pixels, plan, recipe, cut)
    announce(None, made.num_pairs)
    if not made.num_pairs:
        return Outcome(None, tuple(skipped))
    header = ShardHeader(
        scale=plan.scale,
        recipe_digest=plan.recipe_digest,
        seed=plan.seed,
        first_pair=index * plan.patches_per_shard * plan.variants,
        margin=plan.margin,
        engine=plan.engine,
        libraries=plan.libraries,
        tool=plan.tool,
        hr_height=plan.patch,
        hr_width=plan.patch,
    )
    record = write_shard(folder / plan.shard_name(index), header, made.rows(plan.recipe_text))
    return Outcome(record, tuple(skipped))


def position(pixels: Pixels, stream: Stream, patch: int, min_detail: float) -> tuple[int, int]:
    """Where patch number `stream.patch` lies: uniform over all positions that fit.

    With a least detail, the first of 8 positions that reaches it, else the most detailed of them.
    """
    rows, columns = pixels.shape[0] - patch + 1, pixels.shape[1] - patch + 1
    draws = stream.step(POSITION)
    best, best_at = -1.0, (0, 0)
    for candidate in range(CANDIDATES):
        for_y, for_x = draws.bits(f"candidate{candidate}")
        y, x = (for_y * rows) >> 64, (for_x * columns) >> 64
        if min_detail <= 0:
            return y, x
        found = detail(pixels, y, x, patch)
        if found >= min_detail:
            return y, x
        if found > best:
            best, best_at = found, (y, x)
    return best_at


def _read(source: Source, patch: int) -> Pixels | Skipped:
    try:
        pixels = load(source)
    except ImageError as error:
        return left_out(source, "unreadable", f"{error.problem} - {error.cure}")
    except MemoryError as error:
        return left_out(source, "memory", str(error) or "not enough memory to read it")
    if min(pixels.shape[:2]) < patch:
        return left_out(source, *too_small(pixels.shape[0], pixels.shape[1], patch))
    return pixels


def _cut(made: _Columns, pixels: Pixels, plan: Plan, recipe: Recipe, cut: Cut) -> None:
    """All pairs of one source in one shard."""
    planned = plan.sources[cut.source]
    made.begin_source(planned.source, pixels.shape[0], pixels.shape[1])
    key = int(planned.key, 16)
    for patch in range(cut.first_patch, cut.first_patch + cut.num_patches):
        y, x = position(pixels, Stream(key, patch), plan.patch, plan.min_detail)
        around = window(pixels, y, x, plan.patch, plan.patch, plan.margin)
        for variant in range(plan.variants):
            pair = degrade_window(around, recipe, PairKey(key, patch, variant), plan.margin)
            made.add(pair.lr, pair.hr, pair.trace, (y, x), is_first=variant == 0)


@dataclass
class _Columns:
    """The arrays of a shard while it is filled; their room is what the plan foresees."""

    plan: Plan
    room: int
    hr_varies: bool  # steps on the HR side may draw anew for each variant
    num_pairs: int = 0
    num_hr: int = 0
    traces: list[str] = field(default_factory=list)
    sources: list[SourceRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        side, small = self.plan.patch, self.plan.patch // self.plan.scale
        room_hr = self.room if self.hr_varies else self.room // self.plan.variants
        self.hr = np.empty((room_hr, side, side, 3), np.uint8)
        self.lr = np.empty((self.room, small, small, 3), np.uint8)
        self.hr_index = np.empty(self.room, np.int64)
        self.source_index = np.empty(room_hr, np.int32)
        self.origin = np.empty((room_hr, 2), np.int32)

    def begin_source(self, source: Source, height: int, width: int) -> None:
        self.sources.append(
            {"root": source.root, "path": source.path, "sha256": source.sha256, "height": height, "width": width}
        )

    def add(self, lr: Pixels, hr: Pixels, trace: str, origin: tuple[int, int], *, is_first: bool) -> None:
        if is_first or (self.hr_varies and not np.array_equal(hr, self.hr[self.num_hr - 1])):
            self.hr[self.num_hr] = hr
            self.source_index[self.num_hr] = len(self.sources) - 1
            self.origin[self.num_hr] = origin
            self.num_hr += 1
        self.lr[self.num_pairs] = lr
        self.hr_index[self.num_pairs] = self.num_hr - 1
        self.traces.append(trace)
        self.num_pairs += 1

    def rows(self, recipe_text: str) -> Rows:
        return Rows(
            hr=self.hr[: self.num_hr],
            lr=self.lr[: self.num_pairs],
            hr_index=self.hr_index[: self.num_pairs],
            source_index=self.source_index[: self.num_hr],
            origin=self.origin[: self.num_hr],
            traces=self.traces,
            sources=self.sources,
            recipe=recipe_text,
        )
