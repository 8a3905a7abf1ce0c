"""Scanning any mix of files and folders: complete, once each, in no one's order, never stuck."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from degrade import codecs
from degrade.codecs import Photo
from degrade.sources import folder
from degrade.sources.folder import scan


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """A small photo, of its own content for each `number`, written below `tmp_path`."""

    def write(name: str, number: int = 0, size: tuple[int, int] = (5, 7)) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        codecs.write(path, Photo(np.full((*size, 3), number, np.uint8)))
        return path

    return write


def found(paths: list[Path]) -> list[str]:
    """Paths below the roots, sorted."""
    return sorted(source.path for source in scan(paths).sources)


def test_sources_say_what_the_files_are(make: Callable, tmp_path: Path) -> None:
    path = make("photos/deep/down/a.png", 1, (9, 4))
    (source,) = scan([tmp_path / "photos"]).sources
    data = path.read_bytes()
    assert source.kind == "file"
    assert source.root == str(tmp_path / "photos")
    assert source.path == str(Path("deep", "down", "a.png"))
    assert source.sha256 == hashlib.sha256(data).hexdigest()
    assert (source.num_bytes, source.height, source.width) == (len(data), 9, 4)


def test_files_and_folders_mix(make: Callable, tmp_path: Path) -> None:
    make("photos/a.png", 1), make("photos/b/c.PNG", 2), make("photos/b/d.tiff", 3)
    named = make("other.bmp", 4)
    named.rename(tmp_path / "no suffix")
    assert found([tmp_path / "photos", tmp_path / "no suffix"]) == ["a.png", "b/c.PNG", "b/d.tiff", "no suffix"]
    assert found([tmp_path / "photos" / "b", tmp_path / "photos" / "a.png"]) == ["a.png", "c.PNG", "d.tiff"]


def test_roots_are_as_they_were_named(make: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make("photos/a.png", 1), make("b.png", 2)
    monkeypatch.chdir(tmp_path)
    roots = {source.path: source.root for source in scan([Path("./photos/"), Path("b.png")]).sources}
    assert roots == {"a.png": "photos", "b.png": "."}


def test_order_is_that_of_the_hashes_whatever_the_listing(
    make: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [make(f"photos/{number % 3}/{number}.png", number % 15) for number in range(20)]
    first = scan([tmp_path / "photos", *paths])
    assert len(first.sources) == 15
    assert [source.sha256 for source in first.sources] == sorted(source.sha256 for source in first.sources)
    true, rng = os.scandir, np.random.default_rng(0)
    monkeypatch.setattr(folder.os, "scandir", lambda path: rng.permutation(np.array(list(true(path)), object)).tolist())
    for _ in range(5):
        assert scan([tmp_path / "photos", *rng.permutation(np.array(paths, object))]) == first


def test_equal_files_count_once(make: Callable, tmp_path: Path) -> None:
    make("photos/z.png", 1), make("photos/a.png", 1), make("photos/b.png", 2)
    assert found([tmp_path / "photos"]) == ["a.png", "b.png"]
    assert found([tmp_path / "photos", tmp_path / "photos"]) == ["a.png", "b.png"]


def test_hidden_and_other_files_are_passed_over_in_silence(make: Callable, tmp_path: Path) -> None:
    make("photos/a.png", 1), make("photos/.hidden.png", 2), make("photos/.thumbnails/b.png", 3)
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    (tmp_path / "photos" / "clip.mov").write_bytes(bytes(99))
    result = scan([tmp_path / "photos"])
    assert [source.path for source in result.sources] == ["a.png"]
    assert result.skipped == []
    assert found([tmp_path / "photos" / ".thumbnails"]) == ["b.png"]  # it was asked for


def test_a_damaged_image_stays_with_no_size(make: Callable, tmp_path: Path) -> None:
    path = make("photos/a.png", 1)
    (tmp_path / "photos" / "b.png").write_bytes(path.read_bytes()[:30])
    (tmp_path / "photos" / "c.jpg").write_bytes(b"<html>not found</html>")
    result = scan([tmp_path / "photos"])
    assert {source.path: (source.height, source.width) for source in result.sources} == {
        "a.png": (5, 7), "b.png": (0, 0), "c.jpg": (0, 0)
    }  # fmt: skip
    assert result.skipped == []


def test_what_is_no_source_is_said(make: Callable, tmp_path: Path) -> None:
    text, empty = tmp_path / "notes.txt", tmp_path / "photos" / "empty.png"
    make("photos/a.png", 1)
    text.write_text("hello")
    empty.touch()
    skipped = scan([tmp_path / "photos", text, tmp_path / "missing"]).skipped
    assert [(entry.path, entry.kind) for entry in skipped] == [
        (str(tmp_path / "missing"), "missing"), (str(text), "no image"), (str(empty), "unreadable"),
    ]  # fmt: skip
    assert skipped[0].message == "not there - check the name"
    assert skipped[1].message.startswith("its content is no image of a known format")
    assert skipped[1].sha256 == hashlib.sha256(b"hello").hexdigest()
    assert skipped[2].message == "the file is empty - get a whole copy of it"


def test_links_inside_are_followed_to_files_and_loops_are_survived(make: Callable, tmp_path: Path) -> None:
    photos = make("photos/real/a.png", 1).parents[1]
    (photos / "link.png").symlink_to("real/a.png")
    (photos / "real" / "up").symlink_to("..")
    (photos / "self").symlink_to("self")
    (photos / "self.png").symlink_to("self.png")
    (photos / "nowhere.png").symlink_to("gone.png")
    result = scan([photos])
    assert [source.path for source in result.sources] == ["link.png"]  # the first name of that content
    assert [Path(entry.path).name for entry in result.skipped] == ["nowhere.png", "self.png"]
    assert all(entry.kind == "unreadable" for entry in result.skipped)


def test_links_that_lead_out_are_refused_unless_named(make: Callable, tmp_path: Path) -> None:
    make("elsewhere/b.png", 2)
    photos = make("photos/a.png", 1).parent
    (photos / "out.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    (photos / "out").symlink_to(tmp_path / "elsewhere")
    (photos / "system").symlink_to("/")
    result = scan([photos])
    assert [source.path for source in result.sources] == ["a.png"]
    assert [(Path(entry.path).name, entry.kind) for entry in result.skipped] == [
        ("out", "link"), ("out.png", "link"), ("system", "link")
    ]  # fmt: skip
    assert found([photos / "out.png"]) == ["out.png"]
    assert found([photos / "out"]) == ["b.png"]
    (tmp_path / "to photos").symlink_to("photos")
    assert found([tmp_path / "to photos"]) == ["a.png"]


def test_a_sibling_with_the_folders_name_in_front_lies_outside(make: Callable, tmp_path: Path) -> None:
    photos = make("photos/a.png", 1).parent
    make("photos2/b.png", 2)
    (photos / "b.png").symlink_to("../photos2/b.png")
    assert [entry.kind for entry in scan([photos]).skipped] == ["link"]


def test_pipes_sockets_and_folders_named_like_images(make: Callable, tmp_path: Path, monkeypatch: object) -> None:
    photos = make("photos/a.png", 1).parent
    make("photos/folder.png/b.png", 2)
    os.mkfifo(photos / "pipe.png")
    os.mkfifo(photos / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(photos)  # the names of sockets are short
        server.bind("socket.png")
        os.chdir(here)
        result = scan([photos, photos / "pipe"])
    assert [source.path for source in result.sources] == sorted(
        ["a.png", "folder.png/b.png"], key=lambda path: hashlib.sha256((photos / path).read_bytes()).hexdigest()
    )
    assert [Path(entry.path).name for entry in result.skipped] == ["pipe", "pipe.png", "socket.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_said(make: Callable, tmp_path: Path) -> None:
    make("photos/a.png", 1).chmod(0)
    make("photos/closed/b.png", 2).parent.chmod(0)
    skipped = scan([tmp_path / "photos"]).skipped
    (tmp_path / "photos" / "closed").chmod(0o700)
    assert [entry.message for entry in skipped] == [
        "permission denied - chmod u+r it",
        "permission denied - chmod u+rx it",
    ]


NAMES = [b"caf\xe9.png", b"new\nline.png", b"\x1b[31m.png", b"-rf.png", "\u202ex.png".encode(), b"x" * 251 + b".png"]


def test_odd_names_come_back_by_bytes(make: Callable, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        make(os.fsdecode(b"photos/" + name), number)
    sources = scan([tmp_path / "photos"]).sources
    assert sorted(os.fsencode(source.path) for source in sources) == sorted(NAMES)
    assert all(source.height == 5 for source in sources)


def test_a_zero_byte_in_a_name_is_said() -> None:
    (entry,) = scan(["a\0b"]).skipped
    assert entry.kind == "unreadable"
    assert "null" in entry.message


@pytest.mark.slow
def test_deep_trees_are_walked(make: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No recursion: a stranger's archive may nest as deep as paths go."""
    photo, depth = make("a.png", 1), 1200
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path / "photos")
    for _ in range(depth):
        os.mkdir("d")  # noqa: PTH102  pathlib would walk the whole path each time
        os.chdir("d")
    photo.rename("a.png")
    assert len(scan([tmp_path / "photos"]).sources) == 1
    Path("a.png").unlink()
    for _ in range(depth):  # what pytest uses to clean up does recurse
        os.chdir("..")
        os.rmdir("d")  # noqa: PTH106
