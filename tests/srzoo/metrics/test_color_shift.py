"""The colour shift of pictures whose shift is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from degrade.functional.resample import imresize
from srzoo.metrics.color_shift import color_shift


def lr(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 190, (12, 17, 3), dtype=np.uint8)


def enlarged(pixels: np.ndarray, scale: int = 4) -> np.ndarray:
    return np.round(imresize(pixels, scale * pixels.shape[0], scale * pixels.shape[1])).clip(0, 255).astype(np.uint8)


def test_a_constant_error_of_a_channel_is_found_and_bicubic_has_none() -> None:
    sr = enlarged(lr())
    assert color_shift(sr, lr()).mean == pytest.approx((0, 0, 0), abs=0.05)  # rounding
    shifted = color_shift(sr + np.array([3, 0, 7], np.uint8) - np.array([0, 5, 0], np.uint8), lr())
    assert shifted.mean == pytest.approx((3, -5, 7), abs=0.05)
    assert shifted.spread == pytest.approx((3, 5, 7), abs=0.05)


def test_shifts_that_cancel_show_in_the_spread_and_fine_detail_in_neither() -> None:
    flat = np.full((40, 40, 3), 128, np.uint8)
    halves = np.full((80, 80, 3), 128, np.uint8)
    halves[:40], halves[40:] = 120, 136
    found = color_shift(halves, flat)
    assert found.mean == pytest.approx((0, 0, 0), abs=1e-9)
    assert 6 < min(found.spread) < 8
    checkers = 128 + 40 * (np.indices((80, 80)).sum(0) % 2 * 2 - 1)[..., None].repeat(3, 2)
    assert max(color_shift(checkers.astype(np.uint8), flat).spread) < 0.02  # of 40


def test_the_blur_is_a_gaussian_of_four_lr_pixels_with_mirrored_edges() -> None:
    sr = np.random.default_rng(1).integers(0, 256, (36, 51, 3), dtype=np.uint8)
    difference = sr - imresize(lr(), 36, 51)
    blurred = gaussian_filter(difference, (12, 12, 0), truncate=3, mode="reflect")
    assert color_shift(sr, lr()).spread == pytest.approx(np.abs(blurred).mean((0, 1)), rel=1e-6)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"whole multiple of LR, got shapes \(25, 34, 3\) and \(12, 17, 3\)"):
        color_shift(np.zeros((25, 34, 3), np.uint8), lr())
