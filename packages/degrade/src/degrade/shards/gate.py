"""The gate in front of every shard that we did not just write: it accepts one shape of file and no other.

An HDF5 file can name other files, to read and even to write, and libraries to load. Here nothing is
followed: flat hard links to contiguous, unfiltered integer datasets that lie inside the file, and plain root
attributes. Everything is checked before a byte of data is read, through a descriptor that cannot write.
"""

# h5py's compiled modules come without type stubs:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from h5py import h5a, h5d, h5f, h5l, h5o, h5s, h5t

from degrade.atomic import resource_error
from degrade.errors import IntegrityError, UnsafeFileError
from degrade.shards import hdf5
from degrade.shards.layout import (
    DATASETS,
    FORMAT,
    FORMAT_VERSION,
    HEADER_TYPES,
    MAX_FILE_BYTES,
    MAX_INDEX_BYTES,
    ShardHeader,
)
from degrade.shards.manifest import REMAKE, UPGRADE

MAX_TEXT_BYTES = 32 << 10
MAX_ATTRIBUTES = 64

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SUPERBLOCK = 3  # of the 1.10 format: from here on all structure has checksums
_DO_NOT_USE = "do not use it; have the shard made again"


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a dataset lies in its file."""

    start: int
    dtype: str
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def end(self) -> int:
        return self.start + self.num_bytes


@dataclass(frozen=True)
class Contents:
    """What a file that passed the gate says of itself."""

    header: ShardHeader
    extents: dict[str, Extent]
    num_bytes: int

    @property
    def num_pairs(self) -> int:
        return self.extents["lr"].shape[0]

    @property
    def num_hr(self) -> int:
        return self.extents["hr"].shape[0]

    @property
    def pixels(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The byte ranges of `hr` and `lr`."""
        hr, lr = self.extents["hr"], self.extents["lr"]
        return (hr.start, hr.end), (lr.start, lr.end)


def check(path: Path) -> Contents:
    """Open the file, check it against the gate, close it.

    Raises:
        IntegrityError: no shard, damaged, or of a format version not known.
        UnsafeFileError: asks for anything but its own bytes.
    """
    descriptor, num_bytes = open_regular(path)
    try:
        return check_open(path, descriptor, num_bytes)
    finally:
        os.close(descriptor)


