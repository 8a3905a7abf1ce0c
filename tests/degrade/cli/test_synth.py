"""`degrade synth` as a person types it: what is printed where, and the exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from degrade import codecs
from degrade.cli import made
from degrade.cli.main import run
from degrade.shards.reader import open_shards

Run = Callable[..., int]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        codecs.write(folder / f"p{number}.png", codecs.Photo(pixels))
    return folder


@pytest.fixture
def command(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`degrade synth photos --patch 16 ...` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run(["synth", "photos", "--patch", "16", "--workers", "1", *arguments])


def test_pairs_are_made_and_told_with_the_next_step(
    command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--pairs", "12") == 0
    assert len(open_shards(tmp_path / "shards")) == 12
    shown = capsys.readouterr()
    first, second, third = shown.out.splitlines()
    assert re.fullmatch(r"12 pairs \(16 x 16 and 4 x 4\) from 3 pictures in 1 shard, 0\.0 MB, in shards", first)
    assert re.fullmatch(r"made 12 in [\d.]+ s, [\d,]+ pairs/s, 1 workers?", second)
    assert "srzoo train" in third
    assert shown.err == ""


def test_running_it_again_says_that_all_is_there(command: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--pairs", "12") == 0
    capsys.readouterr()
    assert command("--pairs", "12") == 0
    assert "all of it was there already and is intact" in capsys.readouterr().out


def test_json_is_all_that_goes_to_stdout(command: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--per-image", "2", "--variants", "3", "--scale", "2", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    expected = {"num_pairs": 18, "num_planned": 18, "num_photos": 3, "scale": 2, "patch": 16, "folder": "shards"}
    assert expected.items() <= summary.items()
    assert summary["skipped"] == []


def test_left_out_photos_give_3_and_are_named_unless_allowed(
    command: Run, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "bad.png").write_bytes(b"\x89PNG")
    assert command("--per-image", "2") == 3
    shown = capsys.readouterr()
    assert "6 pairs" in shown.out
    assert shown.err == (
        "degrade: error: 1 of 4 pictures: left out, first bad.png (unreadable)"
        " - see shards/skipped.jsonl, or --allow-skips\n"
    )
    assert command("--per-image", "2") == 3  # again: the same answer
    assert command("--per-image", "2", "--allow-skips") == 0


def test_a_dry_run_says_what_would_be_made(command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--pairs", "1000", "--dry-run") == 0
    assert re.fullmatch(
        r"would make 1,000 pairs \(16 x 16 and 4 x 4\) from 3 pictures in 15 shards, about 0\.8 MB, in shards"
        r" \(1 worker\)\n",
        capsys.readouterr().out,
    )
    assert not (tmp_path / "shards").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--patch", "18"), "--patch: 18 is not a multiple of the scale 4 - use 16 or 20"),
        (("--recipe", "generik"), "recipe 'generik': not known - did you mean 'generic'?"),
        (("--set", "lr.0.sigma_rang=[0, 1]"), "did you mean 'sigma_range'?"),
        (("--pairs", "x"), "Invalid value for '--pairs': 'x' is not a valid integer"),
        (("--pair", "3"), "no such option --pair - did you mean '--pairs'?"),
        (("missing/",), "missing: no such file or folder"),
    ],
)
def test_misuse_is_one_line_with_the_cure_and_code_2(
    command: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert command(*arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.startswith("degrade: error: ")
    assert (shown.err.count("\n"), shown.out) == (1, "")
    assert not (tmp_path / "shards").exists()


def test_another_run_in_the_folder_is_code_2_and_overwrite_starts_over(
    command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--pairs", "12") == 0
    assert command("--pairs", "12", "--seed", "5") == 2
    assert "seed was 0, now 5" in capsys.readouterr().err
    assert command("--pairs", "12", "--seed", "5", "--overwrite") == 0


def test_an_interrupt_says_how_to_go_on(
    command: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("degrade.synthesize.synthesize", interrupted)
    assert command() == 130
    assert capsys.readouterr().err == (
        "degrade: stopped - finished shards are kept; run the same command again to make the rest\n"
    )


def test_without_a_terminal_progress_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(made.time, "monotonic", lambda: now[0])
    with made._progress() as progress:
        for done in (0, 0, 100, 300, 600, 1000):  # the first seconds go by before pairs come
            progress(done, 1000)
            now[0] += 4.0
    assert capsys.readouterr().err == (
        "degrade: 100 of 1,000 pairs, 25 pairs/s, 36 s left\ndegrade: 600 of 1,000 pairs, 50 pairs/s, 8 s left\n"
    )


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["synth", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "degrade synth photos/ --pairs 20000" in shown
    assert "dead-leaves:" in shown
    assert all(len(line) <= 100 for line in shown.splitlines())
