"""The integer transform against the exact one, and its rounding against integer division."""

from __future__ import annotations

import numpy as np
from scipy.fft import dct as exact_dct

from degrade.functional import dct

ONES = np.ones(64, np.int32)


def tile_of(blocks: np.ndarray) -> np.ndarray:
    """(BLOCKS, 8, 8) as a tile."""
    return np.ascontiguousarray(np.moveaxis(blocks, 0, 2)).astype(np.int32).reshape(-1)


def blocks_of(tile: np.ndarray) -> np.ndarray:
    return np.moveaxis(tile.reshape(8, 8, dct.BLOCKS), 2, 0)


def test_the_first_pass_is_the_cosine_transform_of_the_rows() -> None:
    """Times sqrt(8) and 4; the error is the rounding, a half, and 13 bits of constants on values up to 2900."""
    blocks = np.random.default_rng(0).integers(-128, 128, (dct.BLOCKS, 8, 8))
    tile = tile_of(blocks)
    dct.forward_rows(tile)
    exact = exact_dct(blocks.astype(float), axis=2, norm="ortho") * np.sqrt(8) * 4
    assert np.abs(blocks_of(tile) - exact).max() < 0.75


def test_there_and_back_with_steps_of_one_loses_only_the_rounding() -> None:
    """Of coefficients to whole numbers, variance 1/12 per pixel, and of pixels to levels, another 1/12."""
    blocks = np.random.default_rng(1).integers(0, 256, (dct.BLOCKS, 8, 8))
    tile = tile_of(blocks - 128)
    dct.forward_rows(tile)
    dct.quantise_columns(tile, ONES)
    dct.inverse_rows(tile)
    error = blocks_of(tile) - blocks
    assert np.abs(error).max() <= 2
    assert error.var() < 1 / 6 + 0.02


def test_coefficients_are_rounded_as_integers_are() -> None:
    """Every coefficient that can occur, times 8, and every step: |c| + 4 step, divided by 8 step, fraction dropped."""
    coefficients = np.arange(-8300, 8301, dtype=np.int32)
    for step in range(1, 256):
        half, inverse = np.float32(4 * step) + np.float32(0.5), np.float32(1) / np.float32(8 * step)
        shifted = coefficients.astype(np.float32) + np.where(coefficients >= 0, half, -half).astype(np.float32)
        rounded = (shifted * inverse).astype(np.int32) * step
        expected = np.sign(coefficients) * ((np.abs(coefficients) + 4 * step) // (8 * step)) * step
        np.testing.assert_array_equal(rounded, expected, f"step {step}")
    for step, coefficient in [(1, 4), (1, -4), (99, 396), (255, -1020), (16, 8191)]:  # the compiled one, at ties
        sign, size = np.sign(coefficient), abs(coefficient)
        multiple = dct._multiple(np.int32(coefficient), dct._rule(np.int32(step)))
        assert multiple == sign * ((size + 4 * step) // (8 * step)) * step
