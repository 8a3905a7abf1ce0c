"""WebP: sizes and metadata from the container, before the decoder allocates anything.

Source: RFC 9649, sections 2.5 to 2.7 (container) and 3.4 (lossless header); RFC 6386, section 9.1.
"""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
from PIL import WebPImagePlugin

from degrade.codecs.exif import take_orientation
from degrade.codecs.opencv import AS_STORED, COLOUR, pixels, split_alpha
from degrade.codecs.photo import Facts, Samples

_ALPHA, _ANIMATION = 0x10, 0x02  # flags of VP8X
_ANIMATED = "animated: the first frame is read"


def inspect(data: bytes) -> Facts:
    """What the container says.

    Raises:
        ValueError: cut, or no picture in it.
    """
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise ValueError("it is cut")
    chunks = _chunks(data)
    if b"VP8X" in chunks:
        flags, body = chunks[b"VP8X"][0], chunks[b"VP8X"]
        width, height = (1 + int.from_bytes(body[i : i + 3], "little") for i in (4, 7))
        has_alpha = bool(flags & _ALPHA)
    elif b"VP8L" in chunks:
        flags, bits = 0, int.from_bytes(chunks[b"VP8L"][1:5], "little")
        width, height, has_alpha = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bool(bits >> 28 & 1)
    elif b"VP8 " in chunks:
        flags, has_alpha = 0, False
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", chunks[b"VP8 "], 6))
    else:
        raise ValueError("there is no picture in it")
    orientation, exif, notes = take_orientation(chunks.get(b"EXIF"))
    return Facts(
        width,
        height,
        channels=3,
        has_alpha=has_alpha,
        orientation=orientation,
        icc=chunks.get(b"ICCP"),
        exif=exif,
        xmp=chunks.get(b"XMP "),
        notes=(*notes, _ANIMATED) if flags & _ANIMATION else notes,
    )


def decode(data: bytes, facts: Facts) -> tuple[Samples, Samples | None]:
    """The stored pixels (H, W, 3) and alpha."""
    if _ANIMATED in facts.notes:
        frame = WebPImagePlugin.WebPImageFile(BytesIO(data))
        return split_alpha(np.array(frame.convert("RGBA" if facts.has_alpha else "RGB")))
    return split_alpha(pixels(data, AS_STORED if facts.has_alpha else COLOUR))


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each kind."""
    found: dict[bytes, bytes] = {}
    start, end = 12, int.from_bytes(data[4:8], "little") + 8
    while start + 8 <= end:
        length = int.from_bytes(data[start + 4 : start + 8], "little")
        if start + 8 + length > len(data):
            raise ValueError("it is cut")
        found.setdefault(data[start : start + 4], data[start + 8 : start + 8 + length])
        start += 8 + length + length % 2
    return found
