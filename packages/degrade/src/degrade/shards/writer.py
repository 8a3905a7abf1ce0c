"""A shard from arrays: the same arrays give the same bytes, on disk whole or not at all.

HDF5 writes only its structure (a few kilobytes), into memory, with a place reserved for each dataset; the
arrays are then put into their places as the file is written out, without a copy. A file under its final
name is therefore never a part, and a full disk is an ordinary error (HDF5 writing in place crashes on it).
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from degrade.atomic import write_bytes
from degrade.shards import hdf5
from degrade.shards.layout import DATASETS, Rows, ShardHeader, joined_lines, source_line
from degrade.shards.manifest import ShardRecord


def write_shard(path: Path, header: ShardHeader, rows: Rows) -> ShardRecord:
    """Write a shard durably under `path`, replacing an older one; its record for the manifest.

    Raises:
        ValueError: arrays that do not fit each other or the header.
        ResourceError: disk full, no permission; nothing is left behind.
    """
    image = _Image(header, rows)
    digests: list[str] = []
    hashing = threading.Thread(target=lambda: digests.extend(image.digests()))  # while the disk writes
    hashing.start()
    try:
        write_bytes(path, image.segments)
    finally:
        hashing.join()
    sha256, index_sha256 = digests
    return ShardRecord(
        name=path.name,
        num_bytes=image.num_bytes,
        sha256=sha256,
        index_sha256=index_sha256,
        pixels=image.pixels,
        first_pair=header.first_pair,
        num_pairs=len(rows.lr),
        num_hr=len(rows.hr),
    )


def shard_image(header: ShardHeader, rows: Rows) -> bytes:
    """The bytes of a shard."""
    return b"".join(_Image(header, rows).segments)


@dataclass(frozen=True)
class _Place:
    name: str
    start: int
    end: int


class _Image:
    """A shard as a list of buffers in file order: structure, hr, structure, lr, ..."""

    def __init__(self, header: ShardHeader, rows: Rows) -> None:
        rows.check(header)
        arrays = _datasets(rows)
        shell, places = _shell(header, arrays)
        self.num_bytes = shell.size
        by_name = {place.name: (place.start, place.end) for place in places}
        self.pixels = by_name["hr"], by_name["lr"]
        self.segments, self._is_pixels = _laid_out(shell, places, arrays)

    def digests(self) -> tuple[str, str]:
        """SHA-256 of the whole, and of all but the pixels."""
        whole, index = hashlib.sha256(), hashlib.sha256()
        for segment, is_pixels in zip(self.segments, self._is_pixels, strict=True):
            whole.update(segment)
            if not is_pixels:
                index.update(segment)
        return whole.hexdigest(), index.hexdigest()


def _datasets(rows: Rows) -> dict[str, NDArray[np.integer]]:
    trace, trace_end = joined_lines(rows.traces)
    sources, sources_end = joined_lines([source_line(source) for source in rows.sources])
    values = {
        "hr": rows.hr,
        "lr": rows.lr,
        "hr_index": rows.hr_index,
        "source_index": rows.source_index,
        "origin": rows.origin,
        "trace": trace,
        "trace_end": trace_end,
        "sources": sources,
        "sources_end": sources_end,
        "recipe": np.frombuffer(rows.recipe.encode() or b"\n", np.uint8),
        "hr_crc": np.empty(len(rows.hr), "<u4"),
        "lr_crc": np.empty(len(rows.lr), "<u4"),
    }
    arrays: dict[str, NDArray[np.integer]] = {}
    for name, (dtypes, _) in DATASETS.items():
        dtype = rows.hr.dtype.newbyteorder("<") if name in {"hr", "lr"} else np.dtype(dtypes[0])
        arrays[name] = np.ascontiguousarray(values[name], dtype)
    for name in ("hr", "lr"):
        arrays[f"{name}_crc"][:] = [zlib.crc32(row.data) for row in arrays[name]]
    return arrays


def _shell(header: ShardHeader, arrays: dict[str, NDArray[np.integer]]) -> tuple[hdf5.ShellFile, list[_Place]]:
    """The structure of the file as HDF5 writes it, and where each array belongs."""
    shell = hdf5.ShellFile()
    places: list[_Place] = []
    file = hdf5.create(shell)
    try:
        for name, value in header.attributes().items():
            hdf5.write_attribute(file, name, value)
        for name, array in arrays.items():
            start = hdf5.reserve(file, name, array.dtype, array.shape)
            places.append(_Place(name, start, start + array.nbytes))
    finally:
        file.close()
    return shell, sorted(places, key=lambda place: place.start)


def _laid_out(
    shell: hdf5.ShellFile, places: Sequence[_Place], arrays: dict[str, NDArray[np.integer]]
) -> tuple[list[memoryview], list[bool]]:
    edges = [0, *itertools.chain.from_iterable((place.start, place.end) for place in places), shell.size]
    gaps = [(start, bytearray(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    for position, data in shell.writes:  # later ones win
        start, gap = next((s, g) for s, g in gaps if s <= position and position + len(data) <= s + len(g))
        gap[position - start : position - start + len(data)] = data
    segments = [memoryview(gaps[0][1])]
    is_pixels = [False]
    for place, (_, gap) in zip(places, gaps[1:], strict=True):
        segments += [arrays[place.name].data.cast("B"), memoryview(gap)]
        is_pixels += [place.name in {"hr", "lr"}, False]
    return segments, is_pixels
