"""The mosaic and its inverse: closed forms, SciPy's correlation with the published filters, and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from degrade.functional.bayer import RED_SITES, demosaic, mosaic

PATTERNS = list(RED_SITES)
METHODS = ["bilinear", "malvar"]


def scene(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, 3), dtype=np.float32)


def colour_map(pattern: str, height: int, width: int) -> np.ndarray:
    """The channel of every pixel."""
    letters = np.array(["RGB".index(letter) for letter in pattern]).reshape(2, 2)
    return np.tile(letters, (height // 2 + 1, width // 2 + 1))[:height, :width]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("origin", [(0, 0), (-3, 4), (1, -1)])
def test_the_pattern_lies_on_the_patch(pattern: str, origin: tuple[int, int]) -> None:
    image = scene(9, 12)
    channels = np.roll(colour_map(pattern, 40, 40), (-origin[0], -origin[1]), (0, 1))[:9, :12]
    expected = np.take_along_axis(image, channels[..., None], 2)[..., 0]
    np.testing.assert_array_equal(mosaic(image, pattern, origin), expected)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("method", METHODS)
def test_known_colours_stay_and_ramps_are_reproduced(pattern: str, method: str) -> None:
    yy, xx = np.mgrid[:17, :22].astype(np.float64)
    image = np.stack([0.1 + 0.02 * yy, 0.9 - 0.01 * xx + 0.01 * yy, 0.3 + 0.03 * xx], 2).astype(np.float32)
    made = demosaic(mosaic(image, pattern), pattern, method)
    np.testing.assert_allclose(made[2:-2, 2:-2], image[2:-2, 2:-2], atol=3e-7)  # a few float32 roundings
    raw = mosaic(scene(9, 13), pattern)
    again = mosaic(demosaic(raw, pattern, method), pattern)
    np.testing.assert_array_equal(again, raw)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_malvar_is_scipy_s_correlation_with_the_published_filters(pattern: str) -> None:
    """Malvar et al. 2004, figure 2, in eighths."""
    green = np.array([[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]) / 8
    beside = (
        np.array([[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]) / 8
    )
    across = (
        np.array([[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]]) / 8
    )
    raw = mosaic(scene(15, 18), pattern)
    made = [ndimage.correlate(raw.astype(np.float64), k, mode="mirror") for k in (green, beside, beside.T, across)]
    channels = colour_map(pattern, 15, 18)
    row_has_red = (channels == 0).any(1)[:, None] & np.ones(18, bool)
    expected = np.empty((15, 18, 3))
    expected[..., 1] = np.where(channels == 1, raw, made[0])
    for colour, own_row in ((0, row_has_red), (2, ~row_has_red)):
        at_green = np.where(own_row, made[1], made[2])
        expected[..., colour] = np.where(channels == colour, raw, np.where(channels == 1, at_green, made[3]))
    np.testing.assert_allclose(demosaic(raw, pattern, "malvar"), expected, atol=1e-6)


def test_bilinear_is_opencv_s_within_its_integer_rounding() -> None:
    raw = np.random.default_rng(2).integers(0, 65536, (20, 26)).astype(np.uint16)
    theirs = cv2.cvtColor(raw, cv2.COLOR_BayerRGGB2RGB).astype(np.float64)
    ours = demosaic(raw.astype(np.float32), "RGGB", "bilinear")
    np.testing.assert_allclose(ours[2:-2, 2:-2], theirs[2:-2, 2:-2], atol=1.0)


@pytest.mark.parametrize("method", METHODS)
def test_a_window_is_demosaicked_as_the_whole(method: str) -> None:
    raw = mosaic(scene(31, 40), "GRBG", (-5, -4))
    whole = demosaic(raw, "GRBG", method, (-5, -4))
    part = demosaic(np.ascontiguousarray(raw[7:24, 9:30]), "GRBG", method, (2, 5))
    np.testing.assert_array_equal(part[2:-2, 2:-2], whole[9:22, 11:28])


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (2, 3)])
def test_tiny_windows_are_taken(shape: tuple[int, int]) -> None:
    made = demosaic(np.full(shape, 0.5, np.float32), "RGGB", "malvar")
    np.testing.assert_allclose(made, 0.5, atol=1e-6)
