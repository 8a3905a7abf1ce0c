"""What a picture loses when it is saved: JPEG, WebP, AVIF.

All work on 8-bit levels: the input is clipped to [0, 1] and rounded, the result is float32 of levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from degrade.functional import jpeg, recompress
from degrade.functional.jpeg_tables import MAX_STEP, TABLES, scaled_custom, scaled_tables
from degrade.image import to_float, to_pixels
from degrade.ops.protocol import Context, Distribution, Draw, Image, Options
from degrade.rng import StepStream

AVIF_SUBSAMPLINGS = "4:4:4", "4:2:2", "4:2:0"
CUSTOM = "custom"

_HALVED, _STANDARD = Options("4:2:0"), Options("standard")
_METHOD, _SPEED = Distribution(4), Distribution(6)


@dataclass(frozen=True)
class Jpeg:
    """JPEG, equal in every pixel to what Pillow and OpenCV (libjpeg-turbo) write and read. Gray: one component.

    Attributes:
        quality: 1 to 100; a drawn number is rounded.
        subsampling: of chroma: 4:4:4, 4:2:2, 4:4:0, 4:2:0 or 4:1:1.
        tables: of quantisation, scaled by `quality`: "standard" (annex K), "flat", "robidoux" (ImageMagick, mozjpeg),
            "ms_ssim", "psnr_hvs", "klein", "watson", "ahumada", "peterson" (mozjpeg's other presets); or "custom".
        luma_table, chroma_table: the 64 steps of "custom" in rows, as they are at quality 50; without a `chroma_table`
            both are the same.
        grid: where blocks begin. "random": anywhere, as in the crop of a saved photo, so two steps are a double JPEG of
            shifted grids. "patch": at the patch's first pixel.
    """

    quality: Distribution
    subsampling: Options = _HALVED
    tables: Options = _STANDARD
    luma_table: tuple[int, ...] | None = None
    chroma_table: tuple[int, ...] | None = None
    grid: Literal["random", "patch"] = "random"

    def __post_init__(self) -> None:
        self.quality.require(1, 100, name="quality")
        self.subsampling.require(jpeg.SUBSAMPLINGS, name="subsampling")
        self.tables.require((*TABLES, CUSTOM), name="tables")
        for name in ("luma_table", "chroma_table"):
            table = getattr(self, name)
            if table is not None and (len(table) != 64 or not 1 <= min(table) <= max(table) <= MAX_STEP):
                raise ValueError(f"expected {name} of 64 whole numbers from 1 to {MAX_STEP}, got {len(table)}")
        if (CUSTOM in self.tables.words) != (self.luma_table is not None):
            raise ValueError("expected a luma_table with tables 'custom', and only then")
        if self.chroma_table is not None and self.luma_table is None:
            raise ValueError("expected a luma_table beside the chroma_table")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        quality, subsampling = _whole(self.quality, stream, "quality"), self.subsampling.draw(stream, "subsampling")
        tables = self.tables.draw(stream, "tables")
        own = (self.luma_table, self.chroma_table or self.luma_table) if tables == CUSTOM else (None, None)
        shift = _shift(stream, jpeg.mcu_size(subsampling)) if self.grid == "random" else (0, 0)
        kind = WideJpegDraw if subsampling == "4:1:1" else JpegDraw
        return (kind(id, quality, subsampling, tables, *own, shift),)


@dataclass(frozen=True)
class WebP:
    """Lossy WebP by Pillow's libwebp, whose version decides the pixels; chroma is halved. Gray: RGB, and its luma back.

    Attributes:
        quality: 0 to 100; a drawn number is rounded.
        method: effort, 0 to 6. 4 is what libwebp, Pillow and most programs write with. At one quality 0 to 2 come
            within 0.2 dB of it in a half to a third of the time, with the errors in other places.
        grid: of macroblocks; as in `Jpeg`.
    """

    quality: Distribution
    method: Distribution = _METHOD
    grid: Literal["random", "patch"] = "random"

    def __post_init__(self) -> None:
        self.quality.require(0, 100, name="quality")
        self.method.require(0, 6, name="method")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        quality, method = _whole(self.quality, stream, "quality"), _whole(self.method, stream, "method")
        size = recompress.MACROBLOCK, recompress.MACROBLOCK
        return (WebPDraw(id, quality, method, _shift(stream, size) if self.grid == "random" else (0, 0)),)


@dataclass(frozen=True)
class Avif:
    """AVIF by Pillow's libavif, whose version decides the pixels. Gray: RGB, and its luma back.

    Its blocks have many sizes and begin at the window's first pixel. A Pillow without AVIF refuses the step.

    Attributes:
        quality: 0 to 100; a drawn number is rounded.
        speed: 0 to 10. Pillow and avifenc write with 6; 9 is 5 to 10 times as fast, at one quality 0.3 to 0.5 dB worse.
        subsampling: of chroma: 4:4:4, 4:2:2 or 4:2:0.
    """

    quality: Distribution
    speed: Distribution = _SPEED
    subsampling: Options = _HALVED

    def __post_init__(self) -> None:
        self.quality.require(0, 100, name="quality")
        self.speed.require(0, 10, name="speed")
        self.subsampling.require(AVIF_SUBSAMPLINGS, name="subsampling")
        if not recompress.has_avif():
            raise ValueError(f"{recompress.NO_AVIF}: {recompress.AVIF_CURE}")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        quality, speed = _whole(self.quality, stream, "quality"), _whole(self.speed, stream, "speed")
        return (AvifDraw(id, quality, speed, self.subsampling.draw(stream, "subsampling")),)


@dataclass(frozen=True, slots=True)
class JpegDraw:
    """`shift`: a pixel, counted from the patch's first, at which a block (and with chroma, a unit of blocks) begins.

    `reach` is exact. A pixel needs its whole unit, up to 15 pixels on either side. Chroma at the first or last pixel of
    a unit is interpolated with the unit beside it, which ends 16 pixels away. The edge of the image is repeated.
    """

    op: ClassVar[str] = "jpeg"
    reach: ClassVar[int | None] = 16
    id: str
    quality: int
    subsampling: str
    tables: str
    luma_table: Sequence[int] | None
    chroma_table: Sequence[int] | None
    shift: Sequence[int]

    def apply(self, image: Image, context: Context) -> Image:
        return _saved(image, context, self)


@dataclass(frozen=True, slots=True)
class WideJpegDraw:
    """4:1:1: units are 32 pixels wide, and nothing is interpolated."""

    op: ClassVar[str] = "jpeg_411"
    reach: ClassVar[int | None] = 31
    id: str
    quality: int
    subsampling: str
    tables: str
    luma_table: Sequence[int] | None
    chroma_table: Sequence[int] | None
    shift: Sequence[int]

    def apply(self, image: Image, context: Context) -> Image:
        return _saved(image, context, self)


@dataclass(frozen=True, slots=True)
class WebPDraw:
    """`shift`: a pixel, counted from the patch's first, at which a macroblock begins."""

    op: ClassVar[str] = "webp"
    reach: ClassVar[int | None] = None  # blocks are predicted from blocks before them
    id: str
    quality: int
    method: int
    shift: Sequence[int]

    def apply(self, image: Image, context: Context) -> Image:
        before = _before(context.origin, self.shift, (recompress.MACROBLOCK, recompress.MACROBLOCK))
        return to_float(recompress.webp(to_pixels(image), self.quality, self.method, before=before))


@dataclass(frozen=True, slots=True)
class AvifDraw:
    op: ClassVar[str] = "avif"
    reach: ClassVar[int | None] = None  # blocks are predicted from blocks before them
    id: str
    quality: int
    speed: int
    subsampling: str

    def apply(self, image: Image, context: Context) -> Image:
        return to_float(recompress.avif(to_pixels(image), self.quality, self.speed, self.subsampling))


def _whole(distribution: Distribution, stream: StepStream, field: str) -> int:
    return int(distribution.draw(stream, field) + 0.5)


def _shift(stream: StepStream, size: tuple[int, int]) -> tuple[int, int]:
    return stream.integer("shift_y", size[0]), stream.integer("shift_x", size[1])


def _before(origin: Sequence[int], shift: Sequence[int], size: Sequence[int]) -> tuple[int, int]:
    """How far before the image the grid of units of `size` begins that passes through `shift`."""
    return (origin[0] - shift[0]) % size[0], (origin[1] - shift[1]) % size[1]


def _saved(image: Image, context: Context, draw: JpegDraw | WideJpegDraw) -> Image:
    size = jpeg.mcu_size(draw.subsampling, image.shape[2])
    before = _before(context.origin, draw.shift, size)
    pixels = jpeg.jpeg(to_pixels(image), draw.quality, draw.subsampling, tables=_steps(draw), before=before)
    return to_float(pixels)


def _steps(draw: JpegDraw | WideJpegDraw) -> NDArray[np.int32]:
    if draw.luma_table is None or draw.chroma_table is None:
        return scaled_tables(draw.tables, draw.quality)
    return scaled_custom(tuple(draw.luma_table), tuple(draw.chroma_table), draw.quality)
