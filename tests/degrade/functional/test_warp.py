"""The warp: cubic splines as SciPy has them, at the places that the motion states."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from degrade.functional.warp import BORDER, Motion, coefficients, source_rows, warp

MOTION = Motion(0.7, -1.3, 0.03, 1.02)


def places(motion: Motion, height: int, width: int) -> np.ndarray:
    """Where each pixel of the reference lies in the frame, (2, H, W), by the definition."""
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    offsets = np.stack(np.mgrid[:height, :width], axis=-1) - centre
    turn = np.array([[np.cos(motion.angle), np.sin(motion.angle)], [-np.sin(motion.angle), np.cos(motion.angle)]])
    return np.moveaxis(motion.scale * offsets @ turn.T + centre + (motion.y, motion.x), -1, 0)


@pytest.mark.parametrize("shape", [(23, 31, 3), (8, 5, 1), (2, 40, 3), (1, 9, 1)])
def test_coefficients_are_those_of_scipy(shape) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    ours = coefficients(image)
    assert ours.shape == (shape[0] + 2 * BORDER, shape[1] + 2 * BORDER, shape[2])
    for c in range(shape[2]):
        theirs = image[..., c].astype(float)
        for axis in range(2):
            if shape[axis] > 1:
                theirs = ndimage.spline_filter1d(theirs, 3, axis=axis, mode="mirror")
        assert np.abs(ours[BORDER:-BORDER, BORDER:-BORDER, c] - theirs).max() < 2e-5  # float32 sums of values up to 10


@pytest.mark.parametrize("motion", [MOTION, Motion(), Motion(-3.5, 2.25), Motion(angle=-0.05)])
def test_the_warp_is_scipys_cubic_interpolation_at_the_stated_places(motion) -> None:
    image = np.random.default_rng(1).random((27, 34, 3), np.float32)
    warped = warp(coefficients(image), motion, (13.0, 16.5), (0, 27), 27)
    y, x = places(motion, 27, 34)
    is_inside = (y >= 0) & (y <= 26) & (x >= 0) & (x <= 33)
    assert np.array_equal(np.isfinite(warped[..., 0]), is_inside)
    for c in range(3):
        expected = ndimage.map_coordinates(image[..., c].astype(float), (y, x), order=3, mode="mirror")
        assert np.abs(warped[..., c] - expected)[is_inside].max() < 1e-5


@pytest.mark.parametrize("shape", [(19, 24, 3), (1, 9, 1), (7, 1, 1)])
def test_every_coefficient_beyond_the_edge_is_that_of_its_mirror(shape, monkeypatch) -> None:
    def dirty(size, dtype) -> np.ndarray:
        return np.full(size, np.nan, dtype)

    image = np.random.default_rng(3).random(shape, np.float32)
    monkeypatch.setattr(np, "empty", dirty)
    ours = coefficients(image)
    inner = ours[BORDER:-BORDER, BORDER:-BORDER]
    inward = [
        np.abs((np.arange(-BORDER, side + BORDER) + side - 1) % max(2 * side - 2, 1) - (side - 1)) for side in shape[:2]
    ]
    assert np.array_equal(ours, inner[np.ix_(*inward)])


def test_no_motion_gives_the_picture_back() -> None:
    image = np.random.default_rng(2).random((19, 24, 3), np.float32)
    assert np.abs(warp(coefficients(image), Motion(), (9.0, 11.5), (0, 19), 19) - image).max() < 1e-5


@pytest.mark.parametrize("rows", [(0, 20), (40, 60), (100, 120)])
def test_a_strip_needs_only_its_source_rows(rows) -> None:
    image = np.random.default_rng(3).random((120, 60, 3), np.float32)
    centre = (59.5, 29.5)
    whole = warp(coefficients(image), MOTION, centre, (0, 120), 120)[rows[0] : rows[1]]
    first, last = source_rows(MOTION, centre, rows, 120, 60)
    assert last - first < 60
    strip = warp(coefficients(image[first:last]), MOTION, centre, rows, 120, first=first)
    assert np.array_equal(np.isnan(strip), np.isnan(whole))
    assert np.nanmax(np.abs(strip - whole)) < 1e-5


def test_rows_that_a_frame_does_not_cover_at_all_are_empty() -> None:
    image = np.random.default_rng(4).random((40, 30, 1), np.float32)
    far = Motion(y=-100.0)
    first, last = source_rows(far, (19.5, 14.5), (0, 10), 40, 30)
    assert np.isnan(warp(coefficients(image[first:last]), far, (19.5, 14.5), (0, 10), 40, first=first)).all()
