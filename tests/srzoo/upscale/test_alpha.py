"""Colours under transparency, and the enlargement of alpha."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from srzoo.upscale.alpha import bleed, enlarge_alpha


def test_hidden_colours_become_their_neighbours() -> None:
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:, :16] = (200, 100, 50)
    alpha = np.zeros((32, 32), np.uint8)
    alpha[:, :16] = 255
    assert (bleed(pixels, alpha) == (200, 100, 50)).all()


def test_visible_pixels_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 65536, (17, 9, 3), np.uint16)
    alpha = rng.integers(0, 3, (17, 9), np.uint16)
    filled = bleed(pixels, alpha)
    assert filled.dtype == np.uint16
    np.testing.assert_array_equal(filled[alpha > 0], pixels[alpha > 0])


def test_a_hidden_pixel_takes_the_side_it_is_on() -> None:
    pixels = np.full((8, 64, 1), 77, np.uint8)
    pixels[:, 0], pixels[:, -1] = 10, 250
    alpha = np.zeros((8, 64), np.uint8)
    alpha[:, [0, -1]] = 255
    filled = bleed(pixels, alpha)
    assert (filled[:, 1:32] == 10).all()
    assert (filled[:, 32:63] == 250).all()


@pytest.mark.parametrize("value", [0, 255])
def test_all_hidden_or_all_visible_changes_nothing(value: int) -> None:
    pixels = np.arange(75, dtype=np.uint8).reshape(5, 5, 3)
    np.testing.assert_array_equal(bleed(pixels, np.full((5, 5), value, np.uint8)), pixels)


def test_opaque_stays_exactly_opaque() -> None:
    for dtype in (np.uint8, np.uint16):
        white = np.iinfo(dtype).max
        alpha = np.full((7, 5), white, dtype)
        assert (enlarge_alpha(alpha, 28, 20) == white).all()


def test_alpha_is_pillows_bicubic() -> None:
    alpha = np.random.default_rng(1).integers(0, 256, (24, 31), np.uint8)
    exact = Image.fromarray(alpha.astype(np.float32)).resize((124, 96), Image.Resampling.BICUBIC)
    expected = np.clip(np.asarray(exact), 0, 255).round()
    made = enlarge_alpha(alpha, 96, 124)
    inner = np.s_[8:-8, 8:-8]  # Pillow cuts the filter at the edge, we mirror
    assert np.abs(made - expected)[inner].max() <= 1
