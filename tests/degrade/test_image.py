"""Images at their border: checks, 8-bit levels, crops and mirrored windows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from degrade.image import check_image, crop_to_multiple, to_float, to_pixels, window


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (23, 17, 3), dtype=np.uint8)


def test_levels_of_8_bits_come_back() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    image = to_float(levels)
    assert image.dtype == np.float32
    assert image.min() == 0
    assert image.max() == 1
    assert np.array_equal(to_pixels(image), levels)


def test_levels_of_16_bits_are_divided_by_65535() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert np.array_equal(to_float(levels).ravel(), [np.float32(Fraction(k, 65535)) for k in range(65536)])


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(TypeError, match=r"expected uint8 or uint16 pixels, got float64 of shape \(2, 2, 1\)"):
        to_float(np.zeros((2, 2, 1)))


def test_halves_round_up_and_the_rest_is_clipped() -> None:
    image = np.float32([[[0.5 / 255, 1.5 / 255, 2.49 / 255]], [[-0.2, 1.3, 254.5 / 255]]])
    assert to_pixels(image).tolist() == [[[1, 2, 2]], [[0, 255, 255]]]


def test_to_pixels_leaves_its_argument_alone() -> None:
    image = np.full((2, 2, 3), 0.3, np.float32)
    to_pixels(image)
    assert (image == np.float32(0.3)).all()


def test_a_good_image_passes() -> None:
    check_image(np.zeros((3, 4, 1), np.float32))
    check_image(np.full((3, 4, 3), -0.5, np.float32))


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((3, 4, 3)), TypeError, "hr: expected a float32 array, got float64"),
        (
            np.zeros((3, 4), np.float32),
            ValueError,
            r"hr: expected \(height, width, 1 or 3\), got float32 of shape \(3, 4\)",
        ),
        (np.zeros((3, 4, 4), np.float32), ValueError, "1 or 3"),
        (np.zeros((0, 4, 3), np.float32), ValueError, "1 or 3"),
        (np.zeros((3, 4, 3), np.float32)[:, ::2], ValueError, "C-contiguous"),
        (np.full((2, 2, 1), np.nan, np.float32), ValueError, "expected finite values, got 4"),
    ],
)
def test_anything_else_is_refused(image: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check_image(image, "hr")


def test_crop_keeps_the_top_left(photo: np.ndarray) -> None:
    assert np.array_equal(crop_to_multiple(photo, 4), photo[:20, :16])
    with pytest.raises(ValueError, match="expected at least 18 x 18 pixels, got 23 x 17"):
        crop_to_multiple(photo, 18)


@given(
    st.integers(-30, 30), st.integers(-30, 30), st.integers(1, 30), st.integers(1, 30), st.integers(0, 40),
    st.sampled_from([(23, 17), (1, 5), (2, 2), (1, 1)]),
)  # fmt: skip
def test_window_is_the_mirrored_photo(y: int, x: int, height: int, width: int, margin: int, size: tuple) -> None:
    photo = np.random.default_rng(2).integers(0, 65536, (*size, 3), dtype=np.uint16)
    apron = 110  # more than any window reaches
    padded = np.pad(photo, ((apron, apron), (apron, apron), (0, 0)), mode="symmetric")
    top, left = y - margin + apron, x - margin + apron
    cut = window(photo, y, x, height, width, margin)
    assert np.array_equal(cut, padded[top : top + height + 2 * margin, left : left + width + 2 * margin])
    assert cut.flags.c_contiguous
    assert cut.dtype == photo.dtype


def test_window_inside_is_a_copy(photo: np.ndarray) -> None:
    cut = window(photo, 4, 5, 6, 7, 2)
    assert np.array_equal(cut, photo[2:12, 3:14])
    assert cut.flags.owndata
