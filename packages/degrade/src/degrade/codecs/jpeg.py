"""JPEG: sizes and metadata from its segments; pixels through OpenCV, ink through Pillow.

Source: ITU-T T.81, annex B; JFIF 1.02; Adobe's XMP specification, part 3; ICC.1, annex B.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import JpegImagePlugin

from degrade.codecs.color import cmyk_to_rgb
from degrade.codecs.exif import PREFIX, read_directory, take_orientation
from degrade.codecs.opencv import COLOUR, GRAY, pixels
from degrade.codecs.photo import Facts, Samples, UnsupportedError

_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a segment
_SCAN, _END = 0xDA, 0xD9
_XMP, _ICC, _SEVERAL = b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0", b"MPF\0"
_INK = "CMYK converted to RGB"


def inspect(data: bytes) -> Facts:
    """What the segments before the first scan say.

    Raises:
        ValueError: cut. UnsupportedError: a kind that is not read.
    """
    frame, exif, xmp, icc, dpi, notes = b"", None, None, [], None, ()
    for marker, body in _segments(data):
        if marker in _FRAMES:
            frame = frame or body
        elif marker == 0xE0 and body.startswith(b"JFIF\0"):
            dpi = dpi or _density(body)
        elif marker == 0xE1 and body.startswith(PREFIX):
            exif = exif + body[len(PREFIX) :] if exif else body  # a long block comes in parts
        elif marker == 0xE1 and body.startswith(_XMP):
            xmp = xmp or body[len(_XMP) :]
        elif marker == 0xE2 and body.startswith(_ICC):
            icc.append(body[len(_ICC) :])
        elif marker == 0xE2 and body.startswith(_SEVERAL):
            notes = ("several pictures in the file: the first is read",)
    if data.rfind(bytes([0xFF, _END])) < data.rfind(bytes([0xFF, _SCAN])):
        raise ValueError("it is cut")  # a decoder would make up the end
    precision, height, width, count = struct.unpack_from(">BHHB", frame)
    if precision != 8 or count not in (1, 3, 4):
        raise UnsupportedError(f"JPEG of {count} channels and {precision} bits is not read")
    orientation, exif, damage = take_orientation(exif)
    return Facts(
        width,
        height,
        channels=1 if count == 1 else 3,
        orientation=orientation,
        icc=b"".join(part[2:] for part in sorted(icc, key=lambda part: part[:1])) or None,
        exif=exif,
        xmp=xmp,
        dpi=dpi or _density_of(exif),
        notes=notes + damage + ((_INK,) if count == 4 else ()),
    )


def decode(data: bytes, facts: Facts) -> tuple[Samples, Samples | None]:
    """The stored pixels (H, W, C); no alpha."""
    if _INK in facts.notes:
        image = JpegImagePlugin.JpegImageFile(BytesIO(data))
        image.load()
        return np.array(cmyk_to_rgb(image, facts.icc)), None
    return pixels(data, GRAY if facts.channels == 1 else COLOUR), None


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of every segment before the first scan."""
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if at + 4 > len(data) or data[at] != 0xFF:
            raise ValueError("it is cut, or its segments are")
        marker = data[at + 1]
        if marker in _ALONE:
            at += 2
            continue
        if marker in (_SCAN, _END):
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            raise ValueError("it is cut, or its segments are")
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def _density(body: bytes) -> tuple[float, float] | None:
    """Dots per inch of a JFIF segment; none where it states only the shape of a pixel."""
    unit, x, y = struct.unpack_from(">BHH", body, 7)
    factor = {1: 1.0, 2: 2.54}.get(unit)
    return (x * factor, y * factor) if factor and x and y else None


def _density_of(exif: bytes | None) -> tuple[float, float] | None:
    """Dots per inch that an EXIF block states."""
    if exif is None:
        return None
    try:
        directory = read_directory(exif)
        factor = {2: 1.0, 3: 2.54}.get(directory.number(296, 2))
        x, y = (directory.values(tag, (0.0,))[0] for tag in (282, 283))
    except (ValueError, IndexError):
        return None
    return (x * factor, y * factor) if factor and x and y else None
