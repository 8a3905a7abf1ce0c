"""WebP and AVIF: an image written by Pillow's own codecs in memory and read back.

The pixels depend on the versions of libwebp and libavif (and of its AV1 codec) that Pillow brings. Both predict blocks
from their neighbours, so a pixel may depend on everything above it and to its left. 8-bit RGB in and out; gray is
written as RGB, and the luma (BT.601) of what comes back is kept.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, features

from degrade.errors import UsageError
from degrade.image import Pixels

MACROBLOCK = 16  # of WebP (VP8)
NO_AVIF = "this Pillow was built without AVIF"
AVIF_CURE = "install Pillow 11.3 or later from its wheel, or leave the step out"


def webp(pixels: Pixels, quality: int, method: int = 4, *, before: tuple[int, int] = (0, 0)) -> Pixels:
    """`pixels` (H, W, 1 or 3) saved as lossy WebP, chroma halved, and opened again.

    Args:
        quality: libwebp's, 0 to 100.
        method: effort, 0 (fast) to 6; libwebp, Pillow and most programs write with 4.
        before: rows and columns that the image is continued by at top and left, its edge repeated, and that are cut off
            again: the grid of macroblocks starts there.
    """
    top, left = before
    written = _written_and_read(_continued(pixels, top, left), "WEBP", quality=quality, method=method)
    return np.ascontiguousarray(written[top:, left:])


def avif(pixels: Pixels, quality: int, speed: int = 6, subsampling: str = "4:2:0") -> Pixels:
    """`pixels` (H, W, 1 or 3) saved as AVIF of 8 bits and opened again.

    Args:
        quality: Pillow's, 0 to 100.
        speed: 0 to 10 (fast); Pillow and avifenc write with 6.
        subsampling: of chroma: "4:4:4", "4:2:2" or "4:2:0".

    Raises:
        UsageError: this Pillow has no AVIF.
    """
    if not has_avif():
        raise UsageError("avif", NO_AVIF, AVIF_CURE)
    options = {"quality": quality, "speed": speed, "subsampling": subsampling, "max_threads": 1}
    return _written_and_read(pixels, "AVIF", **options)


def has_avif() -> bool:
    """Whether Pillow was built with AVIF."""
    return bool(features.check("avif"))


def _written_and_read(pixels: Pixels, format: str, **options: Any) -> Pixels:
    is_gray = pixels.shape[2] == 1
    image = Image.fromarray(np.repeat(pixels, 3, axis=2) if is_gray else pixels)
    buffer = BytesIO()
    image.save(buffer, format, **options)
    with Image.open(buffer, formats=(format,)) as read:
        result = np.array(read.convert("L" if is_gray else "RGB"))
    return result[:, :, None] if is_gray else result


def _continued(pixels: Pixels, top: int, left: int) -> Pixels:
    if not top and not left:
        return pixels
    rows, columns = np.arange(-top, pixels.shape[0]).clip(0), np.arange(-left, pixels.shape[1]).clip(0)
    return pixels[rows][:, columns]
