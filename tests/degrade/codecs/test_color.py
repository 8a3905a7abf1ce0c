"""Profiles, depth and alpha on the way to 8-bit sRGB."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from degrade import codecs
from degrade.codecs import Photo, rgb8

SRGB = np.array([[0.4360, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]])  # XYZ at D50
DISPLAY_P3 = np.array([[0.5151, 0.2412, -0.0011], [0.2920, 0.6922, 0.0419], [0.1571, 0.0666, 0.7841]])
ADOBE = np.array([[0.6097, 0.3111, 0.0195], [0.2053, 0.6257, 0.0609], [0.1492, 0.0632, 0.7446]])


def to_srgb(pixels: np.ndarray, primaries: np.ndarray, gamma: float) -> np.ndarray:
    """By matrices in floating point: out-of-gamut values are cut."""
    linear = (pixels / 255.0) ** gamma @ primaries @ np.linalg.inv(SRGB)
    linear = np.clip(linear, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(("primaries", "gamma"), [(DISPLAY_P3, 2.2), (ADOBE, 2.2), (SRGB, 1.0), (ADOBE, 1.8)])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WebP"])
def test_wide_profiles_are_applied_on_the_way_to_the_pipeline(
    format: str, primaries: np.ndarray, gamma: float, photo: np.ndarray, profile: Callable
) -> None:
    read = codecs.decode(codecs.encode(Photo(photo, icc=profile(primaries, gamma)), format, 100), "x")
    assert np.abs(read.pixels.astype(int) - photo).mean() < 2  # the file's own values
    expected = to_srgb(read.pixels, primaries, gamma)
    assert np.abs(rgb8(read) - expected).max() < 2.5  # the tables of Little CMS have 8 bits in the darks
    assert np.abs(rgb8(read) - expected).mean() < 0.5
    assert np.abs(rgb8(read).astype(int) - read.pixels).max() > 8


def test_srgb_profiles_change_nothing(photo: np.ndarray) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    read = codecs.decode(codecs.encode(Photo(photo, icc=icc), "PNG"), "x")
    assert read.icc == icc
    assert np.array_equal(rgb8(read), photo)


@pytest.mark.parametrize("damage", ["cut", "noise", "text", "empty table"])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WebP"])
def test_a_damaged_profile_is_left_out(
    format: str, damage: str, photo: np.ndarray, profile: Callable, saved: Callable
) -> None:
    good = profile(DISPLAY_P3, 2.2)
    bad = {
        "cut": good[:100],
        "noise": np.random.default_rng(0).bytes(len(good)),
        "text": b"no profile at all",
        "empty table": good[:128] + bytes(4),
    }[damage]
    read = codecs.decode(saved(photo, format, icc_profile=bad), "x")
    assert rgb8(read).shape == photo.shape
    if damage != "empty table":  # a valid header: kept, and has no effect
        assert read.icc is None
        assert read.notes == ("damaged colour profile left out: colours are taken as sRGB",)
    else:
        assert np.array_equal(rgb8(read), read.pixels)


def test_flipped_bits_in_a_profile_never_raise(photo: np.ndarray, profile: Callable) -> None:
    good, rng = profile(ADOBE, 2.2), np.random.default_rng(1)
    for place in rng.integers(0, len(good) * 8, 60):
        bad = bytearray(good)
        bad[place // 8] ^= 1 << place % 8
        assert rgb8(Photo(photo[:4, :4].copy(), icc=bytes(bad))).shape == (4, 4, 3)


def test_a_profile_for_other_channels_is_not_kept(photo: np.ndarray, profile: Callable, saved: Callable) -> None:
    data = saved(photo[:, :, 0], "PNG", icc_profile=profile(ADOBE, 2.2))
    read = codecs.decode(data, "x")
    assert read.icc is None
    assert np.array_equal(rgb8(read), np.repeat(photo[:, :, :1], 3, axis=2))


def ink_profile(lab: tuple[int, int, int]) -> bytes:
    """A CMYK profile whose table gives one colour for every ink: 8-bit Lab, `lab`."""
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(65536 * (k % 4 == 0) for k in range(9)))
    table += bytes(range(256)) * 4 + bytes(lab) * 16 + bytes(range(256)) * 3
    tags = {b"A2B0": table, b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)}
    entries, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        entries += name + struct.pack(">II", at + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(data), b"test", 0x02100000, b"prtr", b"CMYK", b"Lab ") + bytes(12)
    head += b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + entries + data


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_ink_goes_through_its_profile(format: str, photo: np.ndarray, saved: Callable) -> None:
    """Lab (53.2, 80.1, 67.2) is the red of sRGB."""
    data = saved(Image.fromarray(photo).convert("CMYK"), format, icc_profile=ink_profile((136, 208, 195)))
    read = codecs.decode(data, "x")
    assert np.abs(read.pixels.reshape(-1, 3) - np.array([255, 0, 0])).max() <= 12
    assert read.icc is None
    assert "CMYK converted to RGB" in read.notes


@pytest.mark.parametrize("options", [{}, {"quality": 95, "subsampling": 0}, {"progressive": True}], ids=str)
def test_ink_without_a_profile_is_multiplied(options: dict, photo: np.ndarray, saved: Callable) -> None:
    ink = np.dstack([255 - photo, photo[:, :, 1] // 3]).astype(np.uint8)
    data = saved(Image.fromarray(ink, "CMYK"), "JPEG", **options)
    stored = np.asarray(Image.open(BytesIO(data))).astype(float)
    expected = (255 - stored[:, :, :3]) * (255 - stored[:, :, 3:]) / 255
    assert np.abs(codecs.decode(data, "x.jpg").pixels - expected).max() <= 1


def test_16_bits_are_rounded_to_the_nearest_of_8() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert np.array_equal(rgb8(Photo(levels))[:, :, 1], np.floor(levels[:, :, 0] / 257 + 0.5))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_is_laid_over_white(dtype: type) -> None:
    rng, white = np.random.default_rng(2), np.iinfo(dtype).max
    samples = rng.integers(0, white + 1, (40, 40, 4)).astype(dtype)
    samples[0, :, 3], samples[1, :, 3] = 0, white
    result = rgb8(Photo(samples[:, :, :3], samples[:, :, 3]))
    opacity = samples[:, :, 3:] / white
    expected = 255 * (samples[:, :, :3] / white * opacity + 1 - opacity)
    assert np.abs(result - expected).max() <= (0.5 if dtype is np.uint8 else 1.5)
    assert (result[0] == 255).all()
    assert np.array_equal(result[1], np.floor(samples[1, :, :3] / white * 255 + 0.5))


@pytest.mark.parametrize(
    ("pixels", "alpha", "error"),
    [
        (np.zeros((4, 4), np.uint8), None, ValueError),
        (np.zeros((4, 4, 4), np.uint8), None, ValueError),
        (np.zeros((0, 4, 3), np.uint8), None, ValueError),
        (np.zeros((4, 4, 3), np.float32), None, TypeError),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8), ValueError),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint16), ValueError),
    ],
)
def test_a_photo_is_checked(pixels: np.ndarray, alpha: np.ndarray | None, error: type[Exception]) -> None:
    with pytest.raises(error, match="expected"):
        Photo(pixels, alpha)
