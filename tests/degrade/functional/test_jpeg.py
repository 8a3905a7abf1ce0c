"""JPEG without a file, against the codecs that write one: equal in every pixel."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from degrade.functional.jpeg import SUBSAMPLINGS, jpeg, mcu_size
from degrade.functional.jpeg_tables import TABLES, scaled_custom, scaled_tables

BY_PILLOW = "4:4:4", "4:2:2", "4:2:0"
BY_OPENCV = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:4:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:1:1": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
}
CONTENTS = "noise", "extremes", "smooth"
SIZES, QUALITIES = st.integers(1, 70), st.integers(1, 100)


def by_pillow(pixels: np.ndarray, **options: Any) -> np.ndarray:
    buffer = BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, "JPEG", **options)
    return np.asarray(Image.open(buffer)).reshape(pixels.shape)


def by_opencv(pixels: np.ndarray, quality: int, subsampling: str) -> np.ndarray:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, BY_OPENCV[subsampling]]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[:, :, ::-1]), options)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded[:, :, ::-1]


def content(kind: str, height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Noise of all levels, of black and white alone, or slow waves of colour with a little noise."""
    rng = np.random.default_rng(seed)
    shape = height, width, channels
    if kind == "noise":
        return rng.integers(0, 256, shape, np.uint8)
    if kind == "extremes":
        return (rng.integers(0, 2, shape) * 255).astype(np.uint8)
    y, x, c = np.ogrid[:height, :width, :channels]
    waves = 128 + 100 * np.sin(0.11 * y + 1.3 * c) * np.cos(0.07 * x - 0.9 * c) + rng.normal(0, 4, shape)
    return waves.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("subsampling", BY_PILLOW)
def test_every_quality_equals_pillow(subsampling: str) -> None:
    for quality in range(1, 101):
        pixels = content(CONTENTS[quality % 3], 37, 53, seed=quality)
        expected = by_pillow(pixels, quality=quality, subsampling=subsampling)
        np.testing.assert_array_equal(jpeg(pixels, quality, subsampling), expected, f"quality {quality}")


@given(SIZES, SIZES, QUALITIES, st.sampled_from(BY_PILLOW), st.sampled_from(CONTENTS))
def test_every_size_equals_pillow(height: int, width: int, quality: int, subsampling: str, kind: str) -> None:
    pixels = content(kind, height, width)
    expected = by_pillow(pixels, quality=quality, subsampling=subsampling)
    np.testing.assert_array_equal(jpeg(pixels, quality, subsampling), expected)


@given(SIZES, SIZES, QUALITIES, st.sampled_from(SUBSAMPLINGS), st.sampled_from(CONTENTS))
def test_every_subsampling_equals_opencv(height: int, width: int, quality: int, subsampling: str, kind: str) -> None:
    pixels = content(kind, height, width)
    np.testing.assert_array_equal(jpeg(pixels, quality, subsampling), by_opencv(pixels, quality, subsampling))


@given(SIZES, SIZES, QUALITIES, st.sampled_from(CONTENTS))
def test_gray_equals_pillow_with_one_component(height: int, width: int, quality: int, kind: str) -> None:
    pixels = content(kind, height, width, channels=1)
    np.testing.assert_array_equal(jpeg(pixels, quality), by_pillow(pixels, quality=quality))


@pytest.mark.parametrize("subsampling", BY_PILLOW)
def test_photographs_equal_pillow(subsampling: str, sr_data: Path) -> None:
    for path, quality in zip(sorted((sr_data / "hr_train").glob("*.webp"))[:9:3], (12, 60, 95), strict=True):
        photo = np.asarray(Image.open(path).convert("RGB"))[:403, :301]
        expected = by_pillow(photo, quality=quality, subsampling=subsampling)
        np.testing.assert_array_equal(jpeg(photo, quality, subsampling), expected, path.name)


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("before", [(1, 7), (15, 0), (8, 30)])
def test_an_image_begun_inside_a_block_equals_one_with_its_edge_repeated(
    subsampling: str, before: tuple[int, int]
) -> None:
    pixels = content("smooth", 21, 34)
    padded = np.pad(pixels, ((before[0], 0), (before[1], 0), (0, 0)), mode="edge")
    expected = by_opencv(padded, 40, subsampling)[before[0] :, before[1] :]
    np.testing.assert_array_equal(jpeg(pixels, 40, subsampling, before=before), expected)


def test_steps_of_a_quality_are_those_pillow_writes() -> None:
    for quality in range(1, 101):
        buffer = BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality)
        written = Image.open(buffer).quantization  # pyright: ignore[reportAttributeAccessIssue]: of JPEG files alone
        np.testing.assert_array_equal(scaled_tables("standard", quality), [written[0], written[1]])


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("quality", [3, 50, 88])
def test_other_tables_equal_pillow_with_the_same_tables(name: str, quality: int) -> None:
    pixels, steps = content("smooth", 40, 40), scaled_tables(name, quality)
    expected = by_pillow(pixels, qtables=[table.tolist() for table in steps], subsampling="4:2:0")
    np.testing.assert_array_equal(jpeg(pixels, quality, tables=steps), expected)


def test_tables_of_ones_own_are_scaled_and_kept_within_a_byte() -> None:
    luma, chroma = tuple(range(1, 65)), (200,) * 64
    np.testing.assert_array_equal(scaled_custom(luma, chroma, 50), [luma, chroma])
    np.testing.assert_array_equal(scaled_custom(luma, chroma, 25)[1], 255)
    np.testing.assert_array_equal(scaled_custom(luma, chroma, 100), 1)


def test_the_image_given_is_left_as_it_is_even_read_only() -> None:
    pixels = content("noise", 9, 9)
    pixels.setflags(write=False)
    before = pixels.copy()
    result = jpeg(pixels, 20)
    np.testing.assert_array_equal(pixels, before)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous


def test_units_are_blocks_times_the_subsampling() -> None:
    assert [mcu_size(word) for word in SUBSAMPLINGS] == [(8, 8), (8, 16), (16, 8), (16, 16), (8, 32)]
    assert mcu_size("4:2:0", channels=1) == (8, 8)


def test_what_is_no_jpeg_is_refused() -> None:
    pixels = content("noise", 8, 8)
    with pytest.raises(ValueError, match="expected a quality from 1 to 100, got 0"):
        jpeg(pixels, 0)
    with pytest.raises(ValueError, match=r"expected subsampling to be one of 4:4:4, .*, got '4:2:1'"):
        jpeg(pixels, 50, "4:2:1")
    with pytest.raises(TypeError, match="expected uint8 pixels, got float32"):
        jpeg(pixels.astype(np.float32), 50)  # pyright: ignore[reportArgumentType]: the point of the test
    with pytest.raises(ValueError, match="steps from 1 to 255"):
        jpeg(pixels, 50, tables=np.zeros((2, 64), np.int32))
