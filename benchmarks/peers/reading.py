"""What every adapter that reads pairs is given and returns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from peers.generic import Absent

Side = NDArray[np.integer]  # (H, W, 3) of one pair

__all__ = ["Absent", "Side", "one_at_a_time"]


def one_at_a_time(read: Callable[[int], object], order: Sequence[int]) -> Callable[[], int]:
    """A call that reads the next pair of `order`, round and round."""
    turn = itertools.cycle(order)
    return lambda: (read(next(turn)), 1)[1]
