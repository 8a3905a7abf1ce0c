"""The page of a comparison: whole in itself, lossless, and safe."""

from __future__ import annotations

import base64
import re

import numpy as np

from degrade import codecs
from srzoo.report.compare import ComparisonPage, compared, rendered_comparison
from srzoo.report.trials import Entry, trials_of

RNG = np.random.default_rng(0)


def entry() -> Entry:
    pictures = [RNG.integers(0, 256, (32, 48, 3), np.uint8) for _ in range(3)]
    return Entry("<p>", {"net": pictures[0], "b&w": pictures[1]}, pictures[0][::4, ::4].copy(), pictures[2])


def test_pictures_are_embedded_lossless_in_order() -> None:
    given = entry()
    (one,) = [compared(trial) for trial in trials_of(given, 0)]
    assert [view.label for view in one.views] == ["Input", "net", "b&w", "Truth"]
    assert [view.is_input for view in one.views] == [True, False, False, False]
    for view, pixels in zip(one.views, [given.input, *given.made.values(), given.truth], strict=True):
        data = base64.b64decode(view.uri.partition(",")[2])
        np.testing.assert_array_equal(codecs.decode(data, "embedded").pixels, pixels)


def test_a_crop_says_where_it_lies() -> None:
    (one,) = [compared(trial) for trial in trials_of(entry(), 16)]
    assert one.box is not None
    assert (round(one.box.width * 0.48, 6), round(one.box.height * 0.32, 6)) == (16, 16)
    column, row = round(one.box.left * 0.48), round(one.box.top * 0.32)
    assert one.note == f"16 x 16 of 48 x 32 pixels, from column {column} and row {row} on"
    assert compared(trials_of(entry(), 0)[0]).box is None


def test_the_page_escapes_names_and_asks_for_nothing() -> None:
    page = ComparisonPage("T & T", [compared(trial) for trial in trials_of(entry(), 16)], [("net", "<model>")])
    html = rendered_comparison(page)
    for text in ("T &amp; T", "&lt;p&gt;", "b&amp;w", "&lt;model&gt;"):
        assert text in html
    assert re.findall(r"(?:src|href)=\"(?!data:)", html) == []
    assert not re.search(r"https?://|@import|url\(", re.sub(r'"data:[^"]*"', "", html))
    assert "default-src 'none'" in html  # the browser holds it to that
    assert rendered_comparison(page) == html
