"""Noise of independent pixels against closed forms and scikit-image.

Bounds on moments are five standard errors: of a mean sigma / sqrt(n), of a variance sigma**2 sqrt((kurtosis - 1) / n).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from skimage.util import random_noise

from degrade.functional import noise
from degrade.functional.noise_field import BAND_PIXELS

FLAT = [0.2, 0.5, 0.8]
MIXING = ((0.9, 0.0, 0.0), (0.4, 0.6, 0.0), (0.3, -0.2, 0.7))


def flat(value: float, side: int = 256) -> np.ndarray:
    return np.full((side, side, 3), value, np.float32)


def scene(height: int = 70, width: int = 90, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, channels), dtype=np.float32)


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


@pytest.mark.parametrize("mixing", [noise.GRAY, noise.COLOUR, MIXING])
def test_mixed_noise_has_the_covariance_of_its_mixing(mixing: noise.Mixing) -> None:
    field = (noise.add_mixed_gaussian(flat(0.5, 512), 0.1, mixing, key=2) - 0.5).astype(np.float64).reshape(-1, 3)
    covariance = 0.01 * np.array(mixing) @ np.array(mixing).T
    error = 5 * np.sqrt((np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2) / len(field))
    assert (np.abs(np.cov(field.T) - covariance) < error).all()


def test_unmixed_noise_is_the_plain_one_and_gray_noise_is_equal_in_all_channels() -> None:
    image = scene()
    np.testing.assert_array_equal(
        noise.add_mixed_gaussian(image, 0.1, noise.COLOUR, 7), noise.add_gaussian(image, 0.1, 7)
    )
    field = noise.add_mixed_gaussian(np.zeros_like(image), 0.1, noise.GRAY, 7)
    np.testing.assert_array_equal(field[..., 1:], field[..., :1].repeat(2, 2))
    assert field.any()


def test_speckle_is_the_image_times_gaussian_noise() -> None:
    image, sigma = scene(256, 256), 0.1
    ours = noise.speckle(image, sigma, noise.COLOUR, 5).astype(np.float64) - image
    factor = noise.add_gaussian(np.zeros_like(image), sigma, 5)
    np.testing.assert_allclose(ours, image * factor, atol=1e-7)
    theirs = random_noise(image, "speckle", rng=0, clip=False, var=sigma**2) - image
    error = 5 * ours.var() * np.sqrt((stats.kurtosis(ours.ravel()) + 2) / ours.size)
    assert abs(ours.var() - theirs.var()) < 2 * error


@pytest.mark.parametrize("gray", [False, True])
def test_uniform_noise_is_uniform(gray: bool) -> None:
    field = (noise.add_uniform(flat(0.5), 0.1, 3, gray=gray) - np.float32(0.5)).astype(np.float64)
    assert np.abs(field).max() <= 0.1 + 1e-7
    assert stats.kstest(field[..., 0].ravel(), "uniform", (-0.1, 0.2)).pvalue > 1e-3
    assert (field == field[..., :1]).all() == gray


@pytest.mark.parametrize(("amount", "salt"), [(0.05, 0.5), (0.3, 0.9), (0.0, 0.5), (1.0, 1.0)])
def test_salt_and_pepper_shares_are_scikit_image_s(amount: float, salt: float) -> None:
    image = flat(0.5)
    ours = noise.salt_and_pepper(image, amount, salt, 3)
    theirs = random_noise(image, "s&p", rng=0, amount=amount, salt_vs_pepper=salt)
    for value, chance in ((1.0, amount * salt), (0.0, amount * (1 - salt)), (0.5, 1 - amount)):
        error = 5 * np.sqrt(chance * (1 - chance) / image.size)
        assert abs((ours == value).mean() - chance) <= error
        assert abs((ours == value).mean() - (theirs == value).mean()) <= 2 * error


def test_gray_salt_and_pepper_replaces_whole_pixels() -> None:
    field = noise.salt_and_pepper(scene(), 0.5, 0.5, 3, gray=True)
    replaced = (field == 0) | (field == 1)
    assert (replaced.all(2) == replaced.any(2)).all()
    assert 0.4 < replaced.mean() < 0.6


def test_poisson_gaussian_adds_both_variances() -> None:
    field = noise.poisson_gaussian(flat(0.5), 100.0, 5 / 255, (1, 2)) - np.float32(0.5)
    assert field.astype(float).var() == pytest.approx(0.5 / 100 + (5 / 255) ** 2, rel=0.02)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "make",
    [
        lambda x, o: noise.add_gaussian(x, 0.1, 9, o),
        lambda x, o: noise.add_mixed_gaussian(x, 0.1, MIXING, 9, o),
        lambda x, o: noise.speckle(x, 0.1, noise.GRAY, 9, o),
        lambda x, o: noise.add_uniform(x, 0.1, 9, o),
        lambda x, o: noise.salt_and_pepper(x, 0.1, 0.5, 9, o),
    ],
    ids=["gaussian", "mixed", "speckle", "uniform", "salt and pepper"],
)
def test_a_window_has_the_noise_of_the_place_it_shows(make, channels: int) -> None:
    image = scene(channels=channels)
    whole = make(image, (-8, -8))
    part = make(np.ascontiguousarray(image[13:40, 21:77]), (5, 13))
    np.testing.assert_array_equal(part, whole[13:40, 21:77])


def test_a_gray_image_gets_the_noise_of_the_first_channel() -> None:
    colour = scene(31, 17)
    gray = np.ascontiguousarray(colour[..., :1])
    for mixing in (MIXING, noise.GRAY):
        expected = noise.add_mixed_gaussian(colour, 0.1, mixing, 3)[..., :1]
        np.testing.assert_array_equal(noise.add_mixed_gaussian(gray, 0.1, mixing, 3), expected)


def test_bands_of_a_large_image_join_without_a_seam() -> None:
    image = np.full((3, BAND_PIXELS + 10, 1), 0.5, np.float32)
    field = noise.add_gaussian(image, 0.1, 4)
    np.testing.assert_array_equal(noise.add_gaussian(image[1:2], 0.1, 4, (1, 0)), field[1:2])
    assert len(np.unique(field)) > 0.95 * field.size


def test_another_key_is_another_field() -> None:
    assert (noise.add_gaussian(flat(0.5, 16), 0.1, 1) != noise.add_gaussian(flat(0.5, 16), 0.1, 2)).all()
