"""Several sets of shards as one sequence of pairs, each set with its own weight and patch size."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade.shards.layout import SourceRow
from degrade.shards.reader import ShardSet, StoredPair
from srzoo.data.batch import Pixels
from srzoo.errors import UsageError


@dataclass(frozen=True)
class SetChoice:
    """A folder of shards and its share of the samples; without a weight its pairs count like all others."""

    folder: Path
    weight: float | None = None

    def __str__(self) -> str:
        return str(self.folder) if self.weight is None else f"{self.folder}:{self.weight:g}"


def read_choice(text: str | Path) -> SetChoice:
    """`shards/`, or `shards/:3` for weight 3.

    Raises:
        UsageError: a weight that is not positive.
    """
    folder, colon, weight = str(text).rpartition(":")
    if not colon or not folder or Path(text).exists():
        return SetChoice(Path(text))
    try:
        number = float(weight)
    except ValueError:
        return SetChoice(Path(text))
    if not 0 < number < math.inf:
        raise UsageError(f"--shards {text}", f"a weight of {weight}", "give a number above 0")
    return SetChoice(Path(folder), number)


class JoinedPairs:
    """The pairs of `sets`, one set after the other; scale and pixel type are those of the first.

    `zoom` is the optical zoom of the pairs, 1 where sets differ in it.

    `lr_size` and `hr_size` are the smallest patch of all: what every pair can be cropped to.
    """

    def __init__(self, sets: Sequence[ShardSet]) -> None:
        self.sets = tuple(sets)
        self._ends = list(accumulate(len(one) for one in sets))
        self.scale, self.dtype = sets[0].scale, sets[0].dtype
        self.zoom = sets[0].zoom if len({one.zoom for one in sets}) == 1 else 1
        self.lr_size = _smallest([one.lr_size for one in sets])
        self.hr_size = _smallest([one.hr_size for one in sets])
        self._by_source: tuple[list[SourceRow], NDArray[np.int32]] | None = None

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> StoredPair:
        """The stored pair, with its `id`."""
        one, row = self._locate(index)
        return one[row]

    @property
    def firsts(self) -> list[int]:
        """The number of the first pair of each set."""
        return [0, *self._ends[:-1]]

    @property
    def digest(self) -> str:
        """SHA-256 that changes with any byte of any set; of a single set, its own."""
        digests = [one.digest for one in self.sets]
        return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()

    def read(self, index: int) -> tuple[Pixels, Pixels]:
        """lr (h, w, C) and hr (H, W, C) of a pair, in the patch size of its set."""
        one, row = self._locate(index)
        return one.read(row)

    def read_many(self, indices: Sequence[int] | NDArray[np.integer]) -> tuple[Pixels, Pixels]:
        """lr (B, h, w, C) and hr (B, H, W, C) of several pairs, their upper left corners of the smallest patch size."""
        (rows, columns), scale = self.lr_size, self.scale
        read = [self.read(int(index)) for index in indices]
        lr = np.stack([lr[:rows, :columns] for lr, _ in read])
        hr = np.stack([hr[: rows * scale, : columns * scale] for _, hr in read])
        return lr, hr

    def sources(self) -> list[SourceRow]:
        """The photos that pairs were cut from, each once, whichever sets it is in."""
        return self._sources()[0]

    def source_numbers(self) -> NDArray[np.int32]:
        """(N,) row of `sources()` of each pair."""
        return self._sources()[1]

    def hr_row(self, index: int) -> int:
        """Row of the HR patch inside its shard; the variants of a patch share it."""
        one, row = self._locate(index)
        return one.hr_row(row)

    def traces(self, numbers: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
        """What was drawn for each pair of `numbers`, in their order."""
        for number in numbers:
            one, row = self._locate(int(number))
            yield one.trace(row)

    def _locate(self, index: int) -> tuple[ShardSet, int]:
        k = bisect_right(self._ends, index)
        return self.sets[k], index - (self._ends[k] - len(self.sets[k]))

    def _sources(self) -> tuple[list[SourceRow], NDArray[np.int32]]:
        if self._by_source is None:
            rows: dict[str, SourceRow] = {}
            numbers = []
            for one in self.sets:
                own = one.sources()
                for row in own:
                    rows.setdefault(row["sha256"], row)
                places = {digest: place for place, digest in enumerate(rows)}
                renumbered = np.array([places[row["sha256"]] for row in own], np.int32)
                numbers.append(renumbered[one.source_numbers()])
            self._by_source = list(rows.values()), np.concatenate(numbers)
        return self._by_source


def _smallest(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return min(height for height, _ in sizes), min(width for _, width in sizes)
