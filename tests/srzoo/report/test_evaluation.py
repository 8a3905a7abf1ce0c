"""Crops where methods differ most, and the page that shows them."""

from __future__ import annotations

import base64
import re

import numpy as np

from degrade import codecs
from srzoo.report.evaluation import EvaluationPage, Gallery, Table, most_different, rendered_evaluation

RNG = np.random.default_rng(0)


def picture(height: int, width: int) -> np.ndarray:
    return RNG.integers(60, 190, (height, width, 3), np.uint8)


def decoded(uri: str) -> np.ndarray:
    return codecs.decode(base64.b64decode(uri.partition(",")[2]), "embedded").pixels


def test_places_are_where_pictures_differ_apart_and_on_the_grid() -> None:
    one = picture(160, 240)
    other = one.copy()
    other[100:140, 180:220] += 40  # most
    other[20:50, 10:40] += 20
    places = most_different([one, one, other], 40, step=4)
    (first, y, x), (second, v, u) = places
    assert first > second > 0
    assert abs(y - 100) <= 4
    assert abs(x - 180) <= 4
    assert v <= 20 < 50 <= v + 40
    assert u <= 12 < 40 <= u + 40
    assert all(place % 4 == 0 for place in (y, x, v, u))


def test_the_spread_is_the_mean_deviation_of_luma() -> None:
    planes = [np.full((32, 32, 3), level, np.uint8) for level in (100, 110, 135)]
    ((spread, y, x),) = most_different(planes, 32)
    assert (y, x) == (0, 0)
    assert np.isclose(spread, 219 / 255 * np.std([100, 110, 135]))


def test_the_gallery_keeps_the_pictures_that_differ_most_of_each_set() -> None:
    gallery = Gallery(most=2)
    for name, change in (("little", 1), ("much", 40), ("some", 10), ("none", 0)):
        hr = picture(128, 160)
        gallery.add("A", name, hr[::2, ::2], hr, {"bicubic": hr, "net": hr + np.uint8(change)})
    hr = picture(40, 48)  # smaller than a crop
    gallery.add("B", "small", hr[::2, ::2], hr, {"bicubic": hr})
    assert [(one.set, one.name) for one in gallery.shown()] == [("A", "much"), ("A", "some"), ("B", "small")]


def test_crops_show_the_same_place_of_everything_with_its_own_psnr() -> None:
    hr = picture(128, 160)
    net = hr.copy()
    net[20:116, 40:136] = np.clip(net[20:116, 40:136].astype(int) + 30, 0, 255)
    gallery = Gallery()
    gallery.add("A", "one", hr[::4, ::4], hr, {"bicubic": hr, "net": net})
    (one,) = gallery.shown()
    y, x = round(one.boxes[0].top * 1.28), round(one.boxes[0].left * 1.6)
    assert (round(one.boxes[0].width * 1.6), round(one.boxes[0].height * 1.28)) == (96, 96)
    by_label = {view.label: view for view in one.crops[0]}
    assert list(by_label) == ["input", "bicubic", "net", "truth"]
    for label, whole in (("bicubic", hr), ("net", net), ("truth", hr)):
        np.testing.assert_array_equal(decoded(by_label[label].uri), whole[y : y + 96, x : x + 96])
    np.testing.assert_array_equal(
        decoded(by_label["input"].uri), hr[::4, ::4][y // 4 : y // 4 + 24, x // 4 : x // 4 + 24]
    )
    assert by_label["bicubic"].score == "inf dB"
    share = ((net != hr).all(2)[y : y + 96, x : x + 96]).mean()
    expected = 10 * np.log10(255**2 / (share * (30 * 219 / 255) ** 2))
    assert float(by_label["net"].score.removesuffix(" dB")) == np.round(expected, 2)


def test_the_page_escapes_what_it_is_given_and_needs_nothing_else() -> None:
    table = Table("<title>", ("set", "PSNR"), (("<b>a</b>", "1"), ("b", "2")), frozenset({0}), frozenset({1}))
    html = rendered_evaluation(EvaluationPage("E", "x4", [("Scale", "4 & more")], [table], []))
    assert "&lt;b&gt;a&lt;/b&gt;" in html
    assert "4 &amp; more" in html
    assert "Where they differ most" not in html
    assert re.findall(r"(?:src|href)=\"(?!data:)", html) == []
