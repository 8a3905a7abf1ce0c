"""Pairs made when they are asked for are those of a stored set, whatever reads them, in whatever order."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch.utils.data import DataLoader

import degrade
from degrade import assets, codecs
from degrade.errors import ImageError, UsageError
from degrade.on_the_fly import ByteCache, OnTheFly
from degrade.shards.reader import open_shards
from degrade.synthesize import synthesize

SETTINGS: dict[str, Any] = {"patch": 16, "per_image": 5, "variants": 2, "min_detail": 8.0}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (44 + number, 53, 3), dtype=np.uint8)
        codecs.write(folder / f"{number}.png", codecs.Photo(pixels))
    return folder


def contents(pairs: Any) -> list[tuple[bytes, bytes, str]]:
    return [(pair.lr.tobytes(), pair.hr.tobytes(), pair.trace) for pair in pairs]


@pytest.mark.parametrize("unit", ["patch", "photo"])
def test_they_are_the_pairs_that_synth_stores_in_its_order(photos: Path, tmp_path: Path, unit: str) -> None:
    overrides = [f"unit={unit}"]
    pairs = OnTheFly(photos, "generic", 7, overrides=overrides, **SETTINGS)
    synthesize(photos, "generic", tmp_path / "set", seed=7, workers=1, overrides=overrides, **SETTINGS)
    stored = open_shards(tmp_path / "set")
    assert len(pairs) == len(stored) == 30
    for index in range(30):
        (lr, hr), pair = stored.read(index), pairs[index]
        assert np.array_equal(pair.lr, lr)
        assert np.array_equal(pair.hr, hr)
        assert pair.trace == json.dumps(stored.trace(index), separators=(",", ":"))


def test_an_epoch_is_the_next_variants_of_the_same_patches(photos: Path) -> None:
    few = OnTheFly(photos, "generic", **{**SETTINGS, "variants": 1})
    many = OnTheFly(photos, "generic", **{**SETTINGS, "variants": 3})
    for epoch in range(3):
        few.set_epoch(epoch)
        assert contents(few) == contents(many[i] for i in range(epoch, 45, 3))
    assert contents([few[1, 4]]) == contents([many[3 * 4 + 1]])  # whatever epoch is set
    assert contents([few[-1]]) == contents([few[14]])


@pytest.mark.filterwarnings("ignore:.*pin_memory.*")
@pytest.mark.parametrize(("workers", "start"), [(0, None), (1, "fork"), (2, "fork")])
def test_torch_loaders_of_any_size_give_the_same_batches(photos: Path, workers: int, start: str | None) -> None:
    pairs = OnTheFly(photos, "generic", **SETTINGS)
    expected = contents(pairs[i] for i in range(len(pairs)))
    loader = DataLoader(pairs, batch_size=7, num_workers=workers, multiprocessing_context=start)  # type: ignore[arg-type]
    found = []
    for lr, hr, traces in loader:
        assert lr.shape[1:] == (4, 4, 3)
        found += [(a.numpy().tobytes(), b.numpy().tobytes(), trace) for a, b, trace in zip(lr, hr, traces, strict=True)]
    assert found == expected


@pytest.mark.slow
def test_spawned_workers_give_the_same_batches_of_the_epoch_that_is_set(photos: Path) -> None:
    pairs = OnTheFly(photos, "generic", **SETTINGS)
    pairs.set_epoch(3)
    loader = DataLoader(pairs, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    found = [(lr.numpy().tobytes(), hr.numpy().tobytes(), trace) for lr, hr, trace in loader]
    assert found == contents(pairs[i] for i in range(len(pairs)))


def test_a_copy_in_another_process_opens_the_pools_itself(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels = np.full((1, 3, 3), 1 / 9, np.float32)
    assets.write_pool(tmp_path / "box.npz", kernels=kernels, card={"origin": []})
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\nsource = "a test"\n[[lr]]\nop = "kernel_blur"\npool = "box.npz"\n'
        '[[lr]]\nop = "downsample"\nfilter = "bicubic"\n'
    )
    pairs = OnTheFly(photos, tmp_path / "mine.toml", **SETTINGS)
    pairs.set_epoch(2)
    expected, copy = contents([pairs[3]]), pickle.dumps(pairs)
    monkeypatch.setattr(assets.places, "_places", {})
    assets.pools._opened.cache_clear()
    again = pickle.loads(copy)
    assert (len(again), again.epoch, again.skipped) == (len(pairs), 2, pairs.skipped)
    assert contents([again[3]]) == expected


def test_photos_are_decoded_once_while_the_cache_has_room(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[object] = []
    real = codecs.decode
    monkeypatch.setattr(codecs, "decode", lambda data, name: decoded.append(name) or real(data, name))
    roomy = OnTheFly(photos, "bicubic", patch=16, per_image=4)
    first = contents(roomy[i] for i in (0, 5, 10, 1, 6, 11))
    assert len(decoded) == 3
    tight = OnTheFly(photos, "bicubic", patch=16, per_image=4, cache_bytes=1000)
    assert contents(tight[i] for i in (0, 5, 10, 1, 6, 11)) == first
    assert len(decoded) == 3 + 6


def test_what_a_reader_does_to_its_pair_changes_no_other(photos: Path) -> None:
    pairs = OnTheFly(photos, "generic", patch=44, per_image=1, overrides=["unit=photo", "margin=0"])
    before = contents([pairs[0]])
    pairs[0].hr[:] = 0
    pairs[0].lr[:] = 0
    assert contents([pairs[0]]) == before


def test_the_cache_keeps_what_was_used_last() -> None:
    cache, made = ByteCache[str](10), []

    def get(key: str) -> str:
        return cache.get(key, lambda: made.append(key) or key, len)

    for key in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb", "x" * 11, "aaaa"):
        assert get(key) == key
    assert made == ["aaaa", "bbbb", "cccc", "bbbb", "x" * 11]
    assert cache.num_bytes == 8


def test_a_photo_that_cannot_be_read_is_named(photos: Path) -> None:
    (photos / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (photos / "small.png").write_bytes(codecs.encode(codecs.Photo(np.zeros((8, 8, 3), np.uint8)), "PNG"))
    pairs = OnTheFly(photos, "bicubic", patch=16, per_image=1)
    assert [Path(entry.path).name for entry in pairs.skipped] == ["small.png"]
    with pytest.raises(ImageError, match=r"bad\.png"):
        contents(pairs[i] for i in range(len(pairs)))


def test_misuse_is_one_line(photos: Path) -> None:
    pairs = OnTheFly(photos, "bicubic", patch=16, per_image=1)
    with pytest.raises(IndexError, match="pair 3 of 3"):
        pairs[3]
    with pytest.raises(ValueError, match="epoch from 0"):
        pairs.set_epoch(-1)
    with pytest.raises(UsageError, match="no photos given"):
        OnTheFly([], "bicubic")
    with pytest.raises(UsageError, match="multiple of the scale"):
        OnTheFly(photos, "bicubic", patch=15)


def test_torch_is_not_needed() -> None:
    assert degrade.OnTheFly is OnTheFly
    code = "import sys, degrade; degrade.OnTheFly; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
