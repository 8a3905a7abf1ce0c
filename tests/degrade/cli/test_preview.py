"""`degrade preview`: the sheet shows what `synth` makes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from degrade import degrade_image
from degrade.cli.preview import View, preview
from degrade.cli.real_crops import real_crops
from degrade.recipe import load_recipe
from degrade.report import drawn_fields, trace_lines
from degrade.shards.reader import open_shards
from degrade.synthesize import synthesize


def picture(number: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)


def packed(image: np.ndarray) -> np.ndarray:
    """One number a pixel."""
    return image.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)


def times_found(sheet: np.ndarray, picture: np.ndarray, factor: int) -> int:
    """How often `picture`, each pixel repeated, lies in `sheet`; both packed."""
    large = np.kron(picture, np.ones((factor, factor), np.int32))
    height, width = large.shape
    corners = np.argwhere(sheet == large[0, 0])
    for probe in ((height - 1, width - 1), (height // 2, width // 3), (height - 1, 0), (0, width - 1)):
        corners = corners[(corners + probe < sheet.shape).all(axis=1)]
        corners = corners[sheet[tuple((corners + probe).T)] == large[probe]]
    return sum(np.array_equal(sheet[y : y + height, x : x + width], large) for y, x in corners)


def test_the_sheet_shows_the_pairs_that_synth_makes(degrade, photos, tmp_path) -> None:
    photo, recipe = photos / "a.png", load_recipe("generic")
    synthesize([photo], recipe, tmp_path / "set", patch=32, per_image=2, variants=3, seed=5, min_detail=5, workers=1)
    pairs = open_shards(tmp_path / "set")
    arguments = ("--patch", 32, "--patches", 2, "-n", 3, "--seed", 5, "-o", tmp_path / "sheet.png")
    ran = degrade("preview", photo, *arguments)
    assert (ran.code, ran.err) == (0, "")
    with Image.open(tmp_path / "sheet.png") as image:
        sheet = packed(np.asarray(image))
    for index in range(6):
        lr, hr = pairs.read(index)
        assert times_found(sheet, packed(lr), 32) == 1  # 32 HR pixels are shown 256 wide, 8 LR pixels too
        assert times_found(sheet, packed(hr), 8) == 1


def test_of_a_recipe_for_whole_photos_it_shows_what_synth_makes(photos, tmp_path) -> None:
    photo, recipe = photos / "a.png", load_recipe("generic", overrides=["unit=photo"])
    synthesize([photo], recipe, tmp_path / "set", patch=32, per_image=2, variants=2, min_detail=5, workers=1)
    told: list[int] = []
    view = View(patch=32, patches=2, variants=2)
    sheet = packed(preview(photo.read_bytes(), "a.png", recipe, view, advance=lambda: told.append(1)))
    pairs = open_shards(tmp_path / "set")
    assert all(times_found(sheet, packed(pairs.read(index)[0]), 32) == 1 for index in range(4))
    assert len(told) == 2  # wholes


def test_a_recipe_that_is_the_baseline_has_no_second_one(photos) -> None:
    data = (photos / "a.png").read_bytes()
    view = View(patch=32, variants=1)
    bicubic = preview(data, "a.png", load_recipe("bicubic"), view)
    generic = preview(data, "a.png", load_recipe("generic"), view)
    assert bicubic.shape[1] < generic.shape[1]  # two cells, three cells


def test_of_a_recipe_that_halves_the_photograph_hr_and_baseline_are_halved_too(photos) -> None:
    recipe = load_recipe("generic", overrides=['hr=[{op="resize", filter="nearest", divisor=2}]'])
    halved = np.asarray(Image.open(photos / "a.png"))[1::2, 1::2]  # 30 x 36
    view = View(patch=28, variants=1, min_detail=0)
    sheet = packed(preview((photos / "a.png").read_bytes(), "a.png", recipe, view))
    parts = [halved[y : y + 28, x : x + 28] for y in range(3) for x in range(9)]
    (shown,) = [part for part in parts if times_found(sheet, packed(part), 10)]  # 28 pixels are shown 280 wide
    around = [degrade_image(part, "bicubic").lr[1:-1, 1:-1] for part in (shown,)]  # its border is the part's own
    assert times_found(sheet[:, 40:], packed(around[0][1:-1, 1:-1]), 40) == 1


def test_real_crops_lie_beside_what_is_made(degrade, photos, tmp_path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    for number in range(3):
        Image.fromarray(picture(10 + number, 40, 50)).save(real / f"{number}.png")
    arguments = ("preview", photos / "a.png", "--patch", 32, "-n", 3, "--real", real)
    assert degrade(*arguments, "-o", tmp_path / "sheet.png").code == 0
    assert degrade(*arguments, "-o", tmp_path / "again.png").code == 0
    assert (tmp_path / "sheet.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    sheet = packed(np.asarray(Image.open(tmp_path / "sheet.png")))
    for cell in real_crops(real, 8, 3, min_detail=5):
        assert times_found(sheet, packed(cell.image), 32) == 1


def test_what_is_printed_is_what_a_recipe_draws() -> None:
    recipe = load_recipe("generic")
    trace = {"steps": [{"op": "gaussian_blur", "id": "gaussian_blur0", "sigma": 2.0, "size": 15}]}
    assert trace_lines(json.loads(json.dumps(trace)), drawn_fields(recipe.lr)) == ["gaussian blur  sigma 2"]


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["photos/a.png", "-o", "s.png"], 3, "72 x 60 pixels are too few for patches of 192 - use --patch 60"),
        (["photos/a.png", "-o", "s.png", "--patch", 30], 2, "30 is not a multiple of the scale 4 - use 28"),
        (["photos/a.png", "-o", "s.png", "--patch", 32, "-n", 500], 2, "more than 400 pictures"),
        (["photos/a.png", "-o", "s.txt", "--patch", 32], 2, "not a name for an image"),
        (["photos/a.png", "-o", "photos/b.png", "--patch", 32], 2, "is there already - overwrite with --force"),
        (["photos/a.png", "-o", "photos/a.png", "--patch", 32, "--force"], 2, "choose another -o"),
        (["photos/x.png", "-o", "s.png"], 3, "there is no such file"),
        (["photos/a.png", "-o", "s.png", "--patch", 32, "--real", "none"], 2, "none: no such folder"),
        (["photos/a.png", "-o", "s.png", "--patch", 32, "-n", 150, "--patches", 2, "--real", "photos"], 2, "than 400"),
        (["photos/a.png", "-o", "no/s.png", "--patch", 32, "-n", 1], 5, "the folder is not there"),
    ],
)
def test_mistakes_are_one_line(arguments, code, part, degrade, photos, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = (photos / "a.png").read_bytes()
    ran = degrade("preview", *arguments)
    assert ran.code == code
    assert part in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "s.png").exists()
    assert (photos / "a.png").read_bytes() == before


def test_force_replaces_a_sheet(degrade, photos, tmp_path) -> None:
    arguments = ("preview", photos / "a.png", "--patch", 32, "-n", 1, "-o", tmp_path / "sheet.webp")
    assert [degrade(*arguments).code, degrade(*arguments).code, degrade(*arguments, "--force").code] == [0, 2, 0]
