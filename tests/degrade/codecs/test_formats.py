"""WebP, BMP and AVIF against Pillow, and what every format can and cannot hold."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from degrade import codecs
from degrade.codecs import FORMATS, Photo
from degrade.codecs.pillow import AvifImagePlugin
from degrade.errors import ImageError

HAS_AVIF = features.check("avif")


@pytest.fixture(scope="module")
def clear(photo: np.ndarray) -> np.ndarray:
    """(H, W, 4): the photo with an alpha that runs from 0 to 255."""
    return np.dstack([photo, np.broadcast_to(np.linspace(0, 255, photo.shape[1]), photo.shape[:2])]).astype(np.uint8)


@pytest.mark.parametrize("options", [{"quality": 80}, {"lossless": True}, {"quality": 30, "method": 6}], ids=str)
@pytest.mark.parametrize("has_alpha", [False, True])
def test_webp_values_are_pillows(has_alpha: bool, options: dict, clear: np.ndarray, saved: Callable) -> None:
    data = saved(clear if has_alpha else clear[:, :, :3], "WebP", **options)
    theirs = np.asarray(Image.open(BytesIO(data)))
    ours = codecs.decode(data, "x")
    assert np.array_equal(ours.pixels, theirs[:, :, :3])
    assert (ours.alpha is not None) == codecs.header(data, "x").has_alpha == has_alpha
    assert not has_alpha or np.array_equal(ours.alpha, theirs[:, :, 3])


@pytest.mark.parametrize("has_alpha", [False, True])
def test_an_animated_webp_gives_its_first_frame(has_alpha: bool, clear: np.ndarray, saved: Callable) -> None:
    frames = [Image.fromarray(clear if has_alpha else clear[:, :, :3].copy())]
    frames.append(frames[0].rotate(180))
    data = saved(frames[0], "WebP", save_all=True, append_images=frames[1:], lossless=True)
    ours = codecs.decode(data, "x")
    theirs = np.asarray(Image.open(BytesIO(data)).convert("RGBA"))
    assert np.array_equal(ours.pixels, theirs[:, :, :3])
    assert not has_alpha or np.array_equal(ours.alpha, theirs[:, :, 3])
    assert ours.notes == ("animated: the first frame is read",)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bmp_values_are_pillows(mode: str, clear: np.ndarray, saved: Callable) -> None:
    image = Image.fromarray(clear).convert(mode)
    data = saved(image, "BMP")
    theirs = Image.open(BytesIO(data))
    ours = codecs.decode(data, "x")
    expected = np.asarray(theirs.convert("RGB" if theirs.mode != "RGBA" else "RGBA"))
    assert ours.pixels.shape[2] == (1 if mode in ("1", "L") else 3)
    assert np.array_equal(np.broadcast_to(ours.pixels, (*ours.pixels.shape[:2], 3)), expected[:, :, :3])
    assert (ours.alpha is not None) == (theirs.mode == "RGBA")


@pytest.mark.parametrize("grays", [2, 5, 16, 200])
@pytest.mark.parametrize("format", ["BMP", "TIFF", "PNG"])
def test_a_palette_of_grays(format: str, grays: int, photo: np.ndarray, saved: Callable) -> None:
    """A BMP of grays is gray, as Windows stores it; elsewhere a palette is colour."""
    levels = np.linspace(3, 250, grays).astype(np.uint8)
    image = Image.fromarray((photo[:, :, 0] % grays).astype(np.uint8), "P")
    image.putpalette(np.repeat(levels, 3).tobytes())
    data = saved(image, format)
    ours = codecs.decode(data, "x")
    assert ours.pixels.shape[2] == codecs.header(data, "x").channels == (1 if format == "BMP" else 3)
    assert np.array_equal(codecs.rgb8(ours), np.asarray(image.convert("RGB")))


def test_bmp_packed_by_run_lengths_is_refused_at_once(photo: np.ndarray, saved: Callable) -> None:
    data = bytearray(saved(Image.fromarray(photo).convert("P"), "BMP"))
    data[30:34] = (1).to_bytes(4, "little")
    data[18:26] = struct.pack("<ii", 12_000, 12_000)
    start = time.process_time()
    with pytest.raises(ImageError, match="BMP packed by run lengths is not read"):
        codecs.header(bytes(data), "x")
    assert time.process_time() - start < 0.3


def test_a_bmp_header_costs_no_decoding(photo: np.ndarray, saved: Callable) -> None:
    data = bytearray(saved(Image.fromarray(photo).convert("P"), "BMP"))
    data[18:26] = struct.pack("<ii", 12_000, 12_000)
    start = time.process_time()
    assert codecs.header(bytes(data), "x").width == 12_000
    with pytest.raises(ImageError, match="damaged BMP: it is cut"):
        codecs.decode(bytes(data), "x")
    assert time.process_time() - start < 0.3


@pytest.mark.skipif(not HAS_AVIF, reason="this Pillow was built without AVIF")
@pytest.mark.parametrize("has_alpha", [False, True])
def test_avif_values_are_pillows(has_alpha: bool, clear: np.ndarray, saved: Callable) -> None:
    data = saved(clear if has_alpha else clear[:, :, :3], "AVIF", quality=80)
    theirs = np.asarray(Image.open(BytesIO(data)))
    ours = codecs.decode(data, "x")
    assert np.array_equal(ours.pixels, theirs[:, :, :3])
    assert not has_alpha or np.array_equal(ours.alpha, theirs[:, :, 3])


def test_avif_may_be_missing_from_pillow(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(99)
    monkeypatch.setattr(AvifImagePlugin, "SUPPORTED", False)
    for work in (lambda: codecs.decode(data, "x.avif"), lambda: codecs.encode(Photo(photo), "AVIF")):
        with pytest.raises(ImageError, match="this Pillow was built without AVIF"):
            work()


@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("format", FORMATS)
def test_every_photo_can_be_written(
    format: str, channels: int, dtype: type, has_alpha: bool, photo: np.ndarray, clear: np.ndarray
) -> None:
    """Values come back exactly, but for lossy formats, for alpha over white and for depth."""
    if format == "AVIF" and not HAS_AVIF:
        pytest.skip("this Pillow was built without AVIF")
    factor = 257 if dtype is np.uint16 else 1
    given = Photo((photo[:, :, :channels].astype(dtype) * factor),
                  clear[:, :, 3].astype(dtype) * factor if has_alpha else None)  # fmt: skip
    ours = codecs.decode(codecs.encode(given, format, 100), "x")
    assert ours.format == format
    keeps_alpha = format not in ("JPEG", "BMP")
    assert (ours.alpha is not None) == (has_alpha and keeps_alpha)
    assert ours.depth == (16 if dtype is np.uint16 and format in ("PNG", "TIFF") else 8)
    expected = photo[:, :, :channels].astype(float)
    if has_alpha and not keeps_alpha:
        opacity = clear[:, :, 3:] / 255
        expected = expected * opacity + 255 * (1 - opacity)
    tolerance = {"JPEG": 16, "AVIF": 16, "BMP": 0.5}.get(format, 0)
    level = 257 if ours.depth == 16 else 1
    assert np.abs(ours.pixels / level - expected).max() <= tolerance
    if ours.alpha is not None and format != "AVIF":
        assert np.array_equal(ours.alpha // level, clear[:, :, 3])


@pytest.mark.parametrize(("format", "size"), [("JPEG", (1, 65_600)), ("WebP", (16_400, 1))])
def test_a_side_that_a_format_cannot_hold_is_said(format: str, size: tuple[int, int]) -> None:
    big = Photo(np.zeros((*size, 1), np.uint8))
    with pytest.raises(ImageError, match=rf"^{format} of {size[1]} x {size[0]}: it cannot be written: .* - write PNG$"):
        codecs.encode(big, format)


@pytest.mark.parametrize(("format", "quality"), [("GIF", 95), ("png", 95), ("JPEG", 0), ("JPEG", 101)])
def test_unknown_formats_and_qualities_are_refused(format: str, quality: int, photo: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected one of PNG, JPEG, WebP, TIFF, BMP, AVIF and a quality of 1 to 100"):
        codecs.encode(Photo(photo), format, quality)


def test_real_photographs_are_read_as_pillow_reads_them(sr_data: Path) -> None:
    files = sorted(path for path in sr_data.rglob("*") if path.suffix.lower() in codecs.EXTENSIONS)
    for path in files[:: max(len(files) // 40, 1)]:
        theirs = ImageOps.exif_transpose(Image.open(path))
        ours = codecs.read(path)
        expected = np.asarray(theirs.convert("RGB" if ours.pixels.shape[2] == 3 else "L"))
        assert np.array_equal(ours.pixels, expected.reshape(ours.pixels.shape)), path
        assert codecs.rgb8(ours).shape == (*ours.pixels.shape[:2], 3)
