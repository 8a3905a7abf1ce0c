"""TIFF of many kinds against tifffile, and what our writer makes."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image

from degrade import codecs
from degrade.codecs import Photo
from degrade.errors import ImageError


def written(array: np.ndarray, **options: object) -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def rgb16(deep: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(deep[:, :, :3])


@pytest.fixture(scope="module")
def rgb8(rgb16: np.ndarray) -> np.ndarray:
    return (rgb16 >> 8).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "options",
    [
        {}, {"byteorder": ">"}, {"compression": "zlib"}, {"compression": "zlib", "predictor": 2}, {"tile": (16, 16)},
        {"rowsperstrip": 5},
    ],
    ids=str,
)  # fmt: skip
def test_colour_and_gray_are_read(dtype: type, options: dict, rgb16: np.ndarray) -> None:
    rgb = (rgb16 >> (8 if dtype is np.uint8 else 0)).astype(dtype)
    photo = codecs.decode(written(rgb, photometric="rgb", **options), "x.tif")
    assert photo.pixels.dtype == dtype
    assert np.array_equal(photo.pixels, rgb)
    gray = codecs.decode(written(rgb[:, :, 0], photometric="minisblack", **options), "x.tif")
    assert gray.pixels.dtype == dtype
    assert np.array_equal(gray.pixels[:, :, 0], rgb[:, :, 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_may_be_zero(dtype: type, rgb16: np.ndarray) -> None:
    gray = (rgb16[:, :, 0] >> (8 if dtype is np.uint8 else 0)).astype(dtype)
    photo = codecs.decode(written(gray, photometric="miniswhite"), "x.tif")
    assert np.array_equal(photo.pixels[:, :, 0], np.iinfo(dtype).max - gray)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "CMYK"])
def test_pillows_kinds_are_read(mode: str, compression: str, rgb8: np.ndarray, saved: Callable) -> None:
    image = Image.fromarray(rgb8).convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(rgb8[:, :, 1]))
    photo = codecs.decode(saved(image, "TIFF", compression=compression), "x.tif")
    expected = image.convert("RGB") if mode in ("P", "CMYK") else image.convert("L") if mode == "1" else image
    count = {"1": 1, "L": 1, "LA": 1}.get(mode, 3)
    assert np.array_equal(photo.pixels, np.asarray(expected).reshape(*rgb8.shape[:2], -1)[:, :, :count])
    assert (photo.alpha is not None) == (mode in ("LA", "RGBA"))
    assert photo.alpha is None or np.array_equal(photo.alpha, rgb8[:, :, 1])
    assert photo.notes == (("CMYK converted to RGB",) if mode == "CMYK" else ())


def test_planes_of_8_bits_are_read(rgb8: np.ndarray) -> None:
    data = written(np.moveaxis(rgb8, 2, 0).copy(), photometric="rgb", planarconfig="separate")
    assert np.array_equal(codecs.decode(data, "x.tif").pixels, rgb8)


def test_jpeg_inside_tiff_is_read(photo: np.ndarray, saved: Callable) -> None:
    data = saved(photo, "TIFF", compression="jpeg", quality=95)
    theirs = np.asarray(Image.open(BytesIO(data)).convert("RGB"))
    assert np.array_equal(codecs.decode(data, "x.tif").pixels, theirs)


def test_alpha_of_16_bits_is_read(deep: np.ndarray) -> None:
    photo = codecs.decode(written(deep, photometric="rgb", extrasamples=["unassalpha"]), "x.tif")
    assert np.array_equal(photo.pixels, deep[:, :, :3])
    assert np.array_equal(photo.alpha, deep[:, :, 3])
    unstated = codecs.decode(written(deep, photometric="rgb", extrasamples=["unspecified"]), "x.tif")
    assert np.array_equal(unstated.pixels, deep[:, :, :3])
    assert unstated.alpha is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_alpha_is_taken_out(dtype: type, deep: np.ndarray) -> None:
    """The quotient, limited to white; Pillow cuts where we round, so one level at 8 bits."""
    samples = (deep >> (8 if dtype is np.uint8 else 0)).astype(dtype)
    samples[:, :, 3] |= np.iinfo(dtype).max // 2 + 1
    photo = codecs.decode(written(samples, photometric="rgb", extrasamples=["assocalpha"]), "x.tif")
    white = np.iinfo(dtype).max
    expected = np.minimum(samples[:, :, :3] * float(white) / samples[:, :, 3:], white)
    assert np.abs(photo.pixels - expected).max() <= (1.0 if dtype is np.uint8 else 0.51)
    assert np.array_equal(photo.alpha, samples[:, :, 3])


def test_the_first_of_several_pages_is_read(rgb8: np.ndarray) -> None:
    buffer = BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(rgb8, photometric="rgb")
        writer.write(rgb8[::-1], photometric="rgb")
    photo = codecs.decode(buffer.getvalue(), "x.tif")
    assert np.array_equal(photo.pixels, rgb8)
    assert photo.notes == ("several pictures in the file: the first is read",)


GRAY = np.arange(35).reshape(5, 7)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: written(GRAY.astype(np.float32)), "floating-point or signed TIFF is not read"),
        (lambda: written(GRAY.astype(np.float64)), "floating-point or signed TIFF is not read"),
        (lambda: written(GRAY.astype(np.int16)), "floating-point or signed TIFF is not read"),
        (lambda: written(GRAY.astype(np.uint32)), r"TIFF of \[32\] bits a sample is not read"),
        (lambda: written(GRAY.astype(np.uint8), bigtiff=True), "BigTIFF is not read"),
        (lambda: written(np.zeros((3, 5, 7), np.uint16), photometric="rgb", planarconfig="separate"), "separate"),
        (lambda: written(np.zeros((5, 7, 2), np.uint16), photometric="minisblack", extrasamples=["unassalpha"],
                         planarconfig="contig"), "of gray with alpha"),
        (lambda: written(np.zeros((5, 7, 4), np.uint16), photometric="separated"), r"TIFF of \[16\] bits"),
        (lambda: written(np.zeros((5, 7, 3), np.uint8), photometric="cielab"), "TIFF of colour kind 8 is not read"),
        (lambda: written(np.zeros((5, 7, 5), np.uint8), photometric="rgb", extrasamples=[0, 0]), "5 samples a pixel"),
    ],
)  # fmt: skip
def test_kinds_that_decoders_get_wrong_are_refused(data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(ImageError, match=rf"^x\.tif: .*{reason}.* - convert it to an 8- or 16-bit PNG$"):
        codecs.decode(data(), "x.tif")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_orientation_tag_is_applied(
    orientation: int, order: str, dtype: type, rgb16: np.ndarray, saved: Callable
) -> None:
    """The reference: the same turn asked of Pillow in a PNG."""
    stored = (rgb16 >> (8 if dtype is np.uint8 else 0)).astype(dtype)
    data = written(stored, photometric="rgb", byteorder=order, extratags=[(274, "H", 1, orientation, True)])
    turns = {2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: a.swapaxes(0, 1),
             6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).swapaxes(0, 1), 8: np.rot90}  # fmt: skip
    expected = turns.get(orientation, lambda a: a)(stored)
    photo = codecs.decode(data, "x.tif")
    assert np.array_equal(photo.pixels, expected)
    header = codecs.header(data, "x.tif")
    assert (header.height, header.width) == expected.shape[:2]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_written_is_read_by_others(
    channels: int, has_alpha: bool, dtype: type, order: str, exif: Callable
) -> None:
    rng = np.random.default_rng(7)
    samples = rng.integers(0, np.iinfo(dtype).max + 1, (300, 17, channels + has_alpha)).astype(dtype)
    photo = Photo(samples[:, :, :channels], samples[:, :, -1] if has_alpha else None, exif=exif(1, order))
    data = codecs.encode(photo, "TIFF")
    if has_alpha and dtype is np.uint16 and channels == 1:  # as colour: no reader knows it otherwise
        samples = samples[:, :, [0, 0, 0, 1]]
    assert np.array_equal(tifffile.imread(BytesIO(data)).reshape(samples.shape), samples)
    with tifffile.TiffFile(BytesIO(data)) as file:
        tags = file.pages[0].tags
        assert tags["Make"].value == "abc"
        assert tags["Copyright"].value == "someone, somewhere"
        assert file.byteorder == order
    ours = codecs.decode(data, "x.tif")
    assert np.array_equal(ours.pixels, samples[:, :, : ours.pixels.shape[2]])
    assert not has_alpha or np.array_equal(ours.alpha, samples[:, :, -1])
    theirs = Image.open(BytesIO(data))
    if dtype is np.uint8:
        assert np.array_equal(np.asarray(theirs).reshape(samples.shape), samples)
    again = codecs.decode(codecs.encode(ours, "TIFF"), "x.tif")
    assert np.array_equal(again.pixels, ours.pixels)
    assert b"someone, somewhere" in (again.exif or b"")
