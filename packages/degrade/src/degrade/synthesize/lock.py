"""One coordinator per output folder: a lock file that says who, and that outlives nobody."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from degrade.atomic import process_is_alive, resource_error
from degrade.errors import ResourceError

NAME = ".lock"
_UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_MAX_BYTES = 4096


@dataclass(frozen=True)
class _Owner:
    host: str
    pid: int
    started: str


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process. A lock left by a process that has ended is taken over.

    The file says who (host, pid, start time); the system's lock on it settles who wins a race, and ends
    with the process.

    Raises:
        ResourceError: another run holds it (names its host and pid), or the folder cannot be written.
    """
    path = folder / NAME
    try:
        descriptor = _taken(path)
    except OSError as error:
        raise resource_error(path, error) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _taken(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            _claim(descriptor, path)
            if _is_still_there(descriptor, path):
                text = json.dumps(asdict(_Owner(socket.gethostname(), os.getpid(), _started(os.getpid()))))
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, text.encode(), 0)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its owner finished, and removed it, in between


def _claim(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = None
        for _ in range(20):  # its holder may be about to write its name
            if owner := _owner(descriptor):
                break
            time.sleep(0.01)
        raise _held(path, owner) from None
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    owner = _owner(descriptor)
    if owner is None:
        return
    elsewhere = owner.host != socket.gethostname()  # cannot be asked whether it lives
    alive = process_is_alive(owner.pid) and _started(owner.pid) == owner.started
    if elsewhere or (alive and owner.pid != os.getpid()):
        raise _held(path, owner)


def _held(path: Path, owner: _Owner | None) -> ResourceError:
    who = f"process {owner.pid} on {owner.host}" if owner else "another process"
    return ResourceError(
        path.parent, f"in use by {who}", f"wait for it, use another --out, or delete {path.name} there if it is dead"
    )


def _owner(descriptor: int) -> _Owner | None:
    """Who the file names; None where it cannot be read, as just after its creation."""
    try:
        owner = json.loads(os.pread(descriptor, _MAX_BYTES, 0))
        found = _Owner(str(owner["host"]), int(owner["pid"]), str(owner["started"]))
        return found if 0 < found.pid < 1 << 31 else None
    except (ValueError, KeyError, TypeError):
        return None


def _is_still_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _started(pid: int) -> str:
    """When a process began, in the system's own ticks, so that a reused number is told apart; '' if unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
