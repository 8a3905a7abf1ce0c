"""Captured pairs as shards: the pictures' own pixels, or what a recipe makes of the LR picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from degrade import codecs
from degrade.errors import PlanChangedError, UsageError
from degrade.image import window
from degrade.pipeline import PairKey, degrade_image, degrade_window
from degrade.recipe import load_recipe
from degrade.rng import source_key
from degrade.shards.manifest import read_manifest
from degrade.shards.reader import ShardSet, open_shards
from degrade.shards.verify import verify
from degrade.synthesize import Summary, plan
from degrade.synthesize.pack import pack
from degrade.synthesize.plan import parse_plan
from degrade.synthesize.stored_recipe import NO_RECIPE

Pack = Callable[..., Summary]
Files = Callable[[Path], dict[str, bytes]]
NUM_PAIRS, PER_IMAGE = 4, 8


@pytest.fixture
def folders(tmp_path: Path) -> Callable[..., None]:
    """Pictures of noise in lr/ and hr/, HR `scale` times as large."""

    def write(scale: int, height: int = 24, width: int = 30) -> None:
        for number in range(NUM_PAIRS):
            rng = np.random.default_rng(number)
            for side, factor in (("lr", 1), ("hr", scale)):
                (tmp_path / side).mkdir(exist_ok=True)
                shape = factor * height, factor * width, 3
                pixels = rng.integers(0, 256, shape, dtype=np.uint8)
                codecs.write(tmp_path / side / f"{number}.png", codecs.Photo(pixels))

    return write


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    """Pack lr/ and hr/ into `out` in this process, as small patches."""
    monkeypatch.setattr(plan, "LEAST_PAIRS", 16)

    def function(out: str = "out", recipe: Any = None, **changes: Any) -> Summary:
        settings = {"patch": 16, "per_image": PER_IMAGE, "workers": 1, **changes}
        return pack(tmp_path / "lr", tmp_path / "hr", tmp_path / out, recipe, **settings)

    return function


def pictures(tmp_path: Path, pairs: ShardSet, index: int) -> tuple[np.ndarray, np.ndarray]:
    """The LR and HR pictures that a pair was cut from."""
    captured = pairs.trace(index)["steps"][0]["lr"]
    assert captured["root"] == str(tmp_path / "lr")
    lr, hr = tmp_path / "lr" / captured["path"], tmp_path / "hr" / pairs.source_row(index)["path"]
    assert captured["sha256"] == codecs.sha256(lr.read_bytes())
    assert pairs.source_row(index)["sha256"] == codecs.sha256(hr.read_bytes())
    assert lr.name == hr.name
    return codecs.read(lr).pixels, codecs.read(hr).pixels


def by_place(folder: Path) -> dict[tuple[str, int], bytes]:
    """(HR picture, patch) -> LR bytes."""
    stored = open_shards(folder)
    pairs = (stored[index] for index in range(len(stored)))
    return {(pair.source, pair.trace["patch"]): pair.lr.tobytes() for pair in pairs}


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_patches_are_the_pixels_of_the_pictures(
    folders: Callable[..., None], packed: Pack, tmp_path: Path, scale: int
) -> None:
    folders(scale)
    zoom = 3 if scale == 1 else 1
    summary = packed(zoom=zoom, patch=6 * scale)
    assert (summary.num_pairs, summary.num_photos, summary.skipped) == (NUM_PAIRS * PER_IMAGE, NUM_PAIRS, ())
    pairs, origins = open_shards(tmp_path / "out"), set()
    assert (pairs.scale, pairs.zoom, pairs.hr_size, pairs.lr_size) == (scale, zoom, (6 * scale,) * 2, (6, 6))
    for index in range(len(pairs)):
        (lr, hr), (y, x) = pairs.read(index), pairs.origin(index)
        lr_picture, hr_picture = pictures(tmp_path, pairs, index)
        assert np.array_equal(hr, hr_picture[y : y + 6 * scale, x : x + 6 * scale])
        assert (y % scale, x % scale) == (0, 0)
        assert np.array_equal(lr, lr_picture[y // scale : y // scale + 6, x // scale : x // scale + 6])
        assert [step["op"] for step in pairs.trace(index)["steps"]] == ["captured"]
        assert pairs.trace(index)["steps"][0]["scale"] == scale
        origins.add((y // scale, x // scale))
    assert len(origins) > NUM_PAIRS * PER_IMAGE / 2
    assert verify(tmp_path / "out") == []
    header = pairs.header(0)
    assert (header.margin, header.recipe_digest) == (0, NO_RECIPE)
    assert pairs.recipe_text(0).strip() == ""


@pytest.mark.parametrize("ratio", [1, 2])
def test_a_recipe_works_on_the_lr_picture_with_its_surroundings(
    folders: Callable[..., None], packed: Pack, tmp_path: Path, ratio: int
) -> None:
    folders(ratio)
    packed(recipe="generic", scale=2, variants=3, patch=16, per_image=2, seed=9)
    pairs, recipe = open_shards(tmp_path / "out"), load_recipe("generic", scale=2)
    assert (len(pairs), pairs.scale) == (NUM_PAIRS * 2 * 3, 2 * ratio)
    assert pairs.header(0).margin == ratio * recipe.margin  # in HR pixels
    side = 16 // ratio
    for index in range(len(pairs)):
        (lr, hr), (y, x), trace = pairs.read(index), pairs.origin(index), pairs.trace(index)
        lr_picture, hr_picture = pictures(tmp_path, pairs, index)
        assert np.array_equal(hr, hr_picture[y : y + 16, x : x + 16])
        around = window(lr_picture, y // ratio, x // ratio, side, side, recipe.margin)
        digests = pairs.source_row(index)["sha256"] + trace["steps"][0]["lr"]["sha256"]
        key = PairKey(source_key(9, codecs.sha256(digests.encode())), trace["patch"], trace["variant"])
        made = degrade_window(around, recipe, key)
        assert np.array_equal(lr, made.lr)
        assert {**trace, "steps": trace["steps"][1:]} == json.loads(made.trace)


def test_a_recipe_for_whole_photos_degrades_the_whole_lr_picture(
    folders: Callable[..., None], packed: Pack, tmp_path: Path
) -> None:
    folders(2)
    packed(recipe="generic", scale=2, overrides=["unit=photo"])
    pairs, recipe = open_shards(tmp_path / "out"), load_recipe("generic", scale=2, overrides=["unit=photo"])
    for index in range(len(pairs)):
        (lr, hr), (y, x), trace = pairs.read(index), pairs.origin(index), pairs.trace(index)
        lr_picture, hr_picture = pictures(tmp_path, pairs, index)
        whole = degrade_image(lr_picture, recipe, key=PairKey(int(trace["key"], 16)))
        assert np.array_equal(lr, whole.lr[y // 4 : y // 4 + 4, x // 4 : x // 4 + 4])
        assert np.array_equal(hr, hr_picture[y : y + 16, x : x + 16])
        assert trace["unit"] == "photo"


@pytest.mark.slow
def test_two_processes_make_the_bytes_of_one(
    folders: Callable[..., None], packed: Pack, tmp_path: Path, files: Files
) -> None:
    folders(2)
    for name, recipe in (("plain", None), ("made", "generic")):
        packed(f"{name}1", recipe)
        packed(f"{name}2", recipe, workers=2)
        assert files(tmp_path / f"{name}1") == files(tmp_path / f"{name}2")


def test_the_same_bytes_on_any_executor_and_after_damage(
    folders: Callable[..., None], packed: Pack, tmp_path: Path, files: Files
) -> None:
    folders(2)
    packed("one")
    with ThreadPoolExecutor(2) as executor:
        packed("two", workers=executor)
    assert len(list((tmp_path / "one").glob("captured-x2-*.h5"))) == 2
    assert files(tmp_path / "one") == files(tmp_path / "two")
    next(iter((tmp_path / "two").glob("*.h5"))).unlink()
    assert packed("two").num_made == 16
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert packed("two").num_made == 0
    stated = parse_plan((tmp_path / "one/plan.json").read_text(), origin="plan")
    assert stated.captured_scale == 2
    assert {planned.source.kind for planned in stated.sources} == {"pair"}


def test_least_detail_is_that_of_the_hr(folders: Callable[..., None], packed: Pack, tmp_path: Path) -> None:
    folders(1, 40, 80)
    for number in range(NUM_PAIRS):
        path = tmp_path / "hr" / f"{number}.png"
        pixels = codecs.read(path).pixels.copy()
        pixels[:, :50] = 128
        codecs.write(path, codecs.Photo(pixels), overwrite=True)
    packed(min_detail=20.0, per_image=20)
    pairs = open_shards(tmp_path / "out")
    assert np.mean([pairs.read(index)[1].std() > 1 for index in range(len(pairs))]) > 0.95


def test_what_cannot_be_read_is_left_out_by_name_and_no_other_pair_moves(
    folders: Callable[..., None], packed: Pack, tmp_path: Path
) -> None:
    folders(2)
    packed("whole")
    before = by_place(tmp_path / "whole")
    path = tmp_path / "lr" / "2.png"
    path.write_bytes(path.read_bytes()[:-40])
    codecs.write(tmp_path / "lr" / "more.png", codecs.Photo(np.zeros((9, 9, 3), np.uint8)))
    summary = packed("rest")
    assert [(Path(entry.path).name, entry.kind) for entry in summary.skipped] == [
        ("2.png", "unreadable"),
        ("more.png", "unmatched"),
    ]
    assert summary.num_photos == NUM_PAIRS - 1
    after = by_place(tmp_path / "rest")
    assert len(after) == 24
    assert after.items() <= before.items()
    manifest = read_manifest(tmp_path / "rest")
    assert manifest is not None
    assert (manifest.complete, manifest.num_skipped) == (True, 2)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"zoom": 2}, r"--zoom: 2, but LR and HR patches differ in size \(scale 2\) - leave it out"),
        ({"variants": 2}, "--recipe: none given, so nothing is drawn"),
        ({"overrides": ["margin=0"]}, "--recipe: none given"),
        ({"patch": 15}, "--patch: 15 is not a multiple of the scale 2 - use 14 or 16"),
        ({"patch": 64}, "4 inputs seen, none usable"),
        (
            {"recipe": "generic", "overrides": ["hr=[{op = 'gaussian_blur', sigma = 1.0}]"]},
            r"changes HR, which is captured here - use a recipe without \[\[hr\]\] steps",
        ),
    ],
)
def test_what_does_not_go_together_is_one_line(
    folders: Callable[..., None], packed: Pack, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    folders(2)
    with pytest.raises(UsageError, match=said):
        packed(**settings)
    assert not (tmp_path / "out").exists()


def test_another_pack_is_another_run(folders: Callable[..., None], packed: Pack) -> None:
    folders(1)
    packed()
    with pytest.raises(PlanChangedError, match="zoom was 1, now 2"):
        packed(zoom=2)
    with pytest.raises(PlanChangedError, match="recipe was captured, now nearest"):
        packed(recipe="nearest")
