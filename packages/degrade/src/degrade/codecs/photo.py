"""What an image file holds: the pixels, and what a writer should keep of the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_SIDE = 40_000  # pixels
MAX_PIXELS = 150_000_000
MAX_BYTES = 1 << 30  # of a file

FORMATS: dict[str, tuple[str, ...]] = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WebP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "AVIF": (".avif",),
}
EXTENSIONS = frozenset(suffix for suffixes in FORMATS.values() for suffix in suffixes)

Samples = NDArray[np.uint8 | np.uint16]


class UnsupportedError(Exception):
    """A whole file of a kind that is not read; the text says which. Stays inside `codecs`."""


@dataclass(frozen=True)
class Photo:
    """One picture, upright, with the values its file has (16-bit files keep 16 bits, profiles are not applied)."""

    pixels: Samples  # (H, W, 1 or 3), uint8 or uint16
    alpha: Samples | None = None  # (H, W), as deep as the pixels, not multiplied in
    icc: bytes | None = None  # a profile that fits the pixels
    exif: bytes | None = None  # begins with the byte order ("II" or "MM"); orientation 1
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None  # x, y
    format: str = "PNG"
    notes: tuple[str, ...] = ()  # what was left out or decided on the way

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] not in (1, 3) or self.pixels.size == 0:
            raise ValueError(f"expected pixels (height, width, 1 or 3), got {self.pixels.shape}")
        if self.pixels.dtype not in (np.uint8, np.uint16):
            raise TypeError(f"expected uint8 or uint16 pixels, got {self.pixels.dtype}")
        if self.alpha is not None and (self.alpha.shape, self.alpha.dtype) != (
            self.pixels.shape[:2],
            self.pixels.dtype,
        ):
            raise ValueError(f"expected alpha like the pixels, got {self.alpha.dtype} of shape {self.alpha.shape}")

    @property
    def depth(self) -> int:
        """Bits per sample, 8 or 16."""
        return self.pixels.dtype.itemsize * 8


@dataclass(frozen=True)
class Header:
    """What a file says it holds, upright, before anything is decoded."""

    format: str
    width: int
    height: int
    channels: int  # colour channels of the photo that `decode` gives, 1 or 3
    depth: int
    has_alpha: bool
    orientation: int = 1  # EXIF's, 1 to 8: how the stored picture was turned to be upright


@dataclass(frozen=True)
class Facts:
    """What the parser of one format found; width and height as stored, before turning upright."""

    width: int
    height: int
    channels: int
    depth: int = 8
    has_alpha: bool = False
    orientation: int = 1
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
