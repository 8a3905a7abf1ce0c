"""A manifest decides which files are opened, so an edited one is refused as a damaged shard is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from degrade.errors import IntegrityError
from degrade.shards.manifest import read_manifest, write_manifest


def test_a_manifest_comes_back_as_written(folder_maker, tmp_path: Path) -> None:
    folder_maker(tmp_path)
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.num_pairs == manifest.num_planned == 36
    before = (tmp_path / "manifest.json").read_bytes()
    write_manifest(tmp_path, manifest)
    assert (tmp_path / "manifest.json").read_bytes() == before
    assert read_manifest(tmp_path) == manifest
    assert dataclasses.replace(manifest, seed=8).digest != manifest.digest


def test_an_unfinished_folder_has_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    assert read_manifest(tmp_path / "none") is None


def shard_key(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda table: table["shards"][0].__setitem__(name, value)


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "other format": (lambda t: t.update(format="degrade-plan"), "format 'degrade-plan', expected 'degrade-manifest'"),
    "next version": (lambda t: t.update(format_version=2), "format_version 2, this degrade reads 1 - install"),
    "path upward": (shard_key("name", "../x.h5"), "plain name of a shard, got '../x.h5'"),
    "absolute path": (shard_key("name", "/etc/x.h5"), "plain name"),
    "hidden": (shard_key("name", ".x.h5"), "plain name"),
    "control characters": (shard_key("name", "a\x1b[2J.h5"), r"plain name of a shard, got .*x1b\[2J"),
    "listed twice": (lambda t: t["shards"].append(t["shards"][-1]), "listed twice"),
    "same pairs": (lambda t: t["shards"][1].update(first_pair=0), "claim the same pairs"),
    "out of order": (lambda t: t["shards"].reverse(), "out of order"),
    "a billion rows": (shard_key("num_pairs", 10**9), "cannot be"),
    "no rows": (shard_key("num_pairs", 0), "cannot be"),
    "more pairs than planned": (lambda t: t.update(num_planned=35), "36 pairs of 35 planned"),
    "pixels outside": (shard_key("pixels", [[4096, 1 << 40], [1072, 2800]]), "do not lie inside"),
    "pixels overlap": (shard_key("pixels", [[4096, 8192], [5000, 9000]]), "do not lie inside"),
    "no digest": (shard_key("sha256", "0" * 63), "SHA-256"),
    "unknown key": (lambda t: t.update(shard=[]), "unknown key - run the same"),
    "missing key": (lambda t: t.pop("seed"), "seed: missing"),
    "wrong type": (lambda t: t.update(seed="7"), "seed: "),
    "infinite": (lambda t: t.update(seed=float("inf")), "Infinity is no number"),
    "not a number": (lambda t: t.update(seed=float("nan")), "NaN is no number"),
    "impossible scale": (lambda t: t.update(scale=5), "multiples of 5"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_manifest_is_refused(edit: str, folder_maker, tmp_path: Path) -> None:
    folder_maker(tmp_path)
    change, reason = EDITS[edit]
    path = tmp_path / "manifest.json"
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))
    with pytest.raises(IntegrityError, match=reason) as caught:
        read_manifest(tmp_path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert line.isprintable()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "nested too deep|not valid JSON"),
        (b"[]", "not a JSON object"),
        (b'{"seed": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        (b'{"format": 1, "format": 2}', "stated twice"),
    ],
)
def test_text_that_is_no_manifest_is_refused(text: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(text)
    with pytest.raises(IntegrityError, match=reason):
        read_manifest(tmp_path)
