"""Resampling against MATLAB's own numbers, OpenCV and Pillow; nothing may move."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from degrade.functional import resample
from degrade.functional.kernels import gaussian_axis, gaussian_axis_at
from degrade.functional.resample import AxisMap, apply_axes, centres, imresize, imresize_uint8, resize, resize_axis

RAMP = np.array([[(37 * i + 101 * j) % 256 for j in range(8)] for i in range(8)], np.uint8)[..., None]
FILTERS = [
    ("linear", {}),
    ("cubic", {"a": -0.75}),
    ("cubic", {}),
    ("lanczos", {"lobes": 4}),
    ("lanczos", {"lobes": 3, "antialias": True}),
    ("cubic", {"antialias": True}),
    ("linear", {"antialias": True}),
    ("area", {}),
    ("mitchell", {}),
    ("mitchell", {"antialias": True}),
    ("hermite", {}),
    ("gaussian", {"antialias": True}),
    ("lanczos", {"lobes": 2}),
]


def photo(height: int = 61, width: int = 47, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def test_matlab_uint8_vector() -> None:
    halved = imresize_uint8(RAMP, 4, 4)[..., 0]
    assert halved.tolist() == [[73, 143, 144, 161], [131, 112, 112, 107], [157, 139, 117, 122], [102, 112, 157, 145]]
    tripled = imresize_uint8(RAMP, 24, 24)[0, :, 0]
    expected = "0 0 25 61 97 140 183 198 156 85 43 57 100 144 190 238 255 211 136 90 108 155 191 202"
    assert tripled.tolist() == [int(v) for v in expected.split()]


def test_matlab_double_vectors() -> None:
    np.testing.assert_allclose(
        imresize(RAMP, 4, 4)[0, :, 0], [72.429688, 142.304688, 143.359375, 160.390625], atol=1e-6
    )
    quarter = imresize(RAMP, 2, 2)[..., 0]
    np.testing.assert_allclose(quarter, [[115.525452, 133.515564], [126.109314, 132.849670]], atol=1e-6)
    doubled = [-12.9375, 14.679688, 69.914062, 128.78125, 191.28125, 171.78125, 70.28125, 50.21875]
    np.testing.assert_allclose(imresize(RAMP, 16, 16)[0, :8, 0], doubled, atol=1e-6)


@pytest.mark.parametrize("name", ["Set5", "Set14"])
@pytest.mark.parametrize("scale", [2, 4])
def test_old_matlab_lr_files_are_equal_in_every_pixel(sr_data: Path, name: str, scale: int) -> None:
    folder = sr_data / "test" / name / f"x{scale}"
    files = sorted((folder / "HR").iterdir())
    assert files
    for path in files:
        hr = np.asarray(PillowImage.open(path))
        lr = np.asarray(PillowImage.open(folder / "LR" / path.name.replace("_HR", "_LR")))
        hr, lr = (x if x.ndim == 3 else x[..., None] for x in (hr, lr))
        made = imresize_uint8(hr, hr.shape[0] // scale, hr.shape[1] // scale, edge="edge")
        np.testing.assert_array_equal(made, lr)


@pytest.mark.parametrize(
    ("filter", "settings", "flag"),
    [
        ("linear", {}, cv2.INTER_LINEAR),
        ("cubic", {"a": -0.75}, cv2.INTER_CUBIC),
        ("lanczos", {"lobes": 4}, cv2.INTER_LANCZOS4),
        ("area", {}, cv2.INTER_AREA),
    ],
)
def test_plain_filters_equal_opencv_inside(filter: resample.Filter, settings: dict, flag: int) -> None:
    image = photo(96, 128).astype(np.float32)
    ours = resize(image, 24, 32, filter, **{"antialias": False, **settings})
    theirs = cv2.resize(image, (32, 24), interpolation=flag)
    np.testing.assert_allclose(ours[3:-3, 3:-3], theirs[3:-3, 3:-3], atol=1e-3)


@pytest.mark.parametrize(
    ("filter", "pillow"),
    [
        ("linear", PillowImage.Resampling.BILINEAR),
        ("cubic", PillowImage.Resampling.BICUBIC),
        ("lanczos", PillowImage.Resampling.LANCZOS),
    ],
)
def test_antialiased_filters_equal_pillow_inside_on_odd_sizes(filter: resample.Filter, pillow: int) -> None:
    """Pillow rounds to 8 bits after each pass: within 1.5 levels."""
    image = photo(91, 77) // 2 + 64  # no overshoot beyond what 8 bits hold
    ours = resize(image.astype(np.float32), 31, 19, filter, antialias=True).clip(0, 255)
    theirs = np.asarray(PillowImage.fromarray(image).resize((19, 31), pillow)).astype(float)
    assert np.abs(ours - theirs)[4:-4, 4:-4].max() < 1.5


@pytest.mark.parametrize(("height", "width"), [(37, 50), (90, 127), (25, 33)])
def test_area_equals_opencv_s_at_any_ratio(height: int, width: int) -> None:
    """Both take exact shares of pixels; OpenCV sums in float32, rows and columns together."""
    image = photo(91, 128).astype(np.float32)
    theirs = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(resize(image, height, width, "area"), theirs, atol=2e-3)


def bc_cubic(x: np.ndarray, b: float, c: float) -> np.ndarray:
    """Mitchell and Netravali 1988, Eq. 8."""
    x = np.abs(x)
    near = (12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b
    far = (-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c
    return np.where(x < 1, near, np.where(x < 2, far, 0)) / 6


@pytest.mark.parametrize(
    ("filter", "formula"),
    [
        ("mitchell", lambda x: bc_cubic(x, 1 / 3, 1 / 3)),
        ("hermite", lambda x: bc_cubic(x, 0, 0)),
        ("cubic", lambda x: bc_cubic(x, 0, 0.5)),  # Catmull and Rom
        ("gaussian", lambda x: np.where(np.abs(x) < 2, np.exp(-2 * x**2), 0)),
        ("lanczos", lambda x: np.where(np.abs(x) < 2, np.sinc(x) * np.sinc(x / 2), 0)),
    ],
)
@pytest.mark.parametrize(("length", "outputs"), [(61, 23), (20, 47)])
def test_weights_equal_their_formula(filter: resample.Filter, formula, length: int, outputs: int) -> None:
    axis = resize_axis(length, outputs, filter, antialias=True, lobes=2)
    width = max(length / outputs, 1)
    positions = axis.first[:, None] + np.arange(axis.taps.shape[1])
    expected = formula((positions - centres(length, outputs)[:, None]) / width)
    np.testing.assert_allclose(axis.taps, expected / expected.sum(1, keepdims=True), atol=1e-12)


def centroid(axis: AxisMap) -> np.ndarray:
    """The mean input position of each output's taps."""
    positions = axis.first[:, None] + np.arange(axis.taps.shape[1])
    return (axis.taps * positions).sum(1)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(("filter", "settings"), FILTERS)
