"""The zip around a TorchScript file, read whole and once, so that what was checked is what is loaded.

A zip can be read in more than one way: two entries of one name, an end record that points elsewhere, bytes in front.
`torch` reads it with miniz, we with `zipfile`; accepted is only what both must read alike.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from degrade.errors import IntegrityError, ResourceError, UnsafeFileError, UsageError

MAX_BYTES = 256 << 20  # of the file, and of all entries unpacked; the largest published degrader has 45 MB
MAX_ENTRIES = 4096
MAX_TEXT_BYTES = 4 << 20  # of an entry that is packed, or a pickle: code, not weights

NOT_OURS = "give the file that `srzoo export-degrader` wrote"
DO_NOT_LOAD = "do not load it; export your own with `srzoo export-degrader`"

_NAME = re.compile(r"(?:[A-Za-z0-9_.-]+/)+[A-Za-z0-9_.-]+")
_END = struct.Struct("<4s4H2IH")  # end of the central directory
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_FLAGS = 0x8 | 0x800  # sizes after the data, names in UTF-8; anything else is encryption or patches


@dataclass(frozen=True)
class Archive:
    """A file that is safe to unpack.

    Attributes:
        data: its bytes.
        entries: the unpacked bytes under each name, without the folder that all of them lie in.
    """

    path: Path
    data: bytes
    sha256: str
    entries: Mapping[str, bytes]


def open_archive(path: Path) -> Archive:
    """Read `path`, at most `MAX_BYTES`, and unpack it in memory.

    Raises:
        UsageError: there is no such file.
        IntegrityError: not a zip, or damaged.
        UnsafeFileError: a zip that can be read in two ways, escapes its folder or unpacks to too much.
    """
    return unpacked(path, _read(path))


def unpacked(path: Path, data: bytes) -> Archive:
    """As `open_archive`, of `data` in memory; `path` is for messages."""
    if not data.startswith(b"PK\x03\x04"):
        raise IntegrityError(path, "not a TorchScript file: it does not begin as a zip", NOT_OURS)
    try:
        _check_end(path, data)
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            names = _check_names(path, file.infolist())
            entries = {name: file.read(entry) for name, entry in names.items()}
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, OverflowError) as error:
        raise IntegrityError(path, f"damaged zip: {error}", "get a whole copy of it") from None
    return Archive(path, data, hashlib.sha256(data).hexdigest(), entries)


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(path, "there is no such file", "check the name") from None
    except OSError as error:
        raise ResourceError(path, error.strerror or type(error).__name__, "chmod u+r it, or choose another") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeFileError(path, "not a regular file", NOT_OURS)
        if status.st_size > MAX_BYTES:
            raise UnsafeFileError(path, f"{status.st_size:,} bytes, a degrader has at most {MAX_BYTES:,}", DO_NOT_LOAD)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES)
    finally:
        os.close(descriptor)


def _check_end(path: Path, data: bytes) -> None:
    """The directory ends where its end records begin, and these end the file; then it is found in one way only."""
    end = len(data) - _END.size
    signature, *disks_and_counts, size, offset, comment = _END.unpack_from(data, end)
    if signature != b"PK\x05\x06" or comment or any(disks_and_counts[:2]):
        raise UnsafeFileError(path, "bytes after the end of the zip, or a zip in parts", DO_NOT_LOAD)
    locator = end - _LOCATOR64.size
    if data[locator : locator + 4] == b"PK\x06\x07":
        record = _LOCATOR64.unpack_from(data, locator)[2]
        end = locator - _END64.size
        stated = _END64.unpack_from(data, end)
        if record != end or stated[0] != b"PK\x06\x06" or stated[-2:] != (size, offset):
            raise UnsafeFileError(path, "a zip whose two end records differ", DO_NOT_LOAD)
    if offset + size != end:
        raise UnsafeFileError(path, "a zip with bytes that belong to no entry", DO_NOT_LOAD)


def _check_names(path: Path, entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    def refuse(what: str) -> UnsafeFileError:
        return UnsafeFileError(path, what, DO_NOT_LOAD)

    if not 0 < len(entries) <= MAX_ENTRIES:
        raise refuse(f"{len(entries)} entries, a degrader has 1 to {MAX_ENTRIES}")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise refuse(f"unpacks to more than {MAX_BYTES:,} bytes")
    names: dict[str, zipfile.ZipInfo] = {}
    root = entries[0].filename.partition("/")[0]
    for entry in entries:
        name = entry.filename
        if name != entry.orig_filename or not _NAME.fullmatch(name) or {"", ".", ".."} & set(name.split("/")):
            raise refuse(f"an entry named {name!r}")
        if not name.startswith(f"{root}/"):
            raise refuse(f"{name}: outside the folder {root}/")
        if entry.extra:
            raise refuse(f"{name}: more in the directory than name, place and sizes")
        if entry.flag_bits & ~_FLAGS or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise refuse(f"{name}: encrypted, or packed in an unusual way")
        if entry.compress_type == zipfile.ZIP_DEFLATED and entry.file_size > MAX_TEXT_BYTES:
            raise refuse(f"{name}: unpacks to {entry.file_size:,} bytes, at most {MAX_TEXT_BYTES:,} are taken")
        if entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size:
            raise refuse(f"{name}: two sizes")
        names[name.removeprefix(f"{root}/")] = entry
    if len({name.casefold() for name in names}) != len(entries):
        raise refuse("two entries of one name")
    return names
