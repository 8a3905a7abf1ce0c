"""Smooth noise against the closed forms of its variance and correlation, and SciPy's filter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from degrade.functional.noise_field import unit_normals
from degrade.functional.spatial_noise import add_spatial_gaussian

ZERO = np.zeros((400, 400, 3), np.float32)


def effective_number(correlation: float, size: int) -> float:
    """How many independent values so smooth a field is worth: pixels over the sum of squared correlations."""
    return size / max(1.0, 2 * np.pi * correlation**2)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.5, 4.0])
@pytest.mark.parametrize("chroma", [0.0, 0.3, 1.0])
def test_strength_and_share_of_colour_are_as_stated(correlation: float, chroma: float) -> None:
    field = add_spatial_gaussian(ZERO, 0.1, correlation, chroma, 5).astype(np.float64).reshape(-1, 3)
    covariance = np.cov(field.T)
    error = 5 * 0.01 * np.sqrt(2 / effective_number(correlation, 400 * 400))
    expected = 0.01 * (chroma * np.eye(3) + (1 - chroma))
    assert np.abs(covariance - expected).max() < error


@pytest.mark.parametrize("correlation", [1.0, 2.5])
def test_neighbours_are_as_alike_as_the_gaussian_says(correlation: float) -> None:
    field = add_spatial_gaussian(ZERO, 1.0, correlation, 1.0, 8)[..., 0].astype(np.float64)
    for distance in (1, 2, 4):
        expected = np.exp(-(distance**2) / (4 * correlation**2))
        error = 5 * np.sqrt(1 / effective_number(correlation, field.size))
        for a, b in ((field[distance:], field[:-distance]), (field[:, distance:], field[:, :-distance])):
            assert (a * b).mean() == pytest.approx(expected, abs=error + 0.01)  # 0.01: the kernel ends at 3 sigma


def test_the_field_is_scipy_s_filter_of_the_white_one() -> None:
    """SciPy's kernel sums to 1 and ours has unit energy: one factor between them."""
    reach = 6
    white = unit_normals(3, -reach, -reach, 20 + 2 * reach, 31 + 2 * reach)[1].reshape(20 + 2 * reach, -1)
    smooth = ndimage.gaussian_filter(white.astype(np.float64), 2.0, radius=reach)[reach:-reach, reach:-reach]
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / 2.0) ** 2)
    expected = smooth * taps.sum() ** 2 / (taps**2).sum()
    ours = add_spatial_gaussian(np.zeros((20, 31, 3), np.float32), 1.0, 2.0, 1.0, 3)[..., 0]
    np.testing.assert_allclose(ours, expected, atol=5e-6)  # float32 sums of 13 and 13 terms


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("chroma", [0.0, 0.4, 1.0])
def test_a_window_has_the_noise_of_the_place_it_shows(channels: int, chroma: float) -> None:
    image = np.random.default_rng(0).random((50, 63, channels), dtype=np.float32)
    whole = add_spatial_gaussian(image, 0.1, 2.0, chroma, 9, (-8, -8))
    part = add_spatial_gaussian(np.ascontiguousarray(image[13:40, 21:57]), 0.1, 2.0, chroma, 9, (5, 13))
    np.testing.assert_array_equal(part, whole[13:40, 21:57])
