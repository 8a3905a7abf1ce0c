"""TIFF: baseline kinds of 1 to 16 bits; written deflated, with EXIF, XMP, ICC and DPI.

The directory is read here, so kinds that the decoders silently get wrong are refused: floating point,
signed and more than 16-bit samples, 16-bit separate planes and gray + alpha, BigTIFF, raw sensor data.
Source: TIFF 6.0; Adobe's TIFF Technical Notes (deflate, predictor 2).
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, TiffImagePlugin

from degrade.codecs.exif import PREFIX, Directory, read_directory, with_orientation_1
from degrade.codecs.opencv import AS_STORED, pixels, split_alpha
from degrade.codecs.photo import Facts, Photo, Samples, UnsupportedError
from degrade.codecs.pillow import split
from degrade.codecs.quiet import warnings_ignored

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _ORIENTATION = 256, 257, 258, 259, 262, 273, 274
_SAMPLES, _ROWS, _STRIP_BYTES, _X_DPI, _Y_DPI, _PLANAR, _UNIT, _PREDICTOR = 277, 278, 279, 282, 283, 284, 296, 317
_PALETTE, _EXTRA, _FORMAT, _XMP, _ICC = 320, 338, 339, 700, 34675
_EXIF, _GPS = 34665, 34853
_TEXTS = (270, 271, 272, 305, 306, 315, 33432)  # description, camera, software, date, artist, copyright
_TILES = (322, 323, 324, 325, 330, 530, 531, 532, 347)  # of the picture it came from, never kept

_GRAY = {0: "white is zero", 1: "black is zero"}
_COLOUR = {2: "RGB", 3: "palette", 5: "ink", 6: "YCbCr"}
_BAND = 128  # rows of a strip
_PREMULTIPLIED = 1


def inspect(data: bytes) -> Facts:
    """What the first directory says.

    Raises:
        ValueError: cut. UnsupportedError: a kind that is not read.
    """
    if data[2:4] in (b"+\0", b"\0+"):
        raise UnsupportedError("BigTIFF is not read")
    directory = read_directory(data)
    photometric, bits, alpha = _kind(directory)
    notes = ("several pictures in the file: the first is read",) if directory.next else ()
    if photometric == 5:
        notes += ("CMYK converted to RGB",)
    unit = {2: 1.0, 3: 2.54}.get(directory.number(_UNIT, 2))
    x, y = (directory.values(tag, (0.0,))[0] for tag in (_X_DPI, _Y_DPI))
    orientation = directory.number(_ORIENTATION, 1)
    return Facts(
        directory.number(_WIDTH, 0),
        directory.number(_HEIGHT, 0),
        channels=1 if photometric in _GRAY else 3,
        depth=16 if bits == 16 else 8,
        has_alpha=bool(alpha),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        icc=directory.raw(_ICC),
        exif=None,  # `exif` below makes one: too slow for a header
        xmp=directory.raw(_XMP),
        dpi=(x * unit, y * unit) if unit and x and y else None,
        notes=notes,
    )


def decode(data: bytes, facts: Facts) -> tuple[Samples, Samples | None]:
    """The stored pixels (H, W, C) and alpha."""
    directory = read_directory(data)
    photometric, bits, alpha_kind = _kind(directory)
    plain = with_orientation_1(data, directory)  # both decoders would turn it
    if bits == 16 and photometric == 2:
        return _decode_deep_colour(plain, alpha_kind)
    image = _open(plain)
    if bits == 16:
        values = np.asarray(image).astype(np.uint16)[:, :, None]
        return (values if photometric == 1 else ~values), None
    return split(image, facts)


def exif(data: bytes) -> tuple[bytes | None, tuple[str, ...]]:
    """The descriptive tags of a TIFF as an EXIF block, and a note where they cannot be read."""
    directory = read_directory(data)
    if not any(tag in directory.entries for tag in (*_TEXTS, _EXIF, _GPS)):
        return None, ()
    try:
        with warnings_ignored():
            found, kept = TiffImagePlugin.TiffImageFile(BytesIO(data)).getexif(), Image.Exif()
            for tag in _TEXTS:
                if tag in found:
                    kept[tag] = found[tag]
            for tag in (_EXIF, _GPS):
                if tag in found:
                    kept[tag] = found.get_ifd(tag)
            return kept.tobytes().removeprefix(PREFIX), ()
    except Exception:  # damaged tags raise anything
        return None, ("damaged EXIF data left out",)


def encode(photo: Photo) -> bytes:
    """A TIFF: the EXIF block itself, grown by the pixels and by a directory that holds both.

    So every offset inside the block stays true. Strips are deflated after horizontal differencing. 16-bit gray
    with alpha is written as RGB with alpha.
    """
    samples = photo.pixels
    if photo.alpha is not None:
        is_deep_gray = photo.depth == 16 and samples.shape[2] == 1  # hardly a reader knows it with alpha
        samples = np.dstack([*([samples] * (3 if is_deep_gray else 1)), photo.alpha])
    height, width, count = samples.shape
    out = bytearray(photo.exif or b"II*\0\x08\0\0\0\0\0\0\0\0\0")
    old = read_directory(bytes(out))
    order = old.order
    strips, sizes = [], []
    for y in range(0, height, _BAND):
        band = samples[y : y + _BAND].copy()
        band[:, 1:] -= samples[y : y + _BAND, :-1]
        packed = zlib.compress(band.astype(np.dtype(f"{order}u{samples.itemsize}")).tobytes(), 3)
        strips.append(_append(out, packed))
        sizes.append(len(packed))
    colour = 2 if count >= 3 else 1
    fields: dict[int, tuple[str, tuple[int, ...] | bytes]] = {
        _WIDTH: ("I", (width,)), _HEIGHT: ("I", (height,)), _BITS: ("H", (photo.depth,) * count),
        _COMPRESSION: ("H", (8,)), _PHOTOMETRIC: ("H", (colour,)), _STRIPS: ("I", tuple(strips)),
        _SAMPLES: ("H", (count,)), _ROWS: ("I", (_BAND,)), _STRIP_BYTES: ("I", tuple(sizes)),
        _PLANAR: ("H", (1,)), _PREDICTOR: ("H", (2,)), _ORIENTATION: ("H", (1,)),
    }  # fmt: skip
    if photo.alpha is not None:
        fields[_EXTRA] = ("H", (2,))
    if photo.dpi:
        fields |= {
            tag: ("II", (round(value * 1000), 1000)) for tag, value in zip((_X_DPI, _Y_DPI), photo.dpi, strict=True)
        }
        fields[_UNIT] = ("H", (2,))
    fields |= {tag: ("B", value) for tag, value in ((_XMP, photo.xmp), (_ICC, photo.icc)) if value}
    entries = {tag: bytes(out[offset : offset + 12]) for tag, offset in old.entries.items() if _is_descriptive(tag)}
    entries |= {tag: _entry(out, order, tag, letters, values) for tag, (letters, values) in fields.items()}
    body = struct.pack(order + "H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    struct.pack_into(order + "I", out, 4, _append(out, body))
    return bytes(out)


def _kind(directory: Directory) -> tuple[int, int, int]:
    """Photometric interpretation, bits per sample and kind of alpha (0 none), if that is read."""
    samples = directory.number(_SAMPLES, 1)
    bits = {int(value) for value in directory.values(_BITS, (1,))}
    photometric = directory.number(_PHOTOMETRIC, -1)
    colours = {2: 3, 5: 4, 6: 3}.get(photometric, 1)
    extra = [int(value) for value in directory.values(_EXTRA)]
    alpha = extra[0] if samples > colours and extra and extra[0] in (1, 2) else 0
    if photometric not in _GRAY and photometric not in _COLOUR:
        raise UnsupportedError(f"TIFF of colour kind {photometric} is not read")
    if any(value != 1 for value in directory.values(_FORMAT, (1,))):
        raise UnsupportedError("floating-point or signed TIFF is not read")
    if len(bits) != 1 or not bits <= {1, 2, 4, 8, 16} or (max(bits) == 16 and photometric not in (0, 1, 2)):
        raise UnsupportedError(f"TIFF of {sorted(bits)} bits a sample is not read")
    if samples not in (colours, colours + 1) or (samples > colours and photometric not in (0, 1, 2)):
        raise UnsupportedError(f"TIFF of {samples} samples a pixel is not read")
    if max(bits) == 16 and (directory.number(_PLANAR, 1) != 1 or (alpha and colours == 1)):
        raise UnsupportedError("16-bit TIFF in separate planes, or of gray with alpha, is not read")
    return photometric, max(bits), alpha


def _open(data: bytes) -> Image.Image:
    with warnings_ignored():
        image = TiffImagePlugin.TiffImageFile(BytesIO(data))
        image.load()
    return image


def _decode_deep_colour(data: bytes, alpha_kind: int) -> tuple[Samples, Samples | None]:
    """16-bit RGB, which Pillow would silently reduce to 8."""
    colour, alpha = split_alpha(pixels(data, AS_STORED))
    if colour.dtype != np.uint16:
        raise UnsupportedError("this 16-bit TIFF is not read")
    if alpha is not None and alpha_kind == _PREMULTIPLIED:
        weight = np.maximum(alpha, 1).astype(np.uint64)[:, :, None]
        colour = np.minimum((colour * np.uint64(65535) + weight // 2) // weight, 65535).astype(np.uint16)
    return colour, alpha if alpha_kind else None


def _is_descriptive(tag: int) -> bool:
    return tag not in _TILES and tag != _PALETTE and tag != _FORMAT


def _append(out: bytearray, data: bytes) -> int:
    """Put `data` at an even offset at the end; that offset."""
    out += bytes(len(out) % 2)
    offset = len(out)
    out += data
    if len(out) >= 1 << 32:
        raise ValueError("over 4 GiB")
    return offset


def _entry(out: bytearray, order: str, tag: int, letters: str, values: tuple[int, ...] | bytes) -> bytes:
    """The 12 bytes of a directory entry; values that do not fit go to the end of `out`."""
    kind = {"B": 1, "H": 3, "I": 4, "II": 5}[letters]
    count = len(values) // len(letters)
    data = bytes(values) if letters == "B" else struct.pack(f"{order}{len(values)}{letters[0]}", *values)
    place = data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "I", _append(out, data))
    return struct.pack(order + "HHI", tag, kind, count) + place
