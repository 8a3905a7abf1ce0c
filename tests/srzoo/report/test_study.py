"""The page of a study: its structure, and that it needs nothing else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srzoo.errors import UsageError
from srzoo.evaluate.anchors import PublishedTable
from srzoo.report.study import rendered_study, study_page
from srzoo.report.study_spec import (
    Claim,
    Group,
    Item,
    PaperRows,
    PicturesSpec,
    Row,
    RunSpec,
    Section,
    Study,
    TableSpec,
)

VOID = {"meta", "img", "br", "circle", "path"}
OUTLINE = {"h1", "h2", "h3", "h4", "caption", "b", "td", "th", "figcaption", "a"}


class Parsed(HTMLParser):
    """The text of every element of `OUTLINE`, in order; fails on tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, str]] = []
        self.attributes: dict[str, list[str]] = {}
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")
        if tag in OUTLINE:
            self.found.append((tag, ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for place in (tag for tag in reversed(self.open) if tag in OUTLINE):
            latest = max(number for number, (tag, _) in enumerate(self.found) if tag == place)
            self.found[latest] = (place, self.found[latest][1] + data)

    def texts(self, *tags: str) -> list[str]:
        return [text for tag, text in self.found if tag in tags]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    means = {"bicubic": {"psnr": 26.0}, "<net>": {"psnr": 27.25}}
    (tmp_path / "e.json").write_text(json.dumps({"scale": 4, "sets": [{"name": "S", "mean": means}]}))
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "run").mkdir()
    records = [{"step": step, "seconds": step, "losses": {"pixel": 1 / step}} for step in (10, 20, 30)]
    (tmp_path / "run" / "log.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return tmp_path


STUDY = Study(
    "A & B",
    (
        Section(
            "Tables",
            "One\nline.\n\nAnother.",
            tables=(
                TableSpec(
                    "Table 1",
                    (Group("e.json", "S", ("psnr",), "G"),),
                    (Row("Bicubic", "bicubic"), Row("Net", "<net>")),
                    papers=(PaperRows("p"),),
                ),
            ),
            claims=(
                Claim("Net wins.", "e.json#S/<net>/psnr", "e.json#S/bicubic/psnr", difference_at_least=1),
                Claim("By far.", "e.json#S/<net>/psnr", "e.json#S/bicubic/psnr", difference_at_least=2),
            ),
        ),
        Section(
            "The rest",
            pictures=(PicturesSpec("Crops", (Item("One", "a.png"), Item("Two", "b.png")), side=16, count=2),),
            runs=(RunSpec("Run", "run"),),
        ),
    ),
    intro="What it is.",
)
PAPERS = {"p": (PublishedTable("S", 4, "network", "Table 7", ("psnr",), {"Theirs": (30.0,)}),)}


def html(root: Path) -> str:
    return rendered_study(study_page(STUDY, root, PAPERS))


def test_the_page_has_the_parts_of_the_study_in_order(root: Path) -> None:
    page = Parsed(html(root))
    assert [one for one in page.found if one[0] not in {"td", "th", "b", "figcaption"}] == [
        ("h1", "A & B"),
        ("h4", "Contents"), ("a", "Tables"), ("a", "The rest"),
        ("h2", "Tables"), ("caption", "Table 1"), ("caption", "Claims"),
        ("h2", "The rest"), ("h3", "Crops"), ("h4", "1"), ("h4", "2"), ("h3", "Training runs"), ("h4", "Run"),
    ]  # fmt: skip
    assert page.texts("th") == ["", "G", "", "PSNR dB ↑", "", "measured", "asked", ""]
    assert page.texts("td") == [
        "Bicubic", "26.00", "Net", "27.25", "Theirsp", "30.00",
        "Net wins.", "27.25 - 26 = 1.25", "difference at least 1", "holds",
        "By far.", "27.25 - 26 = 1.25", "difference at least 2", "does not hold",
    ]  # fmt: skip
    assert page.texts("b") == ["27.25"]
    assert page.texts("figcaption") == ["One", "Two", "One", "Two"]
    shown = html(root)
    for text in ("<p>What it is.</p>", "<p>One line.</p>\n<p>Another.</p>", "1 of 2 hold", "p, S: Table 7, protocol"):
        assert text in shown


def test_the_page_needs_nothing_else_and_no_script(root: Path) -> None:
    shown = html(root)
    attributes = Parsed(shown).attributes
    assert all(value.startswith("data:image/") for value in attributes["src"])
    assert attributes["href"] == ["#s1", "#s2"]
    assert {"s1", "s2"} <= set(attributes["id"])
    assert not any(name.startswith("on") for name in attributes)
    assert "<script" not in shown
    assert not re.search(r"https?://|@import|url\(", re.sub(r'"data:[^"]*"', "", shown))
    for rule in ("prefers-color-scheme: dark", "@media print", "overflow-x: auto"):
        assert rule in shown


def test_what_the_study_says_is_shown_not_obeyed(root: Path) -> None:
    shown = rendered_study(study_page(Study("<b>x</b>", (Section("<i>h</i>", "<u>t</u>"),)), root))
    assert not re.search(r"<[biu]>", shown)
    assert shown.count("&lt;b&gt;x&lt;/b&gt;") == 2
    assert "Claims" not in shown


def test_missing_files_are_told_before_anything_is_made(root: Path) -> None:
    (root / "b.png").unlink()
    (root / "e.json").unlink()
    with pytest.raises(UsageError) as caught:
        study_page(STUDY, root, PAPERS)
    line = f"{root / 'e.json'}: is not there, nor is b.png - make it, or take it out of the study"
    assert str(caught.value) == line


def test_an_error_inside_names_the_section(root: Path) -> None:
    wrong = Study("T", (Section("a"), Section("b", claims=(Claim("c", "e.json#S/x/psnr", difference_at_least=1),))))
    with pytest.raises(UsageError, match=r"^my\.toml: sections\.1: e\.json#S/x/psnr: no model 'x' there - known: "):
        study_page(wrong, root, origin="my.toml")
