"""A kernel and the resize after it, in one go, against SciPy's correlation at full size and a resize of the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from degrade.functional.convolve import correlate, filter_kernel
from degrade.functional.resample import AxisMap, apply_axes, resize_axis


def scene(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(height * width).random((height, width, channels), dtype=np.float32)


def weights(size: int, seed: int = 0) -> np.ndarray:
    kernel = np.random.default_rng(seed).random((size, size)) ** 3
    return kernel / kernel.sum()


def at_full_size(image: np.ndarray, kernel: np.ndarray, edge: Any = "symmetric") -> np.ndarray:
    """Padded by NumPy: SciPy's own modes fail where a kernel is several times the image."""
    reach = kernel.shape[0] // 2
    padded = np.pad(image.astype(float), ((reach, reach), (reach, reach), (0, 0)), mode=edge)
    planes = [ndimage.correlate(padded[..., c], kernel) for c in range(image.shape[2])]
    return np.stack(planes, axis=-1)[reach : reach + image.shape[0], reach : reach + image.shape[1]]


def motion(size: int) -> np.ndarray:
    return np.eye(size) / size


@given(st.integers(1, 25), st.integers(1, 25), st.sampled_from([1, 3]), st.sampled_from([1, 3, 7, 21]))
def test_without_a_resize_it_is_scipy_s_correlation_up_to_the_edge(
    height: int, width: int, channels: int, size: int
) -> None:
    image, kernel = scene(height, width, channels), weights(size)
    made = correlate(image, kernel)
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    np.testing.assert_allclose(made, at_full_size(image, kernel), atol=2e-6)  # float32 sums of up to 441 products


@pytest.mark.parametrize("edge", ["symmetric", "edge", "reflect"])
def test_edges_continue_as_numpy_pads(edge: Any) -> None:
    image, kernel = scene(19, 13, 3), weights(9)
    np.testing.assert_allclose(correlate(image, kernel, edge=edge), at_full_size(image, kernel, edge), atol=1e-6)


RESIZES = [
    ("linear", {}),
    ("cubic", {}),
    ("cubic", {"antialias": True}),
    ("area", {}),
    ("nearest", {}),
    ("lanczos", {"antialias": True}),
]


SIZES = [(24, 20), (36, 30), (50, 40), (40, 47), (33, 21), (17, 60), (72, 60), (101, 77), (144, 120), (24, 60), (1, 1)]


@pytest.mark.parametrize("kernel", [weights(3), weights(21), motion(15)], ids=["3", "21", "motion"])
@pytest.mark.parametrize(("filter", "settings"), RESIZES)
def test_folded_equals_one_after_the_other(filter: Any, settings: dict[str, Any], kernel: np.ndarray) -> None:
    """From 72 x 60: whole and broken ratios, other ones for either axis, enlarged, kept, one pixel.

    Inside: 2e-6 is what float32 sums of up to 441 products keep. At the edge the blur is continued differently.
    """
    image = scene(72, 60, 3)
    blurred = at_full_size(image, kernel)
    for height, width in SIZES:
        rows, columns = (
            resize_axis(length, outputs, filter, **settings) for length, outputs in ((72, height), (60, width))
        )
        made = filter_kernel(image, kernel, (kernel.shape[0] // 2,) * 2, rows, columns)
        assert made.shape == (height, width, 3)
        inside = np.ix_(
            *(
                (axis.first >= 0) & (axis.first + axis.taps.shape[1] <= length)
                for axis, length in ((rows, 72), (columns, 60))
            )
        )
        expected = apply_axes(blurred, rows, columns)
        np.testing.assert_allclose(made[inside], expected[inside], atol=2e-6, err_msg=f"{height} x {width}")


def test_symmetric_kernels_agree_up_to_the_edge() -> None:
    """Then the blur of the mirrored image is the mirrored blur."""
    image, profile = scene(40, 32, 3), np.hanning(11)
    kernel = np.outer(profile, profile) / np.outer(profile, profile).sum()
    rows, columns = resize_axis(40, 10, "cubic", antialias=True), resize_axis(32, 13, "lanczos", antialias=True)
    expected = apply_axes(at_full_size(image, kernel), rows, columns)
    np.testing.assert_allclose(filter_kernel(image, kernel, (5, 5), rows, columns), expected, atol=2e-6)


def test_outputs_left_out_change_no_others() -> None:
    image, kernel = scene(64, 48, 3), weights(9)
    for outputs in (16, 21):
        axes = [resize_axis(length, outputs, "cubic") for length in (64, 48)]
        whole = filter_kernel(image, kernel, (4, 4), *axes)
        part = filter_kernel(image, kernel, (4, 4), axes[0].rows(3, 11), axes[1].rows(2, 9))
        np.testing.assert_allclose(part, whole[3:11, 2:9], atol=1e-6)


def test_the_anchor_is_the_entry_on_the_pixel_itself() -> None:
    image, kernel = scene(11, 14, 1), np.zeros((4, 6))
    kernel[1, 2] = 1
    np.testing.assert_array_equal(filter_kernel(image, kernel, (1, 2)), image)
    kernel[3, 0] = 1  # two rows below, two columns to the left
    expected = image[2:, :-2] + image[:-2, 2:]
    np.testing.assert_allclose(filter_kernel(image, kernel, (1, 2))[:-2, 2:], expected, atol=1e-7)


def test_uint8_pixels_keep_their_unit() -> None:
    pixels = (scene(33, 29, 3) * 255).astype(np.uint8)
    axes = resize_axis(33, 11, "cubic"), resize_axis(29, 10, "cubic")
    made = filter_kernel(pixels, weights(5), (2, 2), *axes)
    np.testing.assert_array_equal(made, filter_kernel(pixels.astype(np.float32), weights(5), (2, 2), *axes))
    assert 64 < made.mean() < 192


def test_equal_taps_of_every_output_are_needed_for_one_kernel() -> None:
    """The last output's taps differ: the kernel of the first must not stand in for them."""
    image, kernel = scene(24, 24, 1), weights(5)
    taps = np.full((6, 2), 0.5)
    taps[5] = [1, 0]
    axis = AxisMap(np.arange(6) * 4, taps, 24)
    expected = apply_axes(at_full_size(image, kernel), axis, axis)
    np.testing.assert_allclose(filter_kernel(image, kernel, (2, 2), axis, axis), expected, atol=1e-6)
