"""Figures of pictures against closed forms and other libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio

from degrade.functional.statistics import LARGEST_PSNR, histogram, levels, luma, noise_level, psnr, sharpness


def white(sigma: float, height: int = 257, width: int = 190, channels: int = 3, seed: int = 0) -> np.ndarray:
    return 128 + sigma * np.random.default_rng(seed).standard_normal((height, width, channels))


@pytest.mark.parametrize("sigma", [1.0, 5.0, 25.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_white_noise_is_read_to_3_percent(sigma, channels) -> None:
    """12,000 responses a channel: the median of them scatters by 1 %."""
    assert noise_level(white(sigma, channels=channels)) == pytest.approx(sigma, rel=0.03)


def test_the_choice_of_flat_pixels_does_not_bias_the_noise() -> None:
    """Gradient and response are independent at a pixel: the mean over many patches stays within 1 %."""
    found = [noise_level(white(10, 64, 64, 1, seed)) for seed in range(60)]
    assert np.mean(found) == pytest.approx(10, rel=0.012)


def test_ramps_and_edges_are_no_noise() -> None:
    y, x = np.mgrid[:99, :101]
    scene = (0.7 * x + 0.2 * y + 60 * (x > 50) + 40 * (y > 30))[..., None]
    assert noise_level(scene) < 1e-4
    noisy = scene + white(4, 99, 101, 1) - 128
    assert noise_level(noisy) == pytest.approx(4, rel=0.06)


def test_clean_photographs_read_less_than_the_noise_added_to_them(sr_data) -> None:
    from degrade import codecs

    files = sorted((sr_data / "hr_train").iterdir())[::20]
    photos = [levels(codecs.rgb8(codecs.read(path)))[:200, :200] for path in files]
    clean, noisy = ([noise_level(p + s * (white(1, 200, 200) - 128)) for p in photos] for s in (0, 10))
    assert np.median(clean) < 2.5
    assert np.median(noisy) == pytest.approx(10, rel=0.1)


def test_sharpness_of_a_ramp_is_its_slope() -> None:
    y, x = np.mgrid[:31, :47]
    assert sharpness(3.0 * x + 4.0 * y) == pytest.approx(5.0)
    assert sharpness(np.full((5, 7), 9.0)) == 0


def test_psnr_matches_scikit_image_and_is_finite_for_equal_pictures() -> None:
    one, other = white(20, 33, 21), white(20, 33, 21, seed=1)
    assert psnr(one, other) == pytest.approx(peak_signal_noise_ratio(other, one, data_range=255))
    assert psnr(one, one) == LARGEST_PSNR


def test_levels_of_8_and_16_bits_agree() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert np.array_equal(levels(pixels), levels(pixels.astype(np.uint16) * 257))
    assert levels(pixels).dtype == np.float32


def test_luma_weighs_as_bt601_and_leaves_grey_alone() -> None:
    colour = np.array([[[100.0, 50.0, 10.0]]])
    assert luma(colour)[0, 0] == pytest.approx(0.299 * 100 + 0.587 * 50 + 0.114 * 10)
    assert luma(np.array([[[7.0]]]))[0, 0] == 7


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.integers(1, 30))
def test_a_histogram_counts_every_value_once(values, bins) -> None:
    edges, counts = histogram(np.array(values), bins)
    assert sum(counts) == len(values)
    assert len(edges) == len(counts) + 1
    assert (edges[0], edges[-1]) == (min(values), max(values))


def test_a_histogram_of_equal_values_has_one_bin() -> None:
    assert histogram(np.full(7, math.pi)) == ([math.pi, math.pi], [7])
