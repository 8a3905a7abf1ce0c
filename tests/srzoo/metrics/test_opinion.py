"""Statistics of ratings, against SciPy and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from srzoo.metrics.opinion import kendalls_w, mean_interval, mean_spearman, midranks, preferences

RNG = np.random.default_rng(0)


def tied_ranks(raters: int, methods: int) -> np.ndarray:
    return midranks(RNG.integers(0, 4, (raters, methods)).astype(float))


def test_midranks_are_scipys_of_falling_scores() -> None:
    scores = RNG.integers(0, 6, (40, 7)).astype(float)
    np.testing.assert_array_equal(midranks(scores), stats.rankdata(-scores, axis=1))
    np.testing.assert_array_equal(midranks(np.array([2.0, 5.0, 2.0])), [2.5, 1.0, 2.5])


@pytest.mark.parametrize("confidence", [0.95, 0.5])
def test_the_interval_is_scipys_students_t(confidence: float) -> None:
    values = RNG.integers(0, 6, 23).astype(float)
    mean, half = mean_interval(values, confidence)
    low, high = stats.t.interval(confidence, 22, values.mean(), stats.sem(values))
    np.testing.assert_allclose((mean - half, mean + half), (low, high), rtol=1e-12)


def test_too_few_values_have_no_interval() -> None:
    assert mean_interval(np.array([3.0]))[0] == 3
    assert math.isnan(mean_interval(np.array([3.0]))[1])
    assert all(math.isnan(value) for value in mean_interval(np.empty(0)))
    assert mean_interval(np.array([4.0, 4.0])) == (4, 0)


def test_preferences_count_by_hand() -> None:
    ranks = np.array([[1, 2, 3], [2, 1, 3], [1.5, 1.5, 3]])
    np.testing.assert_array_equal(preferences(ranks), [[0, 1, 3], [1, 0, 3], [0, 0, 0]])


@pytest.mark.parametrize(("raters", "methods"), [(3, 4), (8, 5), (20, 9)])
def test_kendalls_w_is_friedmans_statistic_scaled_with_ties(raters: int, methods: int) -> None:
    ranks = tied_ranks(raters, methods)
    friedman = stats.friedmanchisquare(*ranks.T).statistic
    assert math.isclose(kendalls_w(ranks), friedman / (raters * (methods - 1)), rel_tol=1e-9)


def test_kendalls_w_of_full_agreement_opposition_and_nothing() -> None:
    row = np.arange(1.0, 6.0)
    assert kendalls_w(np.stack([row] * 4)) == 1
    assert kendalls_w(np.stack([row, row[::-1]])) == 0
    assert math.isnan(kendalls_w(row[None]))
    assert math.isnan(kendalls_w(np.full((3, 2), 1.5)))


def test_the_mean_spearman_is_scipys_over_pairs() -> None:
    ranks = tied_ranks(5, 6)
    correlations = np.asarray(stats.spearmanr(ranks, axis=1))[0]  # (5, 5)
    expected = correlations[np.triu_indices(5, 1)].mean()
    assert math.isclose(mean_spearman(ranks), expected, rel_tol=1e-9)


def test_without_ties_both_measures_tell_the_same() -> None:
    ranks = np.stack([RNG.permutation(np.arange(1.0, 7.0)) for _ in range(7)])
    assert math.isclose(mean_spearman(ranks), (7 * kendalls_w(ranks) - 1) / 6, rel_tol=1e-9)


def test_a_rater_who_finds_all_alike_is_left_out_of_spearman() -> None:
    row = np.array([1.0, 2.0, 3.0])
    assert math.isclose(mean_spearman(np.stack([row, row, np.full(3, 2.0)])), 1)
    assert math.isnan(mean_spearman(np.stack([row, np.full(3, 2.0)])))
