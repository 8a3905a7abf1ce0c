"""Files that exist whole or not at all: temporary name, write, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from degrade.errors import ResourceError, UsageError

PREFIX = ".tmp."
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_bytes(path: Path, data: bytes | memoryview | Sequence[memoryview], *, overwrite: bool = True) -> None:
    """Write `data` (one buffer, or several in a row) under `path`, durably; a reader never sees a part.

    Raises:
        UsageError: the file is there and `overwrite` is false.
        ResourceError: no room, no permission, no such folder; nothing is left behind.
    """
    parts = [memoryview(data)] if isinstance(data, bytes | bytearray | memoryview) else data
    name = os.fsencode(f"{PREFIX}{socket.gethostname()}.{os.getpid()}.{path.name}")
    temporary = path.with_name(os.fsdecode(name[:255]))  # names end at 255 bytes, which may be fewer letters
    try:
        with open_new(temporary) as descriptor:
            for part in parts:
                _write_all(descriptor, part)
            os.fsync(descriptor)
        if overwrite:
            temporary.replace(path)
        else:
            os.link(temporary, path)  # fails if it is there, also when two processes race
            temporary.unlink()
        sync_folder(path.parent)
    except FileExistsError:
        temporary.unlink(missing_ok=True)
        raise UsageError(path, "is there already", "use another name, or allow overwriting") from None
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise resource_error(path, error, needed=sum(part.nbytes for part in parts)) from None
    except BaseException:  # Ctrl-C between write and rename
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


class open_new(contextlib.AbstractContextManager[int]):  # noqa: N801  reads as a function
    """A new file open for writing, as a descriptor."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def __enter__(self) -> int:
        return self.descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path, *, is_alive: Callable[[int], bool] | None = None) -> int:
    """Remove temporary files that dead processes of this machine left in `folder`; how many."""
    alive, swept = is_alive or process_is_alive, 0
    for stale in folder.glob(f"{PREFIX}{socket.gethostname()}.*"):
        process = stale.name.removeprefix(f"{PREFIX}{socket.gethostname()}.").split(".")[0]
        if process.isdigit() and not alive(int(process)):
            stale.unlink(missing_ok=True)
            swept += 1
    return swept


def process_is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def resource_error(path: Path, error: OSError, *, needed: int | None = None) -> ResourceError:
    """What the system said about `path`, with the cure."""
    if error.errno in _NO_ROOM:
        wanted = f", {needed} bytes needed" if needed is not None else ""
        return ResourceError(path, f"no room left on the disk{wanted}", "free some and run the same command again")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return ResourceError(path, "permission denied", "choose a folder you may write to, or chmod u+rw it")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ResourceError(path, "the folder is not there", "create it, or choose another")
    return ResourceError(path, f"{error.strerror or error}", "check the disk and try again")


def _write_all(descriptor: int, data: memoryview) -> None:
    data = data.cast("B") if data.nbytes else data
    while data.nbytes:
        data = data[os.write(descriptor, data) :]
