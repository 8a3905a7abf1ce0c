"""Every name, dtype and version of a shard: what the writer writes and the reader accepts.

A shard is one HDF5 file of flat, contiguous, unfiltered integer datasets; `FORMATS.md` of this package
describes it for the outside world. Change a name here only together with `FORMAT_VERSION`.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

FORMAT = "degrade-shard"
FORMAT_VERSION = 1

SUFFIX = ".h5"
PLAN_NAME = "plan.json"
MANIFEST_NAME = "manifest.json"
SKIPPED_NAME = "skipped.jsonl"

CHANNELS = {"rgb": 3, "gray": 1}
PIXEL_TYPES = ("|u1", "<u2")  # hr and lr alike

# Dataset -> (dtypes it may have, number of axes), in the order of writing.
DATASETS: dict[str, tuple[tuple[str, ...], int]] = {
    "hr": (PIXEL_TYPES, 4),
    "lr": (PIXEL_TYPES, 4),
    "hr_index": (("<i8",), 1),
    "source_index": (("<i4",), 1),
    "origin": (("<i4",), 2),
    "trace": (("|u1",), 1),
    "trace_end": (("<i8",), 1),
    "sources": (("|u1",), 1),
    "sources_end": (("<i8",), 1),
    "recipe": (("|u1",), 1),
    "hr_crc": (("<u4",), 1),
    "lr_crc": (("<u4",), 1),
}

MAX_FILE_BYTES = 8 << 30
MAX_INDEX_BYTES = 1 << 30  # of any dataset but hr and lr: these are held in memory


class SourceRow(TypedDict):
    """The photo (or generated scene) that a patch was cut from; its size after EXIF orientation."""

    root: str
    path: str
    sha256: str
    height: int
    width: int


@dataclass(frozen=True, kw_only=True)
class ShardHeader:
    """The root attributes of a shard, but for `format` and `format_version`.

    `zoom` is 1, or the optical zoom of same-size pairs (`scale` is 1 then). `margin` is in HR pixels.
    `first_pair` is the plan's number of the first pair. `hr_height` and `hr_width` are the patch size.
    """

    scale: int
    recipe_digest: str
    seed: int
    first_pair: int
    margin: int
    engine: int
    libraries: str
    tool: str
    hr_height: int
    hr_width: int
    zoom: int = 1
    colour: Literal["rgb", "gray"] = "rgb"

    def __post_init__(self) -> None:
        if min(self.scale, self.zoom) < 1 or min(self.first_pair, self.margin) < 0:
            raise ValueError(f"expected scale, zoom >= 1 and first_pair, margin >= 0, got {self}")
        if not -(1 << 63) <= self.seed < 1 << 63:
            raise ValueError(f"expected a seed of 64 bits with sign, got {self.seed}")
        if self.colour not in CHANNELS:
            raise ValueError(f"expected colour 'rgb' or 'gray', got {self.colour!r}")
        if min(self.hr_size) < 1 or self.hr_height % self.scale or self.hr_width % self.scale:
            raise ValueError(f"expected a patch size in multiples of {self.scale}, got {self.hr_size}")

    @property
    def hr_size(self) -> tuple[int, int]:
        return self.hr_height, self.hr_width

    @property
    def lr_size(self) -> tuple[int, int]:
        return self.hr_height // self.scale, self.hr_width // self.scale

    @property
    def channels(self) -> int:
        return CHANNELS[self.colour]

    def attributes(self) -> dict[str, str | int]:
        """Name -> value, in the order of writing."""
        return {"format": FORMAT, "format_version": FORMAT_VERSION, **dataclasses.asdict(self)}


HEADER_TYPES: dict[str, type] = {
    field.name: int if field.type == "int" else str for field in dataclasses.fields(ShardHeader)
}


@dataclass(frozen=True, eq=False)
class Rows:
    """The contents of a shard: N pairs over M <= N HR patches.

    hr: (M, H, W, C) uint8 or uint16. lr: (N, H/s, W/s, C), same dtype. hr_index: (N,) row of `hr` of each pair.
    source_index: (M,) row of `sources` of each patch. origin: (M, 2) y, x of the patch in its source.
    traces: one JSON line per pair, without newline. recipe: the full TOML.
    """

    hr: NDArray[np.uint8] | NDArray[np.uint16]
    lr: NDArray[np.uint8] | NDArray[np.uint16]
    hr_index: NDArray[np.integer]
    source_index: NDArray[np.integer]
    origin: NDArray[np.integer]
    traces: list[str]
    sources: list[SourceRow]
    recipe: str

    def check(self, header: ShardHeader) -> None:
        """Raise ValueError unless the arrays agree with each other and with `header`."""
        num_hr, num_pairs = len(self.hr), len(self.lr)
        expected = {
            "hr": (num_hr, *header.hr_size, header.channels),
            "lr": (num_pairs, *header.lr_size, header.channels),
            "hr_index": (num_pairs,),
            "source_index": (num_hr,),
            "origin": (num_hr, 2),
            "traces": (num_pairs,),
        }
        for name, shape in expected.items():
            value = getattr(self, name)
            if np.shape(value) != shape:
                raise ValueError(f"{name}: expected shape {shape}, got {np.shape(value)}")
        if self.hr.dtype != self.lr.dtype or self.hr.dtype.newbyteorder("<").str not in PIXEL_TYPES:
            raise ValueError(f"expected uint8 or uint16 alike, got hr {self.hr.dtype} and lr {self.lr.dtype}")
        if not 1 <= num_hr <= num_pairs:
            raise ValueError(f"expected 1 <= HR patches <= pairs, got {num_hr} and {num_pairs}")
        check_range("hr_index", self.hr_index, num_hr)
        check_range("source_index", self.source_index, len(self.sources))
        if any("\n" in line for line in self.traces):
            raise ValueError("a trace is one line, without a newline")


def check_range(name: str, values: NDArray[np.integer], count: int) -> None:
    """Raise ValueError unless all of `values` lie in 0..count-1."""
    if values.min() < 0 or values.max() >= count:
        raise ValueError(f"{name}: expected 0 to {count - 1}, got {values.min()} to {values.max()}")


def joined_lines(lines: list[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lines of text as UTF-8 bytes, each ended by a newline, and the offset behind each."""
    encoded = [line.encode() + b"\n" for line in lines]
    text = np.frombuffer(b"".join(encoded), np.uint8)
    return text, np.cumsum([len(line) for line in encoded], dtype=np.int64)


def source_line(source: SourceRow) -> str:
    """The JSON line of a source; names that are no UTF-8 are kept as escaped surrogates."""
    return json.dumps({name: source[name] for name in SourceRow.__annotations__}, separators=(",", ":"))
