"""One shard, open for reading: offsets once, then one `preadv` a row, and a CRC over every row read.

Nothing is mapped into memory: a file cut short under a mapping kills the process, a short read is an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade.atomic import resource_error
from degrade.errors import IntegrityError
from degrade.shards.gate import Contents, check_open, open_regular
from degrade.shards.layout import ShardHeader, SourceRow, check_range
from degrade.shards.manifest import REMAKE, ShardRecord

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


class Shard:
    """An open shard; `row` counts its pairs from 0. Closed when the last reference goes.

    With the `record` of the manifest, everything but the pixels is compared with its SHA-256 before HDF5
    sees it; without one (a single file), only the gate and the CRCs of the pixels speak.

    Raises:
        IntegrityError: damaged, missing, not the file of the record, format or version not known.
        UnsafeFileError: refused by the gate.
    """

    def __init__(self, path: Path, record: ShardRecord | None = None) -> None:
        self.path, self.record = path, record
        self._descriptor, num_bytes = open_regular(path)
        try:
            if record is not None:
                self._check_digest(record, num_bytes)
            self.contents: Contents = check_open(path, self._descriptor, num_bytes)
            if record is not None:
                self._check_record(record)
            self._load_index()
        except OSError as error:
            raise resource_error(path, error) from None

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.close(self._descriptor)

    def __reduce__(self) -> tuple[type[Shard], tuple[Path, ShardRecord | None]]:
        return Shard, (self.path, self.record)  # opened again where it arrives

    def __len__(self) -> int:
        return self.contents.num_pairs

    @property
    def header(self) -> ShardHeader:
        return self.contents.header

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or uint16, of both patches."""
        return np.dtype(self.contents.extents["lr"].dtype)

    def hr_row(self, row: int) -> int:
        """Row of the HR patch; variants of one patch share it."""
        return int(self._hr_index[row])

    def read_lr(self, row: int, out: Pixels) -> None:
        """Read the LR patch of a pair into `out`, a C-contiguous array of its shape and dtype."""
        self._read_row("lr", row, out, self._lr_start, self._lr_crc)

    def read_hr(self, row: int, out: Pixels) -> None:
        """Read the HR patch of a pair into `out`."""
        self._read_row("hr", int(self._hr_index[row]), out, self._hr_start, self._hr_crc)

    def trace(self, row: int) -> dict[str, Any]:
        """What was drawn for a pair, in the order in which it ran."""
        text = self._text("trace", row, self._trace_end)
        try:
            trace = json.loads(text)
        except (ValueError, RecursionError):
            raise self._damaged(f"trace of row {row} is no JSON") from None
        if not isinstance(trace, dict):
            raise self._damaged(f"trace of row {row} is no JSON object")
        return trace

    def origin(self, row: int) -> tuple[int, int]:
        """y, x of the HR patch in its source."""
        y, x = self._array("origin")[self._hr_index[row]]
        return int(y), int(x)

    def source(self, row: int) -> SourceRow:
        return self.sources[self._source_index[self._hr_index[row]]]

    def source_index(self) -> NDArray[np.int32]:
        """(N,) row of `sources` of each pair."""
        return self._source_index[self._hr_index]

    @cached_property
    def sources(self) -> list[SourceRow]:
        rows = [self._source(number) for number in range(len(self._sources_end))]
        check_range("source_index", self._source_index, len(rows))
        return rows

    @cached_property
    def recipe_text(self) -> str:
        """The full recipe, overrides applied, as TOML."""
        return self._array("recipe").tobytes().decode("utf-8", "replace")

    @cached_property
    def index_sha256(self) -> str:
        """SHA-256 of the file without the pixels."""
        return index_digest(self.path, self._descriptor, self.contents.num_bytes, self.contents.pixels)

    def damaged_rows(self) -> list[str]:
        """Read every row; `hr[3]`-like names of those that do not match their CRC."""
        found = []
        hr, lr = self.contents.extents["hr"], self.contents.extents["lr"]
        readers: list[tuple[str, Any, int, NDArray[np.uint32]]] = [
            ("hr", hr, self._hr_start, self._hr_crc),
            ("lr", lr, self._lr_start, self._lr_crc),
        ]
        for name, extent, start, checksums in readers:
            out: Any = np.empty(extent.shape[1:], extent.dtype)
            for row in range(extent.shape[0]):
                try:
                    self._read_row(name, row, out, start, checksums)
                except IntegrityError:
                    found.append(f"{name}[{row}]")
        return found

    def _read_row(self, name: str, row: int, out: Pixels, start: int, checksums: NDArray[np.uint32]) -> None:
        view = out.data
        try:
            count = os.preadv(self._descriptor, [view], start + row * view.nbytes)
        except OSError as error:
            raise resource_error(self.path, error) from None
        if count != view.nbytes:
            raise self._damaged(f"ends inside {name}[{row}]")
        if zlib.crc32(view) != checksums[row]:
            raise self._damaged(f"{name}[{row}] does not match its checksum")

    def _check_digest(self, record: ShardRecord, num_bytes: int) -> None:
        if num_bytes != record.num_bytes:
            raise self._damaged(f"{num_bytes} bytes, the manifest says {record.num_bytes}")
        if index_digest(self.path, self._descriptor, num_bytes, record.pixels) != record.index_sha256:
            raise self._damaged("damaged outside the pixels, or not the file that the manifest lists")

    def _check_record(self, record: ShardRecord) -> None:
        contents = self.contents
        found = contents.pixels, contents.num_pairs, contents.num_hr, contents.header.first_pair
        if found != (record.pixels, record.num_pairs, record.num_hr, record.first_pair):
            raise self._damaged("its rows are not those that the manifest lists")

    def _load_index(self) -> None:
        self._hr_start = self.contents.extents["hr"].start
        self._lr_start = self.contents.extents["lr"].start
        self._hr_index, self._source_index = self._array("hr_index"), self._array("source_index")
        self._hr_crc, self._lr_crc = self._array("hr_crc"), self._array("lr_crc")
        self._trace_end, self._sources_end = self._array("trace_end"), self._array("sources_end")
        try:
            check_range("hr_index", self._hr_index, self.contents.num_hr)
            check_range("source_index", self._source_index, len(self._sources_end))
            for name in ("trace", "sources"):
                _check_ends(name, self._array(f"{name}_end"), self.contents.extents[name].shape[0])
        except ValueError as error:
            raise self._damaged(str(error)) from None

    def _array(self, name: str) -> NDArray[Any]:
        extent = self.contents.extents[name]
        data = read_exactly(self.path, self._descriptor, extent.start, extent.num_bytes)
        return np.frombuffer(data, extent.dtype).reshape(extent.shape)

    def _text(self, name: str, row: int, ends: NDArray[np.int64]) -> bytes:
        begin, end = int(ends[row - 1]) if row else 0, int(ends[row])
        start = self.contents.extents[name].start
        return bytes(read_exactly(self.path, self._descriptor, start + begin, end - begin))

    def _source(self, number: int) -> SourceRow:
        try:
            table = json.loads(self._text("sources", number, self._sources_end))
            row: SourceRow = {name: kind(table[name]) for name, kind in _SOURCE_TYPES.items()}  # type: ignore[assignment]  # same keys
        except (ValueError, RecursionError, TypeError, LookupError):
            raise self._damaged(f"source {number} cannot be read") from None
        return row

    def _damaged(self, problem: str) -> IntegrityError:
        return IntegrityError(self.path, problem, REMAKE)


