"""The one door to h5py. No filter plug-in is ever loaded, and HDF5 never opens a file by its name.

HDF5 would load any shared library found on its plug-in path when a file asks for an unknown filter; the
path is emptied here. Files are given to it as Python objects (`ShellFile`, `ReadOnlyFile`), so that what
it can read or write is what these hand out.
"""

# h5py's compiled modules come without type stubs:
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import os
from typing import Any

import numpy as np
from h5py import h5a, h5d, h5f, h5fd, h5g, h5p, h5pl, h5s, h5t

ALIGNMENT = 4096  # datasets of at least a page start on one


def _forbid_plugins() -> None:
    for index in reversed(range(h5pl.size())):
        h5pl.remove(index)


_forbid_plugins()


class ShellFile:
    """A file being written of which HDF5 writes the structure only; where nothing was written it is zero."""

    def __init__(self) -> None:
        self.writes: list[tuple[int, bytes]] = []
        self.size = self.position = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.size}[whence]
        return self.position

    def tell(self) -> int:
        return self.position

    def write(self, data: bytes) -> int:
        self.writes.append((self.position, bytes(data)))
        self.position += len(data)
        self.size = max(self.size, self.position)
        return len(data)

    def truncate(self, size: int) -> int:
        self.size = size
        return size

    def flush(self) -> None:
        return

    def read(self, size: int) -> bytes:
        raise OSError("a shell is never read back")

    def readinto(self, buffer: memoryview) -> int:
        raise OSError("a shell is never read back")


class ReadOnlyFile:
    """An open descriptor as HDF5 may see it: reads inside `size` bytes, no writes."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor, self.size, self.position = descriptor, size, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.size}[whence]
        return self.position

    def tell(self) -> int:
        return self.position

    def readinto(self, buffer: memoryview) -> int:
        count = os.preadv(self.descriptor, [buffer], self.position)
        self.position += count
        return count

    def read(self, size: int) -> bytes:
        raise OSError("readinto serves")

    def write(self, data: bytes) -> int:
        raise OSError("read only")

    def truncate(self, size: int) -> int:
        raise OSError("read only")

    def flush(self) -> None:
        return


def create(file: ShellFile) -> h5f.FileID:
    """A new HDF5 file of the strict 1.10 format (checksummed metadata), without timestamps."""
    access = _access(file)
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    access.set_alignment(ALIGNMENT, ALIGNMENT)
    creation = h5p.create(h5p.FILE_CREATE)
    creation.set_obj_track_times(False)
    creation.set_attr_phase_change(64, 0)  # attributes stay in the root's header, no heap of their own
    return h5f.create(b"shard", h5f.ACC_TRUNC, fcpl=creation, fapl=access)


def open_read_only(file: ReadOnlyFile) -> h5f.FileID:
    return h5f.open(b"shard", h5f.ACC_RDONLY, fapl=_access(file))


def root_group(file: h5f.FileID) -> h5g.GroupID:
    return h5g.open(file, b"/")


def write_attribute(file: h5f.FileID, name: str, value: str | int) -> None:
    """A scalar root attribute: int64, or UTF-8 of fixed length."""
    if isinstance(value, int):
        data = np.array(value, "<i8")
        kind = h5t.py_create(data.dtype)
    else:
        data = np.array(value.encode() or b"\0")
        kind = h5t.C_S1.copy()
        kind.set_size(data.itemsize)
        kind.set_cset(h5t.CSET_UTF8)
        kind.set_strpad(h5t.STR_NULLPAD)
    h5a.create(file, name.encode(), kind, h5s.create(h5s.SCALAR)).write(data, mtype=kind)


def reserve(file: h5f.FileID, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """A contiguous dataset that gets its place at once and is filled by no one; the offset of its first byte."""
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_layout(h5d.CONTIGUOUS)
    properties.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5d.FILL_TIME_NEVER)
    properties.set_obj_track_times(False)
    dataset = h5d.create(file, name.encode(), h5t.py_create(dtype), h5s.create_simple(shape), properties)
    return dataset.get_offset()


def _access(file: ShellFile | ReadOnlyFile) -> h5p.PropFAID:
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    access.set_fileobj_driver(h5fd.fileobj_driver, file)
    return access
