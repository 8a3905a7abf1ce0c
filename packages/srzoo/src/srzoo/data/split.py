"""Which pairs validate: whole sources, so that no validation patch comes from a photograph that trains."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from degrade.errors import UsageError

HELD_OUT_SHARE = 0.05


class Sources(Protocol):
    """What a split needs of a set of pairs."""

    def __len__(self) -> int: ...

    def source(self, index: int) -> str:
        """SHA-256 (hex) of the photograph of pair `index`."""
        ...


@dataclass(frozen=True)
class Split:
    """Pair numbers for training and for validation, and a sentence about them."""

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    sentence: str


def hold_out(pairs: Sources) -> Split:
    """About 5 % of the sources, at least one and never all, chosen by a hash of their content.

    The choice depends on the photographs alone, so every run over them holds out the same ones, whatever its seed.
    With a single source, its last 5 % of pairs are held out, and the sentence says so.

    Raises:
        UsageError: fewer than two pairs.
    """
    if len(pairs) < 2:
        raise UsageError("shards", f"{len(pairs)} pairs", "make more: training needs at least two, one to validate")
    rows: dict[str, list[int]] = defaultdict(list)
    for index in range(len(pairs)):
        rows[pairs.source(index)].append(index)
    if len(rows) == 1:
        count = max(1, round(HELD_OUT_SHARE * len(pairs)))
        everything = np.arange(len(pairs), dtype=np.int64)
        sentence = f"one source only: its last {count} pairs validate, so PSNR will flatter"
        return Split(everything[:-count], everything[-count:], sentence)
    ranked = sorted(rows, key=_rank)
    count = min(max(1, round(HELD_OUT_SHARE * len(ranked))), len(ranked) - 1)
    held_out = np.array(sorted(i for source in ranked[:count] for i in rows[source]), dtype=np.int64)
    train = np.array(sorted(i for source in ranked[count:] for i in rows[source]), dtype=np.int64)
    sentence = f"{len(held_out)} pairs of {count} of {len(ranked)} sources validate and never train"
    return Split(train, held_out, sentence)


def _rank(source: str) -> bytes:
    return hashlib.blake2b(f"srzoo-validation:{source}".encode(), digest_size=8).digest()
