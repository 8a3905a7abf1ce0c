"""`srzoo study`: a page, a line for each claim, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from srzoo.cli.main import run

STUDY = """
title = "T"
[hints]
"results/*" = "run `make results`"
[[sections]]
heading = "H"
[[sections.claims]]
text = "It wins."
left = "results/e.json#S/net/psnr"
right = 26
difference_at_least = 1.0
[[sections.claims]]
text = "It is measured."
left = "results/e.json#S/net/niqe"
difference_at_least = 0
"""


@pytest.fixture(autouse=True)
def _study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(STUDY)
    Path("results").mkdir()
    means = {"net": {"psnr": 27.5, "niqe": None}}
    Path("results/e.json").write_text(json.dumps({"scale": 4, "sets": [{"name": "S", "mean": means}]}))


def test_claims_are_printed_and_the_page_is_beside_the_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", "mine.toml"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "holds: It wins. 27.5 - 26 = 1.5; asked: difference at least 1",
        "does not hold: It is measured. not measured; asked: at least 0",
    ]
    assert told.err == "mine.html  (0.0 MB)\n"
    assert "1 of 2 hold" in Path("mine.html").read_text()


def test_strict_tells_by_the_exit_code_once_the_page_is_there() -> None:
    assert run(["study", "mine.toml", "--strict", "-o", "new/page.html"]) == 3
    assert Path("new/page.html").is_file()
    Path("mine.toml").write_text(STUDY.partition('[[sections.claims]]\ntext = "It is')[0])
    assert run(["study", "mine.toml", "--strict"]) == 0


def test_json_holds_every_claim(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", "mine.toml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["page"] == "mine.html"
    assert [(one["section"], one["text"], one["holds"]) for one in told["claims"]] == [
        ("H", "It wins.", True),
        ("H", "It is measured.", False),
    ]
    assert [one["values"] for one in told["claims"]] == [{"left": 27.5, "right": 26.0}, {"left": None, "right": 0.0}]


def test_files_can_lie_in_another_folder() -> None:
    Path("studies").mkdir()
    Path("mine.toml").rename("studies/mine.toml")
    assert run(["study", "studies/mine.toml", "--root", "."]) == 0
    assert Path("studies/mine.html").is_file()


def test_published_rows_are_found_in_the_anchors(capsys: pytest.CaptureFixture[str]) -> None:
    table = """
[[sections.tables]]
title = "T"
groups = [{ file = "results/e.json", set = "S", measures = ["psnr"] }]
rows = [{ label = "Net", model = "net" }]
papers = [{ name = "theirs" }]
"""
    anchors = 'source = "Table 1"\nprotocol = "network"\ncolumns = ["psnr"]\nrows.Theirs = [30.12]\n'
    Path("anchors.toml").write_text(f'[theirs]\ntitle = "P"\n[[theirs.tables]]\nset = "S"\nscale = 4\n{anchors}')
    Path("mine.toml").write_text(STUDY + table)
    assert run(["study", "mine.toml", "--anchors", "anchors.toml"]) == 0
    assert "30.12" in Path("mine.html").read_text()
    Path("mine.toml").write_text(STUDY + table.replace("theirs", "ours"))
    assert run(["study", "mine.toml", "--anchors", "anchors.toml"]) == 2
    assert "srzoo: error: --against ours: no such paper in anchors.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["none.toml"], "srzoo: error: none.toml: cannot be read: "),
        (["mine.toml", "-o", "page.png"], "srzoo: error: page.png: is no name for a page - end it in .html"),
        (["mine.toml", "--root", "x"], "srzoo: error: x/results/e.json: is not there - run `make results`"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", *arguments]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(line)
    assert not Path("mine.html").exists()


def test_help_shows_the_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["study", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "[[sections.pictures]]           # a row of zoomed crops for each box" in shown
    assert "FILE#SET/MODEL/MEASURE" in shown


def test_it_takes_what_evaluate_gives(sr_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = sr_data / "test" / "Set5" / "x4" / "HR" / "img_002.png"
    arguments = ["--model", "bicubic", "--hr", f"S={truth}", "--scale", "4", "--json"]
    assert run(["evaluate", *arguments]) == 0
    Path("results/e.json").write_text(capsys.readouterr().out)
    Path("mine.toml").write_text(STUDY.replace("/net/psnr", "/bicubic/psnr").partition("[[sections.claims]]\ntext")[0])
    text = Path("mine.toml").read_text()
    claim = '[[sections.claims]]\ntext = "C."\nleft = "results/e.json#S/bicubic/psnr"\ndifference_at_least = 30.0\n'
    Path("mine.toml").write_text(text + claim)
    assert run(["study", "mine.toml"]) == 0
    assert capsys.readouterr().out.startswith("holds: C. 30.179; asked: at least 30")
