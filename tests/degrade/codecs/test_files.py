"""Bytes of files: whatever a path names, an answer at once."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest

from degrade.codecs import MAX_BYTES, files, read_bytes, sha256
from degrade.errors import ImageError


def test_bytes_and_their_hash(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "x").write_bytes(data)
    (tmp_path / "link").symlink_to("x")
    assert read_bytes(tmp_path / "x") == read_bytes(str(tmp_path / "link")) == data
    assert sha256(data) == hashlib.sha256(data).hexdigest()


@pytest.fixture
def strange(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("pipe", "folder", "empty", "missing", "loop", "dangling", "huge")}
    os.mkfifo(found["pipe"])
    found["folder"].mkdir()
    found["empty"].touch()
    found["loop"].symlink_to("loop")
    found["dangling"].symlink_to("nowhere")
    with found["huge"].open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # a hole: no disk is used
    return found | {"device": Path("/dev/null"), "below a file": found["empty"] / "x"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pipe", "not a regular file - give image files"),
        ("device", "not a regular file"),
        ("folder", "it is a folder"),
        ("empty", "the file is empty - get a whole copy of it"),
        ("missing", "there is no such file - check the name"),
        ("below a file", "there is no such file"),
        ("dangling", "there is no such file"),
        ("loop", "levels of symbolic links"),
        ("huge", "1,073,741,825 bytes, the limit is 1,073,741,824"),
    ],
)
def test_what_is_not_a_file_is_said(name: str, reason: str, strange: dict[str, Path]) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        read_bytes(strange[name])
    assert str(caught.value).startswith(f"{strange[name]}: ")


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.png")
        with pytest.raises(ImageError):
            read_bytes(Path("s.png"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "x").chmod(0)
    with pytest.raises(ImageError, match="permission denied - chmod u\\+r it"):
        read_bytes(tmp_path / "x")


def test_a_zero_byte_in_a_name_is_said() -> None:
    with pytest.raises(ImageError, match="the name holds a zero byte"):
        read_bytes("a\0b.png")


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_that_changes_meanwhile_is_refused(change: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    true = os.fstat

    def before(descriptor: int) -> os.stat_result:
        facts = list(true(descriptor))
        facts[6] -= change
        return os.stat_result(facts)

    monkeypatch.setattr(files.os, "fstat", before)
    with pytest.raises(ImageError, match="the file changed while it was read"):
        read_bytes(tmp_path / "x")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of open descriptors here")
def test_no_descriptor_is_left_open(strange: dict[str, Path]) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in strange.values():
        with pytest.raises(ImageError):
            read_bytes(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
