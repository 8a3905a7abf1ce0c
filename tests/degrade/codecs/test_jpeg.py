"""JPEG of all its kinds against Pillow."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from degrade import codecs
from degrade.codecs import Photo
from degrade.errors import ImageError


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def inserted(data: bytes, *segments: bytes) -> bytes:
    """`data` with segments after the start marker."""
    return data[:2] + b"".join(segments) + data[2:]


@pytest.mark.parametrize(
    "options",
    [{}, {"quality": 30}, {"subsampling": 0}, {"subsampling": 1}, {"progressive": True}, {"optimize": True},
     {"restart_marker_blocks": 3}, {"keep_rgb": True}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_values_are_pillows(mode: str, options: dict, photo: np.ndarray, saved: Callable) -> None:
    if mode == "L" and "keep_rgb" in options:
        options = {}
    data = saved(Image.fromarray(photo).convert(mode), "JPEG", **options)
    theirs = np.asarray(Image.open(BytesIO(data)))
    ours = codecs.decode(data, "x.jpg")
    assert np.array_equal(ours.pixels, theirs.reshape(ours.pixels.shape))
    assert ours.pixels.shape[2] == (1 if mode == "L" else 3)
    assert ours.alpha is None


def test_fill_bytes_and_unknown_segments_are_passed_over(photo: np.ndarray, saved: Callable) -> None:
    data = saved(photo, "JPEG")
    odd = inserted(data, b"\xff\xff", segment(0xEB, b"anything"), segment(0xFE, b"a comment"))
    assert np.array_equal(codecs.decode(odd, "x").pixels, codecs.decode(data, "x").pixels)


def test_bytes_after_the_end_are_passed_over(photo: np.ndarray, saved: Callable) -> None:
    data = saved(photo, "JPEG")
    assert np.array_equal(codecs.decode(data + b"trailer" * 9, "x").pixels, codecs.decode(data, "x").pixels)


def test_a_thumbnail_does_not_stand_for_the_end(photo: np.ndarray, saved: Callable) -> None:
    data = saved(photo, "JPEG", exif=b"Exif\0\0" + b"II*\0\x08\0\0\0\0\0\0\0\0\0" + saved(photo[:8, :8], "JPEG"))
    codecs.decode(data, "x")
    for cut in (1, 2, 3, 9):
        with pytest.raises(ImageError, match="it is cut"):
            codecs.header(data[:-cut], "x")


def test_several_pictures_give_the_first(photo: np.ndarray, saved: Callable) -> None:
    data = saved(photo, "MPO", save_all=True, append_images=[Image.fromarray(photo[::-1].copy())])
    ours = codecs.decode(data, "x.jpg")
    assert np.array_equal(ours.pixels, np.asarray(Image.open(BytesIO(data))))
    assert ours.notes == ("several pictures in the file: the first is read",)


@pytest.mark.parametrize(("unit", "factor"), [(1, 1.0), (2, 2.54)])
def test_the_density_may_be_per_inch_or_centimetre(
    unit: int, factor: float, photo: np.ndarray, saved: Callable
) -> None:
    data = saved(photo, "JPEG", dpi=(300, 150))
    assert data[13] == 1
    ours = codecs.decode(data[:13] + bytes([unit]) + data[14:], "x")
    assert ours.dpi == (300 * factor, 150 * factor)


def test_the_density_may_stand_in_exif_alone(photo: np.ndarray, saved: Callable) -> None:
    exif = Image.Exif()
    exif[282], exif[283], exif[296] = 240.0, 120.0, 2
    data = saved(photo, "JPEG", exif=exif)
    assert codecs.decode(data, "x").dpi == (240, 120)
    assert Image.open(BytesIO(data)).info["dpi"][0] == 240


def test_profiles_in_parts_are_joined_in_order(photo: np.ndarray, profile: Callable, saved: Callable) -> None:
    icc = profile(np.eye(3) * 0.9, 2.2)
    parts = [b"ICC_PROFILE\0" + bytes([number, 3]) + icc[(number - 1) * 150 :][: 150 if number < 3 else None]
             for number in (3, 1, 2)]  # fmt: skip
    data = inserted(saved(photo, "JPEG"), *(segment(0xE2, part) for part in parts))
    assert Image.open(BytesIO(data)).info["icc_profile"] == icc
    assert codecs.decode(data, "x").icc == icc


@pytest.mark.parametrize(("quality", "sampling"), [(100, 0), (95, 0), (90, 0), (89, 2), (40, 2)])
def test_colour_keeps_its_size_at_high_quality(quality: int, sampling: int, photo: np.ndarray) -> None:
    data = codecs.encode(Photo(photo), "JPEG", quality)
    assert JpegImagePlugin.get_sampling(Image.open(BytesIO(data))) == sampling
    error = np.abs(codecs.decode(data, "x").pixels.astype(int) - photo).mean()
    assert error < (6 if sampling == 0 else 30)


def test_gray_stays_gray(photo: np.ndarray) -> None:
    data = codecs.encode(Photo(photo[:, :, :1]), "JPEG", 100)
    assert Image.open(BytesIO(data)).mode == "L"
    assert np.abs(codecs.decode(data, "x").pixels.astype(int) - photo[:, :, :1]).max() <= 2


@pytest.mark.parametrize(("precision", "count"), [(12, 3), (8, 2)])
def test_unusual_kinds_are_refused(precision: int, count: int) -> None:
    frame = struct.pack(">BHHB", precision, 5, 5, count) + bytes(3 * count)
    data = b"\xff\xd8" + segment(0xC1, frame) + segment(0xDA, b"") + b"\xff\xd9"
    with pytest.raises(ImageError, match=f"JPEG of {count} channels and {precision} bits is not read"):
        codecs.decode(data, "x.jpg")
