"""Files are whole or not there, whatever fails in between."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from degrade import atomic
from degrade.errors import ResourceError, UsageError


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    atomic.write_bytes(path, b"one")
    atomic.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_without_overwrite_an_existing_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    atomic.write_bytes(path, b"one", overwrite=False)
    with pytest.raises(UsageError, match="is there already"):
        atomic.write_bytes(path, b"two", overwrite=False)
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_every_failing_call_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    if call == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    else:
        monkeypatch.setattr(os, call, fail)
    with pytest.raises(ResourceError) as caught:
        atomic.write_bytes(path, b"new")
    monkeypatch.undo()
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_folder_is_synced_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("fsync"), fsync(fd))[1])
    monkeypatch.setattr(Path, "replace", lambda a, b: (order.append("rename"), replace(a, b))[1])
    atomic.write_bytes(tmp_path / "a", b"x")
    assert order == ["fsync", "rename", "fsync"]


def test_a_missing_folder_is_one_line_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="create it"):
        atomic.write_bytes(tmp_path / "no" / "a", b"x")


def test_left_overs_of_the_dead_are_swept_and_of_the_living_kept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    stale = tmp_path / f"{atomic.PREFIX}{socket.gethostname()}.{dead.pid}.a"
    mine = tmp_path / f"{atomic.PREFIX}{socket.gethostname()}.{os.getpid()}.b"
    other_host = tmp_path / f"{atomic.PREFIX}elsewhere.1.c"
    for path in (stale, mine, other_host):
        path.touch()
    assert atomic.sweep(tmp_path) == 1
    assert sorted(tmp_path.iterdir()) == sorted([mine, other_host])
