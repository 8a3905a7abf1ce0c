"""Where blended tiles are compared with one window, and the figures that come of it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from srzoo.upscale.difference import between, window_over_a_cut
from srzoo.upscale.tiles import spans


@given(st.integers(40, 600), st.integers(40, 600), st.integers(16, 200), st.integers(0, 40), st.sampled_from([1, 16]))
def test_the_window_lies_over_a_cut_and_inside_the_picture(
    height: int, width: int, tile: int, overlap: int, align: int
) -> None:
    grid = (spans(height, 2, tile=tile, overlap=overlap), spans(width, 2, tile=tile, overlap=overlap))
    window = window_over_a_cut(grid, overlap, 4 * overlap + 64, align)
    for axis, length, lr, inner in zip(grid, (height, width), window.lr, window.inner, strict=True):
        assert 0 <= lr[0] <= inner[0] < inner[1] <= lr[1] <= length
        assert lr[0] % align == 0
        assert lr[1] - lr[0] == min(length, 4 * overlap + 64)
        if len(axis) > 1:
            assert any(inner[0] <= span.hr[0] // 2 <= inner[1] for span in axis[1:])
        assert inner[0] - lr[0] == (overlap if lr[0] else 0)  # what is compared has its surroundings
        assert lr[1] - inner[1] == (overlap if lr[1] < length else 0)


def test_the_window_may_be_all_there_is() -> None:
    grid = (spans(70, 4, tile=32, overlap=8), spans(90, 4, tile=32, overlap=8))
    window = window_over_a_cut(grid, 8, None, 16)
    assert window.lr == window.inner == ((0, 70), (0, 90))
    assert window.place == "the whole picture"


def test_differences_are_grey_levels_of_what_would_be_shown() -> None:
    tiled, alone = torch.zeros(1, 1, 1, 4), torch.tensor([[[[0.0, 2 / 255, -1.0, 6 / 255]]]])
    difference = between(tiled, alone, "a place")
    assert (difference.mean, difference.largest) == (pytest.approx(2), pytest.approx(6))  # -1 is clipped to black
    assert str(difference) == "2.00 grey levels on average, 6 at most, against a place run at once"
