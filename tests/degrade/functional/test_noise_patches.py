"""Real noise against NumPy's own mirroring."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.functional.noise_patches import add_noise_patch

PATCH = np.random.default_rng(0).integers(-2000, 2000, (16, 16, 3)).astype(np.int16)


def plane(offset: tuple[int, int], height: int, width: int) -> np.ndarray:
    tile = np.pad(PATCH, ((0, 16), (0, 16), (0, 0)), mode="symmetric")  # one period
    tiled = np.tile(tile, (6, 6, 1))
    y, x = offset[0] % 32, offset[1] % 32
    return tiled[y : y + height, x : x + width].astype(np.float64) / (255 * 256)


@pytest.mark.parametrize("offset", [(0, 0), (5, 9), (20, 31), (31, 0)])
@pytest.mark.parametrize("origin", [(0, 0), (-7, 12)])
def test_the_patch_is_mirrored_and_scaled(offset: tuple[int, int], origin: tuple[int, int]) -> None:
    image = np.random.default_rng(1).random((41, 27, 3), dtype=np.float32)
    place = offset[0] + origin[0], offset[1] + origin[1]
    expected = image + 1.5 * plane(place, 41, 27)
    np.testing.assert_allclose(add_noise_patch(image, PATCH, 1.5, offset, origin), expected, atol=2e-7)


def test_a_gray_image_gets_the_luma() -> None:
    image = np.zeros((16, 16, 1), np.float32)
    expected = plane((0, 0), 16, 16) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(add_noise_patch(image, PATCH, 1.0, (0, 0))[..., 0], expected, atol=1e-8)


def test_a_window_has_the_noise_of_the_place_it_shows() -> None:
    image = np.random.default_rng(1).random((41, 60, 3), dtype=np.float32)
    whole = add_noise_patch(image, PATCH, 1.0, (3, 4), (-8, -8))
    part = add_noise_patch(np.ascontiguousarray(image[10:30, 20:51]), PATCH, 1.0, (3, 4), (2, 12))
    np.testing.assert_array_equal(part, whole[10:30, 20:51])
