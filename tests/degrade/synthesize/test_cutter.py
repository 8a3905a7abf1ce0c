"""Where patches lie, and `unit = "photo"`: the whole picture is degraded, then patches are cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from degrade import codecs
from degrade.image import crop_to_multiple
from degrade.pipeline import PairKey, degrade_image
from degrade.recipe import Recipe, load_recipe
from degrade.rng import Stream, source_key
from degrade.shards.reader import open_shards
from degrade.synthesize import Summary
from degrade.synthesize.cutter import Cutter, position
from degrade.synthesize.picture import Picture

Make = Callable[..., Summary]
KEY = 0x1234567890ABCDEF


def picture(height: int = 61, width: int = 74) -> Picture:
    return Picture(np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8))


def recipe(*overrides: str) -> Recipe:
    return load_recipe("generic", overrides=["unit=photo", *overrides])


@pytest.mark.parametrize("grid", [1, 4])
def test_positions_are_uniform_over_the_multiples_that_fit(grid: int) -> None:
    pixels = picture().hr
    found = np.array([position(pixels, Stream(KEY, patch), 16, 0.0, grid) for patch in range(3000)])
    assert not (found % grid).any()
    for axis, side in enumerate(pixels.shape[:2]):
        count = (side - 16) // grid + 1
        seen = np.bincount(found[:, axis] // grid, minlength=count)
        assert len(seen) == count
        chi_square = ((seen - 3000 / count) ** 2 / (3000 / count)).sum()
        assert chi_square < count + 4 * np.sqrt(2 * count)  # 4 standard deviations of that distribution


def test_patches_of_a_whole_picture_are_cut_from_it() -> None:
    source, cutter = picture(), Cutter(recipe(), 16)
    placed = list(cutter.pairs(source, KEY, range(3, 9), range(2)))
    assert [(variant, json.loads(pair.trace)["variant"]) for pair, _, variant in placed] == [(0, 0), (1, 1)] * 6
    for pair, (y, x), variant in placed:
        whole = degrade_image(source.hr, recipe(), key=PairKey(KEY, 0, variant))
        assert whole.lr.shape == (15, 18, 3)  # 61 x 74 pixels are cropped to 60 x 72
        assert np.array_equal(pair.lr, whole.lr[y // 4 : y // 4 + 4, x // 4 : x // 4 + 4])
        assert np.array_equal(pair.hr, source.hr[y : y + 16, x : x + 16])
        assert json.loads(pair.trace) == {**json.loads(whole.trace), "unit": "photo"}


def test_hr_steps_change_the_whole_picture_too() -> None:
    sharpened = recipe("hr=[{op = 'gaussian_blur', sigma = 2.0}]")
    source, cutter = picture(), Cutter(sharpened, 16)
    whole = degrade_image(source.hr, sharpened, key=PairKey(KEY))
    for pair, (y, x), _ in cutter.pairs(source, KEY, range(3), range(1)):
        assert np.array_equal(pair.hr, whole.hr[y : y + 16, x : x + 16])
        assert not np.array_equal(pair.hr, source.hr[y : y + 16, x : x + 16])


def test_a_whole_picture_is_degraded_once_for_each_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    real = degrade_image

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(options["key"])
        return real(*arguments, **options)

    monkeypatch.setattr("degrade.synthesize.cutter.degrade_image", counted)
    told: list[int] = []
    list(Cutter(recipe(), 16).pairs(picture(), KEY, range(20), range(3), after_whole=lambda: told.append(1)))
    assert calls == [PairKey(KEY, 0, variant) for variant in range(3)]
    assert len(told) == 3


def test_synth_stores_the_patches_of_whole_photos(make: Make, photos: Path, tmp_path: Path) -> None:
    make(overrides=["unit=photo"], per_image=3, variants=2, seed=4)
    stored = open_shards(tmp_path / "out")
    assert len(stored) == 48
    by_sha = {codecs.sha256(path.read_bytes()): codecs.rgb8(codecs.read(path)) for path in photos.iterdir()}
    for index in range(len(stored)):
        pair, (y, x) = stored[index], stored.origin(index)
        key = PairKey(source_key(4, pair.source), 0, pair.trace["variant"])
        whole = degrade_image(crop_to_multiple(by_sha[pair.source], 4), recipe(), key=key)
        assert np.array_equal(pair.lr, whole.lr[y // 4 : y // 4 + 4, x // 4 : x // 4 + 4])
        assert (pair.trace["unit"], pair.trace["patch"]) == ("photo", 0)


def test_whole_photos_give_the_same_bytes_on_any_executor(
    make: Make, tmp_path: Path, files: Callable[[Path], dict[str, bytes]]
) -> None:
    make("one", overrides=["unit=photo"])
    with ThreadPoolExecutor(2) as executor:
        make("two", overrides=["unit=photo"], workers=executor)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_positions_of_patches_stay_what_they_were() -> None:
    """Of the first release; a change here would change every shard there is."""
    pixels = picture().hr
    found = [position(pixels, Stream(KEY, patch), 16, 0.0) for patch in range(4)]
    assert found == [(23, 24), (10, 55), (8, 3), (43, 43)]
