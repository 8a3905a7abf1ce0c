"""PNG: every chunk's checksum is verified before a pixel is decoded; written with all depths and metadata.

The decoder gets the critical chunks alone, so nothing else in a file can change (or print) anything.
gAMA, cHRM and sRGB are not applied. Source: PNG specification, third edition.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from degrade.codecs.exif import take_orientation
from degrade.codecs.opencv import AS_STORED, COLOUR, pixels, split_alpha
from degrade.codecs.photo import Facts, Photo, Samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 1000  # besides pixel data
MAX_METADATA = 1 << 24  # bytes of one inflated profile or text

_COLOUR, _PALETTE, _ALPHA = 2, 1, 4  # bits of the colour type
_METER = 0.0254  # inches
_XMP = b"XML:com.adobe.xmp"
_BAND = 64  # rows filtered at a time


def inspect(data: bytes) -> Facts:
    """What the chunk headers say. Pixel data is skipped, checksums are not looked at."""
    found: dict[bytes, bytes] = {}
    for number, (kind, body) in enumerate(_metadata_chunks(data)):
        if number >= MAX_CHUNKS:
            raise ValueError(f"more than {MAX_CHUNKS} chunks of metadata")
        if kind == b"iTXt" and not body.startswith(_XMP + b"\0"):
            continue
        found.setdefault(kind, body)
    width, height, depth, colour = struct.unpack_from(">IIBB", found.get(b"IHDR", b""))
    orientation, exif, notes = take_orientation(found.get(b"eXIf"))
    if b"acTL" in found:
        notes += ("animated: the still picture is read",)
    return Facts(
        width,
        height,
        channels=3 if colour & _COLOUR else 1,
        depth=16 if depth == 16 else 8,
        has_alpha=bool(colour & _ALPHA) or b"tRNS" in found,
        orientation=orientation,
        icc=_profile(found.get(b"iCCP")),
        exif=exif,
        xmp=_xmp(found.get(b"iTXt")),
        dpi=_dpi(found.get(b"pHYs")),
        notes=notes,
    )


def decode(data: bytes, facts: Facts) -> tuple[Samples, Samples | None]:
    """The stored pixels (H, W, C) and alpha.

    Raises:
        ValueError: cut, or a checksum is wrong.
    """
    kept, key = [SIGNATURE], None
    colour = 0
    for kind, start, length in _chunks(data):
        if zlib.crc32(memoryview(data)[start + 4 : start + 8 + length]) != _word(data, start + 8 + length):
            raise ValueError(f"the checksum of a {kind.decode('latin-1')} chunk is wrong")
        if kind == b"IHDR":
            colour = data[start + 17]
        if kind == b"tRNS" and not colour & _PALETTE:
            key = np.frombuffer(data, ">u2", length // 2, start + 8)
        elif kind in (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"):
            kept.append(data[start : start + 12 + length])
    is_plain = facts.channels == 3 and facts.depth == 8 and not facts.has_alpha
    array, alpha = split_alpha(pixels(b"".join(kept), COLOUR if is_plain else AS_STORED))
    if facts.channels == 1 and array.shape[2] == 3:  # gray with alpha is decoded as four channels
        array = np.ascontiguousarray(array[:, :, :1])
    if key is not None and len(key) == facts.channels:
        alpha = _keyed(array, key, bits=data[24])
    return array, alpha


def encode(photo: Photo) -> bytes:
    """A PNG of the photo's depth and channels, alpha and metadata included. Deterministic for one zlib."""
    height, width, channels = photo.pixels.shape
    samples = photo.pixels if photo.alpha is None else np.dstack([photo.pixels, photo.alpha])
    colour = (_COLOUR if channels == 3 else 0) | (_ALPHA if photo.alpha is not None else 0)
    parts = [SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, photo.depth, colour, 0, 0, 0))]
    if photo.icc:
        parts.append(_chunk(b"iCCP", b"icc\0\0" + zlib.compress(photo.icc)))
    if photo.dpi:
        x, y = (min(round(value / _METER), 2**31 - 1) for value in photo.dpi)
        parts.append(_chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
    if photo.exif:
        parts.append(_chunk(b"eXIf", photo.exif))
    if photo.xmp:
        parts.append(_chunk(b"iTXt", _XMP + b"\0\0\0\0\0" + photo.xmp))
    # Runs and Huffman codes only: on Paeth's residuals of photographs smaller than zlib's default, and 10 times faster.
    packer = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    packed = [packer.compress(band) for band in _filtered(samples)]
    parts += [_chunk(b"IDAT", b"".join([*packed, packer.flush()])), _chunk(b"IEND", b"")]
    return b"".join(parts)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, offset and length of every chunk up to IEND."""
    start, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        if start + 12 > len(data):
            raise ValueError("it is cut")
        length, kind = _word(data, start), data[start + 4 : start + 8]
        if start + 12 + length > len(data):
            raise ValueError("it is cut")
        if start == len(SIGNATURE) and (kind != b"IHDR" or length != 13):
            raise ValueError("it has no header")
        yield kind, start, length
        start += 12 + length


def _metadata_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for kind, start, length in _chunks(data):
        if kind not in (b"IDAT", b"fdAT", b"fcTL"):
            yield kind, data[start + 8 : start + 8 + length]


def _word(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "big")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _keyed(array: Samples, key: NDArray[np.uint16], bits: int) -> Samples:
    """Alpha of a picture in which one colour, stated in `bits`, is transparent."""
    white, levels = (1 << bits) - 1, np.iinfo(array.dtype).max
    is_clear = (array == (key.astype(np.uint32) & white) * levels // white).all(axis=2)
    return np.where(is_clear, 0, levels).astype(array.dtype)


def _filtered(samples: Samples) -> Iterator[bytes]:
    """Bands of rows, each row led by its filter (4, Paeth: best on photographs) and as residuals."""
    height, width, channels = samples.shape
    step = channels * samples.dtype.itemsize  # bytes of a pixel
    rows = samples.astype(samples.dtype.newbyteorder(">")).view(np.uint8).reshape(height, width * step)
    padded = np.zeros((_BAND + 1, (width + 1) * step), np.int16)
    for y in range(0, height, _BAND):
        band = rows[y : y + _BAND]
        padded[0] = padded[_BAND] if y else 0
        padded[1 : len(band) + 1, step:] = band
        here = padded[1 : len(band) + 1, step:]
        left, up = padded[1 : len(band) + 1, :-step], padded[: len(band), step:]
        corner = padded[: len(band), :-step]
        to_left, to_up = np.abs(up - corner), np.abs(left - corner)
        to_corner = np.abs(left + up - 2 * corner)
        guess = np.where(to_up <= to_corner, up, corner)
        guess = np.where((to_left <= to_up) & (to_left <= to_corner), left, guess)
        out = np.empty((len(band), 1 + width * step), np.uint8)
        out[:, 0], out[:, 1:] = 4, here - guess
        yield out.tobytes()


def _profile(body: bytes | None) -> bytes | None:
    if not body:
        return None
    _, _, packed = body.partition(b"\0")
    return _inflate(packed[1:])


def _xmp(body: bytes | None) -> bytes | None:
    if not body:
        return None
    is_packed = body[len(_XMP) + 1 : len(_XMP) + 2] == b"\1"
    text = body[len(_XMP) + 3 :].split(b"\0", 2)[-1]  # after the language and the translated keyword
    return _inflate(text) if is_packed else text


def _inflate(packed: bytes) -> bytes | None:
    """What `packed` holds; None if it is damaged or more than `MAX_METADATA`."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, MAX_METADATA)
    except zlib.error:
        return None
    return plain if unpacker.eof else None


def _dpi(body: bytes | None) -> tuple[float, float] | None:
    if body is None or len(body) != 9 or body[8] != 1:
        return None
    x, y = struct.unpack_from(">II", body)
    return x * _METER, y * _METER
