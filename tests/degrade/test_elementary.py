"""Our own elementary functions against the C library's, in double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

from degrade import elementary
from degrade.jit import jit


@pytest.mark.parametrize("x", [*np.linspace(-690, 690, 301), 0.0, -1e-12])
def test_exp_is_within_four_ulp(x: float) -> None:
    assert elementary.exp(float(x)) == pytest.approx(math.exp(x), rel=9e-16)


def test_exp_underflows_to_zero() -> None:
    assert elementary.exp(-1e6) == 0.0


@pytest.mark.parametrize("x", [*np.exp(np.linspace(-40, 40, 301)), 1.0, 1 + 1e-9])
def test_log_is_accurate(x: float) -> None:
    assert elementary.log(float(x)) == pytest.approx(math.log(x), rel=1e-14, abs=1e-16)


@pytest.mark.parametrize("x", np.linspace(-2, 2, 401))
def test_sin_and_cos_of_pi_x(x: float) -> None:
    assert elementary.sin_pi(float(x)) == pytest.approx(math.sin(math.pi * x), abs=1e-15)
    assert elementary.cos_pi(float(x)) == pytest.approx(math.cos(math.pi * x), abs=1e-15)


def test_sin_pi_is_exactly_zero_at_whole_numbers() -> None:
    assert [elementary.sin_pi(float(n)) for n in range(-5, 6)] == [0.0] * 11


@pytest.mark.parametrize("y", [-2.5, 0.5, 1.0, 4.0])
def test_power_is_accurate_and_has_its_limits(y: float) -> None:
    for x in np.exp(np.linspace(-20, 20, 41)):
        assert elementary.power(float(x), y) == pytest.approx(float(x) ** y, rel=4e-14)
    assert elementary.power(0.0, abs(y)) == 0.0
    assert elementary.power(0.0, 0.0) == 1.0
    assert elementary.power(1e200, 8.0) == math.inf


@pytest.mark.parametrize("x", [*np.linspace(-1, 1, 201), 0.9999999, 1e-9])
def test_asin_is_accurate(x: float) -> None:
    assert elementary.asin(float(x)) == pytest.approx(math.asin(x), abs=1e-15)


@pytest.mark.parametrize("x", [0.0, 1e-9, *np.linspace(0.1, 3, 59), *np.linspace(3, 100, 301)])
def test_bessel_j1_equals_scipy_s(x: float) -> None:
    assert elementary.bessel_j1(float(x)) == pytest.approx(special.j1(x), abs=2e-15)


@jit
def _normals(words_a, words_b, out):
    for i in range(words_a.size):
        out[0, i], out[1, i] = elementary.unit_normal_pair(words_a[i], words_b[i])


def test_unit_normal_pairs_equal_double_precision_and_are_normal() -> None:
    words = np.random.default_rng(1).integers(0, 2**32, (2, 200_000), dtype=np.uint32)
    words[:, :4] = [[0, 2**32 - 1, 0, 2**32 - 1], [0, 0, 2**32 - 1, 2**32 - 1]]
    drawn = np.empty((2, words.shape[1]), np.float32)
    _normals(words[0], words[1], drawn)
    radius = np.sqrt(-2 * np.log(((words[0] >> 9) + 0.5) * 2.0**-23))
    np.testing.assert_allclose(np.hypot(*drawn.astype(float)), radius, atol=2e-6)
    assert np.abs(drawn).max() < 5.78
    for row in drawn:
        assert stats.kstest(row[:20_000], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(drawn)[0, 1]) < 0.01
    # the angle is uniform: all four quadrants, evenly
    angles = np.arctan2(drawn[0], drawn[1])
    assert stats.kstest(angles[:20_000], "uniform", (-np.pi, 2 * np.pi)).pvalue > 1e-3
