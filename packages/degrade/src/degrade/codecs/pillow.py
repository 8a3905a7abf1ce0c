"""BMP and AVIF through Pillow, and all that is written through it.

Pillow's file classes are called directly: nothing else can be reached, nothing is decoded before the limits are
checked, and no process-wide setting of Pillow is touched.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import AvifImagePlugin, BmpImagePlugin, Image, ImageFile

from degrade.codecs.color import cmyk_to_rgb
from degrade.codecs.exif import PREFIX, take_orientation
from degrade.codecs.opencv import split_alpha
from degrade.codecs.photo import Facts, Photo, Samples, UnsupportedError
from degrade.codecs.quiet import warnings_ignored

_OPEN: dict[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    "BMP": BmpImagePlugin.BmpImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}
_RUN_LENGTHS = (1, 2)  # of 8 and 4 bits
_MAX_EXIF = 65_500  # bytes that fit a JPEG segment
_WHOLE_COLOUR = 90  # from this quality on, colour is not halved


def inspect(data: bytes, format: str) -> Facts:
    """What the header says. AVIF of 10 or 12 bits counts as 8: that is what is decoded."""
    if format == "AVIF" and not AvifImagePlugin.SUPPORTED:
        raise UnsupportedError("this Pillow was built without AVIF")
    with warnings_ignored():
        image = _OPEN[format](BytesIO(data))
    if format == "BMP" and image.info["compression"] in _RUN_LENGTHS:
        raise UnsupportedError("BMP packed by run lengths is not read")  # Pillow takes minutes for a large one
    orientation, exif, notes = take_orientation(image.info.get("exif"))
    if getattr(image, "n_frames", 1) > 1:
        notes += ("several pictures in the file: the first is read",)
    dpi = image.info.get("dpi")
    return Facts(
        *image.size,
        channels=1 if _is_gray(image) else 3,
        has_alpha=image.mode in ("RGBA", "LA"),
        orientation=orientation,
        icc=image.info.get("icc_profile"),
        exif=exif,
        xmp=image.info.get("xmp"),
        dpi=(float(dpi[0]), float(dpi[1])) if dpi else None,
        notes=notes,
    )


def decode(data: bytes, facts: Facts, format: str) -> tuple[Samples, Samples | None]:
    """The stored pixels (H, W, C) and alpha."""
    if format == "BMP" and _is_cut(data):
        raise ValueError("it is cut")
    with warnings_ignored():
        image = _OPEN[format](BytesIO(data))
        image.load()
    return split(image, facts)


def split(image: Image.Image, facts: Facts) -> tuple[Samples, Samples | None]:
    """Pixels (H, W, channels as found) and alpha of a loaded 8-bit picture."""
    if image.mode == "CMYK":
        return np.array(cmyk_to_rgb(image, facts.icc)), None
    if image.mode in ("RGBA", "LA"):
        return split_alpha(np.array(image))
    if image.mode not in ("1", "L", "P", "RGB"):
        raise UnsupportedError(f"pictures of kind {image.mode} are not read")
    array = np.array(image.convert("L" if facts.channels == 1 else "RGB"))
    return (array[:, :, None] if array.ndim == 2 else array), None


def encode(photo: Photo, format: str, quality: int) -> bytes:
    """8-bit pixels, and alpha where the format has it, with all metadata that the format can hold."""
    array = photo.pixels if photo.alpha is None else np.dstack([photo.pixels, photo.alpha])
    image = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    given: dict[str, object] = {"icc_profile": photo.icc or b"", "exif": photo.exif and PREFIX + photo.exif,
                                "xmp": photo.xmp, "dpi": photo.dpi}  # fmt: skip
    whole_colour = quality >= _WHOLE_COLOUR
    if format == "JPEG":
        given |= {"quality": quality, "subsampling": 0 if whole_colour else 2}
        if photo.exif and len(photo.exif) > _MAX_EXIF:
            del given["exif"]
        if photo.xmp and len(photo.xmp) > _MAX_EXIF:
            del given["xmp"]
    elif format == "WebP":
        given |= {"quality": min(quality, 100), "lossless": quality >= 100, "exact": True}
    elif format == "AVIF":
        if not AvifImagePlugin.SUPPORTED:
            raise UnsupportedError("this Pillow was built without AVIF")
        given |= {"quality": quality, "subsampling": "4:4:4" if whole_colour else "4:2:0"}
    buffer = BytesIO()
    image.save(buffer, format.upper(), **{key: value for key, value in given.items() if value is not None})
    return buffer.getvalue()


def _is_gray(image: Image.Image) -> bool:
    """Whether every colour of it is one; a BMP of few grays is stored as a palette. Decodes nothing."""
    if image.mode != "P" or image.palette is None:
        return image.mode in ("L", "LA", "1")
    order, colours = image.palette.getdata()
    samples = np.frombuffer(bytes(colours), np.uint8)
    samples = samples[: len(samples) // len(order) * len(order)].reshape(-1, len(order))[:, :3]
    return bool((samples == samples[:, :1]).all())


def _is_cut(data: bytes) -> bool:
    """Whether a BMP without run lengths ends before its last row, padding included."""
    offset, header, width, height, _, bits, packing = struct.unpack_from("<IIiiHHI", data, 10)
    is_plain = header >= 40 and packing in (0, 3)
    return is_plain and offset + (width * bits + 31) // 32 * 4 * abs(height) > len(data)
