"""`degrade pack` as a person types it, and what the other commands say of a packed set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from degrade.shards.reader import open_shards


@pytest.fixture
def captured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three pairs in lr/ and hr/, HR twice as large, beside `here`."""
    monkeypatch.chdir(tmp_path)
    for folder, size in (("lr", (40, 44)), ("hr", (80, 88))):
        (tmp_path / folder / "day").mkdir(parents=True)
        for number, name in enumerate(("a.png", "b.png", "day/c.png")):
            pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / name)
    return tmp_path


def test_pairs_are_packed_and_told_with_the_next_step(degrade, captured) -> None:
    ran = degrade("pack", "lr", "hr", "--patch", 32, "--per-image", 4, "--workers", 1)
    assert (ran.code, ran.err) == (0, "")
    first, second, third = ran.out.splitlines()
    assert first == "12 pairs (32 x 32 and 16 x 16) from 3 captured pairs in 1 shard, 0.1 MB, in shards"
    assert second.startswith("made 12 in ")
    assert "srzoo train" in third
    assert degrade("verify", "shards").code == 0
    assert "all of it was there already" in degrade("pack", "lr", "hr", "--patch", 32, "--per-image", 4).out


def test_inspect_names_the_pictures_and_that_no_recipe_ran(degrade, captured) -> None:
    degrade("pack", "lr", "hr", "--patch", 32, "--per-image", 2)
    told = json.loads(degrade("inspect", "shards", "--json").out)
    assert (told["scale"], told["recipe"], told["photos"]) == (2, "none: LR as it was captured", 3)
    assert told["steps"]["captured"]["ran"] == 6
    pair = json.loads(degrade("inspect", "shards", 3, "--json").out)
    assert pair["source"]["root"] == "hr"
    assert pair["trace"]["steps"][0]["lr"]["root"] == "lr"
    assert pair["trace"]["steps"][0]["lr"]["path"] == pair["source"]["path"]
    assert "captured  scale 2  lr (root lr, path " in degrade("inspect", "shards", 3).out


def test_replay_needs_a_recipe(degrade, captured) -> None:
    degrade("pack", "lr", "hr", "--patch", 32, "--per-image", 2)
    ran = degrade("replay", "shards", 0)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "pair 0: was captured by cameras, not made by a recipe" in ran.err


@pytest.mark.parametrize("unit", ["patch", "photo"])
def test_a_recipe_on_the_lr_side_is_replayed_from_the_lr_pictures(degrade, captured, unit) -> None:
    arguments = ("--recipe", "generic", "--scale", 2, "--set", f"unit={unit}", "--variants", 2)
    ran = degrade("pack", "lr", "hr", "--patch", 32, "--per-image", 3, *arguments, "--out", "set")
    assert ran.code == 0
    assert open_shards(Path("set")).scale == 4
    assert degrade("replay", "set", "all").out == "set: 18 of 18 pairs made again, bit-equal\n"
    (captured / "hr").rename(captured / "gone")  # the stored HR is all of it that is needed
    assert degrade("replay", "set", "all").code == 0
    (captured / "lr").rename(captured / "moved")
    ran = degrade("replay", "set", "all")
    assert ran.code == 3
    assert "lr/day/c.png: there is no such file - if it lies elsewhere now, name its folder with --hr-root" in ran.err
    assert degrade("replay", "set", "all", "--hr-root", "moved").code == 0
    (captured / "moved/a.png").rename(captured / "moved/other.png")
    assert degrade("replay", "set", "all", "--hr-root", "moved").code == 0


def test_a_recipe_of_which_no_step_ran_is_replayed_too(degrade, captured) -> None:
    steps = "lr=[{op = 'gaussian_noise', sigma_8bit = 5.0, probability = 0.5}]"
    arguments = ("--patch", 32, "--per-image", 4, "--recipe", "denoise", "--set", steps, "--out", "set")
    assert degrade("pack", "lr", "hr", *arguments).code == 0
    pairs = open_shards(Path("set"))
    assert {len(pairs.trace(index)["steps"]) for index in range(12)} == {1, 2}
    assert degrade("replay", "set", "all").out == "set: 12 of 12 pairs made again, bit-equal\n"


def test_pictures_left_out_give_3_and_are_named_unless_allowed(degrade, captured) -> None:
    (captured / "lr/b.png").unlink()
    arguments = ("pack", "lr", "hr", "--patch", 32, "--per-image", 2, "--workers", 1)
    ran = degrade(*arguments)
    assert ran.code == 3
    assert ran.err == (
        "degrade: error: 1 of 3 pictures: left out, first b.png (unmatched)"
        " - see shards/skipped.jsonl, or --allow-skips\n"
    )
    assert json.loads(Path("shards/skipped.jsonl").read_text())["message"] == "no LR of that name in lr"
    assert degrade(*arguments, "--allow-skips").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--patch", 31), "--patch: 31 is not a multiple of the scale 2 - use 30 or 32"),
        (("--patch", 32, "--zoom", 3), "--zoom: 3, but LR and HR patches differ in size (scale 2)"),
        (("--recipe", "nearst"), "recipe 'nearst': not known - did you mean 'nearest'?"),
        (("--variants", 2), "--recipe: none given"),
    ],
)
def test_misuse_is_one_line_with_the_cure_and_code_2(degrade, captured, arguments, said) -> None:
    ran = degrade("pack", "lr", "hr", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert (ran.err.count("\n"), ran.out) == (1, "")


def test_a_size_that_does_not_fit_names_the_file(degrade, captured) -> None:
    Image.new("RGB", (89, 80)).save(captured / "hr/b.png")
    ran = degrade("pack", "lr", "hr")
    assert ran.code == 2
    assert "degrade: error: lr/b.png: LR of 44 x 40 pixels, its HR of 89 x 80 - " in ran.err


def test_help_has_examples(degrade) -> None:
    ran = degrade("pack", "--help")
    assert "degrade pack noisy/ clean/ --recipe nearest" in ran.out
    assert all(len(line) <= 100 for line in ran.out.splitlines())
