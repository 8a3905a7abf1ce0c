"""Which pair is sample n of a run: a pure function of (seed, epoch, position), for one set or a weighted mixture.

Within an epoch every set has its exact share of the samples, at places permuted by a key; its own samples go through
its pairs epoch by epoch (`degrade.shards.order`). So any sample can be asked for, and resuming needs no state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from degrade.shards.order import epoch_order
from srzoo.data.augment import stream_key


@dataclass(frozen=True, eq=False)
class Group:
    """Pairs that are drawn from alike.

    Attributes:
        train: (n,) numbers of its pairs that train, among those of `sizes`.
        sizes: pairs in each of its shards, in order.
        first: what is added to these numbers.
        weight: its share of the samples, against the other groups' weights.
    """

    train: NDArray[np.int64]
    sizes: Sequence[int]
    first: int = 0
    weight: float = 1.0


class SampleOrder:
    """The pairs of a run, by number of the sample (0 is the first).

    Args:
        groups: one, or several that are mixed by weight; each has at least one pair.

    An epoch has as many samples as there are pairs (more where a small weight would get none of them).
    """

    def __init__(self, groups: Sequence[Group], *, seed: int) -> None:
        self._groups, self._seed = tuple(groups), seed
        self._places_seed = stream_key(seed, -1)  # other than the seeds of the groups' own orders
        weights = np.array([group.weight for group in groups], np.float64)
        length = max(sum(len(group.train) for group in groups), math.ceil(weights.sum() / weights.min()))
        self._counts = _shares(weights, length)
        self.length = length
        self._places = lru_cache(maxsize=2)(self._make_places)
        self._orders = lru_cache(maxsize=2 * len(self._groups))(self._make_order)

    def pair(self, sample: int) -> int:
        """The number of the pair of `sample`."""
        if len(self._groups) == 1:
            number, sample_of_group = 0, sample
        else:
            epoch, position = divmod(sample, self.length)
            numbers, ranks = self._places(epoch)
            number = int(numbers[position])
            sample_of_group = epoch * int(self._counts[number]) + int(ranks[position])
        group = self._groups[number]
        epoch, position = divmod(sample_of_group, len(group.train))
        return group.first + int(self._orders(number, epoch)[position])

    def _make_places(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each position of an epoch: which group, and how many of its samples came before in this epoch."""
        numbers = np.repeat(np.arange(len(self._counts)), self._counts)
        numbers = numbers[epoch_order([self.length], self._places_seed, epoch)]
        ranks = np.empty(self.length, np.int64)
        for number, count in enumerate(self._counts):
            ranks[numbers == number] = np.arange(count)
        return numbers, ranks

    def _make_order(self, number: int, epoch: int) -> NDArray[np.int64]:
        group = self._groups[number]
        order = epoch_order(group.sizes, self._seed + number, epoch)
        takes_part = np.zeros(sum(group.sizes), dtype=bool)
        takes_part[group.train] = True
        return order[takes_part[order]]


def _shares(weights: NDArray[np.float64], length: int) -> NDArray[np.int64]:
    """Whole numbers in proportion to `weights` that add up to `length`: largest remainders, at least 1 each."""
    exact = weights / weights.sum() * length
    counts = np.maximum(np.floor(exact).astype(np.int64), 1)
    for k in np.argsort(counts - exact, kind="stable")[: max(0, length - int(counts.sum()))]:
        counts[k] += 1
    while counts.sum() > length:
        counts[np.argmax(counts - exact)] -= 1
    return counts
