"""Opening what `inspect` and `replay` take for a set: a folder of shards, finished or not, or one shard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from degrade.errors import UsageError
from degrade.shards.layout import SUFFIX, ShardHeader, SourceRow
from degrade.shards.reader import ShardSet, open_shards
from degrade.shards.shard import Pixels, Shard


@dataclass(frozen=True)
class OneShard:
    """A single shard, asked as a set of shards is."""

    shard: Shard

    def __len__(self) -> int:
        return len(self.shard)

    def trace(self, index: int) -> dict[str, Any]:
        return self.shard.trace(index)

    def header(self, index: int) -> ShardHeader:
        return self.shard.header

    def origin(self, index: int) -> tuple[int, int]:
        return self.shard.origin(index)

    def source_row(self, index: int) -> SourceRow:
        return self.shard.source(index)

    def sources(self) -> list[SourceRow]:
        return self.shard.sources

    def recipe_text(self, index: int) -> str:
        return self.shard.recipe_text

    def read(self, index: int) -> tuple[Pixels, Pixels]:
        extents, dtype = self.shard.contents.extents, self.shard.dtype
        lr, hr = (np.empty(extents[name].shape[1:], dtype) for name in ("lr", "hr"))
        self.shard.read_lr(index, lr)
        self.shard.read_hr(index, hr)
        return lr, hr


Pairs = ShardSet | OneShard


def open_pairs(path: Path) -> Pairs:
    """The pairs in `path`; of an unfinished run those there are.

    Raises:
        UsageError: no shards there. IntegrityError: damaged or unknown.
    """
    if path.suffix == SUFFIX and not path.is_dir():
        return OneShard(Shard(path))
    return open_shards(path, allow_partial=True)


def checked_index(pairs: Pairs, index: int, path: Path) -> int:
    """`index`, from the end if negative, as a pair number.

    Raises:
        UsageError: there is no such pair.
    """
    if not -len(pairs) <= index < len(pairs):
        raise UsageError(path, f"pair {index} of {len(pairs)}", f"give 0 to {len(pairs) - 1}")
    return index % len(pairs)
