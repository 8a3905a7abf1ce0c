"""Crops of real photographs: which, where, and what is passed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from degrade.cli.real_crops import real_crops
from degrade.errors import UsageError


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Four photographs of noise, one below; and what cannot be used: damaged, too small, hidden, no picture."""
    folder = tmp_path / "real"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(["a.png", "b.png", "c.png", "more/d.png"]):
        Image.fromarray(noise(number, 30, 40)).save(folder / name)
    Image.fromarray(noise(8, 30, 11)).save(folder / "small.png")
    Image.fromarray(noise(9, 30, 40)).save(folder / ".hidden.png")
    (folder / "damaged.png").write_bytes((folder / "a.png").read_bytes()[:200])
    (folder / "notes.txt").write_text("no picture")
    return folder


def noise(number: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)


def names(cells: list) -> list[str]:
    return [cell.lines[0].removeprefix("real: ") for cell in cells]


def test_a_crop_is_a_part_of_the_photograph_that_it_names(real: Path) -> None:
    for cell in real_crops(real, 12, 4):
        size, place = cell.lines[1].split(" pixels at ")
        y, x = (int(part.split()[1]) for part in place.split(", "))
        photo = np.asarray(Image.open(real / names([cell])[0]))
        np.testing.assert_array_equal(cell.image, photo[y : y + 12, x : x + 12])
        assert (size, cell.is_reference) == ("12 x 12", True)


def test_every_photograph_comes_once_before_any_comes_twice(real: Path) -> None:
    found = names(real_crops(real, 12, 10))
    everyone = ["a.png", "b.png", "c.png", "more/d.png"]
    assert sorted(found[:4]) == everyone
    assert found[4:8] == found[:4]
    assert found[8:] == found[:2]
    places = {cell.lines for cell in real_crops(real, 12, 10)}
    assert len(places) == 10


def test_the_seed_decides_and_other_files_do_not(real: Path) -> None:
    before = real_crops(real, 12, 3)
    Image.fromarray(noise(20, 9, 9)).save(real / "z.png")  # too small
    again, other = real_crops(real, 12, 3), real_crops(real, 12, 3, seed=1)
    assert [cell.lines for cell in again] == [cell.lines for cell in before]
    assert [cell.lines for cell in other] != [cell.lines for cell in before]


def test_flat_parts_are_avoided_as_for_patches(tmp_path: Path) -> None:
    photo = np.full((40, 400, 3), 128, np.uint8)
    photo[:, :40] = noise(0, 40, 40)
    Image.fromarray(photo).save(tmp_path / "a.png")
    spread = [[cell.image.std() for cell in real_crops(tmp_path, 16, 20, min_detail=d)] for d in (0, 5)]
    assert np.count_nonzero(spread[1]) > np.count_nonzero(spread[0])


@pytest.mark.parametrize(
    ("side", "problem"),
    [
        (31, r"real: none of 6 photographs can be used \(.*\.png: .* - "),
        (0, r"empty: no images in there"),
    ],
)
def test_a_folder_without_a_usable_photograph_is_one_line(side: int, problem: str, real: Path) -> None:
    folder = real if side else real.parent / "empty"
    folder.mkdir(exist_ok=True)
    with pytest.raises(UsageError, match=problem) as refusal:
        real_crops(folder, side or 8, 2)
    assert "\n" not in str(refusal.value)


def test_photographs_that_are_too_small_say_which_patch_would_do(tmp_path: Path) -> None:
    Image.fromarray(noise(0, 30, 40)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"a\.png: 40 x 30 pixels are too few for crops of 48\) - use --patch 120"):
        real_crops(tmp_path, 48, 2, scale=4)
