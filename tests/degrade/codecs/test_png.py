"""PNG by hand: every colour type and depth, checksums, and what our writer makes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from degrade import codecs
from degrade.codecs import Photo
from degrade.errors import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KINDS = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}
CASES = [(colour, bits) for colour, (_, depths) in KINDS.items() for bits in depths]


@pytest.fixture(scope="module")
def build(chunk: Callable) -> Callable[..., bytes]:
    """A PNG of raw samples (H, W, n): unfiltered rows, packed bits."""

    def png(samples: np.ndarray, colour: int, bits: int, *extra: bytes, interlace: int = 0) -> bytes:
        height, width, _ = samples.shape
        rows = []
        for row in samples.reshape(height, -1):
            text = "".join(format(int(value), f"0{bits}b") for value in row)
            text = text.ljust(-(-len(text) // 8) * 8, "0")
            rows.append(b"\0" + int(text, 2).to_bytes(len(text) // 8, "big"))
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace))
        packed = zlib.compress(b"".join(rows))
        parts = [chunk(b"IDAT", packed[:40]), chunk(b"IDAT", packed[40:])]  # data may be split anywhere
        return SIGNATURE + head + b"".join(extra) + b"".join(parts) + chunk(b"IEND", b"")

    return png


def samples_of(colour: int, bits: int) -> np.ndarray:
    count, levels = KINDS[colour][0], min(2**bits, 40) if colour == 3 else 2**bits
    return np.random.default_rng(bits).integers(0, levels, (11, 13, count))


PALETTE = np.random.default_rng(1).integers(0, 256, (40, 3)).astype(np.uint8)


@pytest.mark.parametrize(("colour", "bits"), CASES)
def test_every_colour_type_and_depth(colour: int, bits: int, build: Callable, chunk: Callable) -> None:
    samples = samples_of(colour, bits)
    extra = [chunk(b"PLTE", PALETTE.tobytes()[: 3 * 2**bits])] if colour == 3 else []
    photo = codecs.decode(build(samples, colour, bits, *extra), "x.png")
    if colour == 3:
        expected, alpha = PALETTE[samples[:, :, 0]], None
    else:
        scaled = samples * (65535 if bits == 16 else 255) // (2**bits - 1)
        expected, alpha = (scaled[:, :, :-1], scaled[:, :, -1]) if colour & 4 else (scaled, None)
    assert photo.depth == (16 if bits == 16 else 8)
    assert np.array_equal(photo.pixels, expected)
    assert np.array_equal(photo.alpha, alpha) if alpha is not None else photo.alpha is None
    assert photo.pixels.flags.c_contiguous


@pytest.mark.parametrize(("colour", "bits"), [case for case in CASES if case[0] in (0, 2)])
def test_one_colour_may_be_transparent(colour: int, bits: int, build: Callable, chunk: Callable) -> None:
    samples = samples_of(colour, bits)
    key = samples[3, 4]
    data = build(samples, colour, bits, chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)))
    photo = codecs.decode(data, "x.png")
    assert codecs.header(data, "x.png").has_alpha
    assert np.array_equal(photo.alpha == 0, (samples == key).all(axis=2))
    assert set(np.unique(photo.alpha)) <= {0, 65535 if bits == 16 else 255}
    assert np.array_equal(photo.pixels, samples * (65535 if bits == 16 else 255) // (2**bits - 1))


def test_a_palette_may_be_transparent(build: Callable, chunk: Callable) -> None:
    samples = samples_of(3, 8)
    data = build(samples, 3, 8, chunk(b"PLTE", PALETTE.tobytes()), chunk(b"tRNS", bytes([0, 99, 200])))
    photo = codecs.decode(data, "x.png")
    assert np.array_equal(photo.pixels, PALETTE[samples[:, :, 0]])
    assert np.array_equal(photo.alpha, np.array([0, 99, 200] + [255] * 37)[samples[:, :, 0]])


def test_gamma_and_chromaticities_change_no_value(build: Callable, chunk: Callable) -> None:
    samples = samples_of(2, 8)
    extra = [chunk(b"gAMA", struct.pack(">I", 100_000)), chunk(b"sBIT", bytes([5, 5, 5])),
             chunk(b"bKGD", bytes(6)), chunk(b"tEXt", b"Comment\0hello")]  # fmt: skip
    assert np.array_equal(codecs.decode(build(samples, 2, 8, *extra), "x.png").pixels, samples)


def test_interlaced_files_are_read(photo: np.ndarray, chunk: Callable) -> None:
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    data = b""
    for y, x, step_y, step_x in passes:
        part = photo[y::step_y, x::step_x]
        data += b"".join(b"\0" + row.tobytes() for row in part)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", photo.shape[1], photo.shape[0], 8, 2, 0, 0, 1))
    data = SIGNATURE + head + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    assert np.array_equal(codecs.decode(data, "x.png").pixels, photo)


def test_an_animation_gives_its_still_picture(photo: np.ndarray, saved: Callable) -> None:
    frames = [Image.fromarray(photo), Image.fromarray(photo[::-1].copy())]
    read = codecs.decode(saved(frames[0], "PNG", save_all=True, append_images=frames[1:]), "x.png")
    assert np.array_equal(read.pixels, photo)
    assert read.notes == ("animated: the still picture is read",)


def test_no_flipped_bit_goes_unseen(photo: np.ndarray, saved: Callable) -> None:
    data = saved(photo, "PNG")
    rng = np.random.default_rng(3)
    for place in rng.integers(0, len(data) * 8, 300):
        broken = bytearray(data)
        broken[place // 8] ^= 1 << place % 8
        with pytest.raises(ImageError):
            codecs.decode(bytes(broken), "x.png")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (64, 3), (65, 5), (131, 17)])
def test_what_is_written_is_read_by_others(channels: int, has_alpha: bool, dtype: type, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    samples = rng.integers(0, np.iinfo(dtype).max + 1, (*size, channels + has_alpha)).astype(dtype)
    photo = Photo(samples[:, :, :channels], samples[:, :, -1] if has_alpha else None)
    data = codecs.encode(photo, "PNG")
    if dtype is np.uint8:
        theirs = np.asarray(Image.open(BytesIO(data))).reshape(samples.shape)
    else:  # Pillow has no 16-bit colour
        array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if has_alpha:
            array = cv2.cvtColor(array, cv2.COLOR_BGRA2RGBA)
            theirs = array[:, :, [0, 3]] if channels == 1 else array
        else:
            theirs = array[:, :, None] if channels == 1 else array[:, :, ::-1]
    assert np.array_equal(theirs, samples)
    ours = codecs.decode(data, "x.png")
    assert np.array_equal(ours.pixels, photo.pixels)
    assert has_alpha == (ours.alpha is not None)
    assert not has_alpha or np.array_equal(ours.alpha, photo.alpha)


def test_photographs_get_as_small_as_pillow_makes_them(saved: Callable) -> None:
    from degrade.functional.dead_leaves import render

    scene = render(300, 400, 3)
    assert len(codecs.encode(Photo(scene), "PNG")) < 1.05 * len(saved(scene, "PNG"))


def test_ten_thousand_texts_are_refused(build: Callable, chunk: Callable) -> None:
    data = build(samples_of(2, 8), 2, 8, *[chunk(b"tEXt", b"a\0b")] * 10_000)
    with pytest.raises(ImageError, match="more than 1000 chunks of metadata"):
        codecs.header(data, "x.png")


@pytest.mark.parametrize("kind", [b"iCCP", b"iTXt"])
def test_metadata_that_inflates_without_end_is_left_out(kind: bytes, build: Callable, chunk: Callable) -> None:
    bomb = zlib.compress(bytes(1 << 25))
    body = b"x\0\0" + bomb if kind == b"iCCP" else b"XML:com.adobe.xmp\0\1\0\0\0" + bomb
    photo = codecs.decode(build(samples_of(2, 8), 2, 8, chunk(kind, body)), "x.png")
    assert photo.icc is None
    assert photo.xmp is None


def test_compressed_xmp_is_read(build: Callable, chunk: Callable) -> None:
    body = b"XML:com.adobe.xmp\0\1\0en\0key\0" + zlib.compress(b"<x:xmpmeta/>")
    assert codecs.decode(build(samples_of(2, 8), 2, 8, chunk(b"iTXt", body)), "x.png").xmp == b"<x:xmpmeta/>"


@pytest.mark.parametrize("rows", [0, 6])
def test_too_little_pixel_data_under_good_checksums_is_refused(rows: int, chunk: Callable) -> None:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 13, 11, 8, 2, 0, 0, 0))
    data = SIGNATURE + head + chunk(b"IDAT", zlib.compress(bytes(rows * 40))) + chunk(b"IEND", b"")
    with pytest.raises(ImageError, match="pixel data cannot be decoded"):
        codecs.decode(data, "x.png")
