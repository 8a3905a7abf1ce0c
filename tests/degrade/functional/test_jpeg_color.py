"""Colour in float32 against libjpeg's integers, for all that can occur."""

from __future__ import annotations

import numpy as np

from degrade.functional import jpeg_color as color

SOME = np.array([*range(0, 256, 15), 1, 127, 128, 129, 254])  # of the third axis; the others are whole


def cube() -> list[np.ndarray]:
    a, b, c = np.meshgrid(np.arange(256), np.arange(256), SOME, indexing="ij")
    return [axis.astype(np.uint8).reshape(-1) for axis in (a, b, c)]


def test_luma_and_chroma_are_those_of_integer_arithmetic() -> None:
    rgb = cube()
    made = [np.empty_like(rgb[0]) for _ in range(3)]
    color.to_ycc(*rgb, *made)
    r, g, b = (axis.astype(np.int64) for axis in rgb)
    half, centre = 1 << 15, (128 << 16) + (1 << 15) - 1
    np.testing.assert_array_equal(made[0], (19595 * r + 38470 * g + 7471 * b + half) >> 16)
    np.testing.assert_array_equal(made[1], (-11059 * r - 21709 * g + 32768 * b + centre) >> 16)
    np.testing.assert_array_equal(made[2], (32768 * r - 27439 * g - 5329 * b + centre) >> 16)


def test_rgb_is_that_of_integer_arithmetic() -> None:
    luma, cb, cr = cube()
    made = [np.empty_like(luma) for _ in range(3)]
    color.to_rgb(luma, cb, cr, *made)
    y, u, v = luma.astype(np.int64), cb.astype(np.int64) - 128, cr.astype(np.int64) - 128
    half = 1 << 15
    np.testing.assert_array_equal(made[0], (y + ((91881 * v + half) >> 16)).clip(0, 255))
    np.testing.assert_array_equal(made[1], (y + ((-22554 * u - 46802 * v + half) >> 16)).clip(0, 255))
    np.testing.assert_array_equal(made[2], (y + ((116130 * u + half) >> 16)).clip(0, 255))
