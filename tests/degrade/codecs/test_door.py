"""The door against damaged, hostile and misnamed files: one line, fast, never another error."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from degrade import codecs
from degrade.codecs import EXTENSIONS, FORMATS, MAX_PIXELS, MAX_SIDE, Photo
from degrade.errors import DegradeError, ImageError, UsageError

KINDS: dict[str, dict] = {
    "JPEG": {"quality": 90}, "progressive": {"quality": 90, "progressive": True}, "PNG": {}, "WebP": {"quality": 80},
    "lossless": {"lossless": True}, "TIFF": {}, "deflated": {"compression": "tiff_adobe_deflate"},
    "lzw": {"compression": "tiff_lzw"}, "BMP": {}, "AVIF": {"quality": 80},
}  # fmt: skip
CONTAINER = {"progressive": "JPEG", "lossless": "WebP", "deflated": "TIFF", "lzw": "TIFF"}


@pytest.fixture(scope="module")
def files(photo: np.ndarray, saved: Callable) -> dict[str, bytes]:
    """A whole file of every kind by Pillow, and of every format by us."""
    theirs = {kind: saved(photo, CONTAINER.get(kind, kind), **options) for kind, options in KINDS.items()}
    return theirs | {f"our {format}": codecs.encode(Photo(photo), format) for format in FORMATS}


def refused(data: bytes, name: str = "pictures/x.png") -> str:
    """The line with which both `header` (perhaps) and `decode` (surely) refuse `data`."""
    with pytest.raises(ImageError) as caught:
        codecs.decode(data, name)
    line = str(caught.value)
    assert line.startswith(f"{name}: ")
    assert " - " in line
    assert "\n" not in line
    assert len(line) <= 200
    return line


@pytest.mark.parametrize("kind", [*KINDS, *(f"our {format}" for format in FORMATS)])
def test_no_cut_file_is_accepted(kind: str, files: dict[str, bytes]) -> None:
    data = files[kind]
    codecs.decode(data, "x")
    rng = np.random.default_rng(sum(kind.encode()))
    for length in sorted({1, 2, 8, 20, len(data) - 1, *rng.integers(1, len(data), 40).tolist()}):
        refused(data[:length])


@pytest.mark.parametrize("kind", KINDS)
def test_no_cut_at_all_is_accepted(kind: str, photo: np.ndarray, saved: Callable) -> None:
    data = saved(photo[:24, :20].copy(), CONTAINER.get(kind, kind), **KINDS[kind])
    for length in range(1, len(data)):
        refused(data[:length])


@pytest.mark.parametrize("kind", KINDS)
def test_changed_files_give_a_photo_or_an_image_error(kind: str, files: dict[str, bytes]) -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        data = bytearray(files[kind])
        for place in rng.integers(0, min(len(data), 400), rng.integers(1, 6)):
            data[place] = rng.integers(256)
        try:
            photo = codecs.decode(bytes(data), "x")
        except ImageError:
            continue
        assert photo.pixels.ndim == 3


@pytest.mark.parametrize("signature", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"BM", b"II*\0", b"MM\0*",
                                       b"RIFF\x99\0\0\0WEBPVP8 ", b"RIFF\x99\0\0\0WEBPVP8X", b"II+\0",
                                       b"\0\0\0\x1cftypavif"])  # fmt: skip
def test_noise_after_a_signature_is_refused(signature: bytes) -> None:
    rng = np.random.default_rng(2)
    for size in (0, 1, 5, 30, 300, 3000):
        refused(signature + rng.bytes(size))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a", "its content is no image of a known format - give PNG, JPEG, WebP, TIFF, BMP, AVIF"),
        (b"\n <!DOCTYPE html><html>404</html>", "it is HTML, which is not read - convert it to PNG or JPEG"),
        (b"<html><body>", "it is HTML, which is not read"),
        (b"GIF89a" + bytes(99), "it is GIF, which is not read"),
        (b"plain text\n" * 9, "its content is no image of a known format"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "HEIC images and films are not read"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "it is JPEG 2000, which is not read"),
    ],
)
def test_what_is_no_image_is_named(data: bytes, reason: str) -> None:
    assert reason in refused(data)


@pytest.mark.parametrize("kind", KINDS)
def test_the_content_decides_not_the_name(kind: str, files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(files[kind])
    assert codecs.read(path).format == CONTAINER.get(kind, kind)


def bombs(chunk: Callable) -> dict[str, bytes]:
    def png(width: int, height: int, bits: int, colour: int) -> bytes:
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")

    def tiff(width: int, height: int) -> bytes:
        fields = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1),
                  (278, 4, height), (279, 4, 100)]  # fmt: skip
        entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in fields)
        return b"II*\0" + struct.pack("<IH", 8, len(fields)) + entries + bytes(200)

    jpeg = b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", 65_500, 65_500) + b"\3\1\x11\0\2\x11\0\3\x11\0"
    webp = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\x3f\0\xff\x3f\0" + b"VP8L" + bytes(40)
    bmp = b"BM" + struct.pack("<IIIIiiHHIIIIII", 99, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(99)
    return {
        "1-bit PNG": png(100_000, 100_000, 1, 0),
        "PNG": png(20_000, 20_000, 8, 2),
        "a line": png(2**31 - 1, 1, 8, 0),
        "JPEG": jpeg + b"\xff\xda\0\x02\xff\xd9",
        "WebP": b"RIFF" + struct.pack("<I", len(webp)) + webp,
        "TIFF": tiff(20_000, 20_000),
        "a TIFF line": tiff(2**31 - 1, 1),
        "BMP": bmp,
    }


@pytest.mark.parametrize("kind", ["1-bit PNG", "PNG", "a line", "JPEG", "WebP", "TIFF", "a TIFF line", "BMP"])
def test_bombs_are_refused_from_the_header(kind: str, chunk: Callable) -> None:
    data = bombs(chunk)[kind]
    tracemalloc.start()
    start = time.process_time()
    line = refused(data)
    assert "pixels, the limits are 40,000 a side and 150,000,000 in all" in line
    assert time.process_time() - start < 0.5
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()
    with pytest.raises(ImageError, match="the limits are"):
        codecs.header(data, "x")


def test_the_limits_are_ours_whatever_pillows_are(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    assert (MAX_SIDE, MAX_PIXELS) == (40_000, 150_000_000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # Pillow warns from here on, up to twice as many
    for data in files.values():
        codecs.decode(data, "x")


def test_headers_agree_with_photos(files: dict[str, bytes]) -> None:
    for data in files.values():
        header, photo = codecs.header(data, "x"), codecs.decode(data, "x")
        assert (header.height, header.width, header.channels) == photo.pixels.shape
        assert (header.format, header.depth) == (photo.format, photo.depth)
        assert header.has_alpha == (photo.alpha is not None)


def test_lack_of_memory_is_said(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("degrade.codecs.door.upright", starve)
    assert "not enough memory to decode it" in refused(files["PNG"])


@pytest.mark.parametrize("suffix", sorted(EXTENSIONS))
def test_the_suffix_decides_what_is_written(suffix: str, photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix.upper()}"
    codecs.write(path, Photo(photo))
    assert suffix in FORMATS[codecs.read(path).format]


NAMES = [b"caf\xe9.png", b"new\nline.png", b"\x1b[31mred.png", b"-rf.png", "\u202egnp.x.png".encode(), b" .png",
         b"x" * 251 + b".png", "\u96ea".encode() * 83 + b".png", b"%s%d{}.png"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_odd_names_come_back_by_bytes(name: bytes, photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / name.decode("utf-8", "surrogateescape")
    codecs.write(path, Photo(photo))
    assert np.array_equal(codecs.read(path).pixels, photo)
    path.write_bytes(b"no image")
    with pytest.raises(ImageError) as caught:
        codecs.read(path)
    line = str(caught.value)
    assert line.isprintable()
    line.encode()  # a terminal can show it


def test_nothing_is_overwritten_unless_told(photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    codecs.write(path, Photo(photo))
    with pytest.raises(UsageError, match="is there already"):
        codecs.write(path, Photo(photo[::-1]))
    assert np.array_equal(codecs.read(path).pixels, photo)
    codecs.write(path, Photo(photo[::-1]), overwrite=True)
    assert np.array_equal(codecs.read(path).pixels, photo[::-1])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("name", "error"), [("x.gif", UsageError), ("x", UsageError), ("missing/x.png", DegradeError)])
def test_what_cannot_be_written_leaves_nothing(
    name: str, error: type[Exception], photo: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(error, match=name.rsplit("/", maxsplit=1)[-1]):
        codecs.write(tmp_path / name, Photo(photo))
    assert not list(tmp_path.iterdir())
