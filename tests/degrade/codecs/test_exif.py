"""Orientation and metadata: applied once, kept for writers, never a crash."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from degrade import codecs
from degrade.codecs import Photo
from degrade.codecs.exif import read_directory

LOSSLESS = {"PNG": {}, "WebP": {"lossless": True}}
OPTIONS = {"JPEG": {"quality": 95, "subsampling": 0}, "AVIF": {"quality": 95}, **LOSSLESS}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" dc:title="t"/></x:xmpmeta>'


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", OPTIONS)
def test_pictures_are_upright(
    format: str, orientation: int, order: str, photo: np.ndarray, saved: Callable, exif: Callable
) -> None:
    block = exif(orientation, order)
    data = saved(photo, format, exif=b"Exif\0\0" + block, **OPTIONS[format])
    theirs = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(data))))
    ours = codecs.decode(data, "x")
    assert np.array_equal(ours.pixels, theirs)
    assert ours.pixels.flags.c_contiguous
    assert (ours.pixels.shape == photo.shape) == (orientation < 5)
    header = codecs.header(data, "x")
    assert (header.height, header.width) == theirs.shape[:2]
    if format in LOSSLESS and orientation == 6:  # the camera was turned: the first column lies on top
        assert np.array_equal(ours.pixels[0], photo[::-1, 0])
    if format != "AVIF":  # Pillow rewrites the block there
        assert ours.exif == exif(1, order)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WebP", "TIFF", "AVIF"])
def test_metadata_comes_back_and_turns_nothing(
    format: str, order: str, photo: np.ndarray, exif: Callable, profile: Callable
) -> None:
    icc = profile(np.array([[0.61, 0.31, 0.02], [0.21, 0.63, 0.06], [0.15, 0.06, 0.74]]), 2.2)
    given = Photo(photo, icc=icc, exif=exif(6, order), xmp=XMP, dpi=(300.0, 150.0))
    data = codecs.encode(given, format)
    image = Image.open(BytesIO(data))
    assert ImageOps.exif_transpose(image).size == photo.shape[1::-1]
    assert image.info["icc_profile"] == icc
    assert image.getexif()[0x010F] == "abc"
    assert image.getexif()[0x8298] == "someone, somewhere"
    assert image.getexif().get(0x0112, 1) == 1
    kept = image.info.get("xmp") or image.text["XML:com.adobe.xmp"].encode()
    assert kept == XMP.replace(b'"6"', b'"1"')
    if format not in ("WebP", "AVIF"):  # they have no place for it
        assert [round(float(value)) for value in image.info["dpi"]] == [300, 150]
    again = codecs.decode(data, "x")
    assert again.icc == icc
    assert again.xmp == kept
    assert again.dpi is None or [round(value) for value in again.dpi] == [300, 150]
    assert b"someone, somewhere" in (again.exif or b"")


def test_resolution_turns_with_the_picture(photo: np.ndarray, saved: Callable, exif: Callable) -> None:
    data = saved(photo, "JPEG", dpi=(300, 150), exif=b"Exif\0\0" + exif(6))
    assert codecs.decode(data, "x").dpi == (150, 300)


def test_bmp_keeps_its_resolution(photo: np.ndarray) -> None:
    again = codecs.decode(codecs.encode(Photo(photo, dpi=(300.0, 150.0)), "BMP"), "x")
    assert [round(value) for value in again.dpi or ()] == [300, 150]


@pytest.mark.parametrize(
    "block",
    [
        b"II", b"II*\0", b"II*\0\xff\xff\xff\x7f", b"MM\0*\0\0\0\x08\xff\xff", b"nonsense" * 5,
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\x7f\0\0\0\0\0\0\0\0",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x63\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
    ],
)  # fmt: skip
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WebP"])
def test_a_damaged_block_is_left_out_with_a_note(format: str, block: bytes, photo: np.ndarray, saved: Callable) -> None:
    ours = codecs.decode(saved(photo, format, exif=b"Exif\0\0" + block), "x")
    assert ours.pixels.shape == photo.shape
    assert ours.exif is None
    assert ours.notes == ("damaged EXIF data left out",)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_unknown_orientation_turns_nothing(
    orientation: int, photo: np.ndarray, saved: Callable, exif: Callable
) -> None:
    ours = codecs.decode(saved(photo, "PNG", exif=exif(orientation)), "x")
    assert np.array_equal(ours.pixels, photo)
    assert ours.exif == exif(1)


def test_a_long_orientation_counts_too(photo: np.ndarray, saved: Callable) -> None:
    block = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x0112, 4, 1, 3, 0)
    ours = codecs.decode(saved(photo, "PNG", exif=block), "x")
    assert np.array_equal(ours.pixels, photo[::-1, ::-1])
    assert read_directory(ours.exif or b"").number(0x0112, 0) == 1


def test_a_block_too_large_for_jpeg_is_left_out(photo: np.ndarray, exif: Callable) -> None:
    data = codecs.encode(Photo(photo, exif=exif(1) + bytes(70_000), xmp=bytes(70_000)), "JPEG")
    assert "exif" not in Image.open(BytesIO(data)).info


def test_a_png_may_carry_its_orientation_at_the_end(photo: np.ndarray, saved: Callable, exif: Callable) -> None:
    data = saved(photo, "PNG", exif=exif(6))
    at = data.index(b"eXIf") - 4
    length = 12 + int.from_bytes(data[at : at + 4], "big")
    moved = data[:at] + data[at + length : -12] + data[at : at + length] + data[-12:]
    assert codecs.header(moved, "x").height == photo.shape[1]
    assert codecs.decode(moved, "x").pixels.shape[0] == photo.shape[1]
