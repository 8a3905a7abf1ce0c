"""Fewer levels against textbook loops, Pillow and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from scipy import ndimage, stats

from degrade.functional import dither
from degrade.image import to_float

METHODS = {
    "none": lambda x, n: dither.quantise(x, n),
    "ordered": lambda x, n: dither.dither_ordered(x, n, (-3, 5)),
    "noise": lambda x, n: dither.dither_noise(x, n, 7, (-3, 5)),
    "floyd_steinberg": lambda x, n: dither.diffuse_error(x, n, "floyd_steinberg"),
    "atkinson": lambda x, n: dither.diffuse_error(x, n, "atkinson"),
}

# Where the parts of an error go: (down, right): part.
FILTERS = {
    "floyd_steinberg": {(0, 1): 7 / 16, (1, -1): 3 / 16, (1, 0): 5 / 16, (1, 1): 1 / 16},
    "atkinson": dict.fromkeys([(0, 1), (0, 2), (1, -1), (1, 0), (1, 1), (2, 0)], 1 / 8),
}


def noise(height: int = 23, width: int = 31, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(3).random((height, width, channels), dtype=np.float32)


@settings(max_examples=60, deadline=None)
@given(method=st.sampled_from(list(METHODS)), levels=st.integers(2, 256), channels=st.sampled_from([1, 3]))
def test_every_method_gives_levels_and_keeps_those_it_gets(method: str, levels: int, channels: int) -> None:
    image = noise(channels=channels) * np.float32(1.4) - np.float32(0.2)
    made = METHODS[method](image, levels)
    assert made.dtype == np.float32
    assert made.shape == image.shape
    allowed = np.arange(levels, dtype=np.float32) / np.float32(levels - 1)
    assert np.isin(made, allowed).all()
    np.testing.assert_array_equal(METHODS[method](made, levels), made)


@pytest.mark.parametrize("method", METHODS)
def test_256_levels_keep_every_8_bit_image(method: str) -> None:
    image = to_float(np.arange(256, dtype=np.uint8).reshape(16, 16, 1))
    np.testing.assert_array_equal(METHODS[method](image, 256), image)


def test_rounding_takes_the_nearest_level_halves_upward() -> None:
    image = np.array([0.0, 0.12, 0.125, 0.3, 0.375, 0.9], np.float32).reshape(1, 6, 1)
    assert dither.quantise(image, 5).ravel().tolist() == [0.0, 0.0, 0.25, 0.25, 0.5, 1.0]


def test_the_ordered_thresholds_are_bayers_and_start_at_the_patch() -> None:
    corner = [[0, 32, 8, 40], [48, 16, 56, 24], [12, 44, 4, 36], [60, 28, 52, 20]]  # Bayer 1973, of 64
    assert (dither._bayer(3)[:4, :4] * 64 - 0.5).tolist() == corner
    ramp = np.full((8, 8, 1), 0.5, np.float32)
    made = dither.dither_ordered(ramp, 2)[:4, :4, 0]
    np.testing.assert_array_equal(made == 1, np.array(corner) + 0.5 >= 32)
    shifted = dither.dither_ordered(ramp, 2, (-3, 2))
    np.testing.assert_array_equal(shifted, np.roll(dither.dither_ordered(ramp, 2), (3, -2), (0, 1)))


@pytest.mark.parametrize("value", [0.1, 0.37, 0.5, 0.93])
def test_a_flat_area_keeps_its_mean(value: float) -> None:
    """Ordered: to 1/128 of a step over whole matrices. Noise: binomial. Diffusion: what the borders lose."""
    flat, step = np.full((128, 128, 1), value, np.float32), 1 / 3
    assert abs(METHODS["ordered"](flat, 4).mean(dtype=float) - value) <= step / 128 + 1e-6
    assert abs(METHODS["floyd_steinberg"](flat, 4).mean(dtype=float) - value) < 0.01 * step
    up = METHODS["noise"](flat, 4) > value
    chance = (value / step) % 1
    assert stats.binomtest(int(up.sum()), up.size, chance).pvalue > 1e-3


@pytest.mark.parametrize("method", ["floyd_steinberg", "atkinson"])
@pytest.mark.parametrize("shape", [(9, 13, 3), (7, 1, 1), (1, 8, 3)])
def test_error_diffusion_equals_the_textbook_loop(method, shape) -> None:
    """Sixteenths and eighths of multiples of 1/64 stay exact for the first rows, so float32 gives the same levels."""
    image = (np.random.default_rng(1).integers(0, 257, shape) / 256).astype(np.float32)
    values, expected = image.astype(np.float64) * 4, np.empty(shape)
    for y, x, c in np.ndindex(*shape):
        expected[y, x, c] = min(max(np.floor(values[y, x, c] + 0.5), 0), 4)
        error = values[y, x, c] - expected[y, x, c]
        for (down, right), part in FILTERS[method].items():
            if y + down < shape[0] and 0 <= x + right < shape[1]:
                values[y + down, x + right, c] += part * error
    np.testing.assert_array_equal(dither.diffuse_error(image, 5, method), expected / 4)


def test_floyd_steinberg_looks_like_pillows() -> None:
    """Pillow diffuses in whole numbers and clips: other dots, the same tone, within 3 % after a blur of 4 pixels."""
    ramp = np.tile(np.linspace(0.1, 0.9, 160), (96, 1))
    pixels = np.rint(ramp * 255).astype(np.uint8)
    theirs = np.asarray(PillowImage.fromarray(pixels).convert("1")).astype(float)
    ours = dither.diffuse_error(to_float(pixels[..., None]), 2, "floyd_steinberg")[..., 0].astype(float)
    tones = [ndimage.gaussian_filter(x, 4)[16:-16, 16:-16] for x in (ours, theirs)]
    assert np.abs(tones[0] - tones[1]).max() < 0.03
    assert abs(ours.mean() - ramp.mean()) < 0.002


def test_atkinson_drives_shadows_to_black() -> None:
    """A quarter of the error is dropped: in a flat area below 1/8 no error ever adds up to one half."""
    flat = np.full((64, 64, 1), 0.12, np.float32)
    assert not dither.diffuse_error(flat, 2, "atkinson").any()
    assert dither.diffuse_error(flat, 2, "floyd_steinberg").any()


@pytest.mark.parametrize("method", ["ordered", "noise"])
def test_a_window_has_the_pattern_of_the_place_it_shows(method: str) -> None:
    make = {
        "ordered": lambda x, o: dither.dither_ordered(x, 4, o),
        "noise": lambda x, o: dither.dither_noise(x, 4, 9, o),
    }[method]
    image = noise(40, 50)
    part = make(np.ascontiguousarray(image[11:30, 5:44]), (3, -3))
    np.testing.assert_array_equal(part, make(image, (-8, -8))[11:30, 5:44])


def test_channels_of_the_noise_dither_are_independent() -> None:
    made = dither.dither_noise(np.full((96, 96, 3), 0.5, np.float32), 2, 3).reshape(-1, 3)
    assert np.abs(np.corrcoef(made.T) - np.eye(3)).max() < 0.04
