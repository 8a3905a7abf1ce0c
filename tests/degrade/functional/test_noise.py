"""Noise against its closed forms; the Poisson sampler against the exact distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from degrade.functional import noise
from degrade.rng import philox

FLAT = [0.2, 0.5, 0.8]


def flat(value: float, side: int = 256) -> np.ndarray:
    return np.full((side, side, 3), value, np.float32)


@pytest.mark.parametrize("value", FLAT)
@pytest.mark.parametrize("sigma", [1 / 255, 25 / 255])
def test_gaussian_moments_and_independence(value: float, sigma: float) -> None:
    field = (noise.add_gaussian(flat(value), sigma, key=11) - value).astype(np.float64)
    assert abs(field.mean()) < 0.02 * sigma
    assert field.var() == pytest.approx(sigma**2, rel=0.02)
    assert stats.kurtosis(field.ravel()) == pytest.approx(0, abs=0.05)
    channels = np.corrcoef(field.reshape(-1, 3).T) - np.eye(3)
    neighbours = np.corrcoef(field[:, :-1].ravel(), field[:, 1:].ravel())[0, 1]
    assert np.abs(channels).max() < 0.015
    assert abs(neighbours) < 0.01


@pytest.mark.parametrize("value", FLAT)
@pytest.mark.parametrize("peak", [20.0, 50.0, 150.0])
def test_poisson_moments_on_both_sides_of_the_samplers_border(value: float, peak: float) -> None:
    field = (noise.poisson(flat(value), peak, key=5) - value).astype(np.float64)
    sigma = np.sqrt(value / peak)
    assert abs(field.mean()) < 0.02 * sigma
    assert field.var() == pytest.approx(sigma**2, rel=0.02)


@pytest.mark.parametrize("mean", [0.3, 4.0, 9.9, 10.1, 12.0, 20.0, 60.0, 150.0])
def test_poisson_counts_follow_the_exact_distribution(mean: float) -> None:
    counts = np.rint(noise.poisson(flat(mean / 200.0), 200.0, key=3) * 200).astype(int).ravel()
    observed = np.bincount(counts)
    expected = stats.poisson.pmf(np.arange(observed.size), mean) * counts.size
    common = expected > 20
    chi2 = ((observed - expected) ** 2 / np.maximum(expected, 1))[common].sum()
    assert stats.chi2.sf(chi2, common.sum() - 1) > 1e-3


def test_the_stated_error_of_the_poisson_sampler() -> None:
    """Total variation between the sampler's law and the exact one, from the normal quantiles where it steps."""
    w = np.linspace(-5.8, 5.8, 400_001).astype(np.float32)
    for mean, bound in [(10.0, 2e-4), (20.0, 1e-4), (150.0, 1e-4)]:
        counts = np.full(w.size, mean, np.float32)
        noise._many(counts, w)
        edges = np.searchsorted(counts, np.arange(1, int(counts.max()) + 1))
        steps = np.where(edges > 0, (w[edges - 1].astype(float) + w[edges]) / 2, -np.inf)
        cdf = np.concatenate([stats.norm.cdf(steps), [1.0]])
        law = np.diff(np.concatenate([[0.0], cdf]))
        assert 0.5 * np.abs(law - stats.poisson.pmf(np.arange(law.size), mean)).sum() < bound


def test_poisson_gaussian_adds_both_variances() -> None:
    field = noise.poisson_gaussian(flat(0.5), 100.0, 5 / 255, (1, 2)) - np.float32(0.5)
    assert field.astype(float).var() == pytest.approx(0.5 / 100 + (5 / 255) ** 2, rel=0.02)


def test_black_stays_black_under_photon_noise_and_negative_counts_as_black() -> None:
    assert not noise.poisson(flat(0.0, 8), 50.0, key=1).any()
    assert not noise.poisson(flat(-0.2, 8), 50.0, key=1).any()


@pytest.mark.parametrize(
    "make", [lambda x, o: noise.add_gaussian(x, 0.1, 9, o), lambda x, o: noise.poisson(x, 60.0, 9, o)]
)
def test_a_window_has_the_noise_of_the_place_it_shows(make) -> None:
    image = np.random.default_rng(0).random((70, 90, 3), dtype=np.float32)
    whole = make(image, (-8, -8))
    part = make(np.ascontiguousarray(image[13:40, 21:77]), (5, 13))
    np.testing.assert_array_equal(part, whole[13:40, 21:77])


def test_bands_of_a_large_image_join_without_a_seam() -> None:
    image = np.full((3, noise.BAND_PIXELS + 10, 1), 0.5, np.float32)
    field = noise.add_gaussian(image, 0.1, 4)
    np.testing.assert_array_equal(noise.add_gaussian(image[1:2], 0.1, 4, (1, 0)), field[1:2])
    assert len(np.unique(field)) > 0.95 * field.size


def test_the_vectorised_words_are_philox_s() -> None:
    words = np.empty((4, 6), np.uint32)
    noise._fill_words(-3, -1, 2, 1, 3, words)
    key = 2**64 - 3
    for i in range(6):
        pixel = (((-1 + i // 3) & 0xFFFF) << 16) | (i % 3 + 2)
        low, high = np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32)
        expected = philox(low, high, np.uint64(pixel), np.uint64(1), np.uint64(0), np.uint64(0))
        assert [int(w) for w in words[:, i]] == [int(w) for w in expected]


def test_another_key_is_another_field() -> None:
    assert (noise.add_gaussian(flat(0.5, 16), 0.1, 1) != noise.add_gaussian(flat(0.5, 16), 0.1, 2)).all()
