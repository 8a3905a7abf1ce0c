"""One shard, a pure function of (plan, index): making it twice is harmless and gives the same bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from degrade.image import Pixels
from degrade.recipe import Recipe
from degrade.shards.layout import Rows, ShardHeader, SourceRow
from degrade.shards.manifest import ShardRecord
from degrade.shards.writer import write_shard
from degrade.sources.folder import Skipped
from degrade.synthesize.cutter import Cutter
from degrade.synthesize.inputs import left_out
from degrade.synthesize.picture import Picture, read_or_skip, source_row
from degrade.synthesize.plan import Cut, Plan, cuts


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


def make_shard(plan: Plan, recipe: Recipe | None, index: int, folder: Path) -> Outcome:
    """Make shard `index` of `plan` in `folder`.

    Raises:
        ResourceError: the shard cannot be written.
    """
    return _written(plan, index, folder, *fill_shard(plan, recipe, index))


class Maker:
    """Makes one shard after the other, and writes each while the next one is filled."""

    def __init__(self, plan: Plan, recipe: Recipe | None, folder: Path, announce: Announce = _silent) -> None:
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
    recipe: Recipe | None,
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
    made = _Columns(plan, plan.pairs_of(index), recipe is not None and bool(recipe.hr), room or Room())
    skipped = []
    for cut in cuts(plan, index):
        source = plan.sources[cut.source].source

        def tick(number: int = cut.source) -> None:
            announce(index, number, made.num_pairs)

        tick()
        reason = (without or {}).get(cut.source)
        picture = read_or_skip(source, plan) if reason is None else left_out(source, "crash", reason)
        if isinstance(picture, Skipped):
            skipped.append(picture)
        else:
            _cut(made, picture, plan, recipe, cut, tick)
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
        zoom=plan.zoom,
    )
    return Outcome(write_shard(folder / plan.shard_name(index), header, rows), skipped)


def _cut(
    made: _Columns, picture: Picture, plan: Plan, recipe: Recipe | None, cut: Cut, tick: Callable[[], None]
) -> None:
    """All pairs of one source in one shard."""
    planned = plan.sources[cut.source]
    made.begin_source(source_row(planned.source, picture))
    patches = range(cut.first_patch, cut.first_patch + cut.num_patches)
    cutter = Cutter.of(plan, recipe)
    for pair, origin, variant in cutter.pairs(picture, int(planned.key, 16), patches, range(plan.variants), tick):
        made.add(pair.lr, pair.hr, pair.trace, origin, is_first=variant == 0)


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

    def begin_source(self, row: SourceRow) -> None:
        self.sources.append(row)

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
