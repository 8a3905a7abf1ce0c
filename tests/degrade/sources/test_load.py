"""From a source to pixels: what was listed, or an error."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from degrade import codecs
from degrade.codecs import Photo
from degrade.errors import ImageError
from degrade.functional.dead_leaves import VERSION, render
from degrade.image import Pixels
from degrade.sources import dead_leaves, samples
from degrade.sources.folder import scan
from degrade.sources.load import load
from degrade.sources.source import Source


@pytest.fixture
def pixels() -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (6, 9, 3), dtype=np.uint8)


@pytest.fixture
def source(pixels: Pixels, tmp_path: Path) -> Source:
    codecs.write(tmp_path / "a.png", Photo(pixels))
    return scan([tmp_path]).sources[0]


def test_a_file_is_loaded(source: Source, pixels: Pixels) -> None:
    loaded = load(source)
    assert np.array_equal(loaded, pixels)
    assert loaded.dtype == np.uint8
    assert loaded.flags.c_contiguous


def test_gray_and_deep_files_become_8_bit_colour(tmp_path: Path) -> None:
    codecs.write(tmp_path / "a.png", Photo(np.full((3, 4, 1), 257 * 9, np.uint16)))
    assert np.array_equal(load(scan([tmp_path]).sources[0]), np.full((3, 4, 3), 9))


def test_a_changed_file_is_refused(source: Source, pixels: Pixels, tmp_path: Path) -> None:
    codecs.write(tmp_path / "a.png", Photo(pixels[::-1]), overwrite=True)
    with pytest.raises(ImageError, match=r"a\.png: the file changed since it was listed - start over"):
        load(source)
    (tmp_path / "a.png").unlink()
    with pytest.raises(ImageError, match=r"a\.png: there is no such file"):
        load(source)


def test_a_damaged_file_is_refused_when_read(tmp_path: Path, pixels: Pixels) -> None:
    (tmp_path / "a.png").write_bytes(codecs.encode(Photo(pixels), "PNG")[:-20])
    with pytest.raises(ImageError, match=r"a\.png: damaged PNG: it is cut"):
        load(scan([tmp_path]).sources[0])


def test_sources_come_back_from_json(source: Source) -> None:
    odd = replace(source, path="caf\udce9.png")  # not UTF-8
    for one in (source, odd, *dead_leaves.scenes(1)):
        assert Source(**json.loads(json.dumps(one.as_dict()))) == one


def test_a_scene_is_its_description() -> None:
    first, second = dead_leaves.scenes(2, first=7, height=40, width=60)
    assert first.path == f"dead-leaves:{VERSION}:40x60:7"
    assert second.path.endswith(":8")
    assert first.sha256 == hashlib.sha256(first.path.encode()).hexdigest()
    assert (first.kind, first.height, first.width) == ("dead_leaves", 40, 60)
    assert np.array_equal(load(first), render(40, 60, int(first.sha256[:16], 16)))
    assert not np.array_equal(load(first), load(second))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("dead-leaves:1:40x60", "not the description of a scene"),
        ("dead-leaves:1:40x60:1;rm", "not the description of a scene"),
        (f"dead-leaves:{VERSION + 1}:40x60:1", f"this degrade draws version {VERSION} of scenes"),
        (f"dead-leaves:{VERSION}:99999x99999:1", "a size that is not made"),
        (f"dead-leaves:{VERSION}:0x60:1", "a size that is not made"),
    ],
)
def test_other_descriptions_are_refused(path: str, reason: str) -> None:
    scene = replace(dead_leaves.scenes(1)[0], path=path, sha256=hashlib.sha256(path.encode()).hexdigest())
    with pytest.raises(ImageError, match=reason):
        load(scene)


def test_a_description_and_its_hash_belong_together() -> None:
    with pytest.raises(ImageError, match="not the description of a scene"):
        load(replace(dead_leaves.scenes(1)[0], sha256="0" * 64))


def test_sample_photographs_are_loaded_and_name_no_folder() -> None:
    pytest.importorskip("skimage")
    from skimage import data

    photographs = samples.photographs()
    assert len(photographs) >= 10
    assert [source.sha256 for source in photographs] == sorted(source.sha256 for source in photographs)
    assert {source.root for source in photographs} == {"scikit-image"}
    assert all(source.path in samples.PHOTOGRAPHS for source in photographs)
    assert all(min(source.height, source.width) >= 300 for source in photographs)
    by_name = {source.path: source for source in photographs}
    assert np.array_equal(load(by_name["coffee.png"]), data.coffee())
    assert np.array_equal(load(by_name["camera.png"]), np.repeat(data.camera()[:, :, None], 3, axis=2))


def test_without_scikit_image_there_are_no_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "find_spec", lambda name: None)
    assert samples.photographs() == []
    with pytest.raises(ImageError, match="scikit-image is not installed - pip install scikit-image"):
        load(Source("file", samples.ROOT, "coffee.png", "0" * 64, 1, 1, 1))


def test_finding_the_samples_imports_nothing_heavy() -> None:
    before = set(sys.modules)
    samples.photographs()
    assert not {name for name in set(sys.modules) - before if name.startswith("skimage.")}
