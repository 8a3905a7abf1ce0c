"""Colour profiles: which are kept, and the way to 8-bit sRGB that the pipeline takes.

All conversions are relative colorimetric with black-point compensation (Little CMS, through Pillow).
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from degrade.codecs.photo import Photo, Samples

Pixels = NDArray[np.uint8]

_SPACES = {1: "GRAY", 3: "RGB ", 4: "CMYK"}
_SRGB_TOLERANCE = 2  # levels; the profiles in use that mean sRGB differ by no more


def rgb8(photo: Photo) -> Pixels:
    """(H, W, 3) uint8 sRGB, the form the pipeline takes, C-contiguous; the photo's own array where nothing changes.

    In this order: 16-bit values are rounded to 8, gray is repeated, an RGB profile that is not sRGB is applied
    (a gray profile is not), alpha is laid over white in sRGB values.
    """
    pixels = to_8_bits(photo.pixels)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    elif photo.icc and not _means_srgb(photo.icc):
        pixels = _to_srgb(pixels, photo.icc)
    return pixels if photo.alpha is None else over_white(pixels, to_8_bits(photo.alpha))


def to_8_bits(samples: Samples) -> Pixels:
    """The nearest 8-bit levels."""
    if samples.dtype == np.uint8:
        return samples.astype(np.uint8, copy=False)
    return ((samples.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def over_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    """`pixels` (H, W, C) seen before white, rounded to nearest."""
    weight = alpha[:, :, None].astype(np.uint32)
    return ((pixels * weight + 255 * (255 - weight) + 127) // 255).astype(np.uint8)


def fitting_profile(icc: bytes | None, channels: int) -> tuple[bytes | None, tuple[str, ...]]:
    """The profile if it is one for this number of channels, and a note where it cannot be read."""
    if not icc:
        return None, ()
    space = _space(icc)
    if space is None:
        return None, ("damaged colour profile left out: colours are taken as sRGB",)
    return (icc if space == _SPACES[channels] else None), ()


def cmyk_to_rgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """Ink to sRGB by the embedded profile; without a valid one by `R = (255 - C)(255 - K) / 255`."""
    if icc and _space(icc) == _SPACES[4]:
        return _converted(image, icc)
    return image.convert("RGB")


def _to_srgb(pixels: Pixels, icc: bytes) -> Pixels:
    return np.array(_converted(Image.fromarray(pixels), icc))


def _converted(image: Image.Image, icc: bytes) -> Image.Image:
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(BytesIO(icc)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):  # a valid header, tables that make no sense
        converted = None
    return converted or image.convert("RGB")


@lru_cache(maxsize=64)
def _means_srgb(icc: bytes) -> bool:
    """Whether applying the profile would change nothing that can be seen."""
    if _space(icc) != _SPACES[3]:
        return True  # not for these pixels
    steps = np.arange(0, 256, 17, dtype=np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 16, 3)
    difference = _to_srgb(probe, icc).astype(np.int16) - probe
    return bool(np.abs(difference).max() <= _SRGB_TOLERANCE)


@lru_cache(maxsize=64)
def _space(icc: bytes) -> str | None:
    """The colour space a profile is for, as its header says; None if it is damaged."""
    try:
        core: Any = ImageCms.ImageCmsProfile(BytesIO(icc)).profile
        return core.xcolor_space
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
