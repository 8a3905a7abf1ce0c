"""Charts: valid SVG, points where they belong, round numbers on the axes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srzoo.report.chart import HEIGHT, WIDTH, Line, fits_log, line_chart, smoothed, ticks

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def parsed(*lines: Line, log_y: bool = False) -> ElementTree.Element:
    return ElementTree.fromstring(line_chart(lines, title="a < b & c", x_label="step", y_label="dB", log_y=log_y))


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([-\d.]+) ([-\d.]+)", path)]


@given(st.lists(st.tuples(st.floats(0, 1e7), NUMBERS), min_size=1, max_size=40))
def test_everything_lies_inside_the_drawing(points: list[tuple[float, float]]) -> None:
    svg = parsed(Line("ours", points))
    drawn = [place for path in svg.iter("path") if "line" in path.attrib["class"] for place in places(path.attrib["d"])]
    assert len(drawn) == len(points)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in drawn)


def test_higher_values_are_higher_and_the_axis_is_linear() -> None:
    svg = parsed(Line("ours", [(0, 10), (50, 20), (100, 30)]))
    ((x0, y0), (x1, y1), (x2, y2)) = places(svg.findall("path[@class='line ours']")[0].attrib["d"])
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.1)
    assert y0 > y1 > y2
    assert y1 == pytest.approx((y0 + y2) / 2, abs=0.1)


def test_a_log_axis_gives_decades_equal_room() -> None:
    svg = parsed(Line("loss", [(0, 1.0), (1, 0.1), (2, 0.01)]), log_y=True)
    heights = [y for _, y in places(svg.findall("path[@class='line ours']")[0].attrib["d"])]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.2)
    texts = [text.text for text in svg.iter("text")]
    assert {"0.01", "0.1", "1"} <= set(texts)


def test_text_is_escaped_and_axes_are_named() -> None:
    texts = [text.text for text in parsed(Line("ours", [(0, 1), (1, 2)])).iter("text")]
    assert "a < b & c" in texts
    assert {"step", "dB"} <= set(texts)


def test_several_lines_have_a_legend_and_one_has_none() -> None:
    one = line_chart([Line("ours", [(0, 1), (1, 2)])], title="", x_label="", y_label="")
    two = line_chart([Line("ours", [(0, 1)]), Line("bicubic", [(0, 2)], "bicubic")], title="", x_label="", y_label="")
    assert ">ours<" not in one
    assert ">ours<" in two
    assert ">bicubic<" in two


@given(NUMBERS, NUMBERS, st.integers(2, 9))
def test_ticks_are_few_inside_and_evenly_spaced(a: float, b: float, count: int) -> None:
    low, high = min(a, b), max(a, b)
    if high - low < 1e-6 * max(1.0, abs(low), abs(high)):
        return
    found = ticks(low, high, count)
    assert 1 <= len(found) <= count + 1
    slack = 1e-9 * (high - low) + 1e-12
    assert all(low - slack <= tick <= high + slack for tick in found)


def test_ticks_are_round() -> None:
    assert ticks(0, 3000, 6) == [0, 500, 1000, 1500, 2000, 2500, 3000]
    assert ticks(24.2, 25.7) == [24.5, 25, 25.5]
    assert ticks(7, 7) == [7]


def test_smoothing_keeps_ends_lines_and_means() -> None:
    line = [(float(i), 3.0 * i) for i in range(50)]
    for (x, y), (sx, sy) in zip(line, smoothed(line, 0.2), strict=True):
        assert (sx, sy) == (x, pytest.approx(y))
    spike = [(float(i), float(i == 25)) for i in range(51)]
    assert max(y for _, y in smoothed(spike, 0.2)) == pytest.approx(1 / 11)


def test_log_is_for_what_spans_much_and_stays_positive() -> None:
    assert fits_log([1.0, 0.1])
    assert not fits_log([1.0, 0.5])
    assert not fits_log([1.0, 0.0])
    assert not fits_log([1.0, -1.0])
