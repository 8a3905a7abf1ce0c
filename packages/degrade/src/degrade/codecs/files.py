"""Bytes of files: opened once, by bytes path, regular files only, never a pipe that blocks."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from degrade.codecs.photo import MAX_BYTES
from degrade.errors import ImageError


def read_bytes(path: Path | str) -> bytes:
    """The whole content of a regular file, at most `MAX_BYTES`; links are followed.

    Raises:
        ImageError: not there, not readable, not a regular file, empty, too large, or changing.
    """
    try:
        descriptor = os.open(os.fsencode(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise ImageError(path, *_reason(error)) from None
    except ValueError:
        raise ImageError(path, "the name holds a zero byte", "rename the file") from None
    try:
        data, size = _read_regular(descriptor, path)
    except OSError as error:
        raise ImageError(path, *_reason(error)) from None
    finally:
        os.close(descriptor)
    if len(data) != size:
        raise ImageError(path, "the file changed while it was read", "run again when it is at rest")
    return data


def sha256(data: bytes) -> str:
    """The SHA-256 of `data`, in hex: what a file is known by."""
    return hashlib.sha256(data).hexdigest()


def _read_regular(descriptor: int, path: Path | str) -> tuple[bytes, int]:
    """The content and the size stated before it was read; the content may be cut, or one byte more."""
    facts = os.fstat(descriptor)
    if stat.S_ISDIR(facts.st_mode):
        raise ImageError(path, "it is a folder", "give the files in it, or a command that takes folders")
    if not stat.S_ISREG(facts.st_mode):
        raise ImageError(path, "not a regular file", "give image files, or folders of them")
    if not facts.st_size:
        raise ImageError(path, "the file is empty", "get a whole copy of it")
    if facts.st_size > MAX_BYTES:
        raise ImageError(path, f"{facts.st_size:,} bytes, the limit is {MAX_BYTES:,}", "cut it into smaller images")
    parts, wanted = [], facts.st_size + 1
    while wanted and (part := os.read(descriptor, wanted)):
        parts.append(part)
        wanted -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts), facts.st_size


def _reason(error: OSError) -> tuple[str, str]:
    if isinstance(error, PermissionError):
        return "permission denied", "chmod u+r it"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "there is no such file", "check the name"
    return error.strerror or type(error).__name__, "check the file"