_SOURCE_TYPES: dict[str, Callable[[Any], str | int]] = {
    "root": str,
    "path": str,
    "sha256": str,
    "height": int,
    "width": int,
}


def index_digest(path: Path, descriptor: int, num_bytes: int, pixels: tuple[tuple[int, int], tuple[int, int]]) -> str:
    """SHA-256 of an open file without the two byte ranges of its pixels."""
    first, second = sorted(pixels)
    digest = hashlib.sha256()
    for start, end in ((0, first[0]), (first[1], second[0]), (second[1], num_bytes)):
        digest.update(read_exactly(path, descriptor, start, end - start))
    return digest.hexdigest()


def read_exactly(path: Path, descriptor: int, start: int, num_bytes: int) -> bytearray:
    """`num_bytes` of an open file from `start`.

    Raises:
        IntegrityError: the file ends earlier.
    """
    data = bytearray(num_bytes)
    view = memoryview(data)
    while view.nbytes:
        count = os.preadv(descriptor, [view], start + num_bytes - view.nbytes)
        if not count:
            raise IntegrityError(path, f"ends before byte {start + num_bytes}", REMAKE)
        view = view[count:]
    return data


def _check_ends(name: str, ends: NDArray[np.int64], length: int) -> None:
    if not ends.size or ends[-1] != length or ends[0] < 0 or np.any(np.diff(ends) < 0):
        raise ValueError(f"{name}_end does not divide the {length} bytes of {name}")
