"""Bicubic interpolation where a network could be: degrade's resampling, whatever the depth."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.codecs import Photo
from degrade.functional.resample import imresize, imresize_uint8
from srzoo.upscale.alpha import enlarge_alpha
from srzoo.upscale.bicubic import BicubicUpscaler

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("scale", "size"), [(None, (36, 28)), (4, (36, 28)), (2.5, (23, 18)), (0.5, (5, 4))])
@pytest.mark.parametrize("channels", [1, 3])
def test_8_bits_are_matlabs(scale: float | None, size: tuple[int, int], channels: int) -> None:
    pixels = RNG.integers(0, 256, (9, 7, channels), np.uint8)
    made = BicubicUpscaler().image(pixels, scale=scale)
    np.testing.assert_array_equal(made, imresize_uint8(pixels, *size))


def test_16_bits_are_rounded_once() -> None:
    pixels = RNG.integers(0, 65536, (9, 7, 3), np.uint16)
    made = BicubicUpscaler(2).image(pixels)
    exact = imresize(pixels, 18, 14)
    assert made.dtype == np.uint16
    assert exact.min() < 0  # so that clipping is seen, too
    np.testing.assert_allclose(made, exact.clip(0, 65535), atol=0.51)  # 0.01 for float32


def test_a_photo_keeps_what_it_carries() -> None:
    alpha = RNG.integers(1, 256, (9, 7), np.uint8)
    pixels = RNG.integers(0, 256, (9, 7, 3), np.uint8)
    photo = Photo(pixels, alpha, dpi=(300.0, 300.0))
    seen: list[tuple[int, int]] = []
    made = BicubicUpscaler().photo(photo, scale=3, on_tile=lambda done, of: seen.append((done, of)))
    np.testing.assert_array_equal(made.pixels, imresize_uint8(pixels, 27, 21))
    np.testing.assert_array_equal(made.alpha, enlarge_alpha(alpha, 27, 21))
    assert made.dpi == photo.dpi
    assert seen == [(1, 1)]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="expected a number above 0"):
        BicubicUpscaler().image(np.zeros((4, 4, 3), np.uint8), scale=scale)
