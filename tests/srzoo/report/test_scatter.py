"""Scatter plots: marks where they belong, in their colours."""

from __future__ import annotations

import numpy as np
import pytest

from srzoo.report.scatter import COLOURS, HEIGHT, WIDTH, Series, scatter


def centre(pixels: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float]:
    """x, y of what has the colour, right of the legend's marks."""
    rows, columns = np.nonzero((np.abs(pixels.astype(int) - colour) < 8).all(axis=2))
    is_mark = columns > 90
    return columns[is_mark].mean(), rows[is_mark].mean()


def mark(x: float, y: float, *, number: int = 0) -> tuple[float, float]:
    """Where the mark at (x, y) is drawn, with the ends of the axes held by a grey series at (10, 10)."""
    series = [Series("one", [(10, 10)], is_fitted=False)] * len(COLOURS)
    series[number] = Series("two", [(x, y)], is_fitted=False)
    return centre(scatter(series, x_label="x", y_label="y"), COLOURS[number])


def test_axes_are_linear_and_larger_is_right_and_up() -> None:
    (x0, y0), (x1, y1), (x2, y2) = mark(2, 1), mark(4, 4), mark(6, 7)
    assert x0 < x1 < x2
    assert y0 > y1 > y2
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.6)
    assert y1 == pytest.approx((y0 + y2) / 2, abs=0.6)


def test_series_have_colours_of_their_own() -> None:
    assert mark(5, 5, number=1) == pytest.approx(mark(5, 5, number=0), abs=0.6)


def test_a_line_is_fitted_where_values_vary() -> None:
    points = [(1, 1.0), (5, 3.0), (9, 5.0)]
    bare, fitted = (scatter([Series("a", points, is_fitted=fits)], x_label="x", y_label="y") for fits in (False, True))
    has_colour = [((np.abs(one.astype(int) - COLOURS[0]) < 8).all(axis=2)).sum() for one in (bare, fitted)]
    assert has_colour[1] > has_colour[0] + 500
    scatter([Series("a", [(2, 1.0), (2, 3.0)])], x_label="x", y_label="y")  # nothing to fit


def test_the_same_picture_again_of_the_stated_size() -> None:
    series = [Series(f"model {number}", [(0, 0), (0.2, number)]) for number in range(8)]
    first = scatter(series, x_label="reference", y_label="made")
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(scatter(series, x_label="reference", y_label="made"), first)
    zero = scatter([Series("none", [(0.0, 0.0), (0.0, 0.0)])], x_label="", y_label="")
    assert zero.shape == (HEIGHT, WIDTH, 3)
