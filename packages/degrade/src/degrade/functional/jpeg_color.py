"""Pixels to JPEG's luma and chroma, and back: libjpeg's fixed point, in every bit.

Colour is that of JFIF (ITU-R BT.601, full range) in 16 bits of fraction. All values are uint8 levels; chroma is centred
at 128. Chroma is halved by plain means whose halves are rounded up and down in turn, and restored by libjpeg's "fancy"
triangle filter (weights 3/4 and 1/4), which takes chroma samples to lie at the centres of their pixels.

A component is a strip (8, block rows, columns): row y of the image is `strip[y & 7, y >> 3]`.
"""

from __future__ import annotations

import numpy as np

from degrade.jit import jit

_i32, _u8, _f32 = np.int32, np.uint8, np.float32
_MIN_FANCY = 3
_BLACK, _WHITE = np.int32(0), np.int32(255)
_HALF, _GREY = np.float32(0.5), np.float32(128)
_GREY_AND_HALF = np.float32(128.5 - 2.0**-16)  # a half that rounds down, so that 255.5 stays below 256

# libjpeg's coefficients, multiples of 2**-16. Their products with levels below 256, and the sums, take at most 24 bits,
# which float32 holds: so this is the same integer arithmetic, in faster instructions.
_Y_RED, _Y_GREEN, _Y_BLUE = (np.float32(k / 65536) for k in (19595, 38470, 7471))
_CB_RED, _CB_GREEN = (np.float32(k / 65536) for k in (-11059, -21709))
_CR_GREEN, _CR_BLUE = (np.float32(k / 65536) for k in (-27439, -5329))
_RED_CR, _GREEN_CB, _GREEN_CR, _BLUE_CB = (np.float32(k / 65536) for k in (91881, -22554, -46802, 116130))


@jit
def split(source, top, left, red, green, blue):
    """Rows of RGB triples (H, 3 W) to three strips, from row `top` and column `left` on; the edge is repeated."""
    height, width = source.shape[0], source.shape[1] // 3
    for y in range(8 * red.shape[1]):
        triples = source[min(max(y - top, 0), height - 1)]
        r, g, b = red[y & 7, y >> 3], green[y & 7, y >> 3], blue[y & 7, y >> 3]
        inner_r, inner_g, inner_b = r[left : left + width], g[left : left + width], b[left : left + width]
        for x in range(width):
            inner_r[x], inner_g[x], inner_b[x] = triples[3 * x], triples[3 * x + 1], triples[3 * x + 2]
        extend(r, left, width)
        extend(g, left, width)
        extend(b, left, width)


@jit
def extend(row, start, width):
    """The first and last of the `width` values from `start` on, repeated to the ends of the row."""
    for x in range(start):
        row[x] = row[start]
    for x in range(start + width, row.size):
        row[x] = row[start + width - 1]


@jit
def join(red, green, blue, top, left, out):
    """What `split` took apart."""
    height, width = out.shape[0], out.shape[1] // 3
    for i in range(height):
        y, triples = top + i, out[i]
        r = red[y & 7, y >> 3, left : left + width]
        g = green[y & 7, y >> 3, left : left + width]
        b = blue[y & 7, y >> 3, left : left + width]
        for x in range(width):
            triples[3 * x], triples[3 * x + 1], triples[3 * x + 2] = r[x], g[x], b[x]


@jit
def to_ycc(red, green, blue, luma, cb, cr):
    """RGB to luma and chroma; all one-dimensional."""
    for x in range(luma.size):
        r, g, b = _f32(red[x]), _f32(green[x]), _f32(blue[x])
        luma[x] = _u8(_i32(_Y_RED * r + _Y_GREEN * g + _Y_BLUE * b + _HALF))
        cb[x] = _u8(_i32(_HALF * b + _CB_RED * r + _CB_GREEN * g + _GREY_AND_HALF))
        cr[x] = _u8(_i32(_HALF * r + _CR_GREEN * g + _CR_BLUE * b + _GREY_AND_HALF))


@jit
def to_rgb(luma, cb, cr, red, green, blue):
    """Luma and chroma to RGB, clipped; all one-dimensional."""
    for x in range(luma.size):
        y, u, v = _f32(luma[x]) + _HALF, _f32(cb[x]) - _GREY, _f32(cr[x]) - _GREY
        red[x] = _clipped(y + _RED_CR * v)
        green[x] = _clipped(y + (_GREEN_CB * u + _GREEN_CR * v))
        blue[x] = _clipped(y + _BLUE_CB * u)


