"""The order of an epoch: a keyed permutation, the same for any number of workers and ranks.

Shards are permuted, then the pairs inside each window of 64 shards, so that a reader has few files open and
the disk is read in large regions. Whoever resumes needs one integer: the position in the order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

WINDOW = 64  # shards


def epoch_order(sizes: Sequence[int], seed: int, epoch: int) -> NDArray[np.int64]:
    """All pair numbers of a set, each once, in the order of `epoch`; a pure function of its arguments.

    Args:
        sizes: pairs in each shard (`ShardSet.sizes`), or how many of them take part.
    """
    ends = list(accumulate(sizes))
    shards = _permutation(len(ends), f"{seed}:{epoch}:shards")
    order = [np.empty(0, np.int64)]
    for first in range(0, len(shards), WINDOW):
        window = shards[first : first + WINDOW]
        pairs = np.concatenate([np.arange(ends[k] - sizes[k], ends[k]) for k in window])
        order.append(pairs[_permutation(len(pairs), f"{seed}:{epoch}:{first}")])
    return np.concatenate(order)


def _permutation(count: int, name: str) -> NDArray[np.int64]:
    """0..count-1, sorted by the numbers of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, figure 17).

    These are all different, since every step of the mixing can be undone.
    """
    key = np.frombuffer(hashlib.blake2b(f"order:{name}".encode(), digest_size=8).digest(), "<u8")[0]
    z = key + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # wraps, as it should
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.argsort(z ^ (z >> np.uint64(31)), kind="stable")
