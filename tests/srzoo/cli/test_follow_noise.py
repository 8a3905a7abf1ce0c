"""`srzoo follow-noise` as a user meets it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from degrade import codecs
from srzoo.checkpoint import save_model
from srzoo.cli.main import run
from srzoo.degraders import DEGRADERS
from srzoo.report.study_files import StudyFiles

FOLDERS = ["--hr", "hr", "--reference", "photos"]


def save(path: str, name: str, **settings: object) -> None:
    torch.manual_seed(0)
    config, network = DEGRADERS[name]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_model(Path(path), name, network(config(**settings)), {})


@pytest.fixture(autouse=True)
def _work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for folder, sigmas in (("hr", (0, 0)), ("photos", (1, 4, 9))):
        Path(folder).mkdir()
        for number, sigma in enumerate(sigmas):
            pixels = np.clip(np.rint(128 + random.normal(0, sigma, (81, 72, 3))), 0, 255).astype(np.uint8)
            codecs.write(Path(folder, f"{number}.png"), codecs.Photo(pixels))
    save("runs/mine/degrader.safetensors", "dual_input", features=4, blocks=1)
    save("zeros.safetensors", "dual_input", features=4, blocks=1, single=True)
    save("h2l.safetensors", "h2l", features=4, blocks=1)


def test_json_is_what_a_study_reads(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["follow-noise", "-m", "runs/mine", "-m", "d=zeros.safetensors", *FOLDERS, "--json"]
    assert run([*arguments, "--plot", "noise.png"]) == 0
    text = capsys.readouterr().out
    Path("noise.json").write_text(text)
    files = StudyFiles(Path(), {})
    assert files.pictures("noise.json", "noise") == 3
    assert -1 <= files.number("noise.json#noise/mine/correlation") <= 1
    assert math.isnan(files.number("noise.json#noise/d/correlation"))
    assert files.number("noise.json#noise/d/slope") == 0
    assert files.measure("correlation").sign == 1
    (one,) = json.loads(text)["sets"]
    assert [image["name"] for image in one["images"]] == ["0.png", "1.png", "2.png"]
    assert [image["reference"] for image in one["images"]] == pytest.approx([1, 4, 9], rel=0.15)
    assert set(one["images"][0]["figures"]) == {"mine", "d"}
    assert codecs.read(Path("noise.png")).pixels.shape == (480, 640, 3)


def test_a_table_says_what_each_model_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["follow-noise", "-m", "zeros.safetensors", *FOLDERS]) == 0
    told = capsys.readouterr()
    for part in ("LR of 2 pictures, 3 references with noise of", "correlation", "zeros: dual_input x4", "0.000"):
        assert part in told.out
    assert told.err == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-m", "h2l.safetensors", *FOLDERS], "h2l.safetensors: takes no reference - give a degrader that does"),
        (["-m", "zeros.safetensors", "--hr", "hr", "--reference", "hr"], "--reference hr: holds 2 - give at least 3"),
        (["-m", "zeros.safetensors", "--hr", "none", "--reference", "hr"], "--hr none: no such folder"),
        (["-m", "zeros.safetensors", "-m", "zeros=runs/mine", *FOLDERS], "the name 'zeros' is taken - give it another"),
        (["-m", "nothing", *FOLDERS], "--model nothing: no such file"),
    ],
)
def test_misuse_is_one_line(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["follow-noise", *arguments]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
