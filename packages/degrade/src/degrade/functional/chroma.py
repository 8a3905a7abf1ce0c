"""Chroma at a lower resolution than luma.

Luma and chroma are those of JPEG: BT.601 weights, full range. Chroma is kept as the two differences R - Y and B - Y,
which are Cr and Cb up to a factor; nothing is rounded to 8 bits here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from degrade.functional.color import LUMA_WEIGHTS
from degrade.image import Image
from degrade.jit import jit

CHROMA_BLOCKS = {  # height and width of the block of pixels that shares one chroma sample
    "4:4:0": (2, 1),
    "4:2:2": (1, 2),
    "4:2:0": (2, 2),
    "4:1:1": (1, 4),
    "4:1:0": (2, 4),
}

_RED, _GREEN, _BLUE = (np.float32(weight) for weight in LUMA_WEIGHTS)


def subsample_chroma(
    image: Image, block: tuple[int, int], up: Literal["nearest", "bilinear"], origin: tuple[int, int] = (0, 0)
) -> Image:
    """Chroma as the mean of each block of pixels, spread over the pixels again; luma stays. Not clipped.

    Chroma samples lie at their blocks' centres (JPEG's siting), so chroma is not shifted. Blocks that the image's edge
    cuts are the mean of what is inside; "bilinear" repeats the outermost sample beyond it. A gray image stays.

    Args:
        block: height and width, one of `CHROMA_BLOCKS`.
        up: "nearest" repeats a sample over its block; "bilinear" interpolates between the centres.
        origin: row and column of the image's first pixel counted from the patch's, where a block begins.
    """
    if image.shape[2] == 1:
        return image
    height, width = image.shape[:2]
    (rows, row_shares), (columns, column_shares) = (
        _neighbours(length, start % size, size, up == "bilinear")
        for length, start, size in zip((height, width), origin, block, strict=True)
    )
    samples = np.zeros((2, int(rows[1, -1]) + 1, int(columns[1, -1]) + 1), np.float32)
    phase = origin[0] % block[0], origin[1] % block[1]
    _sampled(image, phase[0], phase[1], block[0], block[1], np.empty((2, width), np.float32), samples)
    out = np.empty_like(image)
    _spread(image, samples, rows, row_shares, columns, column_shares, out)
    return out


@lru_cache(maxsize=16)
def _neighbours(length: int, phase: int, size: int, is_linear: bool) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Between which blocks each of `length` pixels lies, (2, length), and the weight of the second.

    The first pixel is number `phase` of its block; the last pixel's second block is the last there is.
    """
    places = np.arange(phase, phase + length)
    last = (length - 1 + phase) // size
    if not is_linear:
        blocks = places // size
        return np.stack([blocks, blocks]).astype(np.int32), np.zeros(length, np.float32)
    centred = (places - 0.5 * (size - 1)) / size
    before = np.floor(centred)
    pair = np.stack([np.maximum(before, 0), np.minimum(before + 1, last)]).astype(np.int32)
    return pair, (centred - before).astype(np.float32)


@jit
def _sampled(image, phase_y, phase_x, block_height, block_width, line, samples):
    """Adds up each block's differences R - Y and B - Y in `samples` (zeros before) and takes the mean."""
    height, width, _ = image.shape
    for y in range(height):
        row, block = image[y], (y + phase_y) // block_height
        red, blue = line[0], line[1]
        for x in range(width):
            light = _RED * row[x, 0] + _GREEN * row[x, 1] + _BLUE * row[x, 2]
            red[x], blue[x] = row[x, 0] - light, row[x, 2] - light
        is_last = y == height - 1 or (y + 1 + phase_y) % block_height == 0
        rows = y + 1 - max(block * block_height - phase_y, 0)
        for b in range(samples.shape[2]):
            start, stop = max(b * block_width - phase_x, 0), min((b + 1) * block_width - phase_x, width)
            red_sum, blue_sum = samples[0, block, b], samples[1, block, b]
            for x in range(start, stop):
                red_sum += red[x]
                blue_sum += blue[x]
            count = np.float32((stop - start) * rows if is_last else 1)
            samples[0, block, b], samples[1, block, b] = red_sum / count, blue_sum / count


@jit
def _spread(image, samples, rows, row_shares, columns, column_shares, out):
    """The luma of `image` with the chroma of `samples`; G - Y follows, as the weighted differences sum to 0."""
    of_red, of_blue = _RED / _GREEN, _BLUE / _GREEN
    line = np.empty((2, samples.shape[2]), np.float32)
    for y in range(image.shape[0]):
        share = row_shares[y]
        for c in range(2):
            above, below = samples[c, rows[0, y]], samples[c, rows[1, y]]
            for b in range(line.shape[1]):
                line[c, b] = above[b] + share * (below[b] - above[b])
        reds, blues, pixels, target = line[0], line[1], image[y], out[y]
        for x in range(pixels.shape[0]):
            before, after, part = columns[0, x], columns[1, x], column_shares[x]
            red = reds[before] + part * (reds[after] - reds[before])
            blue = blues[before] + part * (blues[after] - blues[before])
            light = _RED * pixels[x, 0] + _GREEN * pixels[x, 1] + _BLUE * pixels[x, 2]
            target[x, 0], target[x, 2] = light + red, light + blue
            target[x, 1] = light - (of_red * red + of_blue * blue)
