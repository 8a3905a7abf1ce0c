"""What is asked of a set of pairs here: a shard and many shards alike have it. And how work is spread over cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from degrade.shards.layout import ShardHeader, SourceRow

Result = TypeVar("Result")


class Pairs(Protocol):
    """A sequence of LR-HR pairs with their traces; see `degrade.shards.reader.ShardSet`."""

    def __len__(self) -> int: ...
    def read(self, index: int) -> tuple[NDArray[Any], NDArray[Any]]: ...
    def trace(self, index: int) -> dict[str, Any]: ...
    def header(self, index: int) -> ShardHeader: ...
    def origin(self, index: int) -> tuple[int, int]: ...
    def source_row(self, index: int) -> SourceRow: ...


def evenly(total: int, most: int) -> list[int]:
    """At most `most` of 0..total-1, evenly spread, first and last among them (the first alone if `most` is 1)."""
    if total <= most:
        return list(range(total))
    return [i * (total - 1) // (most - 1) if most > 1 else 0 for i in range(most)]


def in_order(
    work: Callable[[int], Result], indices: Iterable[int], *, advance: Callable[[], None] = lambda: None
) -> Iterator[Result]:
    """`work` of each index on all cores, in order; few results wait at a time, so memory stays flat."""
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for index in indices:
                waiting.append(pool.submit(work, index))
                if len(waiting) > 4 * cores:
                    yield waiting.popleft().result()
                    advance()
            while waiting:
                yield waiting.popleft().result()
                advance()
        finally:
            for future in waiting:
                future.cancel()