def open_regular(path: Path) -> tuple[int, int]:
    """A descriptor that can only read, and the size, of a regular file; never waits for a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise IntegrityError(path, "the shard is missing", REMAKE) from None
    except OSError as error:
        raise resource_error(path, error) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise UnsafeFileError(path, "not a regular file", _DO_NOT_USE)
    return descriptor, status.st_size


def check_open(path: Path, descriptor: int, num_bytes: int) -> Contents:
    """As `check`, for a file that `open_regular` opened."""
    if num_bytes > MAX_FILE_BYTES:
        raise UnsafeFileError(path, f"{num_bytes} bytes, a shard has at most {MAX_FILE_BYTES}", _DO_NOT_USE)
    start = os.pread(descriptor, 9, 0)
    if start[:8] != _SIGNATURE:
        raise IntegrityError(path, "not an HDF5 file, or its start is damaged", REMAKE)
    if start[8:] != bytes([_SUPERBLOCK]):
        raise UnsafeFileError(path, "an HDF5 file of an older kind, without checksums", _DO_NOT_USE)
    try:
        file = hdf5.open_read_only(hdf5.ReadOnlyFile(descriptor, num_bytes))
        try:
            return _contents(path, file, num_bytes)
        finally:
            file.close()
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, MemoryError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise IntegrityError(path, f"HDF5 cannot read its structure: {reason}", REMAKE) from None


def _contents(path: Path, file: h5f.FileID, num_bytes: int) -> Contents:
    if file.get_create_plist().get_userblock():
        raise UnsafeFileError(path, "a user block in front of the file", _DO_NOT_USE)
    header = _header(path, file)
    names = _flat_names(path, file)
    if set(names) != set(DATASETS):
        raise IntegrityError(path, f"datasets {_listed(names)}, expected {_listed(DATASETS)}", REMAKE)
    extents = {name: _extent(path, file, name, num_bytes) for name in DATASETS}
    _check_apart(path, extents)
    _check_shapes(path, header, extents)
    return Contents(header, extents, num_bytes)


def _header(path: Path, file: h5f.FileID) -> ShardHeader:
    if h5a.get_num_attrs(file) > MAX_ATTRIBUTES:
        raise UnsafeFileError(path, "too many attributes", _DO_NOT_USE)
    names: list[str] = []
    h5a.iterate(file, lambda name, *_: names.append(name.decode("utf-8", "backslashreplace")))
    if "format" not in names or "format_version" not in names:
        raise IntegrityError(path, "an HDF5 file, but not a shard of degrade", "give the folder that synth wrote")
    if (stated := _attribute(path, file, "format")) != FORMAT:
        raise IntegrityError(path, f"format {stated!r}, expected {FORMAT!r}", "give the folder that synth wrote")
    if (stated := _attribute(path, file, "format_version")) != FORMAT_VERSION:
        raise IntegrityError(path, f"format_version {stated!r}, this degrade reads {FORMAT_VERSION}", UPGRADE)
    expected = {"format", "format_version", *HEADER_TYPES}
    if set(names) != expected:
        raise IntegrityError(path, f"attributes {_listed(names)}, expected {_listed(expected)}", REMAKE)
    values: dict[str, Any] = {name: _attribute(path, file, name) for name in HEADER_TYPES}
    for name, kind in HEADER_TYPES.items():
        if type(values[name]) is not kind:
            raise IntegrityError(path, f"attribute {name}: expected {kind.__name__}, got {values[name]!r}", REMAKE)
    return ShardHeader(**values)


def _attribute(path: Path, file: h5f.FileID, name: str) -> str | int:
    attribute = h5a.open(file, name.encode())
    kind = attribute.get_type()
    if attribute.get_space().get_simple_extent_type() != h5s.SCALAR:
        raise UnsafeFileError(path, f"attribute {name}: not a scalar", _DO_NOT_USE)
    if kind.get_class() == h5t.INTEGER and kind.get_size() <= 8:
        number = np.empty((), "<i8")
        attribute.read(number)
        return int(number)
    is_text = kind.get_class() == h5t.STRING and not kind.is_variable_str()
    if not is_text or kind.get_size() > MAX_TEXT_BYTES:
        raise UnsafeFileError(path, f"attribute {name}: neither an integer nor fixed-length text", _DO_NOT_USE)
    text = np.empty((), f"S{kind.get_size()}")
    attribute.read(text, mtype=kind)
    return text.tobytes().rstrip(b"\0").decode()


def _flat_names(path: Path, file: h5f.FileID) -> list[str]:
    """The names in the root group; hard links only, looked at without following them."""
    root = hdf5.root_group(file)
    if root.get_num_objs() > len(DATASETS):
        raise UnsafeFileError(path, f"{root.get_num_objs()} objects, a shard has {len(DATASETS)}", _DO_NOT_USE)
    names: list[str] = []
    root.links.iterate(lambda name, *_: names.append(name.decode("utf-8", "backslashreplace")))
    for name in names:
        kind = root.links.get_info(name.encode()).type
        if kind != h5l.TYPE_HARD:
            said = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}.get(
                kind, "a foreign link"
            )
            raise UnsafeFileError(path, f"{name}: {said}", _DO_NOT_USE)
    return names


def _extent(path: Path, file: h5f.FileID, name: str, num_bytes: int) -> Extent:
    def refuse(what: str) -> UnsafeFileError:
        return UnsafeFileError(path, f"{name}: {what}", _DO_NOT_USE)

    if h5o.get_info(file, name.encode()).type != h5o.TYPE_DATASET:
        raise refuse("not a dataset")
    dataset = h5d.open(file, name.encode())
    creation = dataset.get_create_plist()
    if creation.get_external_count():
        raise refuse("its data lie in another file")
    if creation.get_nfilters():
        raise refuse("filtered")
    if creation.get_layout() != h5d.CONTIGUOUS:
        raise refuse("not contiguous")
    if h5a.get_num_attrs(dataset):
        raise refuse("has attributes of its own")
    space, kind = dataset.get_space(), dataset.get_type()  # not earlier: of a virtual dataset it opens the sources
    dtypes, axes = DATASETS[name]
    dtype = next((d for d in dtypes if not kind.committed() and kind.equal(h5t.py_create(np.dtype(d)))), None)
    if dtype is None:
        raise refuse(f"not of type {' or '.join(dtypes)}")
    if space.get_simple_extent_type() != h5s.SIMPLE or space.get_simple_extent_ndims() != axes:
        raise refuse(f"has not {axes} axes")
    shape = tuple(int(length) for length in space.get_simple_extent_dims())
    if shape != tuple(space.get_simple_extent_dims(maxdims=True)):
        raise refuse("can be extended")
    start = dataset.get_offset()
    if not start or dataset.get_storage_size() == 0:
        raise refuse("was never written")
    extent = Extent(int(start), dtype, shape)
    if extent.end > num_bytes or extent.num_bytes != dataset.get_storage_size():
        raise refuse(f"{extent.num_bytes} bytes at {start} do not fit in a file of {num_bytes}")
    if name not in {"hr", "lr"} and extent.num_bytes > MAX_INDEX_BYTES:
        raise refuse(f"{extent.num_bytes} bytes, at most {MAX_INDEX_BYTES} are taken")
    return extent


def _check_apart(path: Path, extents: dict[str, Extent]) -> None:
    last, name_of_last = len(_SIGNATURE), "the signature"
    for name, extent in sorted(extents.items(), key=lambda item: item[1].start):
        if extent.start < last:
            raise UnsafeFileError(path, f"{name} overlaps {name_of_last}", _DO_NOT_USE)
        last, name_of_last = extent.end, name


def _check_shapes(path: Path, header: ShardHeader, extents: dict[str, Extent]) -> None:
    num_hr, num_pairs = extents["hr"].shape[0], extents["lr"].shape[0]
    expected = {
        "hr": (num_hr, *header.hr_size, header.channels),
        "lr": (num_pairs, *header.lr_size, header.channels),
        "hr_index": (num_pairs,),
        "source_index": (num_hr,),
        "origin": (num_hr, 2),
        "trace_end": (num_pairs,),
        "hr_crc": (num_hr,),
        "lr_crc": (num_pairs,),
    }
    for name, shape in expected.items():
        if extents[name].shape != shape:
            raise IntegrityError(path, f"{name}: shape {extents[name].shape}, expected {shape}", REMAKE)
    if extents["hr"].dtype != extents["lr"].dtype or not 1 <= num_hr <= num_pairs:
        raise IntegrityError(path, "hr and lr do not belong together", REMAKE)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
