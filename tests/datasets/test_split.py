"""datasets/split.py: what is kept out of training, by name and by brightness."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).resolve().parents[2] / "datasets" / "split.py"


def split(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten black, ten white and ten middling pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(30):
        level = (0, 255, 56)[number % 3]  # 56: a luma of 64
        Image.fromarray(np.full((8, 8, 3), level, np.uint8)).save(folder / f"{number:02}.png")
    return folder


def parts(out: Path) -> dict[str, list[str]]:
    found = json.loads((out / "split.json").read_text())
    for part, names in found.items():
        assert sorted(path.name for path in (out / part).iterdir() if path.is_file()) == names
    return found


def test_dark_and_bright_photographs_are_kept_out_and_middling_ones_train(photos: Path, tmp_path: Path) -> None:
    said = split(photos, tmp_path / "out", "--test", 3, "--dark", 4)
    assert said.returncode == 0, said.stderr
    found = parts(tmp_path / "out")
    assert [len(found[part]) for part in ("test/bright", "test/dark", "train")] == [3, 4, 23]
    assert {int(name[:2]) % 3 for name in found["test/dark"]} == {0}
    assert {int(name[:2]) % 3 for name in found["test/bright"]} == {1}
    assert sorted(name for names in found.values() for name in names) == sorted(path.name for path in photos.iterdir())


def test_two_sides_of_pairs_divide_alike_and_more_photographs_move_none(photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in photos.iterdir():
        (other / path.with_suffix(".jpg").name).write_bytes(path.read_bytes())
    for side in (photos, other):
        assert split(side, tmp_path / f"{side.name}-out", "--test", 5).returncode == 0
    one, two = ([Path(name).stem for name in parts(tmp_path / f"{side}-out")["test"]] for side in ("photos", "other"))
    assert one == two
    kept = set(one)
    (photos / "29.png").unlink()
    assert split(photos, tmp_path / "fewer", "--test", 5).returncode == 0
    assert len(kept & {Path(name).stem for name in parts(tmp_path / "fewer")["test"]}) >= 4


def test_names_of_one_scene_can_be_left_to_training(photos: Path, tmp_path: Path) -> None:
    assert split(photos, tmp_path / "out", "--test", 8, "--train-only", "0*", "--train-only", "1*").returncode == 0
    assert {name[0] for name in parts(tmp_path / "out")["test"]} == {"2"}


@pytest.mark.parametrize(("test", "dark", "said"), [(30, 0, "more photographs"), (5, 11, "10 of 11 for test/dark")])
def test_too_few_are_refused_in_one_line(photos: Path, tmp_path: Path, test: int, dark: int, said: str) -> None:
    run = split(photos, tmp_path / "out", "--test", test, "--dark", dark)
    assert run.returncode == 1
    assert said in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_scene_is_kept_out_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for scene in "abcdef":
        for shot in range(3):
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / f"{scene}_{shot}.png")
    said = split(folder, tmp_path / "out", "--test", 2, "--scene", "(.*)_")
    assert said.returncode == 0, said.stderr
    found = parts(tmp_path / "out")
    assert len(found["test"]) == 6
    assert len(found["train"]) == 12
    assert not {name[0] for name in found["test"]} & {name[0] for name in found["train"]}
    both = split(folder, tmp_path / "out", "--test", 2, "--scene", "(.*)_", "--dark", 1)
    assert both.returncode == 2
    assert "neither with --scene nor" in both.stderr


def test_of_every_kind_as_many_are_kept_out_as_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for kind, count in (("canon", 12), ("nikon", 6), ("sony", 6)):
        for number in range(count):
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / f"{kind}_{number}.png")
    said = split(folder, tmp_path / "out", "--test", 8, "--each", "(.*)_")
    assert said.returncode == 0, said.stderr
    kept = [name.partition("_")[0] for name in parts(tmp_path / "out")["test"]]
    assert sorted(kept) == ["canon"] * 4 + ["nikon"] * 2 + ["sony"] * 2


def test_brightness_and_kinds_do_not_go_together(photos: Path, tmp_path: Path) -> None:
    said = split(photos, tmp_path / "out", "--test", 3, "--dark", 4, "--each", "(.)")
    assert said.returncode == 2
    assert "--dark goes neither with --scene nor with --each" in said.stderr
