"""Chroma subsampling against its definition in float64, and where it lies."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.functional.chroma import CHROMA_BLOCKS, subsample_chroma

# JFIF 1.02: Y, Cb, Cr of full range from R, G, B.
JFIF = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(height * width).random((height, width, channels), dtype=np.float32)


def reference(image: np.ndarray, block: tuple[int, int], up: str, origin: tuple[int, int]) -> np.ndarray:
    """Block means of Cb and Cr, then the nearest or the two nearest samples of each axis, pixel by pixel in float64."""
    ycc = image.astype(np.float64) @ JFIF.T
    maps = []
    for length, size, start in zip(image.shape[:2], block, origin, strict=True):
        blocks = (np.arange(length) + start) // size
        blocks -= blocks[0]
        down = np.stack([(blocks == b) / (blocks == b).sum() for b in range(blocks[-1] + 1)])
        centres = (np.arange(blocks[-1] + 1) + (start // size)) * size + (size - 1) / 2 - start
        triangle = np.maximum(0, 1 - np.abs(np.arange(length)[:, None] - centres) / size)
        triangle /= triangle.sum(1, keepdims=True)  # beyond the outermost centre only one is left
        maps.append(triangle @ down if up == "bilinear" else (blocks[:, None] == np.arange(blocks[-1] + 1)) @ down)
    for c in (1, 2):
        ycc[..., c] = maps[0] @ ycc[..., c] @ maps[1].T
    return ycc @ np.linalg.inv(JFIF).T


@pytest.mark.parametrize("name", CHROMA_BLOCKS)
@pytest.mark.parametrize("up", ["nearest", "bilinear"])
@pytest.mark.parametrize(("shape", "origin"), [((13, 19), (0, 0)), ((10, 7), (-3, 5)), ((1, 2), (1, -1))])
def test_it_equals_its_definition_on_odd_sizes_and_shifted_grids(name, up, shape, origin) -> None:
    """To 1e-5: JFIF states its matrix with six decimals."""
    image = noise(*shape)
    made = subsample_chroma(image, CHROMA_BLOCKS[name], up, origin)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, reference(image, CHROMA_BLOCKS[name], up, origin), atol=1e-5)


@pytest.mark.parametrize("name", CHROMA_BLOCKS)
@pytest.mark.parametrize("up", ["nearest", "bilinear"])
def test_luma_and_gray_pictures_stay(name, up) -> None:
    image = noise(17, 23)
    weights = np.array([0.299, 0.587, 0.114])
    made = subsample_chroma(image, CHROMA_BLOCKS[name], up)
    np.testing.assert_allclose(made @ weights, image @ weights, atol=3e-7)
    equal = np.repeat(image[..., :1], 3, axis=2)
    np.testing.assert_allclose(subsample_chroma(equal, CHROMA_BLOCKS[name], up), equal, atol=3e-7)
    one = image[..., :1].copy()
    np.testing.assert_array_equal(subsample_chroma(one, CHROMA_BLOCKS[name], up), one)


@pytest.mark.parametrize("name", CHROMA_BLOCKS)
def test_bilinear_leaves_a_ramp_of_chroma_where_it_is(name) -> None:
    """A linear ramp is the mean of its blocks at their centres, so any shift would show as an offset."""
    y, x = np.mgrid[:24, :32].astype(np.float32)
    image = np.stack([0.2 + 0.01 * x, np.full_like(x, 0.4), 0.1 + 0.02 * y], axis=-1)
    made = subsample_chroma(image, CHROMA_BLOCKS[name], "bilinear")
    np.testing.assert_allclose(made[4:-4, 4:-4], image[4:-4, 4:-4], atol=1e-6)


@pytest.mark.parametrize("up", ["nearest", "bilinear"])
def test_the_grid_belongs_to_the_patch_not_to_the_window(up) -> None:
    image = noise(41, 45)
    whole = subsample_chroma(image, (2, 4), up, (-7, -5))
    part = subsample_chroma(np.ascontiguousarray(image[9:34, 12:40]), (2, 4), up, (2, 7))
    np.testing.assert_array_equal(part[8:-8, 8:-8], whole[17:26, 20:32])
