"""Every byte of a finished folder against its manifest, and every fault by name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from degrade.errors import DegradeError, IntegrityError
from degrade.shards.folder import require_folder
from degrade.shards.gate import open_regular
from degrade.shards.layout import PLAN_NAME
from degrade.shards.manifest import REMAKE, Manifest, ShardRecord, read_manifest, shard_files
from degrade.shards.shard import Shard

_BLOCK = 1 << 20
_NAMED = 5  # damaged rows named in one line


def verify(folder: Path, *, advance: Callable[[], None] = lambda: None) -> list[DegradeError]:
    """All faults of a set of shards; each says file, fault and cure. An empty list: every byte is as it was made.

    Reads everything once (hashing: about 2 GB/s a core); `advance` is called after each shard.

    Raises:
        UsageError: no such folder.
    """
    require_folder(folder)
    try:
        manifest = read_manifest(folder)
    except DegradeError as error:
        return [error, *_loose_faults(folder, listed=None)]
    if manifest is None:
        return [IntegrityError(folder, "not finished: no manifest", REMAKE), *_loose_faults(folder, listed=None)]
    faults: list[DegradeError] = []
    if not manifest.complete:
        counts = f"{manifest.num_pairs} of {manifest.num_planned} pairs"
        faults.append(IntegrityError(folder, f"not finished: {counts}", REMAKE))
    faults += _plan_faults(folder, manifest)
    for record in manifest.shards:
        faults += _shard_faults(folder / record.name, record, manifest)
        advance()
    return faults + _loose_faults(folder, listed={record.name for record in manifest.shards})


def examine(path: Path) -> ShardRecord:
    """The record of a shard on disk, every row read and checked; equal to the one its writer gave.

    Raises:
        IntegrityError: damaged, unsafe, or of a format or version not known.
    """
    shard = Shard(path)
    _raise_if_damaged(shard)
    contents = shard.contents
    return ShardRecord(
        name=path.name,
        num_bytes=contents.num_bytes,
        sha256=file_digest(path),
        index_sha256=shard.index_sha256,
        pixels=contents.pixels,
        first_pair=contents.header.first_pair,
        num_pairs=contents.num_pairs,
        num_hr=contents.num_hr,
    )


def file_digest(path: Path) -> str:
    """SHA-256 of a regular file."""
    descriptor, _ = open_regular(path)
    digest = hashlib.sha256()
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _shard_faults(path: Path, record: ShardRecord, manifest: Manifest) -> list[DegradeError]:
    try:
        if file_digest(path) == record.sha256:
            return _header_faults(Shard(path, record), manifest)
        _raise_if_damaged(Shard(path, record))  # names the rows, where it can
    except DegradeError as error:
        return [error]
    return [IntegrityError(path, "does not match its SHA-256 in the manifest", REMAKE)]


def _raise_if_damaged(shard: Shard) -> None:
    rows = shard.damaged_rows()
    if rows:
        more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
        raise IntegrityError(shard.path, f"damaged: {', '.join(rows[:_NAMED])}{more}", REMAKE)
    shard.sources  # noqa: B018  raises where they cannot be read
    for row in range(len(shard)):
        shard.trace(row)


def _header_faults(shard: Shard, manifest: Manifest) -> list[DegradeError]:
    names = ("recipe_digest", "seed", "scale", "zoom", "hr_height", "hr_width", "colour")
    other = [name for name in names if getattr(shard.header, name) != getattr(manifest, name)]
    if not other:
        return []
    return [IntegrityError(shard.path, f"of another run: {', '.join(other)} differ from the manifest", REMAKE)]


def _plan_faults(folder: Path, manifest: Manifest) -> list[DegradeError]:
    path = folder / PLAN_NAME
    try:
        same = file_digest(path) == manifest.plan_sha256
    except DegradeError:
        return [IntegrityError(path, "the plan is missing or cannot be read", REMAKE)]
    return [] if same else [IntegrityError(path, "not the plan that the manifest was made from", REMAKE)]


def _loose_faults(folder: Path, listed: set[str] | None) -> list[DegradeError]:
    """Shards that no manifest lists; where there is none, damaged ones."""
    faults: list[DegradeError] = []
    for path in shard_files(folder):
        if listed is None:
            try:
                examine(path)
            except DegradeError as error:
                faults.append(error)
        elif path.name not in listed:
            faults.append(IntegrityError(path, "not listed in the manifest", "move it to another folder"))
    return faults
