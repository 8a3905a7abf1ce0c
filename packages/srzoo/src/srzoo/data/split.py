"""Which pairs validate: whole sources, so that no validation patch comes from a photograph that trains."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from degrade.errors import UsageError
from degrade.shards.layout import SourceRow

HELD_OUT_SHARE = 0.05


class Pairs(Protocol):
    """What a split needs of degrade's shard reader."""

    def __len__(self) -> int: ...

    def sources(self) -> Sequence[SourceRow]: ...

    def source_numbers(self) -> NDArray[np.int32]: ...

    def hr_row(self, index: int) -> int: ...


@dataclass(frozen=True)
class Split:
    """Pair numbers for training and for validation, and a sentence about them."""

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    sentence: str


def hold_out(pairs: Pairs, among: NDArray[np.int64] | None = None) -> Split:
    """About 5 % of the sources, at least one and never all, chosen by a hash of their content.

    The choice depends on the photographs alone, so every run over them holds out the same ones, whatever its seed.
    With a single source its last 5 % of patches are held out, and the sentence says so.

    Args:
        among: rising numbers of the pairs that take part; None for all.

    Raises:
        UsageError: nothing would be left to train on.
    """
    numbers = np.arange(len(pairs), dtype=np.int64) if among is None else among
    source_of, sources = pairs.source_numbers()[numbers], pairs.sources()
    ranked = sorted(np.unique(source_of).tolist(), key=lambda number: _rank(sources[number]["sha256"]))
    if len(ranked) == 1:
        return _end_of_one_source(pairs, numbers)
    count = min(max(1, round(HELD_OUT_SHARE * len(ranked))), len(ranked) - 1)
    is_held_out = np.isin(source_of, ranked[:count])
    sentence = f"{is_held_out.sum()} of them, all of {count} of the {len(ranked)} sources, validate and never train"
    return Split(numbers[~is_held_out], numbers[is_held_out], sentence)


def _end_of_one_source(pairs: Pairs, numbers: NDArray[np.int64]) -> Split:
    cut = len(numbers) - max(1, round(HELD_OUT_SHARE * len(numbers)))
    while cut > 0 and pairs.hr_row(int(numbers[cut - 1])) == pairs.hr_row(int(numbers[cut])):
        cut -= 1  # variants of one patch stay together
    if cut == 0:
        raise UsageError("shards", "a single patch", "make more: one part trains, another validates")
    sentence = f"one source only, so its last {len(numbers) - cut} validate: their PSNR flatters"
    return Split(numbers[:cut], numbers[cut:], sentence)


def _rank(source: str) -> bytes:
    return hashlib.blake2b(f"srzoo-validation:{source}".encode(), digest_size=8).digest()
