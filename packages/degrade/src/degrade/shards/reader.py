"""Many shards as one sequence of pairs.

    pairs = open_shards("shards/")
    lr, hr = pairs.read(17)
    pairs[17].trace

Files are opened when first needed, at most 256 at a time. Reads state their position (`preadv`), so threads
and forked processes may share a set; a spawned process opens its own.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from operator import index as as_index
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade.errors import IntegrityError, UsageError
from degrade.shards.folder import Part, planned, read_folder
from degrade.shards.gate import check
from degrade.shards.layout import CHANNELS, ShardHeader, SourceRow
from degrade.shards.manifest import REMAKE, Manifest
from degrade.shards.shard import Pixels, Shard

MAX_OPEN_FILES = 256

__all__ = ["MAX_OPEN_FILES", "Shard", "ShardSet", "StoredPair", "open_shards"]


@dataclass(frozen=True, eq=False)
class StoredPair:
    """A pair as read. `id` is `shard:row`, `source` the SHA-256 of the photo."""

    lr: Pixels
    hr: Pixels
    source: str
    id: str
    shard: Shard = field(repr=False)
    row: int = field(repr=False)

    @cached_property
    def trace(self) -> dict[str, Any]:
        """What was drawn for it; read when first asked for."""
        return self.shard.trace(self.row)


@dataclass(frozen=True)
class _Kind:
    """What the pairs of a set have in common."""

    scale: int
    zoom: int
    colour: str
    hr_size: tuple[int, int]

    def __str__(self) -> str:
        zoom = f" zoom {self.zoom}" if self.zoom > 1 else ""
        return f"x{self.scale}{zoom} {self.colour} {self.hr_size[0]}x{self.hr_size[1]}"


def open_shards(paths: Path | str | Sequence[Path | str], *, allow_partial: bool = False) -> ShardSet:
    """The pairs of one or more folders, one after the other.

    Args:
        allow_partial: take what is there of a run that has not finished.

    Raises:
        UsageError: no shards there, or pairs that cannot be mixed.
        IntegrityError: unfinished, damaged or unknown, in one line that names the file.
    """
    folders = [Path(path) for path in ([paths] if isinstance(paths, Path | str) else paths)]
    if not folders:
        raise UsageError("shards", "no folder given", "give at least one")
    return ShardSet(folders, [read_folder(folder, allow_partial) for folder in folders])


class ShardSet:
    """A sequence of pairs; made by `open_shards`. Every row read is checked against its CRC."""

    def __init__(self, folders: list[Path], contents: list[tuple[Manifest | None, list[Part]]]) -> None:
        self.folders = tuple(folders)
        self.manifests = tuple(manifest for manifest, _ in contents)
        self._parts = [part for _, parts in contents for part in parts]
        self._ends = list(accumulate(part.num_pairs for part in self._parts))
        self._opened: OrderedDict[int, Shard] = OrderedDict()
        self._order = threading.Lock()  # held while `_opened` changes
        self._kind = _kind_of(folders, contents)
        first = Shard(self._parts[0].path, self._parts[0].record)
        self._dtype = first.dtype
        self._check_member(first)
        self._opened[0] = first

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_opened", "_order")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._opened, self._order = OrderedDict(), threading.Lock()

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> StoredPair:
        shard, row = self._locate(index)
        lr, hr = self.read(index)
        return StoredPair(lr, hr, shard.source(row)["sha256"], f"{shard.name}:{row}", shard, row)

    def read(self, index: int) -> tuple[Pixels, Pixels]:
        """lr (h, w, C) and hr (H, W, C) of a pair, in arrays of their own."""
        shard, row = self._locate(index)
        channels = CHANNELS[self._kind.colour]
        lr = np.empty((*self.lr_size, channels), self._dtype)
        hr = np.empty((*self.hr_size, channels), self._dtype)
        shard.read_lr(row, lr)
        shard.read_hr(row, hr)
        return lr, hr

    def read_many(self, indices: Sequence[int] | NDArray[np.integer]) -> tuple[Pixels, Pixels]:
        """lr (B, h, w, C) and hr (B, H, W, C) of several pairs, in the order of `indices`."""
        channels = CHANNELS[self._kind.colour]
        lr = np.empty((len(indices), *self.lr_size, channels), self._dtype)
        hr = np.empty((len(indices), *self.hr_size, channels), self._dtype)
        for place, index in enumerate(indices):
            shard, row = self._locate(index)
            shard.read_lr(row, lr[place])
            shard.read_hr(row, hr[place])
        return lr, hr

    @property
    def scale(self) -> int:
        return self._kind.scale

    @property
    def zoom(self) -> int:
        return self._kind.zoom

    @property
    def colour(self) -> str:
        return self._kind.colour

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or uint16."""
        return self._dtype

    @property
    def hr_size(self) -> tuple[int, int]:
        """Height and width of the HR patches."""
        return self._kind.hr_size

    @property
    def lr_size(self) -> tuple[int, int]:
        height, width = self._kind.hr_size
        return height // self.scale, width // self.scale

    @property
    def sizes(self) -> tuple[int, ...]:
        """Pairs in each shard, in order: what `epoch_order` takes."""
        return tuple(part.num_pairs for part in self._parts)

    @property
    def num_planned(self) -> int | None:
        """Pairs planned in all folders; None where a plan cannot be read."""
        counts = [planned(folder, manifest) for folder, manifest in zip(self.folders, self.manifests, strict=True)]
        return None if None in counts else sum(count for count in counts if count is not None)

    @cached_property
    def digest(self) -> str:
        """SHA-256 that changes with any byte of the set."""
        lines = [manifest.digest for manifest in self.manifests if manifest is not None]
        lines += [self._shard(k).index_sha256 for k, part in enumerate(self._parts) if part.record is None]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @cached_property
    def libraries(self) -> tuple[str, ...]:
        """Versions of the codecs that the pairs were made with; one entry unless runs were mixed."""
        stated = {manifest.libraries for manifest in self.manifests if manifest is not None}
        stated |= {self._shard(k).header.libraries for k, part in enumerate(self._parts) if part.record is None}
        return tuple(sorted(stated))

    def header(self, index: int) -> ShardHeader:
        """The header of the shard that pair `index` is in."""
        return self._locate(index)[0].header

    def trace(self, index: int) -> dict[str, Any]:
        """What was drawn for a pair."""
        shard, row = self._locate(index)
        return shard.trace(row)

    def recipe_text(self, index: int) -> str:
        """The full recipe of a pair, overrides applied, as TOML."""
        return self._locate(index)[0].recipe_text

    def origin(self, index: int) -> tuple[int, int]:
        """y, x of the HR patch in its source, after EXIF orientation."""
        shard, row = self._locate(index)
        return shard.origin(row)

    def hr_row(self, index: int) -> int:
        """Row of the HR patch inside its shard; the variants of a patch share it."""
        shard, row = self._locate(index)
        return shard.hr_row(row)

    def source(self, index: int) -> str:
        """SHA-256 of the photo (or of the description of the scene) that a pair was cut from."""
        return self.source_row(index)["sha256"]

    def source_row(self, index: int) -> SourceRow:
        """Where that photo was, and its size."""
        shard, row = self._locate(index)
        return shard.source(row)

    def sources(self) -> list[SourceRow]:
        """The photos that pairs were cut from, each once, in the order in which they first occur."""
        return self._by_source[0]

    def source_numbers(self) -> NDArray[np.int32]:
        """(N,) row of `sources()` of each pair; no pixels are read."""
        return self._by_source[1]

    @cached_property
    def _by_source(self) -> tuple[list[SourceRow], NDArray[np.int32]]:
        known: dict[str, int] = {}
        rows: list[SourceRow] = []
        numbers = []
        for k in range(len(self._parts)):
            shard = self._shard(k)
            used = shard.source_index()
            renumbered = np.full(len(shard.sources), -1, np.int32)
            for number in np.unique(used):
                row = shard.sources[number]
                if row["sha256"] not in known:
                    known[row["sha256"]] = len(rows)
                    rows.append(row)
                renumbered[number] = known[row["sha256"]]
            numbers.append(renumbered[used])
        return rows, np.concatenate(numbers)

    def _locate(self, index: int) -> tuple[Shard, int]:
        index = as_index(index)
        if index < 0:
            index += len(self)
        k = bisect_right(self._ends, index)
        if index < 0 or k == len(self._ends):
            raise IndexError(f"pair {index} of {len(self)}")
        return self._shard(k), index - (self._ends[k] - self._parts[k].num_pairs)

    def _shard(self, k: int) -> Shard:
        shard = self._opened.get(k)
        if shard is None:
            part = self._parts[k]
            shard = Shard(part.path, part.record)
            self._check_member(shard)
            dropped = []  # closed when no one reads from them any more, and not while the lock is held
            with self._order:
                shard = self._opened.setdefault(k, shard)
                while len(self._opened) > MAX_OPEN_FILES:
                    dropped.append(self._opened.popitem(last=False))
        elif len(self._opened) >= MAX_OPEN_FILES:
            with self._order:
                if k in self._opened:  # else another thread has just dropped it
                    self._opened.move_to_end(k)
        return shard

    def _check_member(self, shard: Shard) -> None:
        kind = _kind(shard.header)
        if kind != self._kind:
            raise IntegrityError(shard.path, f"pairs of {kind} in a set of {self._kind}", REMAKE)
        if shard.dtype != self._dtype:
            raise UsageError(shard.path, f"pixels of {shard.dtype} in a set of {self._dtype}", "open them apart")


def _kind(header: ShardHeader | Manifest) -> _Kind:
    return _Kind(header.scale, header.zoom, header.colour, header.hr_size)


def _kind_of(folders: list[Path], contents: list[tuple[Manifest | None, list[Part]]]) -> _Kind:
    kinds = [_kind(manifest or check(parts[0].path).header) for manifest, parts in contents]
    for folder, kind in zip(folders, kinds, strict=True):
        if kind != kinds[0]:
            raise UsageError(folder, f"pairs of {kind}, but {folders[0]} has {kinds[0]}", "open them apart")
    return kinds[0]
