"""Pages need nothing else, and show text as text."""

from __future__ import annotations

import base64
import io

import jinja2
import numpy as np
import pytest
from PIL import Image

from degrade.report.page import embedded, page

FACTS = {"title": "Check of <b>x</b>", "is_fine": True, "verdict": "Fine.", "facts": [("pairs", "3", "")]}


def test_a_page_is_whole_and_loads_nothing() -> None:
    html = page("check", **FACTS, remarks=[], shown=[])
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    for outside in ("http://", "https://", "<script", "<link", "@import"):
        assert outside not in html


def test_a_name_that_is_missing_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        page("check", title="t")


@pytest.mark.parametrize("channels", [1, 3])
def test_embedded_pictures_are_the_pixels(channels) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    head, data = embedded(pixels).split(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert np.array_equal(np.asarray(image).reshape(pixels.shape), pixels)
