"""Crops of one place of everything, lossless and on the grid of the input."""

from __future__ import annotations

import numpy as np
import pytest

from srzoo.errors import UsageError
from srzoo.report.trials import Entry, trials_of

RNG = np.random.default_rng(0)


def picture(height: int, width: int) -> np.ndarray:
    return RNG.integers(60, 190, (height, width, 3), np.uint8)


def entry(height: int, width: int) -> Entry:
    """Two results that differ in one place, their x4 input and their truth."""
    small, one = picture(height // 4, width // 4), picture(height, width)
    other = one.copy()
    other[80:120, 160:200] += 50
    return Entry("p", {"a": one, "b": other}, small, picture(height, width))


def test_the_crop_is_where_results_differ_and_the_same_place_of_everything() -> None:
    given = entry(160, 240)
    (trial,) = trials_of(given, 50)
    y, x, height, width = trial.place
    assert (height, width) == (48, 48)  # whole pixels of the input
    assert y % 4 == 0
    assert x % 4 == 0
    assert y <= 80 < 120 <= y + 48
    assert x <= 160 < 200 <= x + 48
    for name, whole in given.made.items():
        np.testing.assert_array_equal(trial.made[name], whole[y : y + 48, x : x + 48])
    assert given.input is not None
    assert given.truth is not None
    np.testing.assert_array_equal(trial.context["Input"], given.input[y // 4 : y // 4 + 12, x // 4 : x // 4 + 12])
    np.testing.assert_array_equal(trial.context["Truth"], given.truth[y : y + 48, x : x + 48])


def test_several_crops_lie_apart() -> None:
    places = [trial.place for trial in trials_of(entry(160, 240), 48, 3)]
    assert len(places) == 3
    for number, (y, x, _, _) in enumerate(places):
        assert all(max(abs(y - v), abs(x - u)) >= 48 for v, u, _, _ in places[:number])


@pytest.mark.parametrize("side", [0, 240, 1000])
def test_a_small_photograph_is_shown_whole(side: int) -> None:
    (trial,) = trials_of(entry(160, 240), side)
    assert trial.place == (0, 0, 160, 240)
    assert trial.context["Input"].shape == (40, 60, 3)


def test_the_truth_of_a_crop_to_a_multiple_may_be_a_little_larger() -> None:
    one = picture(40, 60)
    (trial,) = trials_of(Entry("p", {"a": one, "b": one}, picture(10, 15), picture(43, 61)), 0)
    assert trial.whole == (40, 60)
    assert trial.context["Truth"].shape == (40, 60, 3)


def test_one_result_is_compared_with_the_truth() -> None:
    given = entry(160, 240)
    (trial,) = trials_of(Entry("p", {"b": given.made["b"]}, None, given.made["a"]), 48)
    assert trial.place[0] <= 80 < trial.place[0] + 48
    assert list(trial.context) == ["Truth"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Entry("p", {"a": picture(8, 8)}), "p: only one picture of it - "),
        (Entry("p", {"a": picture(8, 8), "b": picture(8, 40)}), "p: b is 40 x 8, another only 8 x 8 - "),
        (
            Entry("p", {"a": picture(8, 8), "b": picture(8, 8)}, picture(4, 7)),
            "p: a's is 8 x 8, which is no whole multiple of the input's 7 x 4 - ",
        ),
    ],
)
def test_pictures_that_do_not_fit_are_refused(given: Entry, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        trials_of(given, 0)
    assert str(caught.value).startswith(message)
