"""Lens faults against SciPy, scikit-image and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from degrade.functional.lens import magnify_channels, shift_channels, vignette


def noise(height: int = 33, width: int = 47, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(8).random((height, width, channels), dtype=np.float32)


def catmull_rom(channel: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """`channel` at rows x columns from Keys's kernel, a = -0.5, in float64; mirrored, the edge pixel repeated."""
    for axis, places in ((0, rows), (1, columns)):
        length = channel.shape[axis]
        distance = np.abs(places[:, None] - np.arange(-40, length + 40))
        near = 1.5 * distance**3 - 2.5 * distance**2 + 1
        far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
        weights = np.where(distance <= 1, near, np.where(distance < 2, far, 0))
        folded = np.arange(-40, length + 40) % (2 * length)
        folded = np.minimum(folded, 2 * length - 1 - folded)
        channel = np.moveaxis(np.tensordot(weights, np.take(channel, folded, axis), (1, axis)), 0, axis)
    return channel


@pytest.mark.parametrize("shape", [(33, 47), (3, 2), (1, 9)])
def test_a_shift_equals_keys_formula_on_every_pixel(shape: tuple[int, int]) -> None:
    image = noise(*shape)
    made = shift_channels(image, (1.3, -0.4), (-5.75, 2.1))
    y, x = np.arange(shape[0]), np.arange(shape[1])
    double = image.astype(float)
    np.testing.assert_allclose(made[..., 0], catmull_rom(double[..., 0], y - 1.3, x + 0.4), atol=2e-6)
    np.testing.assert_allclose(made[..., 2], catmull_rom(double[..., 2], y + 5.75, x - 2.1), atol=2e-6)
    np.testing.assert_array_equal(made[..., 1], image[..., 1])


def test_whole_pixels_are_moved_without_a_change_as_scipy_does() -> None:
    image = noise()
    made = shift_channels(image, (2.0, -3.0), (0.0, 0.0))
    np.testing.assert_array_equal(made[..., 0], ndimage.shift(image[..., 0], (2, -3), order=0, mode="reflect"))
    np.testing.assert_array_equal(made[..., 1:], image[..., 1:])


def test_ramps_are_shifted_exactly_as_scipys_cubic_shifts_them() -> None:
    """Any cubic that reproduces lines gives the same: the registration is exact."""
    y, x = np.mgrid[:31, :37]
    ramp = (0.1 + 0.01 * y + 0.013 * x).astype(np.float32)
    made = shift_channels(np.stack([ramp] * 3, axis=-1), (0.37, -0.81), (-0.2, 0.6))
    inside = (slice(8, -8),) * 2
    for channel, shift in ((0, (0.37, -0.81)), (2, (-0.2, 0.6))):
        closed = ramp - 0.01 * shift[0] - 0.013 * shift[1]
        theirs = ndimage.shift(ramp.astype(float), shift, order=3)
        np.testing.assert_allclose(made[..., channel][inside], closed[inside], atol=1e-6)
        np.testing.assert_allclose(theirs[8:-8, 8:-8], closed[inside], atol=2e-4)  # its spline feels the border


def test_magnification_moves_content_away_from_the_centre() -> None:
    """A ramp of x under a factor f about c becomes c + (x - c) / f, to float32."""
    y, x = np.mgrid[:40, :64].astype(np.float32)
    image = np.stack([x / 64, y / 64, y / 64], axis=-1)
    made = magnify_channels(image, 1.004, 0.998, (900.0, -700.0))
    inside = (slice(6, -6),) * 2
    np.testing.assert_allclose(made[..., 0][inside], ((-700 + (x + 700) / 1.004) / 64)[inside], atol=2e-6)
    np.testing.assert_allclose(made[..., 2][inside], ((900 + (y - 900) / 0.998) / 64)[inside], atol=2e-6)
    np.testing.assert_array_equal(made[..., 1], image[..., 1])


def test_magnification_equals_keys_formula_for_a_window() -> None:
    image, origin, centre, factor = noise(), (-4, 9), (55.5, -20.0), 1.01
    made = magnify_channels(image, factor, 1.0, centre, origin)
    rows, columns = (
        c + (np.arange(n) + start - c) / factor - start for n, start, c in zip((33, 47), origin, centre, strict=True)
    )
    np.testing.assert_allclose(made[..., 0], catmull_rom(image[..., 0].astype(float), rows, columns), atol=2e-6)
    np.testing.assert_array_equal(made[..., 1:], image[..., 1:])


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.9])
def test_vignetting_follows_the_fourth_power_of_the_cosine(strength: float) -> None:
    """tan(theta) = r / f with f such that cos**4 is 1 - strength at the radius; light from sRGB in float64."""
    image, centre, radius, origin = noise(), (-30.0, 80.0), 90.0, (-2, 3)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    distance = np.hypot(y - 2 - centre[0], x + 3 - centre[1])
    focal = radius / np.tan(np.arccos((1 - strength) ** 0.25)) if strength else np.inf
    expected = linear(image) * (np.cos(np.arctan(distance / focal)) ** 4)[..., None]
    np.testing.assert_allclose(linear(vignette(image, strength, radius, centre, origin)), expected, atol=3e-6)


def linear(srgb: np.ndarray) -> np.ndarray:
    srgb = srgb.astype(float)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def test_a_window_has_the_lens_of_the_place_it_shows() -> None:
    image = noise(50, 60)
    part = np.ascontiguousarray(image[10:40, 7:51])
    whole = vignette(image, 0.6, 70.0, (5.3, 61.0), (-8, -8))
    np.testing.assert_array_equal(vignette(part, 0.6, 70.0, (5.3, 61.0), (2, -1)), whole[10:40, 7:51])
    whole = magnify_channels(image, 1.003, 0.996, (305.3, 61.0), (-8, -8))
    made = magnify_channels(part, 1.003, 0.996, (305.3, 61.0), (2, -1))
    np.testing.assert_array_equal(made[4:-4, 4:-4], whole[14:36, 11:47])


def test_a_gray_image_has_no_fringes_and_darkens_alike() -> None:
    gray = noise(channels=1)
    np.testing.assert_array_equal(shift_channels(gray, (1.5, 0.2), (0.1, 0.3)), gray)
    np.testing.assert_array_equal(magnify_channels(gray, 1.01, 0.99, (9.0, 9.0)), gray)
    colour = vignette(np.repeat(gray, 3, axis=2), 0.5, 40.0, (3.0, 4.0))
    np.testing.assert_array_equal(colour[..., :1], vignette(gray, 0.5, 40.0, (3.0, 4.0)))
