"""Histograms for a page and for a terminal."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from degrade.report.histogram import histogram_line, histogram_svg


def bars(svg: str) -> list[ET.Element]:
    return [element for element in ET.fromstring(svg).iter() if element.get("class") == "bar"]


def test_bars_are_as_tall_as_their_counts_and_say_so() -> None:
    found = bars(histogram_svg([0.0, 1.0, 2.0, 3.0], [10, 0, 5], title="sigma"))
    heights = [float(bar.get("height", "")) for bar in found]
    assert len(found) == 2  # an empty bin has no bar
    assert heights[1] == heights[0] / 2
    assert [bar[0].text for bar in found] == ["0 to 1: 10", "2 to 3: 5"]


def test_text_is_escaped_and_a_rare_value_is_still_seen() -> None:
    svg = histogram_svg([0.0, 1.0, 2.0], [100_000, 1], title="<script>", unit="a & b")
    assert "<script>" not in svg
    assert float(bars(svg)[1].get("height", "")) == 1.0


def test_equal_values_are_one_bar_with_one_number() -> None:
    svg = histogram_svg([2.5, 2.5], [9], title="size")
    assert len(bars(svg)) == 1
    assert svg.count(">2.5<") == 1


def test_a_line_is_darker_for_more_and_blank_for_none() -> None:
    line = histogram_line([0, 1, 50, 100])
    assert (line[0], line[-1]) == ("[", "]")
    assert line[1:-1] == " .+@"
    assert line.isascii()
    assert histogram_line([7]) == ""
