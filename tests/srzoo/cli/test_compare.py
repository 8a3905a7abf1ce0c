"""`srzoo compare`: a page, a blind study and its key, and what raters said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srzoo.checkpoint import save_model
from srzoo.cli.main import run
from srzoo.networks import NETWORKS

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("p", "q"):
        save(f"in/{name}.png", 10, 12)
        save(f"truth/{name}_HR.png", 40, 48)
        for method in ("a", "b"):
            save(f"{method}/{name}_x4.png", 40, 48)


def save(name: str, height: int, width: int) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (height, width, 3), np.uint8)).save(name)


def compare(*arguments: str) -> int:
    return run(["compare", *arguments])


PICTURES = ("--pictures", "A=a", "--pictures", "b")


def test_pictures_that_are_there_need_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(*PICTURES, "--hr", "truth") == 0
    assert capsys.readouterr().out.endswith("2 crops, 2 methods)\n")
    html = Path("compare.html").read_text()
    for text in ('aria-label="p, A"', 'aria-label="q, b"', 'aria-label="p, Truth"', "<dt>A</dt><dd>the pictures of a"):
        assert text in html
    assert ">Input<" not in html


def test_models_and_pictures_side_by_side() -> None:
    config, network = NETWORKS["skipres"]
    with torch.random.fork_rng(devices=[]):
        save_model(Path("net.safetensors"), "skipres", network(config(blocks=1, features=8)), {})
    models = ["-m", "net=net.safetensors", "-m", "bicubic", "--device", "cpu"]
    assert compare("in", *models, *PICTURES, "-o", "new/page.html", "--title", "Mine") == 0
    html = Path("new/page.html").read_text()
    for label in ("Input", "bicubic", "net", "A", "b"):
        assert f'aria-label="p, {label}"' in html
    assert "<h1>Mine</h1>" in html
    assert compare("in/p.png", "-m", "net.safetensors", "--pictures", "A=a", "--device", "cpu") == 0
    assert 'aria-label="p, bicubic"' not in Path("compare.html").read_text()  # nobody asked for it


def test_a_study_its_ratings_and_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("in", "--rate", *PICTURES, "--crop", "16", "-o", "rate.html") == 0
    assert Path("rate.html").is_file()
    key = json.loads(Path("rate.key.json").read_text())
    capsys.readouterr()
    for number, scores in enumerate(({"A": 5, "b": 2}, {"A": 4, "b": 4})):
        photos = [
            {"photo": one["token"], "order": list(one["methods"]), "ranks": None, "seconds": 3}
            | {"scores": [scores[name] for name in one["methods"].values()]}
            for one in key["photos"]
        ]
        head = {"format": "srzoo-ratings", "version": 1, "study": key["study"], "seed": number, "rater": ""}
        Path(f"r{number}.json").write_text(json.dumps({**head, "photos": photos}))
    assert compare("--results", "r0.json", "r1.json", "--key", "rate.key.json", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["method"], one["mos"], one["mor"]) for one in told["methods"]] == [("A", 4.5, 1.25), ("b", 3.0, 1.75)]
    assert told["pairs"] == [{"methods": ["A", "b"], "preferred": [2, 0], "ties": 2}]
    assert compare("--results", "r0.json", "r1.json", "--key", "rate.key.json") == 0
    shown = capsys.readouterr().out
    for text in ("2 raters, 2 crops", "MOR (1 is best)", "75 %", "25 %", "3 seconds a crop"):
        assert text in shown


def test_the_key_of_another_study_is_never_lost(capsys: pytest.CaptureFixture[str]) -> None:
    study = ["--rate", *PICTURES]
    assert compare(*study) == 0
    before = Path("rate.key.json").read_bytes()
    assert compare(*study) == 0  # the same study again
    assert compare(*study, "--seed", "1") == 2
    assert "rate.key.json: is the key of another study - " in capsys.readouterr().err
    assert Path("rate.key.json").read_bytes() == before


def test_a_bad_photo_is_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a/q_x4.png").write_bytes(b"junk")
    assert compare(*PICTURES) == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("srzoo: left out: a/q_x4.png: its content is no image")
    assert lines[1].startswith("srzoo: error: 1 of 2 photographs: not on the page, see above")


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ([], 2, "srzoo compare: no photograph given - srzoo compare photo.jpg -m A=RUN -m B=RUN"),
        (["none.png"], 3, "none.png: no such file or folder - check the path"),
        ([*PICTURES, "-o", "page.png"], 2, "page.png: is no name for a page - end it in .html"),
        (["--pictures", "A=a", "--pictures", "A=b"], 2, "--pictures A=b: 'A' is given twice - "),
        (["--pictures", "A=none", "--pictures", "b"], 2, "--pictures A=none: no such folder - check the path"),
        (["--pictures", "A=a"], 2, "p: only one picture of it - name two methods, or the truth"),
        (["--rate", "--pictures", "A=a", "--hr", "truth"], 2, "--rate: only one method - "),
        (["in/p.png", "-m", "none", *PICTURES], 2, "--model none: no such file, run or shipped model - "),
        (["--results", "r.json"], 2, "--results: needs the study's --key - srzoo compare --results ratings.json"),
        (["--results", "--key", "k.json"], 2, "--results: no ratings given - "),
        (["--results", "r.json", "--key", "k.json", "--rate"], 2, "--results: only reads ratings: "),
        (["--results", "r.json", "--key", "k.json"], 3, "k.json: there is no such file"),
    ],
)
def test_failures_are_one_line(arguments: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(*arguments) == code
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"srzoo: error: {line}")
    assert not list(Path().glob("*.html"))


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "srzoo compare --results ann.json ben.json --key rate.key.json" in shown
    assert "Kendall's W" in shown
