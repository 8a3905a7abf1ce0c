"""What lies in a folder of shards: the files of a finished run, or as much of one as is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from degrade.errors import IntegrityError, UsageError
from degrade.shards.gate import check
from degrade.shards.layout import MANIFEST_NAME, PLAN_NAME
from degrade.shards.manifest import MAX_MANIFEST_BYTES, REMAKE, Manifest, ShardRecord, read_manifest, shard_files


@dataclass(frozen=True)
class Part:
    """A file of a set; `record` is None in a folder without a manifest."""

    path: Path
    num_pairs: int
    record: ShardRecord | None


def read_folder(folder: Path, allow_partial: bool) -> tuple[Manifest | None, list[Part]]:
    """The manifest of a folder, None where there is none, and its files.

    Raises:
        UsageError: no folder, or no shards in it.
        IntegrityError: not finished (unless `allow_partial`), or a file is missing or of another size.
    """
    require_folder(folder)
    manifest = read_manifest(folder)
    parts = _listed_parts(folder, manifest) if manifest else _found_parts(folder)
    made, wanted = sum(part.num_pairs for part in parts), planned(folder, manifest)
    if not parts and wanted is None:
        raise UsageError(folder, "no shards here", "make some: degrade synth PHOTOS --recipe generic --out FOLDER")
    if not allow_partial and not (manifest and manifest.complete):
        counts = f"{made} of {wanted} pairs" if wanted is not None else f"{made} pairs and no {MANIFEST_NAME}"
        cure = "run the same `degrade synth` command again to finish it, or allow a partial set"
        raise IntegrityError(folder, f"not finished: {counts}", cure)
    if not parts:
        raise IntegrityError(folder, f"no pairs yet, {wanted} planned", "run the same `degrade synth` command again")
    return manifest, parts


def _listed_parts(folder: Path, manifest: Manifest) -> list[Part]:
    parts = [Part(folder / record.name, record.num_pairs, record) for record in manifest.shards]
    for part, record in zip(parts, manifest.shards, strict=True):
        try:
            num_bytes = part.path.stat().st_size
        except OSError:
            raise IntegrityError(part.path, "the shard is missing", REMAKE) from None
        if num_bytes != record.num_bytes:
            raise IntegrityError(part.path, f"{num_bytes} bytes, the manifest says {record.num_bytes}", REMAKE)
    return parts


def _found_parts(folder: Path) -> list[Part]:
    return [Part(path, check(path).num_pairs, None) for path in shard_files(folder)]


def planned(folder: Path, manifest: Manifest | None) -> int | None:
    """Pairs that the run in `folder` was to make; None where nothing readable says so."""
    if manifest is not None:
        return manifest.num_planned
    try:
        with (folder / PLAN_NAME).open("rb") as file:
            count = json.loads(file.read(MAX_MANIFEST_BYTES))["num_pairs"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return count if type(count) is int and count >= 0 else None


def require_folder(folder: Path) -> None:
    """Raise UsageError unless `folder` is one."""
    if not folder.is_dir():
        there = "is a file" if folder.exists() else "is not there"
        raise UsageError(folder, there, "give the folder that `degrade synth --out` wrote")
