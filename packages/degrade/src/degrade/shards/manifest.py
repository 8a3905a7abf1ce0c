"""`manifest.json`: which shards a finished run consists of, and the SHA-256 of each.

Written last, by rename: a folder without it is not finished. It is read as strictly as a shard, since it
decides which files are opened.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from degrade.atomic import resource_error, write_bytes
from degrade.errors import IntegrityError, UsageError
from degrade.schema import build, read_json
from degrade.shards.layout import CHANNELS, MANIFEST_NAME, MAX_FILE_BYTES, SUFFIX

FORMAT = "degrade-manifest"
FORMAT_VERSION = 1
MAX_MANIFEST_BYTES = 64 << 20

REMAKE = "run the same `degrade synth` command again, which re-makes just what is damaged or missing"
UPGRADE = "install a version of degrade that knows it"

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,200}}{re.escape(SUFFIX)}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BYTES_PER_PAIR = 20  # at the very least: hr_index, trace_end, lr_crc


@dataclass(frozen=True)
class ShardRecord:
    """One file of a set. `index_sha256` is of the file without `pixels`, the byte ranges of `hr` and `lr`.

    Whoever opens a shard checks `index_sha256` before HDF5 sees the file, and a CRC for every row of
    pixels read: so every byte is checked without reading the whole file first.
    """

    name: str
    num_bytes: int
    sha256: str
    index_sha256: str
    pixels: tuple[tuple[int, int], tuple[int, int]]
    first_pair: int
    num_pairs: int
    num_hr: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"expected the plain name of a shard, got {self.name!r}")
        if not (_SHA256.fullmatch(self.sha256) and _SHA256.fullmatch(self.index_sha256)):
            raise ValueError(f"{self.name}: expected SHA-256 digests in hex")
        (start, end), (next_start, next_end) = sorted(self.pixels)
        if not 0 < start < end <= next_start < next_end <= self.num_bytes <= MAX_FILE_BYTES:
            raise ValueError(f"{self.name}: pixels {self.pixels} do not lie inside {self.num_bytes} bytes")
        if not 1 <= self.num_hr <= self.num_pairs <= self.num_bytes // _BYTES_PER_PAIR or self.first_pair < 0:
            raise ValueError(f"{self.name}: {self.num_pairs} pairs of {self.num_hr} HR patches cannot be")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A run as its reader needs it. Pair numbers of the set follow `shards`, in their order.

    `num_planned` pairs were planned; `complete` says that each was made or lost its source
    (`num_skipped` inputs were left out, listed in `skipped.jsonl`).
    """

    plan_sha256: str
    recipe_digest: str
    seed: int
    scale: int
    hr_height: int
    hr_width: int
    num_planned: int
    num_skipped: int
    complete: bool
    engine: int
    libraries: str
    tool: str
    shards: tuple[ShardRecord, ...]
    zoom: int = 1
    colour: Literal["rgb", "gray"] = "rgb"

    def __post_init__(self) -> None:
        if len({record.name for record in self.shards}) != len(self.shards):
            raise ValueError("a shard is listed twice")
        for before, after in itertools.pairwise(self.shards):
            if after.first_pair < before.first_pair + before.num_pairs:
                raise ValueError(f"{before.name} and {after.name} claim the same pairs, or are out of order")
        if min(self.scale, self.zoom) < 1 or self.num_skipped < 0:
            raise ValueError("expected scale, zoom >= 1 and a count of skipped inputs")
        if min(self.hr_size) < 1 or self.hr_height % self.scale or self.hr_width % self.scale:
            raise ValueError(f"expected a patch size in multiples of {self.scale}, got {self.hr_size}")
        if self.num_pairs > self.num_planned:
            raise ValueError(f"{self.num_pairs} pairs of {self.num_planned} planned")

    @property
    def num_pairs(self) -> int:
        return sum(record.num_pairs for record in self.shards)

    @property
    def hr_size(self) -> tuple[int, int]:
        return self.hr_height, self.hr_width

    @property
    def channels(self) -> int:
        return CHANNELS[self.colour]

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest as written."""
        return hashlib.sha256(_encoded(self)).hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest` into `folder`, replacing an older one in one step."""
    write_bytes(folder / MANIFEST_NAME, _encoded(manifest))


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of `folder`; None where there is none, as in an unfinished run.

    Raises:
        IntegrityError: not ours, of a version not known, edited or damaged.
    """
    path = folder / MANIFEST_NAME
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise resource_error(path, error) from None
    if len(data) > MAX_MANIFEST_BYTES:
        raise IntegrityError(path, f"larger than {MAX_MANIFEST_BYTES} bytes", REMAKE)
    table = _table(path, data)
    stated = table.pop("format", None), table.pop("format_version", None)
    if stated[0] != FORMAT:
        raise IntegrityError(path, f"format {stated[0]!r}, expected {FORMAT!r}", REMAKE)
    if stated[1] != FORMAT_VERSION:
        raise IntegrityError(path, f"format_version {stated[1]!r}, this degrade reads {FORMAT_VERSION}", UPGRADE)
    try:
        return build(Manifest, table, origin=str(path))
    except UsageError as error:
        raise IntegrityError(path, error.problem, REMAKE) from None


def shard_files(folder: Path) -> list[Path]:
    """The shards that lie in `folder`, by name; files still being written have hidden names and do not count."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))


def _encoded(manifest: Manifest) -> bytes:
    table = {"format": FORMAT, "format_version": FORMAT_VERSION, **dataclasses.asdict(manifest)}
    return json.dumps(table, indent=1).encode() + b"\n"


def _table(path: Path, data: bytes) -> dict[str, Any]:
    try:
        return read_json(data)
    except ValueError as error:
        raise IntegrityError(path, str(error), REMAKE) from None
