"""Noise planted in flat areas is found again; shading, texture and brightness are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from srzoo.metrics.flat_noise import flat_noise

Y, X = np.mgrid[:128, :160].astype(float)


def plane(values: NDArray) -> NDArray[np.float64]:
    return np.asarray(values, float)[..., None]


def noise(sigma: float, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, sigma, Y.shape)


FLAT = np.full(Y.shape, 90.0)
SHADED = 60 + 0.5 * Y + 0.3 * X
TEXTURED = 90 + 20 * np.sin(X) * np.cos(Y)


@pytest.mark.parametrize("sigma", [0.5, 3.0, 12.0])
@pytest.mark.parametrize("truth", [FLAT, SHADED])
def test_planted_gaussian_noise_is_recovered(sigma: float, truth: NDArray) -> None:
    found = flat_noise(plane(truth + noise(sigma)), plane(truth))
    assert found == pytest.approx(sigma, rel=0.02)  # 80 blocks of 256: 0.5 % is one deviation of the mean


def test_shading_and_brightness_are_no_noise() -> None:
    assert flat_noise(plane(SHADED), plane(FLAT)) == pytest.approx(0, abs=1e-9)
    assert flat_noise(plane(FLAT + 40), plane(SHADED)) == pytest.approx(0, abs=1e-9)


def test_blocks_with_texture_in_the_truth_do_not_count() -> None:
    half = np.where(X < 80, FLAT, TEXTURED)
    sr = half + np.where(X < 80, noise(2), noise(30))
    alone = flat_noise(plane((FLAT + noise(2))[:, :80]), plane(FLAT[:, :80]))
    assert flat_noise(plane(sr), plane(half)) == pytest.approx(alone, rel=1e-12)


def test_texture_that_a_method_paints_on_flat_truth_counts() -> None:
    assert flat_noise(plane(TEXTURED), plane(FLAT)) == pytest.approx(10, rel=0.05)  # 20 / 2 of a product of sines


def test_the_threshold_is_on_the_truths_deviation_about_its_plane() -> None:
    sr = plane(FLAT + noise(5, seed=1))
    assert flat_noise(sr, plane(SHADED + noise(1.6))) == pytest.approx(5, rel=0.02)
    assert math.isnan(flat_noise(sr, plane(SHADED + noise(2.5))))
    assert flat_noise(sr, plane(SHADED + noise(2.5)), flattest=3) == pytest.approx(5, rel=0.02)


def test_each_block_is_a_least_squares_fit() -> None:
    sr, hr = plane((FLAT + noise(4))[:40, :35]), plane(FLAT[:40, :35])  # rests of 8 rows and 3 columns are left out
    columns = np.stack([np.ones(256), *np.mgrid[:16, :16].reshape(2, 256)], 1)
    deviations = []
    for y in (0, 16):
        for x in (0, 16):
            values = sr[y : y + 16, x : x + 16].ravel()
            rest = values - columns @ np.linalg.lstsq(columns, values, rcond=None)[0]
            deviations.append(math.sqrt(rest @ rest / (256 - 3)))
    assert flat_noise(sr, hr) == pytest.approx(np.mean(deviations), rel=1e-12)


def test_where_nothing_is_flat_or_whole_there_is_no_figure() -> None:
    assert math.isnan(flat_noise(plane(FLAT), plane(TEXTURED)))
    assert math.isnan(flat_noise(plane(FLAT[:15]), plane(FLAT[:15])))


def test_planes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two of \(H, W, 1\) alike"):
        flat_noise(plane(FLAT), plane(FLAT[:16]))
    with pytest.raises(ValueError, match=r"two of \(H, W, 1\) alike"):
        flat_noise(FLAT, FLAT)
