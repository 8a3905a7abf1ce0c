"""The sRGB curve against its formula in double precision."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.functional.light import to_linear, to_srgb

GRID = np.linspace(0, 1, 1_000_003, dtype=np.float32)
LEVELS = (np.arange(256) / 255).astype(np.float32)


def linear(srgb: np.ndarray) -> np.ndarray:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def test_both_curves_keep_their_stated_error() -> None:
    exact = GRID.astype(np.float64)
    assert np.abs(to_linear(GRID) - linear(exact)).max() < 3e-7
    assert np.abs(to_srgb(GRID) - srgb(exact)).max() < 4e-7


def test_black_and_white_are_exact() -> None:
    ends = np.array([0, 1], np.float32)
    np.testing.assert_array_equal(to_linear(ends), ends)
    np.testing.assert_array_equal(to_srgb(ends), ends)


def test_all_8_bit_levels_return() -> None:
    assert np.abs(to_srgb(to_linear(LEVELS)) - LEVELS).max() < 2e-6


def test_values_outside_are_continued_so_that_the_way_back_exists() -> None:
    outside = np.linspace(-0.9, 3, 4001, dtype=np.float32)
    np.testing.assert_allclose(to_srgb(to_linear(outside)), outside, atol=4e-6)
    assert (np.diff(to_linear(outside)) > 0).all()
    np.testing.assert_array_equal(to_linear(-LEVELS), -to_linear(LEVELS))
    slope = (to_linear(np.float32([2.0])) - 1)[0]  # the tangent at white
    assert slope == pytest.approx(2.4 / 1.055, rel=1e-6)


@pytest.mark.parametrize("shape", [(1,), (5, 7, 3), (4, 4), (0, 3)])
def test_any_shape_comes_back(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 0.5, np.float32)
    for curve in (to_linear, to_srgb):
        assert curve(image).shape == shape
        assert curve(image).dtype == np.float32
