"""Which degrader files may be loaded, and the one door in front of every load.

A TorchScript file is code. The gate refuses what no honest degrader needs; of the rest the user says which are theirs,
by SHA-256, in a list of lines as `sha256sum` writes them. What comes with degrade stands in `models/TRUSTED`.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import sys
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from degrade.archive import open_archive
from degrade.atomic import resource_error
from degrade.card import Card, card_of
from degrade.errors import ResourceError, UnsafeFileError, UsageError, printable
from degrade.gate_torchscript import check

VARIABLE = "DEGRADE_TRUST"  # the list itself, instead of the one in the folder of settings
PACKAGED = "models/TRUSTED"
MAX_LIST_BYTES = 1 << 20

_LINE = re.compile(r"([0-9a-f]{64})(?: [ *].*)?")


@dataclass(frozen=True)
class Admitted:
    """A degrader that may be loaded: from `data`, not from its file, which may change meanwhile."""

    card: Card
    sha256: str
    data: bytes


def admit(path: Path, *, trusted: bool = False) -> Admitted:
    """Let the degrader file `path` in: its card says what it is, the gate passes its code, the list knows its bytes.

    Load it as `torch.jit.load(io.BytesIO(admitted.data))`, never from `path`.

    Args:
        trusted: the user vouches for it here and now; the list is not asked. Card and gate are.

    Raises:
        UsageError: there is no such file.
        IntegrityError: not a degrader file, damaged, or of a version not known.
        UnsafeFileError: refused by the gate, or not in the list.
    """
    archive = open_archive(path)
    card, inputs = card_of(archive), check(archive).inputs
    if len(inputs) != 1 + len(card.inputs):
        expected = ", ".join(("image", *(given.kind for given in card.inputs)))
        problem = f"the card states the inputs {expected}; its code takes {', '.join(inputs)}"
        raise UnsafeFileError(path, problem, "have it exported again with `srzoo export-degrader`")
    if not trusted and not is_trusted(archive.sha256):
        problem = f"not in your list of trusted files (SHA-256 {archive.sha256[:16]}...)"
        raise UnsafeFileError(path, problem, f"if you know where it comes from: degrade trust {path.name}")
    return Admitted(card, archive.sha256, archive.data)


def is_trusted(sha256: str) -> bool:
    """A file with this SHA-256 came with degrade, or is in the user's list.

    Raises:
        ResourceError: the list cannot be read. UnsafeFileError: others can write to it.
    """
    return sha256 in packaged() or sha256 in _users()


def trust(path: Path) -> Admitted:
    """Put the degrader file `path` on the user's list, if card and gate let it in; once, however often it is called.

    Raises:
        As `admit`, but for trust. ResourceError: the list cannot be written.
    """
    admitted = admit(path, trusted=True)
    if not is_trusted(admitted.sha256):
        _append(trust_list(), f"{admitted.sha256}  {printable(path.name)}\n")
    return admitted


def trust_list() -> Path:
    """The user's list: `DEGRADE_TRUST`, or `degrade/trusted` in the folder of settings of this system."""
    if stated := os.environ.get(VARIABLE):
        return Path(stated)
    if sys.platform == "win32":
        folder = os.environ.get("APPDATA") or "~/AppData/Roaming"
    elif sys.platform == "darwin":
        folder = "~/Library/Application Support"
    else:
        folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "degrade" / "trusted"


@cache
def packaged() -> frozenset[str]:
    """SHA-256 of the models that come with degrade."""
    return _digests((resources.files("degrade") / PACKAGED).read_bytes())


def _users() -> frozenset[str]:
    """SHA-256 of the files in the user's list."""
    path = trust_list()
    try:
        with path.open("rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(MAX_LIST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except OSError as error:
        raise resource_error(path, error) from None
    if sys.platform != "win32" and mode & stat.S_IWOTH:
        raise UnsafeFileError(path, "anybody can write to your list of trusted files", "look into it, and chmod o-w it")
    if len(text) > MAX_LIST_BYTES:
        raise ResourceError(path, f"more than {MAX_LIST_BYTES:,} bytes", "start a new list")
    return _digests(text)


def _digests(text: bytes) -> frozenset[str]:
    """The SHA-256 of each line; lines that are none, such as remarks, do not count."""
    lines = map(_LINE.fullmatch, text.decode("utf-8", "replace").splitlines())
    return frozenset(line[1] for line in lines if line)


def _append(path: Path, line: str) -> None:
    """One write at the end of the file, one process at a time: a line half written would pass for a cut one."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # until it is closed
            size = os.fstat(descriptor).st_size
            is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # by a crash, or edited by hand
            os.write(descriptor, b"\n" * is_cut + line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except FileExistsError:
        raise UsageError(path.parent, "a file where the folder of settings should be", f"set {VARIABLE}") from None
    except OSError as error:
        raise resource_error(path, error) from None
