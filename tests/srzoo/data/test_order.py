from collections import Counter

import numpy as np
import pytest

from degrade.shards.order import epoch_order
from srzoo.data.order import Group, SampleOrder

SMALL = Group(np.array([1, 3, 4]), (2, 4), first=100, weight=1.0)
LARGE = Group(np.arange(20), (9, 11), first=0, weight=3.0)


def test_a_single_group_takes_its_pairs_in_the_order_of_degrades_epochs() -> None:
    order = SampleOrder([Group(np.array([0, 2, 3, 5, 7, 8, 9, 11]), (5, 7))], seed=3)
    for epoch in range(3):
        expected = [n for n in epoch_order((5, 7), 3, epoch) if n in (0, 2, 3, 5, 7, 8, 9, 11)]
        assert [order.pair(8 * epoch + k) for k in range(8)] == expected


def test_every_epoch_of_a_mixture_has_the_exact_shares() -> None:
    order = SampleOrder([LARGE, SMALL], seed=0)
    assert order.length == 23
    for epoch in range(5):
        pairs = [order.pair(23 * epoch + k) for k in range(23)]
        assert sum(pair >= 100 for pair in pairs) == round(23 / 4)


def test_within_its_share_a_group_goes_through_all_its_pairs_before_it_repeats_one() -> None:
    order = SampleOrder([LARGE, SMALL], seed=7)
    pairs = [order.pair(sample) for sample in range(23 * 20)]
    small = [pair - 100 for pair in pairs if pair >= 100]
    large = [pair for pair in pairs if pair < 100]
    assert all(sorted(small[k : k + 3]) == [1, 3, 4] for k in range(0, len(small) - 2, 3))
    assert all(sorted(large[k : k + 20]) == list(range(20)) for k in range(0, len(large) - 19, 20))
    counts = Counter(small)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_any_sample_can_be_asked_for_in_any_order() -> None:
    whole = [SampleOrder([LARGE, SMALL], seed=7).pair(sample) for sample in range(200)]
    order = SampleOrder([LARGE, SMALL], seed=7)
    assert [order.pair(sample) for sample in reversed(range(200))] == whole[::-1]
    assert [SampleOrder([LARGE, SMALL], seed=8).pair(sample) for sample in range(200)] != whole


def test_epochs_differ_in_which_places_a_group_has() -> None:
    order = SampleOrder([LARGE, SMALL], seed=0)
    places = [tuple(order.pair(23 * epoch + k) >= 100 for k in range(23)) for epoch in range(4)]
    assert len(set(places)) == 4


def test_a_mixtures_places_are_spread_evenly_over_positions() -> None:
    groups = [Group(np.arange(50), (50,), first=0, weight=1.0), Group(np.arange(50), (50,), first=50, weight=1.0)]
    order = SampleOrder(groups, seed=1)
    hits = np.array([[order.pair(100 * epoch + k) >= 50 for k in range(100)] for epoch in range(200)])
    assert (hits.sum(1) == 50).all()
    assert abs(hits.mean(0) - 0.5).max() < 0.16  # 4.5 standard deviations of 200 fair coins


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (0.001, 1.0, 1.0), (5.0, 1e-2, 0.3), (1e-4, 2.0, 1.0)])
def test_small_weights_are_not_rounded_away(weights: tuple[float, ...]) -> None:
    groups = [Group(np.arange(4), (4,), first=4 * k, weight=weight) for k, weight in enumerate(weights)]
    order = SampleOrder(groups, seed=0)
    counts = np.bincount([order.pair(k) // 4 for k in range(order.length)], minlength=3)
    assert counts.sum() == order.length
    np.testing.assert_allclose(counts, np.array(weights) / sum(weights) * order.length, atol=1.001)
    assert counts.min() >= 1
