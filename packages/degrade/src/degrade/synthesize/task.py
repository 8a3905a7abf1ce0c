"""One shard, a pure function of (plan, index): making it twice is harmless and gives the same bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
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


class Room:
    """Memory for the pixels of a shard, kept from one to the next: fresh pages cost as much as filling them."""

    def __init__(self) -> None:
        self._memory: dict[str, Pixels] = {}

    def array(self, name: str, *shape: int) -> Pixels:
        """An array of that shape, its contents undefined, in the place of the last one of that name."""
        size = math.prod(shape)
        if name not in self._memory or self._memory[name].size < size:
            self._memory[name] = np.empty(size, np.uint8)
        return self._memory[name][:size].reshape(shape)


# The shard, the source about to be read (None: the shard is about to be written), and the pairs made of it so far.
Announce = Callable[[int, int | None, int], None]


def _silent(shard: int, source: int | None, pairs: int) -> None:
    return


def make_shard(plan: Plan, recipe: Recipe, index: int, folder: Path) -> Outcome:
    """Make shard `index` of `plan` in `folder`.

    Raises:
        ResourceError: the shard cannot be written.
    """
    return _written(plan, index, folder, *fill_shard(plan, recipe, index))


class Maker:
    """Makes one shard after the other, and writes each while the next one is filled."""

    def __init__(self, plan: Plan, recipe: Recipe, folder: Path, announce: Announce = _silent) -> None:
        self.plan, self.recipe, self.folder, self.announce = plan, recipe, folder, announce
        self._rooms = Room(), Room()
        self._writer = ThreadPoolExecutor(1)
        self._writing: tuple[int, Future[Outcome]] | None = None

    def make(self, index: int, without: Mapping[int, str] | None = None) -> tuple[int, Outcome] | None:
        """Fill shard `index` and begin to write it; the shard before it, which is then finished.

        Raises:
            ResourceError: the shard before it cannot be written.
        """
        filled = fill_shard(self.plan, self.recipe, index, announce=self.announce, without=without, room=self._rooms[0])
        before = self.finish()
        self._writing = index, self._writer.submit(_written, self.plan, index, self.folder, *filled)
        self._rooms = self._rooms[::-1]
        return before

    def finish(self) -> tuple[int, Outcome] | None:
        """The shard that is being written, when it is."""
        if self._writing is None:
            return None
        index, outcome = self._writing
        self._writing = None
        return index, outcome.result()

    def close(self) -> None:
        self._writer.shutdown()


def fill_shard(
    plan: Plan,
    recipe: Recipe,
    index: int,
    *,
    announce: Announce = _silent,
    without: Mapping[int, str] | None = None,
    room: Room | None = None,
) -> tuple[Rows | None, tuple[Skipped, ...]]:
    """The contents of shard `index` (None where every one of its sources failed), and the sources left out.

    Args:
        without: sources not to be touched, each with the reason.
        room: memory for the pixels, free to be used.
    """
    made = _Columns(plan, plan.pairs_of(index), bool(recipe.hr), room or Room())
    skipped = []
    for cut in cuts(plan, index):
        source = plan.sources[cut.source].source
        announce(index, cut.source, made.num_pairs)
        reason = (without or {}).get(cut.source)
        pixels = _read(source, plan.patch) if reason is None else left_out(source, "crash", reason)
        if isinstance(pixels, Skipped):
            skipped.append(pixels)
        else:
            _cut(made, pixels, plan, recipe, cut)
    announce(index, None, made.num_pairs)
    return made.rows(plan.recipe_text) if made.num_pairs else None, tuple(skipped)


def _written(plan: Plan, index: int, folder: Path, rows: Rows | None, skipped: tuple[Skipped, ...]) -> Outcome:
    if rows is None:
        return Outcome(None, skipped)
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
    return Outcome(write_shard(folder / plan.shard_name(index), header, rows), skipped)


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
    """The arrays of a shard while it is filled, as long as the plan foresees."""

    plan: Plan
    length: int
    hr_varies: bool  # steps on the HR side may draw anew for each variant
    room: Room
    num_pairs: int = 0
    num_hr: int = 0
    traces: list[str] = field(default_factory=list)
    sources: list[SourceRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        side, small = self.plan.patch, self.plan.patch // self.plan.scale
        length_hr = self.length if self.hr_varies else self.length // self.plan.variants
        self.hr = self.room.array("hr", length_hr, side, side, 3)
        self.lr = self.room.array("lr", self.length, small, small, 3)
        self.hr_index = np.empty(self.length, np.int64)
        self.source_index = np.empty(length_hr, np.int32)
        self.origin = np.empty((length_hr, 2), np.int32)

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
