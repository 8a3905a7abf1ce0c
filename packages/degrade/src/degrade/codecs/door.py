"""The door itself: by content to the parser of the format, with limits, errors and the upright turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from degrade.atomic import write_bytes
from degrade.codecs import jpeg, pillow, png, tiff, webp
from degrade.codecs.color import fitting_profile, over_white, to_8_bits
from degrade.codecs.exif import take_orientation, upright, xmp_with_orientation_1
from degrade.codecs.files import read_bytes
from degrade.codecs.photo import FORMATS, MAX_PIXELS, MAX_SIDE, Facts, Header, Photo, Samples, UnsupportedError
from degrade.errors import ImageError, UsageError

_SIGNATURES: dict[bytes, str] = {
    png.SIGNATURE: "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}
_INSPECT: dict[str, Callable[[bytes], Facts]] = {
    "PNG": png.inspect,
    "JPEG": jpeg.inspect,
    "WebP": webp.inspect,
    "TIFF": tiff.inspect,
    "BMP": partial(pillow.inspect, format="BMP"),
    "AVIF": partial(pillow.inspect, format="AVIF"),
}
_DECODE: dict[str, Callable[[bytes, Facts], tuple[Samples, Samples | None]]] = {
    "PNG": png.decode,
    "JPEG": jpeg.decode,
    "WebP": webp.decode,
    "TIFF": tiff.decode,
    "BMP": partial(pillow.decode, format="BMP"),
    "AVIF": partial(pillow.decode, format="AVIF"),
}
_OTHERS: dict[bytes, str] = {  # named, so that the reason helps
    b"GIF8": "GIF",
    b"8BPS": "Photoshop",
    b"%PDF": "PDF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"qoif": "QOI",
    b"v/1\x01": "OpenEXR",
    b"<svg": "SVG",
    b"<!DOCTYPE": "HTML",
    b"<!doctype": "HTML",
    b"<html": "HTML",
}
_ALPHA_FORMATS, _DEEP_FORMATS = {"PNG", "WebP", "TIFF", "AVIF"}, {"PNG", "TIFF"}
_LONGEST_REASON = 90


def header(data: bytes, name: object) -> Header:
    """What the file `data` says it holds, upright; nothing is decoded.

    Raises:
        ImageError: not an image of a known format, damaged, or over the limits; names `name`.
    """
    format, facts = _inspected(data, name)
    width, height = (facts.height, facts.width) if facts.orientation > 4 else (facts.width, facts.height)
    return Header(format, width, height, facts.channels, facts.depth, facts.has_alpha, facts.orientation)


def decode(data: bytes, name: object) -> Photo:
    """The picture in `data`, upright, with the values and the metadata the file has; the first of several.

    Raises:
        ImageError: as `header`, and when the pixel data is damaged or cut.
    """
    format, facts = _inspected(data, name)
    try:
        pixels, alpha = _DECODE[format](data, facts)
        if pixels.shape != (facts.height, facts.width, facts.channels):
            raise ValueError(f"its header says {facts.width} x {facts.height}, its data {pixels.shape}")
        icc, notes = fitting_profile(facts.icc, facts.channels)
        exif, more = tiff.exif(data) if format == "TIFF" else (facts.exif, ())
        return Photo(
            pixels=upright(pixels, facts.orientation),
            alpha=None if alpha is None else upright(alpha, facts.orientation),
            icc=icc,
            exif=exif,
            xmp=xmp_with_orientation_1(facts.xmp),
            dpi=(facts.dpi[1], facts.dpi[0]) if facts.dpi and facts.orientation > 4 else facts.dpi,
            format=format,
            notes=facts.notes + notes + more,
        )
    except Exception as error:  # hostile data makes decoders raise anything
        raise _image_error(name, format, error) from None


def read(path: Path | str) -> Photo:
    """The picture in the file at `path`; see `decode`."""
    return decode(read_bytes(path), path)


def encode(photo: Photo, format: str, quality: int = 95) -> bytes:
    """The bytes of a file of `format` (a key of `FORMATS`).

    Only PNG and TIFF hold 16 bits: elsewhere values are rounded to 8. JPEG and BMP hold no alpha: it is laid over
    white. BMP holds DPI alone of the metadata.

    Args:
        quality: 1 to 100, of JPEG, WebP and AVIF; from 90 on colour keeps its full size; 100 makes WebP lossless.

    Raises:
        ImageError: the format cannot hold it (its largest side, say).
        ValueError: an unknown format or quality.
    """
    if format not in FORMATS or not 1 <= quality <= 100:
        raise ValueError(f"expected one of {', '.join(FORMATS)} and a quality of 1 to 100, got {format}, {quality}")
    photo = replace(photo, exif=take_orientation(photo.exif)[1], xmp=xmp_with_orientation_1(photo.xmp))
    if format not in _DEEP_FORMATS:
        photo = replace(
            photo, pixels=to_8_bits(photo.pixels), alpha=None if photo.alpha is None else to_8_bits(photo.alpha)
        )
    if photo.alpha is not None and format not in _ALPHA_FORMATS:
        photo = replace(
            photo, pixels=over_white(photo.pixels.astype(np.uint8), photo.alpha.astype(np.uint8)), alpha=None
        )
    try:
        if format == "PNG":
            return png.encode(photo)
        return tiff.encode(photo) if format == "TIFF" else pillow.encode(photo, format, quality)
    except Exception as error:
        size = f"{photo.pixels.shape[1]} x {photo.pixels.shape[0]}"
        raise ImageError(f"{format} of {size}", f"it cannot be written: {_short(error)}", "write PNG") from None


def write(path: Path | str, photo: Photo, quality: int = 95, overwrite: bool = False) -> None:
    """Write `photo` under `path` in the format of its suffix, whole or not at all; see `encode`.

    Raises:
        UsageError: an unknown suffix, or the file is there and `overwrite` is false.
        ImageError: the format cannot hold the photo. ResourceError: disk or permission.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    format = next((name for name, suffixes in FORMATS.items() if suffix in suffixes), None)
    if format is None:
        raise UsageError(path, f"'{suffix}' is no suffix of a known format", f"use {', '.join(FORMATS)}")
    write_bytes(path, encode(photo, format, quality), overwrite=overwrite)