@jit
def _clipped(value):
    """Rounded down; where the cast goes up instead (below 0) and float32 has rounded (from 256 on), it is clipped."""
    return _u8(min(max(_i32(value), _BLACK), _WHITE))


@jit
def shrink(whole, down, along, rows, out):
    """Chroma at its own size: means of `down` x `along` pixels; after `rows` rows the last is repeated."""
    for y in range(8 * out.shape[1]):
        first = min(y, rows - 1) * down
        row, below = whole[first & 7, first >> 3], whole[(first + down - 1) & 7, (first + down - 1) >> 3]
        target = out[y & 7, y >> 3]
        if along == 4:
            _mean_of_four_along(row, target)
        elif along == 1:
            _mean_of_two_rows(row, below, target)
        elif down == 1:
            _mean_of_two_along(row, target)
        else:
            _mean_of_two_by_two(row, below, target)


@jit
def _mean_of_two_along(row, out):
    """Of the halves every second is rounded up."""
    for x in range(out.size):
        out[x] = _u8(_i32(_i32(row[2 * x]) + _i32(row[2 * x + 1]) + (_i32(x) & _i32(1))) >> 1)


@jit
def _mean_of_two_by_two(row, below, out):
    """Fractions are rounded up from 3/4 and from 1/2 in turn."""
    for x in range(out.size):
        total = _i32(_i32(row[2 * x]) + _i32(row[2 * x + 1]) + _i32(below[2 * x]) + _i32(below[2 * x + 1]))
        out[x] = _u8(_i32(total + _i32(1) + (_i32(x) & _i32(1))) >> 2)


@jit
def _mean_of_two_rows(row, below, out):
    """Halves are rounded up."""
    for x in range(out.size):
        out[x] = _u8(_i32(_i32(row[x]) + _i32(below[x]) + _i32(1)) >> 1)


@jit
def _mean_of_four_along(row, out):
    """Halves are rounded up."""
    for x in range(out.size):
        total = _i32(_i32(row[4 * x]) + _i32(row[4 * x + 1]) + _i32(row[4 * x + 2]) + _i32(row[4 * x + 3]))
        out[x] = _u8(_i32(total + _i32(2)) >> 2)


@jit
def grow(few, down, along, rows, columns, first, last, whole):
    """Rows `first` to `last - 1` of the image from its chroma, of which `rows` x `columns` samples are real.

    Beyond them the last real sample stands for the missing one. Without a filter for it (4:1:1, or fewer than three
    samples along a row that would have to be doubled) libjpeg repeats samples.
    """
    sums = np.empty(columns, np.int32)
    for y in range(first, last):
        near, is_lower = y // down, y & 1
        far = min(max(near + 2 * is_lower - 1, 0), rows - 1)
        here, there = few[near & 7, near >> 3, :columns], few[far & 7, far >> 3, :columns]
        target = whole[y & 7, y >> 3]
        if along == 4 or (along == 2 and columns < _MIN_FANCY):
            _repeat(here, along, target)
        elif along == 1:
            _double_down(here, there, is_lower, target)
        elif down == 1:
            _double_along(here, target)
        else:
            _double_both(here, there, sums, target)


@jit
def _repeat(row, times, out):
    for x in range(row.size):
        for k in range(times):
            out[times * x + k] = row[x]


@jit
def _double_along(row, out):
    last = row.size - 1
    out[0], out[2 * last + 1] = row[0], row[last]
    for x in range(last):
        here, right = _i32(row[x]), _i32(row[x + 1])
        out[2 * x + 1] = _u8(_i32(_i32(3) * here + right + _i32(2)) >> 2)
        out[2 * x + 2] = _u8(_i32(_i32(3) * right + here + _i32(1)) >> 2)


@jit
def _double_both(near, far, sums, out):
    """Down first, kept in `sums` without rounding, then along."""
    for x in range(near.size):
        sums[x] = _i32(3 * _i32(near[x]) + _i32(far[x]))
    last = near.size - 1
    out[0] = _u8(_i32(4 * sums[0] + _i32(8)) >> 4)
    out[2 * last + 1] = _u8(_i32(4 * sums[last] + _i32(7)) >> 4)
    for x in range(last):
        here, right = sums[x], sums[x + 1]
        out[2 * x + 1] = _u8(_i32(3 * here + right + _i32(7)) >> 4)
        out[2 * x + 2] = _u8(_i32(3 * right + here + _i32(8)) >> 4)


@jit
def _double_down(near, far, is_lower, out):
    bias = _i32(1 + is_lower)
    for x in range(near.size):
        out[x] = _u8(_i32(3 * _i32(near[x]) + _i32(far[x]) + bias) >> 2)
