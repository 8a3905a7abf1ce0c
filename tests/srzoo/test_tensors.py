"""The border between pixels and tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from srzoo.tensors import to_pixels, to_tensor


@pytest.mark.parametrize(("dtype", "depth"), [(np.uint8, 8), (np.uint16, 16)])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_level_survives_the_round_trip(dtype: type, depth: int, channels: int) -> None:
    levels = np.arange(2**depth, dtype=dtype).reshape(2 ** (depth // 2), -1, 1).repeat(channels, axis=2)
    back = to_pixels(to_tensor(levels), depth)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, levels)


def test_the_tensor_is_channels_first_in_zero_to_one_and_owns_its_memory() -> None:
    pixels = np.zeros((5, 7, 3), np.uint8)
    pixels[4, 6, 2] = 255
    tensor = to_tensor(pixels)
    assert tensor.shape == (1, 3, 5, 7)
    assert tensor.dtype == torch.float32
    assert tensor[0, 2, 4, 6] == 1
    assert tensor.sum() == 1
    assert tensor.is_contiguous(memory_format=torch.channels_last)
    tensor.zero_()
    assert pixels.max() == 255


def test_a_view_of_pixels_is_read_right() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(to_pixels(to_tensor(pixels[::-1, 1::2])), pixels[::-1, 1::2])


def test_values_are_clipped_and_halves_round_up() -> None:
    row = torch.tensor([-0.2, 0.5 / 256, 100.5 / 255, 100.4 / 255, 1.0, 7.0], dtype=torch.float64)
    assert to_pixels(row.view(1, 1, 1, 6)).ravel().tolist() == [0, 0, 101, 100, 255, 255]


def test_half_precision_is_widened_before_scaling() -> None:
    tensor = torch.full((1, 1, 1, 1), 0.7, dtype=torch.bfloat16)
    assert to_pixels(tensor)[0, 0, 0] == int(float(tensor) * 255 + 0.5)


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_anything_but_pixels_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected \(H, W, C\) uint8 or uint16"):
        to_tensor(pixels)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="expected finite values"):
        to_pixels(torch.full((1, 3, 2, 2), float("nan")))
    with pytest.raises(ValueError, match=r"expected \(1, C, H, W\)"):
        to_pixels(torch.zeros(2, 3, 4, 4))
    with pytest.raises(ValueError, match="expected a depth of 8 or 16"):
        to_pixels(torch.zeros(1, 3, 4, 4), depth=10)
