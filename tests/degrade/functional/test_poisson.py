"""Photon noise against the exact distribution and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from skimage.util import random_noise

from degrade.functional import poisson

FLAT = [0.2, 0.5, 0.8]


def flat(value: float, side: int = 256) -> np.ndarray:
    return np.full((side, side, 3), value, np.float32)


@pytest.mark.parametrize("value", FLAT)
@pytest.mark.parametrize("peak", [20.0, 50.0, 150.0])
def test_moments_on_both_sides_of_the_samplers_border(value: float, peak: float) -> None:
    field = (poisson.poisson(flat(value), peak, key=5) - value).astype(np.float64)
    sigma = np.sqrt(value / peak)
    assert abs(field.mean()) < 0.02 * sigma
    assert field.var() == pytest.approx(sigma**2, rel=0.02)


@pytest.mark.parametrize("mean", [0.3, 4.0, 9.9, 10.1, 12.0, 20.0, 60.0, 150.0])
def test_counts_follow_the_exact_distribution(mean: float) -> None:
    counts = np.rint(poisson.poisson(flat(mean / 200.0), 200.0, key=3) * 200).astype(int).ravel()
    observed = np.bincount(counts)
    expected = stats.poisson.pmf(np.arange(observed.size), mean) * counts.size
    common = expected > 20
    chi2 = ((observed - expected) ** 2 / np.maximum(expected, 1))[common].sum()
    assert stats.chi2.sf(chi2, common.sum() - 1) > 1e-3


def test_the_stated_error_of_the_sampler() -> None:
    """Total variation between the sampler's law and the exact one, from the normal quantiles where it steps."""
    w = np.linspace(-5.8, 5.8, 400_001).astype(np.float32)
    for mean, bound in [(10.0, 2e-4), (20.0, 1e-4), (150.0, 1e-4)]:
        counts = np.full(w.size, mean, np.float32)
        poisson._many(counts, w)
        edges = np.searchsorted(counts, np.arange(1, int(counts.max()) + 1))
        steps = np.where(edges > 0, (w[edges - 1].astype(float) + w[edges]) / 2, -np.inf)
        cdf = np.concatenate([stats.norm.cdf(steps), [1.0]])
        law = np.diff(np.concatenate([[0.0], cdf]))
        assert 0.5 * np.abs(law - stats.poisson.pmf(np.arange(law.size), mean)).sum() < bound


def test_small_counts_are_the_quantiles_of_their_marks() -> None:
    """Inversion in step against SciPy's quantile function, away from the steps by more than float64's rounding."""
    rng = np.random.default_rng(0)
    means, marks = rng.uniform(0, 10, 250), rng.uniform(1e-6, 1 - 1e-6, 250)
    counts = np.empty(250, np.int64)
    poisson._few(means, marks, np.empty(250), np.empty(250), counts)
    np.testing.assert_array_equal(counts, stats.poisson.ppf(marks, means))


def test_black_stays_black_and_negative_values_count_as_black() -> None:
    assert not poisson.poisson(flat(0.0, 8), 50.0, key=1).any()
    assert not poisson.poisson(flat(-0.2, 8), 50.0, key=1).any()


def test_gray_noise_is_the_luma_s_and_equal_in_all_channels() -> None:
    image = np.empty((256, 256, 3), np.float32)
    image[:] = 0.8, 0.3, 0.1
    field = (poisson.gray_poisson(image, 100.0, 4) - image).astype(np.float64)
    np.testing.assert_allclose(field, field[..., :1].repeat(3, 2), atol=1e-6)  # rounding of three sums
    luma = 0.299 * 0.8 + 0.587 * 0.3 + 0.114 * 0.1
    error = 5 * np.sqrt(2 / 256**2)  # five standard errors of a variance, kurtosis 3.03
    assert field[..., 0].var() == pytest.approx(luma / 100, rel=error)


def test_a_gray_image_has_its_own_luma() -> None:
    image = np.random.default_rng(0).random((33, 21, 1), dtype=np.float32)
    np.testing.assert_allclose(poisson.gray_poisson(image, 80.0, 4), poisson.poisson(image, 80.0, 4), atol=1e-6)


@pytest.mark.parametrize(("distinct", "power"), [(1, 1), (2, 2), (3, 4), (128, 128), (129, 256), (256, 256)])
def test_the_peak_is_the_next_power_of_two(distinct: int, power: int) -> None:
    assert poisson.distinct_power(np.arange(distinct, dtype=np.uint8).repeat(5)) == power


def test_scaled_noise_has_the_moments_of_scikit_image() -> None:
    levels = np.random.default_rng(1).integers(20, 120, (256, 256, 3)) / 255  # 100 distinct values: peak 128
    ours = poisson.scaled_poisson(levels.astype(np.float32), 1.0, 7) - levels
    theirs = random_noise(levels, "poisson", rng=0, clip=False) - levels
    error = 5 * np.sqrt((stats.kurtosis(theirs.ravel()) + 2) / theirs.size)
    assert ours.var() == pytest.approx(theirs.var(), rel=2 * error)
    assert ours.var() == pytest.approx(levels.mean() / 128, rel=error + 0.01)
    assert abs(ours.mean()) < 5 * ours.std() / np.sqrt(ours.size)


def test_scaled_noise_is_whole_counts_of_the_rounded_image_times_the_scale() -> None:
    image = np.random.default_rng(1).uniform(-0.1, 1.1, (40, 31, 3)).astype(np.float32)
    rounded = np.clip(np.floor(image.astype(np.float64) * 255 + 0.5), 0, 255) / 255
    peak = 2 ** np.ceil(np.log2(len(np.unique(rounded))))
    counts = ((poisson.scaled_poisson(image, 0.5, 3) - image.astype(np.float64)) / 0.5 + rounded) * peak
    np.testing.assert_allclose(counts, np.rint(counts), atol=2e-4)  # float32 times a peak of 256
    assert counts.min() > -1e-3


def test_scaled_noise_of_the_luma_is_equal_in_all_channels() -> None:
    image = np.random.default_rng(1).random((40, 31, 3), dtype=np.float32)
    field = poisson.scaled_poisson(image, 2.0, 3, gray=True) - image
    np.testing.assert_allclose(field, field[..., :1].repeat(3, 2), atol=1e-6)
    assert field.any()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("brightness", [1.0, 0.05])
def test_a_window_has_the_noise_of_the_place_it_shows(channels: int, brightness: float) -> None:
    image = np.random.default_rng(0).random((70, 90, channels), dtype=np.float32) * np.float32(brightness)
    for make in (poisson.poisson, poisson.gray_poisson):
        whole = make(image, 60.0, 9, (-8, -8))
        part = make(np.ascontiguousarray(image[13:40, 21:77]), 60.0, 9, (5, 13))
        np.testing.assert_array_equal(part, whole[13:40, 21:77])
