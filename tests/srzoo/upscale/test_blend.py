"""Blended pieces: exact where they agree, without a step where they do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from srzoo.upscale.blend import crossfade, ramp, shown
from srzoo.upscale.tiles import spans


def pieces(picture: torch.Tensor, scale: int, tile: int, overlap: int, dim: int) -> tuple[list[torch.Tensor], int]:
    """What the windows of the axis `dim` of `picture` (1, C, H, W) show of it."""
    axis = spans(picture.shape[dim] // scale, scale, tile=tile, overlap=overlap)
    ranges, common = shown(axis, scale, overlap)
    windows = [picture.narrow(dim, span.lr[0] * scale, (span.lr[1] - span.lr[0]) * scale) for span in axis]
    rest = (slice(None),) * dim
    return [window[(*rest, part)] for window, part in zip(windows, ranges, strict=True)], common


@given(st.integers(0, 500))
def test_weights_of_neighbours_sum_to_exactly_one(pixels: int) -> None:
    weight = ramp(pixels)
    assert ((weight + (1 - weight)) == 1).all()
    np.testing.assert_allclose(weight.flip(0), 1 - weight, atol=1e-7)  # both sides are treated alike
    assert ((weight >= 0) & (weight <= 1)).all()
    assert (weight.diff() > 0).all() or pixels > 400  # float32 cannot tell neighbours apart at the ends


@given(st.integers(1, 200), st.integers(1, 4), st.integers(1, 90), st.integers(0, 80), st.sampled_from([2, 3]))
def test_pieces_that_agree_are_kept_bit_for_bit(length: int, scale: int, tile: int, overlap: int, dim: int) -> None:
    size = (1, 2, length * scale, 3) if dim == 2 else (1, 2, 3, length * scale)
    picture = torch.rand(size, generator=torch.Generator().manual_seed(length))
    cut, common = pieces(picture, scale, tile, overlap, dim)
    assert torch.equal(torch.cat(tuple(crossfade(cut, common, dim)), dim), picture)


@given(st.integers(2, 200), st.integers(1, 4), st.integers(1, 90), st.integers(0, 80))
def test_the_blend_is_the_weighted_mean_of_two_pieces(length: int, scale: int, tile: int, overlap: int) -> None:
    """Against weights laid out over the whole axis in float64, which sum to 1 in every pixel."""
    axis = spans(length, scale, tile=tile, overlap=overlap)
    ranges, common = shown(axis, scale, overlap)
    rng = np.random.default_rng(length)
    cut, expected, total = [], np.zeros(length * scale), np.zeros(length * scale)
    for number, (span, part) in enumerate(zip(axis, ranges, strict=True)):
        values = rng.random((span.lr[1] - span.lr[0]) * scale)[part].astype(np.float32)
        low = span.lr[0] * scale + (part.start or 0)
        weight = np.ones(values.size)
        rise = np.sin(np.pi / 2 * (np.arange(common) + 0.5) / max(common, 1)) ** 2
        if number:
            weight[:common] *= rise
        if number < len(axis) - 1 and common:
            weight[-common:] *= 1 - rise
        expected[low : low + values.size] += weight * values
        total[low : low + values.size] += weight
        cut.append(torch.from_numpy(values).view(1, 1, 1, -1))
    np.testing.assert_allclose(total, 1, atol=1e-12)
    made = torch.cat(tuple(crossfade(cut, common, 3)), 3)
    np.testing.assert_allclose(made.flatten(), expected, atol=1e-6)


def test_neighbours_fade_over_half_the_overlap_around_the_cut() -> None:
    axis = spans(200, 2, tile=100, overlap=12)
    ranges, common = shown(axis, 2, 12)
    assert common == 12  # HR pixels: 6 LR pixels
    first, second = (
        torch.full((1, 1, 1, part.stop - part.start), float(value)) for part, value in zip(ranges, (0, 1), strict=True)
    )
    made = torch.cat(tuple(crossfade([first, second], common, 3)), 3).flatten()
    mixed = ((made > 0) & (made < 1)).nonzero()
    assert (int(mixed.min()), int(mixed.max())) == (194, 205)  # the cut is at HR pixel 200
    assert float(made.diff().max()) == pytest.approx(np.pi / 2 / 12, rel=0.02)  # the slope of half a cosine


def test_parts_come_as_soon_as_they_are_settled() -> None:
    read = []

    def source() -> object:
        for number in range(3):
            read.append(number)
            yield torch.full((1, 1, 10, 1), float(number))

    parts = crossfade(source(), 4, 2)  # type: ignore[reportArgumentType]  a generator of tensors
    assert next(parts).shape[2] == 6
    assert read == [0]
    assert [part.shape[2] for part in parts] == [6, 6, 4]


def test_one_piece_is_itself() -> None:
    axis = spans(30, 2, tile=30, overlap=8)
    ranges, common = shown(axis, 2, 8)
    picture = torch.rand(1, 1, 1, 60)
    assert torch.equal(torch.cat(tuple(crossfade([picture[..., ranges[0]]], common, 3)), 3), picture)