def _format(data: bytes, name: object) -> str:
    """The format that the first bytes tell; the name's suffix does not count."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        brands = data[8 : int.from_bytes(data[:4], "big")][:256]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        raise ImageError(name, "HEIC images and films are not read", "convert it to PNG or JPEG")
    for signature, format in _SIGNATURES.items():
        if data.startswith(signature):
            return format
    for signature, other in _OTHERS.items():
        if data.lstrip().startswith(signature):
            raise ImageError(name, f"it is {other}, which is not read", "convert it to PNG or JPEG")
    raise ImageError(name, "its content is no image of a known format", f"give {', '.join(FORMATS)}")


def _inspected(data: bytes, name: object) -> tuple[str, Facts]:
    format = _format(data, name)
    try:
        facts = _INSPECT[format](data)
        if facts.width < 1 or facts.height < 1:
            raise ValueError(f"its header says {facts.width} x {facts.height}")
    except Exception as error:  # hostile data makes parsers raise anything
        raise _image_error(name, format, error) from None
    if max(facts.width, facts.height) > MAX_SIDE or facts.width * facts.height > MAX_PIXELS:
        limit = f"the limits are {MAX_SIDE:,} a side and {MAX_PIXELS:,} in all"
        raise ImageError(name, f"{facts.width} x {facts.height} pixels, {limit}", "cut it into smaller images")
    return format, facts


def _image_error(name: object, format: str, error: Exception) -> ImageError:
    if isinstance(error, UnsupportedError):
        return ImageError(name, str(error), "convert it to an 8- or 16-bit PNG")
    if isinstance(error, MemoryError):
        return ImageError(name, "not enough memory to decode it", "use fewer workers, or cut it into smaller images")
    return ImageError(name, f"damaged {format}: {_short(error)}", "get a whole copy of it")


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 3] + "..."
