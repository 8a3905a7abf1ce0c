"""The sensor: what went in comes out without noise, and the noise is the formula's in the raw domain."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from degrade.functional.camera_matrix import CAMERAS, camera_from_srgb
from degrade.functional.sensor import Camera, developed, exposed, inverse_tone_curve, photograph, raw_of, tone_curve

PHONE = Camera(2.1, 1.7, 0.0, camera_from_srgb([1, 1, 1, 1]), "GRBG", 14, "malvar")


def flat(colour: tuple[float, ...], height: int = 9, width: int = 12) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(np.float32(colour), (height, width, len(colour))))


def test_the_tone_curve_is_smoothstep_and_its_inverse_the_closed_form() -> None:
    y = np.linspace(0, 1, 100_001, dtype=np.float32).reshape(1, -1, 1)
    exact = 0.5 - np.sin(np.arcsin(1 - 2 * y.astype(np.float64)) / 3)
    assert np.abs(inverse_tone_curve(y) - exact).max() < 3e-7
    np.testing.assert_allclose(tone_curve(inverse_tone_curve(y)), y, atol=1e-6)
    outside = np.float32([-0.5, 1.5]).reshape(1, 2, 1)
    np.testing.assert_array_equal(tone_curve(outside)[0, :, 0], [0, 1])
    np.testing.assert_array_equal(inverse_tone_curve(outside)[0, :, 0], [0, 1])


@pytest.mark.parametrize("weights", [*np.eye(len(CAMERAS)).tolist(), [1, 1, 1, 1]])
@pytest.mark.parametrize("demosaic", ["bilinear", "malvar"])
def test_without_noise_a_flat_colour_returns(weights: list[float], demosaic: str) -> None:
    """To half a grey level: 14 bits, an eighth of a level where the curve is steepest, and the tables."""
    camera = Camera(2.4, 1.9, -0.5, camera_from_srgb(weights), "BGGR", 14, demosaic)
    for colour in [(0.5, 0.5, 0.5), (0.2, 0.6, 0.8), (0.7, 0.3, 0.25), (0.03, 0.02, 0.04), (0.0, 0.0, 0.0)]:
        image = flat(colour)
        np.testing.assert_allclose(photograph(image, camera, 0.0, 0.0, 1), image, atol=0.5 / 255)


@pytest.mark.parametrize("value", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_without_noise_gray_returns_and_white_fills_the_sensor(value: float) -> None:
    np.testing.assert_allclose(photograph(flat((value,)), PHONE, 0.0, 0.0, 1), value, atol=0.5 / 255)
    np.testing.assert_array_equal(raw_of(flat((1.0, 1.0, 1.0)), PHONE), 1.0)


def test_a_flat_colour_gives_the_raw_values_of_the_formulas() -> None:
    colour = np.array([0.2, 0.6, 0.7])
    unrolled = 0.5 - np.sin(np.arcsin(1 - 2 * colour) / 3)
    light = ((unrolled + 0.055) / 1.055) ** 2.4
    expected = np.array(PHONE.to_camera) @ light / [2.1, 1.0, 1.7]
    raw = raw_of(flat(tuple(colour)), PHONE)
    got = [raw[0, 1], raw[0, 0], raw[1, 0]]  # GRBG
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("signal", [0.0, 0.1, 0.6])
@pytest.mark.parametrize(("shot", "read"), [(0.012, 1e-4), (1e-3, 1e-6)])
def test_the_raw_noise_has_the_variance_of_the_formula(signal: float, shot: float, read: float) -> None:
    """Within five standard errors, where nothing clips; rounding to 14 bits adds a twelfth of a squared step."""
    raw = exposed(np.full((400, 300), signal, np.float32), shot, read, 14, key=3).astype(np.float64) - signal
    step = (16 / 15) / 2**14
    variance = shot * signal + read + step**2 / 12
    assert abs(raw.mean()) < 5 * np.sqrt(variance / raw.size)
    assert raw.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / raw.size))
    assert abs(np.corrcoef(raw[:, 1:].ravel(), raw[:, :-1].ravel())[0, 1]) < 5 / np.sqrt(raw.size)


def test_noise_well_inside_the_range_is_normal() -> None:
    raw = exposed(np.full((200, 200), 0.5, np.float32), 1e-3, 1e-5, 16, key=3)
    sigma = np.sqrt(0.5e-3 + 1e-5)
    assert stats.kstest((raw.astype(np.float64).ravel() - 0.5) / sigma, "norm").pvalue > 1e-3


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_raw_values_are_whole_levels_above_a_sixteenth_of_black(bits: int) -> None:
    raw = exposed(np.random.default_rng(0).random((50, 60), dtype=np.float32), 0.1, 0.05, bits, key=1)
    black = 2 ** (bits - 4)
    levels = raw.astype(np.float64) * (2**bits - 1 - black) + black
    np.testing.assert_allclose(levels, np.rint(levels), atol=2e-3 * 2 ** (bits - 10))  # float32 near 2**bits
    assert levels.min() == pytest.approx(0, abs=1e-2)
    assert raw.max() == pytest.approx(1, abs=1e-6)


def test_less_light_is_noisier_but_as_bright() -> None:
    image = flat((0.4, 0.5, 0.45), 200, 201)
    dark = Camera(2.1, 1.7, -2.0, PHONE.to_camera, "RGGB", 14, "malvar")
    normal, under = (photograph(image, camera, 1e-3, 1e-6, 7) for camera in (PHONE, dark))
    assert under.std((0, 1)).mean() == pytest.approx(2 * normal.std((0, 1)).mean(), rel=0.1)  # sqrt(4), curved a little
    np.testing.assert_allclose(under.mean((0, 1)), normal.mean((0, 1)), atol=0.01)


@pytest.mark.parametrize("pattern", ["RGGB", "BGGR", "GRBG", "GBRG"])
@pytest.mark.parametrize("demosaic", ["bilinear", "malvar"])
def test_a_blob_stays_where_it_is(pattern: str, demosaic: str) -> None:
    """A hundredth of a pixel, in every channel, whatever the pattern."""
    yy, xx = np.mgrid[:41, :44]
    blob = np.exp(-((yy - 19.7) ** 2 + (xx - 22.4) ** 2) / (2 * 3.0**2))
    image = (0.1 + 0.5 * blob)[..., None].repeat(3, 2).astype(np.float32)
    camera = Camera(2.1, 1.7, 0.0, PHONE.to_camera, pattern, 16, demosaic)
    made = photograph(image, camera, 0.0, 0.0, 1).astype(np.float64) - 0.1
    for channel in range(3):
        weight = made[..., channel]
        centre = [(weight * grid).sum() / weight.sum() for grid in (yy, xx)]
        exact = [(blob * grid).sum() / blob.sum() for grid in (yy, xx)]
        np.testing.assert_allclose(centre, exact, atol=0.01)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_window_is_photographed_as_the_whole(channels: int) -> None:
    image = np.random.default_rng(0).random((50, 71, channels), dtype=np.float32)
    whole = photograph(image, PHONE, 0.01, 1e-4, 9, (-8, -7))
    part = photograph(np.ascontiguousarray(image[13:40, 21:60]), PHONE, 0.01, 1e-4, 9, (5, 14))
    np.testing.assert_array_equal(part[2:-2, 2:-2], whole[15:38, 23:58])


def test_everything_lies_in_range_and_another_key_is_other_noise() -> None:
    image = np.random.default_rng(0).uniform(-0.2, 1.2, (33, 20, 3)).astype(np.float32)
    made = [photograph(image, PHONE, 0.012, 1e-3, key) for key in (1, 1, 2)]
    assert min(made[0].min(), made[2].min()) >= 0
    assert max(made[0].max(), made[2].max()) <= 1
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0] != made[2]).mean() > 0.5


def test_development_alone_clips_at_white() -> None:
    full = np.ones((6, 6), np.float32)
    np.testing.assert_allclose(developed(full, PHONE), 1, atol=1e-6)
