"""The one door for image files: PNG, JPEG, WebP, TIFF, BMP and AVIF, read from memory, written whole or not at all.

`read(path)` gives a `Photo` with the file's own values and metadata, upright; `rgb8(photo)` the 8-bit sRGB that the
pipeline takes. The content decides the format, limits are checked in the header, every failure is an `ImageError`.
"""

from degrade.codecs.color import rgb8
from degrade.codecs.door import decode, encode, header, read, write
from degrade.codecs.files import read_bytes, sha256
from degrade.codecs.photo import EXTENSIONS, FORMATS, MAX_BYTES, MAX_PIXELS, MAX_SIDE, Header, Photo

__all__ = [
    "EXTENSIONS", "FORMATS", "MAX_BYTES", "MAX_PIXELS", "MAX_SIDE", "Header", "Photo",
    "decode", "encode", "header", "read", "read_bytes", "rgb8", "sha256", "write",
]  # fmt: skip
