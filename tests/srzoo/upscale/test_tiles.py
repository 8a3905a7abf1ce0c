"""Spans cover an axis exactly once and read what they need, whatever the sizes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from degrade.functional.resample import apply_axes, resize, resize_axis
from srzoo.upscale.tiles import shifted, spans

LENGTHS, SCALES = st.integers(1, 300), st.integers(1, 4)
TILES, OVERLAPS = st.integers(1, 120), st.integers(0, 40)


@given(LENGTHS, SCALES, TILES, OVERLAPS)
def test_spans_make_every_output_once_in_order(length: int, scale: int, tile: int, overlap: int) -> None:
    axis = spans(length, scale, tile=tile, overlap=overlap)
    made = [i for span in axis for i in range(*span.out)]
    assert made == list(range(length * scale))
    for span in axis:
        assert span.out == span.hr
        assert span.out[1] - span.out[0] <= tile * scale
        assert span.lr == (max(0, span.hr[0] // scale - overlap), min(length, span.hr[1] // scale + overlap))


@given(LENGTHS, SCALES, st.integers(16, 120), OVERLAPS, st.integers(1, 900))
def test_resized_spans_make_every_output_once_and_read_inside(
    length: int, scale: int, tile: int, overlap: int, outputs: int
) -> None:
    resize = resize_axis(length * scale, outputs, "cubic", antialias=True)
    axis = spans(length, scale, tile=tile, overlap=overlap, resize=resize)
    assert [i for span in axis for i in range(*span.out)] == list(range(outputs))
    for span in axis:
        assert 0 <= span.lr[0] <= span.hr[0] // scale
        assert span.hr[1] // scale <= span.lr[1] <= length
        assert span.hr[0] % scale == span.hr[1] % scale == 0


@given(LENGTHS, SCALES, TILES, OVERLAPS, st.sampled_from([1, 4, 16]))
def test_aligned_windows_only_see_more(length: int, scale: int, tile: int, overlap: int, align: int) -> None:
    plain = spans(length, scale, tile=tile, overlap=overlap)
    aligned = spans(length, scale, tile=tile, overlap=overlap, align=align)
    for span, other in zip(plain, aligned, strict=True):
        assert (other.out, other.hr, other.lr[1]) == (span.out, span.hr, span.lr[1])
        assert other.lr[0] % align == 0
        assert 0 <= span.lr[0] - other.lr[0] < align


def test_resizing_in_parts_equals_resizing_at_once() -> None:
    rng = np.random.default_rng(0)
    for length, outputs in ((64, 100), (64, 31), (64, 5), (50, 203)):
        image = rng.random((length * 2, 6, 3), np.float32)
        whole = resize(image, outputs, 6)
        along = resize_axis(length * 2, outputs, "cubic", antialias=True)
        across = resize_axis(6, 6, "cubic", antialias=True)
        parts = [
            apply_axes(image[slice(*span.hr)], shifted(along, span), across)
            for span in spans(length, 2, tile=20, overlap=3, resize=along)
        ]
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)
