"""The order of an epoch: everything once, windows of shards, the same for ever."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from degrade.shards.order import WINDOW, epoch_order


@given(st.lists(st.integers(0, 9), max_size=200), st.integers(0, 1 << 63), st.integers(0, 1000))
def test_every_pair_comes_once(sizes: list[int], seed: int, epoch: int) -> None:
    order = epoch_order(sizes, seed, epoch)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(sum(sizes)))


def test_seed_and_epoch_decide() -> None:
    sizes = [50] * 5
    first = epoch_order(sizes, 1, 0)
    np.testing.assert_array_equal(first, epoch_order(sizes, 1, 0))
    for seed, epoch in ((1, 1), (2, 0), (0, 1)):
        agree = np.count_nonzero(first == epoch_order(sizes, seed, epoch))
        assert agree < 8  # one on average: a permutation has one fixed point


def splitmix(state: int) -> int:
    """The n-th number for state = key + n * gamma, in integers of any size."""
    mask = (1 << 64) - 1
    z = state & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def test_the_reference_gives_the_published_numbers() -> None:
    numbers = [splitmix(1234567 + n * 0x9E3779B97F4A7C15) for n in (1, 2, 3)]
    assert numbers == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_the_order_is_pinned() -> None:
    """A change here breaks the resuming of every run: state it in the changelog."""
    assert epoch_order([4, 3, 5], 7, 2).tolist() == [3, 7, 5, 6, 8, 0, 10, 1, 2, 9, 4, 11]


def test_the_order_equals_a_slow_reference() -> None:
    def permuted(items: list[int], name: str) -> list[int]:
        key = int.from_bytes(hashlib.blake2b(f"order:{name}".encode(), digest_size=8).digest(), "little")
        return [
            item for _, item in sorted((splitmix(key + (n + 1) * 0x9E3779B97F4A7C15), i) for n, i in enumerate(items))
        ]

    sizes = [7, 0, 20, 1] * 20
    pairs = [list(range(sum(sizes[:k]), sum(sizes[: k + 1]))) for k in range(len(sizes))]
    shards = permuted(list(range(80)), "9:4:shards")
    windows = [[pair for k in shards[first : first + 64] for pair in pairs[k]] for first in (0, 64)]
    expected = permuted(windows[0], "9:4:0") + permuted(windows[1], "9:4:64")
    assert epoch_order(sizes, 9, 4).tolist() == expected


def test_pairs_stay_inside_a_window_of_shards() -> None:
    sizes = [3] * (2 * WINDOW + 10)
    shards = epoch_order(sizes, 3, 0) // 3
    windows = [set(shards[i : i + 3 * WINDOW]) for i in range(0, len(shards), 3 * WINDOW)]
    assert [len(window) for window in windows] == [WINDOW, WINDOW, 10]
    assert max(windows[0]) > WINDOW  # the shards themselves are permuted
    assert not np.array_equal(shards[: 3 * WINDOW : 3], shards[1 : 3 * WINDOW : 3])  # and mixed inside


@pytest.mark.parametrize("sizes", [[1000], [10] * 50])
def test_every_place_is_equally_likely(sizes: list[int]) -> None:
    """Mean place of pair 0 over 400 epochs: within 4 standard errors of the middle."""
    count = sum(sizes)
    places = [int(np.flatnonzero(epoch_order(sizes, 0, epoch) == 0)[0]) for epoch in range(400)]
    standard_error = count / np.sqrt(12 * 400)
    assert abs(np.mean(places) - (count - 1) / 2) < 4 * standard_error


def test_neighbours_in_the_set_are_not_neighbours_in_the_order() -> None:
    order = epoch_order([1000], 5, 0)
    steps = np.abs(np.diff(order))
    assert np.count_nonzero(steps == 1) < 12  # 2 on average
