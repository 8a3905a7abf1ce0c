"""`degrade replay`: bit-equal, or by how much not; `degrade verify`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from degrade import OnTheFly, assets, codecs, pipeline
from degrade.errors import UsageError
from degrade.functional.resample import imresize_uint8
from degrade.recipe import load_recipe
from degrade.shards.layout import Rows
from degrade.shards.reader import open_shards
from degrade.shards.writer import write_shard
from degrade.synthesize import synthesize

PAIRS = 18  # of the fixture


def rewritten(folder: Path, out: Path, **changes) -> Path:
    """The first 4 pairs of a set as one shard, with some rows or header fields replaced."""
    pairs = open_shards(folder)
    count = 4
    lr, hr = pairs.read_many(range(count))
    header = dataclasses.replace(pairs.header(0), **{k: v for k, v in changes.items() if k in ("engine", "libraries")})
    rows = Rows(
        hr=hr,
        lr=changes.get("lr", lr),
        hr_index=np.arange(count),
        source_index=np.arange(count),
        origin=np.array([pairs.origin(index) for index in range(count)]),
        traces=[json.dumps({**pairs.trace(index), **changes.get("trace", {})}) for index in range(count)],
        sources=[pairs.source_row(index) for index in range(count)],
        recipe=pairs.recipe_text(0),
    )
    write_shard(out, header, rows)
    return out


def test_every_pair_of_a_set_is_bit_equal(degrade, shards) -> None:
    ran = degrade("replay", shards, "all")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{shards}: {PAIRS} of {PAIRS} pairs made again, bit-equal\n"
    assert degrade("replay", shards, 5).out == f"{shards}: 1 of 1 pairs made again, bit-equal\n"


@pytest.mark.parametrize("changes", [[], ["unit=photo"], ["margin=0"]], ids=["patch", "photo", "no margin"])
def test_pairs_of_a_halved_photograph_are_bit_equal(changes, degrade, photos, tmp_path) -> None:
    recipe, out = load_recipe("cleanup", overrides=changes), tmp_path / "set"
    synthesize([photos], recipe, out, patch=24, per_image=4, variants=2, min_detail=5, workers=1)
    pairs, lazy = open_shards(out), OnTheFly(photos, recipe, patch=24, per_image=4, variants=2, min_detail=5)
    assert (len(pairs), pairs.header(0).hr_size) == (24, (24, 24))
    for index in range(len(pairs)):
        (lr, hr), (y, x) = pairs.read(index), pairs.origin(index)
        assert y % 2 == x % 2 == 0
        photo = codecs.read(photos / pairs.source_row(index)["path"]).pixels
        photo = photo[:56] if changes == ["unit=photo"] else photo  # cropped to whole LR pixels
        halved = imresize_uint8(photo, len(photo) // 2, 36)
        inner = slice(2, -2) if changes == ["margin=0"] else slice(None)  # else the border is of the patch alone
        expected = halved[y // 2 : y // 2 + 24, x // 2 : x // 2 + 24]
        np.testing.assert_allclose(
            hr[inner, inner], expected[inner, inner], atol=4
        )  # it clips and rounds after each pass, too
        np.testing.assert_array_equal(lr, lazy[index].lr)
        np.testing.assert_array_equal(hr, lazy[index].hr)
    ran = degrade("replay", out, "all")
    assert (ran.code, ran.err) == (0, "")


def test_a_photograph_must_hold_a_patch_before_it_is_halved(photos, tmp_path) -> None:
    with pytest.raises(UsageError, match="60 x 72 pixels; patches need at least 64 x 64"):
        synthesize([photos], "cleanup", tmp_path / "set", patch=32, workers=1)
    with pytest.raises(UsageError, match="at least 64 x 64"):
        OnTheFly(photos, "cleanup", patch=32)


def test_generated_scenes_need_no_file(degrade, tmp_path) -> None:
    out = tmp_path / "set"
    synthesize(["dead-leaves:2@48x56"], "generic", out, patch=32, per_image=2, workers=1)
    assert degrade("replay", out, "all").code == 0


def test_without_a_margin_the_shard_is_enough(degrade, photos, tmp_path) -> None:
    out = tmp_path / "set"
    synthesize([photos], "generic", out, patch=32, per_image=1, workers=1, overrides=["margin=0"])
    photos.rename(tmp_path / "gone")
    assert degrade("replay", out, "all").code == 0


def test_whole_photos_are_degraded_again(degrade, photos, tmp_path) -> None:
    out = tmp_path / "set"
    overrides = ["unit=photo", "margin=0"]  # the photo is needed all the same
    synthesize([photos], "generic", out, patch=32, per_image=3, variants=2, workers=1, overrides=overrides)
    assert degrade("replay", out, "all").out == f"{out}: 18 of 18 pairs made again, bit-equal\n"
    photos.rename(tmp_path / "gone")
    assert degrade("replay", out, "all").code == 3


def test_pools_are_found_by_the_plan_or_named(degrade, photos, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(assets.places, "_places", {})
    assets.pools._opened.cache_clear()
    kernels = np.full((1, 3, 3), 1 / 9, np.float32)
    assets.write_pool(tmp_path / "box.npz", kernels=kernels, card={"origin": []})
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nsource = "a test"\n[[lr]]\nop = "kernel_blur"\npool = "box.npz"\n'
        '[[lr]]\nop = "downsample"\nfilter = "bicubic"\n'
    )
    out = tmp_path / "set"
    synthesize([photos], tmp_path / "mine.toml", out, patch=32, per_image=1, workers=1)

    def replayed(*arguments):
        assets.places._places.clear()
        assets.pools._opened.cache_clear()
        return degrade("replay", out, "all", *arguments)

    assert replayed().code == 0
    assert "recipe         mine" in degrade("inspect", out).out
    pool = (tmp_path / "box.npz").rename(tmp_path / "other.npz")
    lost = replayed()
    assert (lost.code, lost.err.count("\n")) == (4, 1)
    assert "pool " in lost.err
    assert replayed("--pool", pool).code == 0


def test_a_pool_that_comes_with_degrade_needs_no_name(degrade, photos, tmp_path, monkeypatch) -> None:
    synthesize([photos], "realsr", tmp_path / "set", patch=32, per_image=1, workers=1)
    monkeypatch.setattr(assets.places, "_places", {})
    assets.pools._opened.cache_clear()
    assert degrade("replay", tmp_path / "set", "all").code == 0


def test_moved_photos_are_found_by_name_and_by_content(degrade, shards, photos, tmp_path) -> None:
    moved = photos.rename(tmp_path / "moved")
    ran = degrade("replay", shards, "all")
    assert ran.code == 3
    lines = ran.err.splitlines()
    assert len(lines) == 4  # three photos, and the sum
    assert f"{photos / 'more/c.png'}: there is no such file - if it lies elsewhere now" in ran.err
    assert lines[-1].startswith(f"degrade: error: {shards}: 3 photos of {PAIRS} pairs cannot be had")
    assert degrade("replay", shards, "all", "--hr-root", moved).code == 0
    (moved / "a.png").rename(moved / "more" / "other.png")
    assert degrade("replay", shards, "all", "--hr-root", tmp_path / "shards", "--hr-root", moved).code == 0
    (moved / "b.png").unlink()
    ran = degrade("replay", shards, "all", "--hr-root", moved, "--json")
    assert ran.code == 3
    assert f"not below {moved}" in ran.err
    told = json.loads(ran.out)
    assert (told["pairs"], told["bit_equal"]) == (PAIRS, PAIRS * 2 // 3)


def test_a_photo_that_changed_is_not_taken(degrade, shards, photos) -> None:
    Image.new("RGB", (72, 60)).save(photos / "a.png")
    ran = degrade("replay", shards, "all")
    assert ran.code == 3
    assert "the file changed" in ran.err


def test_a_difference_is_measured(degrade, shards, tmp_path) -> None:
    lr = open_shards(shards).read_many(range(4))[0].copy()
    lr[2, 0, 0, 0] ^= 8  # by 8 levels, in 1 of 8 x 8 x 3 values
    file = rewritten(shards, tmp_path / "one.h5", lr=lr)
    ran = degrade("replay", file, "all")
    assert ran.code == 4
    assert ran.err.count("\n") == 1
    assert f"{file}: pair 2: the LR made again differs by up to 8 of 255, in 0.52 % of its values" in ran.err
    assert ran.out == f"{file}: 3 of 4 pairs made again, bit-equal\n"
    assert degrade("replay", file, 1).code == 0
    assert degrade("replay", file, 2).code == 4


def test_another_engine_or_library_is_named_as_the_reason(degrade, shards, tmp_path, monkeypatch) -> None:
    lr = open_shards(shards).read_many(range(4))[0] ^ np.uint8(1)
    monkeypatch.setattr(pipeline, "ENGINE", 99)
    ran = degrade("replay", rewritten(shards, tmp_path / "one.h5", lr=lr, libraries="codec 1"), "all")
    assert ran.code == 4
    assert "engine 1, here 99; libraries codec 1, here " in ran.err
    assert "4 of 4 pairs differ from their traces" in ran.err.splitlines()[-1]


def test_a_photo_that_is_decoded_otherwise_is_named_as_the_reason(degrade, shards, monkeypatch) -> None:
    real = codecs.rgb8
    monkeypatch.setattr(codecs, "rgb8", lambda photo: real(photo) ^ np.uint8(1))
    ran = degrade("replay", shards, 0)
    assert ran.code == 4
    assert "its photo has other pixels here than the stored HR, by up to 1 - the photo is decoded" in ran.err


def test_a_step_that_is_not_known_and_a_captured_pair(degrade, shards, tmp_path) -> None:
    unknown = rewritten(shards, tmp_path / "one.h5", trace={"steps": [{"op": "sepia", "id": "sepia0"}]})
    ran = degrade("replay", unknown, 0)
    assert ran.code == 4
    assert "'sepia'" in ran.err
    step = {"op": "captured", "id": "captured"}
    nowhere = rewritten(shards, tmp_path / "two.h5", trace={"steps": [step]})
    ran = degrade("replay", nowhere, 0)
    assert ran.code == 4
    assert "its trace does not say which picture it was made from" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["shards", 18], 2, "pair 18 of 18 - give 0 to 17"),
        (["shards", "some"], 2, "some: not the number of a pair"),
        (["photos", "all"], 2, "no shards here"),
        (["shards", "all", "--hr-root", "nowhere"], 2, "'nowhere' does not exist"),
    ],
)
def test_mistakes_are_one_line(arguments, code, part, degrade, shards, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = degrade("replay", *arguments)
    assert ran.code == code
    assert part in ran.err
    assert ran.err.count("\n") == 1


def test_verify_names_every_fault(degrade, shards) -> None:
    ran = degrade("verify", shards)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{shards}: {PAIRS} pairs in ")
    assert ran.out.endswith(", every byte as it was made\n")
    file = sorted(shards.glob("*.h5"))[0]
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    (shards / "plan.json").write_text("{}")
    ran = degrade("verify", shards)
    assert ran.code == 4
    assert file.name in ran.err
    assert "plan.json" in ran.err
    assert degrade("verify", shards / "none").code == 2