def test_no_filter_shifts_the_image(filter: resample.Filter, settings: dict, scale: int) -> None:
    """The centre of mass of every output's taps is its own centre, to 1e-9 HR pixels."""
    axis = resize_axis(60, 60 // scale, filter, **settings)
    np.testing.assert_allclose(centroid(axis), centres(60, 60 // scale), atol=1e-9)
    np.testing.assert_allclose(axis.taps.sum(1), 1, atol=1e-12)


@pytest.mark.parametrize(("scale", "shift"), [(2, 0.5), (3, 0.0), (4, 0.5)])
def test_nearest_alone_is_shifted_by_half_a_pixel_for_even_scales(scale: int, shift: float) -> None:
    axis = resize_axis(60, 60 // scale, "nearest")
    np.testing.assert_allclose(centroid(axis) - centres(60, 60 // scale), shift)


@pytest.mark.parametrize("sigma", [0.2, 0.7, 3.0])
def test_a_gaussian_taken_between_pixels_is_not_shifted(sigma: float) -> None:
    axis = gaussian_axis_at(64, centres(64, 16), sigma, 15)
    np.testing.assert_allclose(centroid(axis), centres(64, 16), atol=1e-12)


@pytest.mark.parametrize("sigma", [0.2, 1.0, 3.0])
def test_the_gaussian_kernel_equals_its_formula(sigma: float) -> None:
    offsets = np.arange(15) - 7
    expected = np.exp(-(offsets**2) / (2 * sigma**2))
    axis = gaussian_axis(40, sigma, 15)
    np.testing.assert_allclose(axis.taps[20], expected / expected.sum(), rtol=1e-13, atol=1e-300)
    assert axis.first[20] == 13


@pytest.mark.parametrize(("filter", "settings"), FILTERS)
def test_composed_maps_equal_one_after_the_other(filter: resample.Filter, settings: dict) -> None:
    image = photo(64, 64).astype(np.float64)
    blur, down = gaussian_axis(64, 1.3, 15), resize_axis(64, 16, filter, **settings)
    blurred = apply_axes(image, blur, blur)
    both = down.after(blur)
    stepwise, folded = apply_axes(blurred, down, down), apply_axes(image, both, both)
    np.testing.assert_allclose(folded[5:-5, 5:-5], stepwise[5:-5, 5:-5], atol=1e-10)


def test_a_subset_of_rows_is_the_subset_of_the_result() -> None:
    image, axis = photo(64, 64), resize_axis(64, 16, "cubic", antialias=True)
    whole = apply_axes(image, axis, axis)
    part = apply_axes(image, axis.rows(4, 9), axis.rows(6, 7))
    np.testing.assert_array_equal(part, whole[4:9, 6:7])


def test_uint8_and_float_input_agree_and_gray_has_one_channel() -> None:
    image, axis = photo(), resize_axis(61, 15, "cubic", antialias=True)
    columns = resize_axis(47, 12, "cubic", antialias=True)
    np.testing.assert_array_equal(apply_axes(image, axis, columns), apply_axes(image.astype(np.float32), axis, columns))
    assert apply_axes(image[..., :1], axis, columns).shape == (15, 12, 1)
    exact = apply_axes(image.astype(np.float64), axis, columns)
    np.testing.assert_allclose(apply_axes(image, axis, columns), exact, atol=1e-3)


def test_an_image_smaller_than_the_filter_is_resized() -> None:
    assert resize(photo(3, 2).astype(np.float32), 9, 6, "lanczos").shape == (9, 6, 3)
    flat = np.full((2, 3, 1), 0.25, np.float32)
    np.testing.assert_allclose(resize(flat, 1, 1), 0.25, atol=1e-6)
