"""The measure behind --min-detail, against a plain convolution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import laplace

from degrade.synthesize.detail import detail


@pytest.mark.parametrize("side", [3, 8, 31])
def test_it_is_the_mean_absolute_laplacian_of_the_luma(side: int) -> None:
    pixels = np.random.default_rng(side).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    patch = pixels[7 : 7 + side, 11 : 11 + side].astype(np.float64)
    luma = patch @ np.array([77, 150, 29]) / 256
    expected = np.abs(laplace(luma))[1:-1, 1:-1].mean()  # inside, where no neighbour is made up
    assert detail(pixels, 7, 11, side) == pytest.approx(expected, rel=1e-12)


def test_flat_and_sloping_patches_have_none() -> None:
    flat = np.full((20, 20, 3), 200, np.uint8)
    slope = np.repeat(np.arange(20, dtype=np.uint8)[:, None, None] * 5, 20, axis=1).repeat(3, axis=2)
    assert detail(flat, 0, 0, 20) == 0
    assert detail(np.ascontiguousarray(slope), 0, 0, 20) == 0


def test_a_checkerboard_has_the_most_there_can_be() -> None:
    board = (np.indices((16, 16)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert detail(np.ascontiguousarray(np.dstack([board] * 3)), 0, 0, 16) == 4 * 255


def test_a_patch_of_two_pixels_is_no_division_by_zero() -> None:
    assert detail(np.zeros((2, 2, 3), np.uint8), 0, 0, 2) == 0
