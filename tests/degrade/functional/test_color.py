"""Colour against closed forms, Pillow and scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageEnhance
from skimage import color as skimage_color

from degrade.functional.color import balance_white, curve_tones, luma, saturate


def noise(height: int = 13, width: int = 21, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(5).random((height, width, channels), dtype=np.float32)


def linear(srgb: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1 in float64."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def test_luma_is_that_of_scikit_image() -> None:
    """Its rgb2ycbcr has studio range: 16 + 219 Y."""
    image = noise()
    np.testing.assert_allclose(luma(image)[..., 0], (skimage_color.rgb2ycbcr(image)[..., 0] - 16) / 219, atol=2e-6)
    np.testing.assert_array_equal(luma(image[..., :1]), image[..., :1])


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 1.7])
def test_saturation_equals_pillows_enhancer(factor: float) -> None:
    """Pillow rounds its gray and its result to 8 bits: within 1.5 levels, where it does not clip."""
    pixels = (64 + 128 * noise()).astype(np.uint8)
    theirs = np.asarray(ImageEnhance.Color(PillowImage.fromarray(pixels)).enhance(factor)).astype(float)
    ours = saturate(pixels.astype(np.float32) / np.float32(255), factor).astype(float) * 255
    inside = (ours > 1) & (ours < 254)
    assert inside.mean() > 0.9
    assert np.abs(ours - theirs)[inside].max() < 1.5


def test_saturation_keeps_luma_and_gray() -> None:
    image = noise()
    np.testing.assert_allclose(luma(saturate(image, 1.9)), luma(image), atol=3e-7)
    np.testing.assert_array_equal(saturate(image[..., :1], 0.3), image[..., :1])


def test_gains_multiply_light() -> None:
    """The curve's tables are exact to 4e-7; near black its slope of 12.92 multiplies that."""
    image = noise()
    made = balance_white(image, 0.7, 0.9)
    np.testing.assert_allclose(linear(made[..., 0].astype(float)), 0.7 * linear(image[..., 0].astype(float)), atol=2e-6)
    np.testing.assert_allclose(linear(made[..., 2].astype(float)), 0.9 * linear(image[..., 2].astype(float)), atol=2e-6)
    np.testing.assert_array_equal(made[..., 1], image[..., 1])
    np.testing.assert_array_equal(balance_white(image[..., :1], 2.0, 0.5), image[..., :1])


def test_a_gain_and_its_inverse_cancel_even_beyond_white() -> None:
    image = noise()
    np.testing.assert_allclose(balance_white(balance_white(image, 3.0, 0.4), 1 / 3.0, 1 / 0.4), image, atol=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 0.8, 1.0, 2.0])
@pytest.mark.parametrize("contrast", [0.5, 1.0, 1.4, 2.0])
def test_the_tone_curve_equals_its_formula(gamma: float, contrast: float) -> None:
    x = np.linspace(1 / 255, 1, 4001)
    v = x**gamma
    expected = v**contrast / (v**contrast + (1 - v) ** contrast)
    made = curve_tones(x.astype(np.float32).reshape(-1, 1, 1), gamma, contrast)
    np.testing.assert_allclose(made.ravel(), expected, atol=2e-5)


@settings(max_examples=50, deadline=None)
@given(gamma=st.floats(0.25, 4), contrast=st.floats(0.25, 4))
def test_tone_curves_keep_their_ends_the_order_and_what_lies_outside(gamma: float, contrast: float) -> None:
    x = np.linspace(-0.5, 1.5, 2001).astype(np.float32)
    made = curve_tones(x.reshape(-1, 1, 1), gamma, contrast).ravel()
    assert (np.diff(made) >= 0).all()
    np.testing.assert_array_equal(made[x <= 0], x[x <= 0])
    np.testing.assert_array_equal(made[x >= 1], x[x >= 1])
    ends = curve_tones(np.array([0, 1], np.float32).reshape(2, 1, 1), gamma, contrast).ravel()
    assert ends.tolist() == [0, 1]


def test_a_gray_picture_stays_gray_and_follows_the_same_curve() -> None:
    gray = noise(channels=1)
    made = curve_tones(np.repeat(gray, 3, axis=2), 1.3, 1.2)
    np.testing.assert_array_equal(made, np.repeat(curve_tones(gray, 1.3, 1.2), 3, axis=2))
