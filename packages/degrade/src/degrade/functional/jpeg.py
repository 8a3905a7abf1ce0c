"""What saving as JPEG and opening again does to pixels, without writing the file.

Entropy coding loses nothing, so it is left out: what remains is colour conversion, chroma subsampling, the cosine
transform of 8 x 8 blocks, quantisation, and the way back. All of it is integer arithmetic that equals libjpeg-turbo's
default path (accurate integer DCT, "fancy" upsampling, baseline tables) in every bit: pixels are those of Pillow and
OpenCV, on every machine and whatever codec is installed.

Inside, a component is one strip of blocks, (8, block rows, columns): its first plane holds the first rows of all blocks
end to end, and so on. So neighbouring blocks fill the tiles of the transform whatever the image's width.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from degrade.functional import jpeg_color as color
from degrade.functional.dct import BLOCKS, TILE, forward_rows, inverse_rows, quantise_columns
from degrade.functional.jpeg_tables import MAX_STEP, scaled_tables
from degrade.image import Pixels
from degrade.jit import jit

Subsampling = Literal["4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1"]
SUBSAMPLINGS: tuple[str, ...] = get_args(Subsampling)

_FACTORS = {"4:4:4": (1, 1), "4:2:2": (1, 2), "4:4:0": (2, 1), "4:2:0": (2, 2), "4:1:1": (1, 4)}


def mcu_size(subsampling: str, channels: int = 3) -> tuple[int, int]:
    """Height and width in pixels of the unit that a file is made of: the period of its grid."""
    down, along = _FACTORS[subsampling] if channels == 3 else (1, 1)
    return 8 * down, 8 * along


def jpeg(
    pixels: Pixels,
    quality: int,
    subsampling: str = "4:2:0",
    *,
    tables: NDArray[np.int32] | None = None,
    before: tuple[int, int] = (0, 0),
) -> Pixels:
    """`pixels` saved as JPEG and opened again.

    Args:
        pixels: (H, W, 3) RGB or (H, W, 1) gray, which is saved with one component.
        quality: libjpeg's, 1 to 100; scales the tables of annex K.
        subsampling: of chroma; nothing to gray.
        tables: steps (2, 64), luma and chroma, each from 1 to 255, instead of those of `quality`.
        before: rows and columns that the image is continued by at top and left, its edge repeated; they are cut off
            again. So the grid starts `before` pixels outside. At bottom and right the edge is repeated to whole blocks,
            as an encoder does.

    Returns:
        Same shape, uint8.

    Raises:
        TypeError: not uint8. ValueError: no such image, quality, subsampling or tables.
    """
    _check(pixels, quality, subsampling, before)
    steps = scaled_tables("standard", quality) if tables is None else _checked_steps(tables)
    source = np.require(pixels, requirements=("C", "W"))  # read-only arrays would be compiled for anew
    height, width, channels = source.shape
    out = np.empty_like(source)
    lines, out_lines = source.reshape(height, width * channels), out.reshape(height, width * channels)
    if channels == 1:
        _gray(lines, out_lines, steps, *before)
    else:
        _colour(lines, out_lines, steps, *before, *_FACTORS[subsampling])
    return out


def _check(pixels: Pixels, quality: int, subsampling: str, before: tuple[int, int]) -> None:
    if pixels.dtype != np.uint8:
        raise TypeError(f"expected uint8 pixels, got {pixels.dtype}")
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.size == 0:
        raise ValueError(f"expected (height, width, 1 or 3), got {pixels.shape}")
    if not 1 <= quality <= 100:
        raise ValueError(f"expected a quality from 1 to 100, got {quality}")
    if subsampling not in _FACTORS:
        raise ValueError(f"expected subsampling to be one of {', '.join(_FACTORS)}, got '{subsampling}'")
    if min(before) < 0:
        raise ValueError(f"expected at least 0 rows and columns before the image, got {before}")


def _checked_steps(tables: NDArray[np.int32]) -> NDArray[np.int32]:
    """Read-only, as those of `scaled_tables` are: so both take the same compiled code."""
    if tables.shape != (2, 64) or tables.min() < 1 or tables.max() > MAX_STEP:
        raise ValueError(f"expected tables (2, 64) of steps from 1 to {MAX_STEP}, got {tables.shape}")
    if tables.dtype == np.int32 and not tables.flags.writeable and tables.flags.c_contiguous:
        return tables
    steps = tables.astype(np.int32, order="C")
    steps.setflags(write=False)
    return steps


@jit
def _gray(source, out, steps, top, left):
    height, width = source.shape
    strip = _strip(top + height, left + width, 8, 8)
    for y in range(8 * strip.shape[1]):
        row, line = strip[y & 7, y >> 3], source[min(max(y - top, 0), height - 1)]
        inner = row[left : left + width]
        for x in range(width):
            inner[x] = line[x]
        color.extend(row, left, width)
    _quantise(strip, steps[0])
    for y in range(height):
        inner, line = strip[(top + y) & 7, (top + y) >> 3, left : left + width], out[y]
        for x in range(width):
            line[x] = inner[x]


@jit
def _colour(source, out, steps, top, left, down, along):
    rows, columns = top + source.shape[0], left + source.shape[1] // 3
    red = _strip(rows, columns, 8 * down, 8 * along)
    green, blue, luma = np.empty_like(red), np.empty_like(red), np.empty_like(red)
    cb, cr = np.empty_like(red), np.empty_like(red)
    r, g, b = red.reshape(-1), green.reshape(-1), blue.reshape(-1)
    y, u, v = luma.reshape(-1), cb.reshape(-1), cr.reshape(-1)
    color.split(source, top, left, red, green, blue)
    color.to_ycc(r, g, b, y, u, v)
    _quantise(luma, steps[0])
    if down * along == 1:
        _quantise(cb, steps[1])
        _quantise(cr, steps[1])
    else:
        _subsample(cb, steps[1], rows, columns, top, down, along)
        _subsample(cr, steps[1], rows, columns, top, down, along)
    color.to_rgb(y, u, v, r, g, b)
    color.join(red, green, blue, top, left, out)


@jit
def _subsample(whole, steps, rows, columns, top, down, along):
    """A chroma component made smaller, quantised and made larger again, in place; the first `top` rows are not."""
    few_rows, few_columns = -(-rows // down), -(-columns // along)
    few = _strip(few_rows, few_columns, 8, 8)
    color.shrink(whole, down, along, few_rows, few)
    _quantise(few, steps)
    color.grow(few, down, along, few_rows, few_columns, top, rows, whole)


@jit
def _strip(rows, columns, unit_rows, unit_columns):
    """An empty strip of as many whole units as cover the image."""
    stride = -(-columns // unit_columns) * unit_columns
    return np.empty((8, -(-rows // unit_rows) * unit_rows // 8, stride), np.uint8)


@jit
def _quantise(strip, steps):
    """Every block transformed, rounded to multiples of `steps` and transformed back, in place."""
    words = strip.reshape((8, strip.shape[1] * strip.shape[2])).view(np.uint64)  # a word: one row of a block
    tile = np.zeros(TILE, np.int32)
    for start in range(0, words.shape[1], BLOCKS):
        end = min(start + BLOCKS, words.shape[1])
        for y in range(8):
            _unpack(words[y, start:end], tile[8 * BLOCKS * y : 8 * BLOCKS * (y + 1)])
        forward_rows(tile)
        quantise_columns(tile, steps)
        inverse_rows(tile)
        for y in range(8):
            _pack(tile[8 * BLOCKS * y : 8 * BLOCKS * (y + 1)], words[y, start:end])


@jit
def _unpack(words, planes):
    """The samples of words, less 128, to eight planes. Words are little-endian, as on all machines in use."""
    for i in range(words.size):
        word = words[i]
        for x in range(8):
            sample = np.int32((word >> np.uint64(8 * x)) & np.uint64(255))
            planes[BLOCKS * x + i] = np.int32(sample - np.int32(128))


@jit
def _pack(planes, words):
    for i in range(words.size):
        word = np.uint64(0)
        for x in range(8):
            word |= np.uint64(planes[BLOCKS * x + i]) << np.uint64(8 * x)
        words[i] = word
