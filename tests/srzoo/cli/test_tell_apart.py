"""`srzoo tell-apart` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from degrade import codecs
from srzoo.cli.main import run
from srzoo.report.study_files import StudyFiles

QUICK = ["--crop", "24", "--steps", "2"]


@pytest.fixture(autouse=True)
def _work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for folder, names in (("real", "abc"), ("made/bicubic", "ab"), ("other/bicubic", "cd")):
        for name in names:
            path = Path(folder, f"{name}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            codecs.write(path, codecs.Photo(random.integers(0, 256, (30, 34, 3), np.uint8)))


def test_json_is_what_a_study_reads(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["tell-apart", "--real", "real", "-m", "made/bicubic", "-m", "mine=other/bicubic", *QUICK, "--json"]
    assert run(arguments) == 0
    text = capsys.readouterr().out
    Path("critic.json").write_text(text)
    files = StudyFiles(Path(), {})
    assert files.pictures("critic.json", "real") == 3
    assert 0 <= files.number("critic.json#real/bicubic/accuracy") <= 1
    auc = files.mean("critic.json", "real", "mine", "auc")
    assert auc is not None
    assert 0 <= auc <= 1
    assert {files.measure(key).sign for key in ("accuracy", "auc")} == {-1}
    found = json.loads(text)
    assert (found["crop"], found["steps"], found["seed"], found["real"]) == (24, 2, 0, "real")
    assert found["models"][1] == {"name": "mine", "what": "2 pictures of other/bicubic"}
    (one,) = found["sets"]
    assert [image["name"] for image in one["images"]] == ["a.png", "b.png", "c.png"]
    assert len(one["folds"]["bicubic"]) == 2
    assert run(arguments) == 0
    assert capsys.readouterr().out == text


def test_a_table_has_a_row_for_each_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tell-apart", "--real", "real", "-m", "made/bicubic", *QUICK]) == 0
    told = capsys.readouterr()
    for part in ("told from 3 real pictures by crops of 24 x 24", "bicubic", "accuracy", "AUC"):
        assert part in told.out
    assert told.err == ""


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["--real", "none", "-m", "made/bicubic"], 2, "--real none: no such folder - check the path"),
        (["--real", "real", "-m", "x=none", *QUICK], 2, "--made x: none: no such folder"),
        (["--real", "real", "-m", "made/bicubic", "-m", "other/bicubic"], 2, "the name 'bicubic' is taken - give it"),
        (["--real", "real/a.png", "-m", "made/bicubic", "--crop", "24"], 2, "a single picture - give at least 2"),
        (["--real", "real", "-m", "made/bicubic"], 3, "real/a.png: 34 x 30 is smaller than a crop of 48"),
        (["--real", "real", "-m", "made/bicubic", "--crop", "8"], 2, "see `srzoo tell-apart --help`"),
    ],
)
def test_misuse_is_one_line(arguments: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tell-apart", *arguments]) == code
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
