"""`srzoo report`: a page that is whole in itself, whatever the run has to tell."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srzoo.checkpoint import save_model
from srzoo.cli.main import run
from srzoo.networks import NETWORKS

RNG = np.random.default_rng(0)
VOID = {"meta", "img", "input", "br", "hr", "link"}


class Checked(HTMLParser):
    """Collects text and attributes; fails on tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.headings: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.references += [value or "" for name, value in attrs if name in {"src", "href", "srcset"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.text += data
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


@pytest.fixture(autouse=True)
def _work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def trained() -> Path:
    """A run folder with a model and a diary."""
    folder = Path("runs/mine")
    folder.mkdir(parents=True)
    config, network = NETWORKS["skipres"]
    with torch.random.fork_rng(devices=[]):
        small = network(config(blocks=1, features=8))
    metadata = {"preset": 'name = "demo"\ndescription = "<b>bold</b>"\n', "steps": "300", "shards": "ab" * 32}
    save_model(folder / "generator.safetensors", "skipres", small, metadata)
    records = []
    for step in range(10, 301, 10):
        scores = {"psnr": 20 + step / 300, "psnr_bicubic": 20.0}
        records.append({"step": step, "stage": "demo", "seconds": step / 10, "losses": {"pixel": 1 / step}, **scores})
    (folder / "log.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return folder


def save(name: str, height: int, width: int) -> str:
    Image.fromarray(RNG.integers(0, 256, (height, width, 3), np.uint8)).save(name)
    return name


def report(*arguments: str) -> int:
    return run(["report", "--device", "cpu", *arguments])


def test_a_run_alone_gives_curves_and_a_card(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report("runs/mine") == 0
    assert capsys.readouterr().out.startswith("runs/mine/report.html  (")
    page = Checked((trained / "report.html").read_text())
    assert page.headings == ["Training", "Model card"]
    assert page.references == []
    for text in ("mine", "+1.00 dB", "30 s", "300 steps", "skipres x4", "Training loss: pixel", "loss (log scale)"):
        assert text in page.text
    assert "<b>bold</b>" in page.text  # shown, not obeyed


def test_everything_on_one_page_and_nothing_outside_it(trained: Path) -> None:
    for name, height, width in (("hr", 160, 200), ("lr", 40, 50), ("old", 30, 30), ("sheet", 50, 1700)):
        save(f"{name}.png", height, width)
    shown = ["--lr", "lr.png", "--hr", "hr.png", "--photo", "old.png", "--sheet", "sheet.png"]
    assert report(*shown, "-o", "new/page.html") == 0
    html = Path("new/page.html").read_text()
    page = Checked(html)
    assert page.headings == ["Photographs", "Training", "What the training data looks like", "Model card"]
    assert page.references
    assert all(reference.startswith("data:image/webp;base64,") for reference in page.references)
    assert not re.search(r"https?://|@import|url\(", re.sub(r'"data:[^"]*"', "", html))
    assert "The truth is not known." in page.text
    assert page.text.count("PSNR (Y)") >= 2


def test_a_model_without_a_diary_is_enough(trained: Path) -> None:
    (trained / "log.jsonl").unlink()
    assert report("runs/mine/generator.safetensors", "-o", "page.html") == 0
    assert Checked(Path("page.html").read_text()).headings == ["Model card"]


def test_a_bad_photo_is_left_out_and_said(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save("old.png", 30, 30)
    Path("bad.png").write_bytes(b"junk")
    assert report("--photo", "bad.png", "--photo", "old.png", "-o", "page.html") == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines[1].startswith("srzoo: left out: bad.png: its content is no image")
    assert lines[-1].startswith("srzoo: error: 1 of 2 photographs: not on the page - ")
    assert ">old</h3>" in Path("page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["--lr", "lr.png"], 2, "srzoo: error: srzoo report: 1 --lr but 0 --hr - give them in pairs"),
        (["-o", "page.png"], 2, "srzoo: error: page.png: is no name for a page - end it in .html"),
        (["no-such"], 2, "srzoo: error: --model no-such: no such file, run or shipped model - "),
        (["--shards", "none"], 2, "srzoo: error: none: "),
        (
            ["--lr", "lr.png", "--hr", "lr.png"],
            2,
            "srzoo: error: lr.png: 40 x 40, but lr.png is 40 x 40: that is not x4",
        ),
    ],
)
def test_failures_are_one_line(
    arguments: list[str], code: int, line: str, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save("lr.png", 40, 40)
    assert report(*arguments) == code
    assert capsys.readouterr().err.splitlines()[-1].startswith(line)
    assert not (trained / "report.html").exists()


def test_the_page_of_one_run_is_the_same_twice_but_for_the_clock(trained: Path) -> None:
    save("old.png", 30, 30)
    pages = []
    for _ in range(2):
        assert report("--photo", "old.png", "-o", "page.html") == 0
        pages.append(re.sub(r"\d+\.\d+ s", "", Path("page.html").read_text()))
    assert pages[0] == pages[1]


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--help"]) == 0
    assert "srzoo report runs/demo --photo old.jpg" in capsys.readouterr().out
