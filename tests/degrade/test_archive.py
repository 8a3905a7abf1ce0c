"""A zip that two readers could read in two ways, or that unpacks to too much, is refused before it is used."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
import zipfile
from pathlib import Path

import pytest

from degrade import archive
from degrade.archive import open_archive
from degrade.errors import IntegrityError, UnsafeFileError, UsageError

CONTENT = {"x/data.pkl": b"pickle", "x/code/a.py": b"code\n" * 400}


def zipped(content: dict[str, bytes] | list[tuple[str, bytes]] = CONTENT, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as written:
        warnings.simplefilter("ignore", UserWarning)  # a name twice is the point
        for name, data in content.items() if isinstance(content, dict) else content:
            written.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def commented() -> bytes:
    file = io.BytesIO(zipped())
    with zipfile.ZipFile(file, "a") as written:
        written.comment = b"more"
    return file.getvalue()


def renamed_in_the_directory() -> bytes:
    data = zipped()
    start = data.rindex(b"x/data.pkl")
    return data[:start] + b"x/evil.pkl" + data[start + 10 :]


def changed(data: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    start = data.rindex(mark) + offset
    return data[:start] + value + data[start + len(value) :]


def with_two_ends() -> bytes:
    """A second, complete zip behind the first: readers differ in which of the two they see."""
    return zipped() + zipped({"x/data.pkl": b"other"})


HOSTILE = {
    "bytes behind": lambda: zipped() + b"more",
    "a comment": commented,
    "two zips": with_two_ends,
    "a name twice": lambda: zipped([*CONTENT.items(), ("x/data.pkl", b"other")]),
    "a name twice but for case": lambda: zipped([*CONTENT.items(), ("x/DATA.pkl", b"other")]),
    "a way out": lambda: zipped({"x/../../etc/passwd": b""}),
    "an absolute name": lambda: zipped({"/etc/passwd": b""}),
    "a drive": lambda: zipped({"C:/x/data.pkl": b""}),
    "a backslash": lambda: zipped({"x\\data.pkl": b""}),
    "a name beyond ASCII": lambda: zipped({"x/dåta.pkl": b""}),
    "a zero byte in a name": lambda: zipped({"x/data_pkl": b"1"}).replace(b"data_pkl", b"data\0pkl"),
    "a folder": lambda: zipped({"x/data/": b""}),
    "two folders": lambda: zipped({"x/data.pkl": b"", "y/data.pkl": b""}),
    "no folder": lambda: zipped({"data.pkl": b""}),
    "nothing": lambda: b"PK\x03\x04" + zipped({}),
    "another packing": lambda: zipped(method=zipfile.ZIP_LZMA),
    "encryption": lambda: changed(zipped(), b"PK\x01\x02", 8, b"\x01"),
    "two sizes": lambda: changed(zipped(), b"PK\x01\x02", 20, b"\x05"),
    "two names": renamed_in_the_directory,
    "a bomb": lambda: zipped({"x/code/a.py": bytes(archive.MAX_TEXT_BYTES + 1)}, zipfile.ZIP_DEFLATED),
    "too many entries": lambda: zipped({f"x/{number}": b"" for number in range(archive.MAX_ENTRIES + 1)}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_can_be_read_in_two_ways_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(HOSTILE[name]())
    with pytest.raises(IntegrityError) as refusal:
        open_archive(path)
    assert (refusal.value.exit_code, str(refusal.value).count("\n")) == (4, 0)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_plain_zip_is_read_as_zipfile_wrote_it(method: int, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(zipped(method=method))
    opened = open_archive(path)
    assert opened.entries == {name.removeprefix("x/"): data for name, data in CONTENT.items()}
    assert (opened.data, opened.sha256) == (path.read_bytes(), hashlib.sha256(path.read_bytes()).hexdigest())


def test_every_cut_and_every_changed_byte_of_the_contents_is_found(tmp_path: Path) -> None:
    data, path = zipped(), tmp_path / "x.pt"
    start = data.index(b"pickle")
    broken = [data[:length] for length in range(0, len(data), 97)]
    broken += [data[:place] + b"?" + data[place + 1 :] for place in range(start, start + 6)]
    for content in broken:
        path.write_bytes(content)
        with pytest.raises(IntegrityError):
            open_archive(path)


def test_files_that_unpack_to_too_much_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(zipped({"x/a": bytes(600), "x/b": bytes(600)}, zipfile.ZIP_DEFLATED))
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(UnsafeFileError, match="unpacks to more than 1,000 bytes"):
        open_archive(path)
    path.write_bytes(bytes(1001))
    with pytest.raises(UnsafeFileError, match="1,001 bytes, a degrader has at most 1,000"):
        open_archive(path)


def test_what_is_no_file_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        open_archive(tmp_path / "none.pt")
    os.mkfifo(tmp_path / "pipe.pt")
    for path in (tmp_path / "pipe.pt", tmp_path):  # neither waits for a writer
        with pytest.raises(UnsafeFileError, match="not a regular file"):
            open_archive(path)


def test_a_zip64_is_taken_only_if_both_of_its_ends_agree(tmp_path: Path, tiny: bytes) -> None:
    path = tmp_path / "x.pt"
    locator = tiny.rindex(b"PK\x06\x07")  # torch always writes both
    record = tiny.rindex(b"PK\x06\x06")
    path.write_bytes(tiny)
    assert "data.pkl" in open_archive(path).entries
    for place in (locator + 8, record, record + 40, record + 48):  # where the record is; its sign, size, offset
        path.write_bytes(tiny[:place] + bytes([tiny[place] ^ 1]) + tiny[place + 1 :])
        with pytest.raises(UnsafeFileError, match="two end records differ"):
            open_archive(path)


def test_more_than_name_place_and_sizes_in_the_directory_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        entry = zipfile.ZipInfo("x/data.pkl")
        entry.extra = b"\x01\x00\x08\x00" + bytes(8)  # sizes once more, as zip64 has them
        written.writestr(entry, b"pickle")
    (tmp_path / "x.pt").write_bytes(file.getvalue())
    with pytest.raises(IntegrityError):
        open_archive(tmp_path / "x.pt")
