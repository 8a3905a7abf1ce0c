"""The 8 x 8 cosine transform of JPEG in integers, sixteen blocks at a time, bit-equal to libjpeg's accurate one.

Two passes forward, quantisation, two passes back: what happens to a block between encoder and decoder.

Source: Loeffler, Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989,
with the fixed-point format and roundings of libjpeg's `islow` transforms: 13 bits for constants, 2 extra bits between
the two passes, results scaled up by 8. Rounding is half upward everywhere (an arithmetic shift after adding half).

A tile holds sixteen blocks as 64 planes of sixteen int32 values: entry `(8 * y + x) * BLOCKS + block`. Every step of
the algorithm is then one operation on sixteen neighbouring numbers, which the compiler turns into vector instructions;
the offsets are constants for the same reason.
"""

from __future__ import annotations

import numpy as np

from degrade.jit import jit

BLOCKS = 16
TILE = 64 * BLOCKS

_f32 = np.float32
_i32 = np.int32  # Numba widens sums of int32 to 64 bits; casting each result back keeps the vectors narrow

_ROW = 8 * BLOCKS  # from one row of a block to the next
_HALF_11, _HALF_15 = np.int32(1 << 10), np.int32(1 << 14)  # halves of what the shifts below throw away
_HALF_18_AND_GREY = np.int32((1 << 17) + (128 << 18))  # and 128, the zero of JPEG's samples
_HALF_2 = np.int32(2)
_BLACK, _WHITE = np.int32(0), np.int32(255)


@jit
def _forward(s0, s1, s2, s3, s4, s5, s6, s7):
    """The eight frequencies of eight samples; 0 and 4 in the samples' unit, the others with 13 more bits."""
    a0, a1, a2, a3 = _i32(s0 + s7), _i32(s1 + s6), _i32(s2 + s5), _i32(s3 + s4)
    a7, a6, a5, a4 = _i32(s0 - s7), _i32(s1 - s6), _i32(s2 - s5), _i32(s3 - s4)
    b0, b1, b2, b3 = _i32(a0 + a3), _i32(a1 + a2), _i32(a1 - a2), _i32(a0 - a3)
    turn = _i32((b2 + b3) * 4433)
    z1, z2, z3, z4 = _turned(a4, a5, a6, a7)
    return (
        _i32(b0 + b1),
        _i32(a7 * 12299 + z1 + z4),
        _i32(turn + b3 * 6270),
        _i32(a6 * 25172 + z2 + z3),
        _i32(b0 - b1),
        _i32(a5 * 16819 + z2 + z4),
        _i32(turn - b2 * 15137),
        _i32(a4 * 2446 + z1 + z3),
    )


@jit
def _inverse(f0, f1, f2, f3, f4, f5, f6, f7):
    """Eight samples of eight frequencies, all with 13 more bits."""
    turn = _i32((f2 + f6) * 4433)
    a2, a3 = _i32(turn - f6 * 15137), _i32(turn + f2 * 6270)
    a0, a1 = _i32((f0 + f4) * 8192), _i32((f0 - f4) * 8192)
    b0, b1, b2, b3 = _i32(a0 + a3), _i32(a1 + a2), _i32(a1 - a2), _i32(a0 - a3)
    z1, z2, z3, z4 = _turned(f7, f5, f3, f1)
    c0, c1 = _i32(f7 * 2446 + z1 + z3), _i32(f5 * 16819 + z2 + z4)
    c2, c3 = _i32(f3 * 25172 + z2 + z3), _i32(f1 * 12299 + z1 + z4)
    return (
        _i32(b0 + c3),
        _i32(b1 + c2),
        _i32(b2 + c1),
        _i32(b3 + c0),
        _i32(b3 - c0),
        _i32(b2 - c1),
        _i32(b1 - c2),
        _i32(b0 - c3),
    )


@jit
def _turned(a, b, c, d):
    """The rotations that the odd frequencies share, forward and back."""
    both = _i32((a + c + b + d) * 9633)
    return (
        _i32((a + d) * -7373),
        _i32((b + c) * -20995),
        _i32(_i32(a + c) * -16069 + both),
        _i32(_i32(b + d) * -3196 + both),
    )


@jit
def forward_rows(tile):
    """First pass: along the rows of every block, samples about 0 in, results with 2 more bits out."""
    for start in range(0, TILE, _ROW):
        row = tile[start : start + _ROW]
        for i in range(BLOCKS):
            f0, f1, f2, f3, f4, f5, f6, f7 = _forward(
                row[i], row[i + 16], row[i + 32], row[i + 48], row[i + 64], row[i + 80], row[i + 96], row[i + 112]
            )
            row[i] = _i32(f0 * 4)
            row[i + 16] = _i32(f1 + _HALF_11) >> 11
            row[i + 32] = _i32(f2 + _HALF_11) >> 11
            row[i + 48] = _i32(f3 + _HALF_11) >> 11
            row[i + 64] = _i32(f4 * 4)
            row[i + 80] = _i32(f5 + _HALF_11) >> 11
            row[i + 96] = _i32(f6 + _HALF_11) >> 11
            row[i + 112] = _i32(f7 + _HALF_11) >> 11


@jit
def quantise_columns(tile, steps):
    """Second pass: down the columns, each coefficient to the nearest multiple of its step, and the first pass back.

    `steps` are the 64 of a table. In and out there are 2 more bits; what lies between never leaves the registers.
    """
    for u in range(8):
        column = tile[BLOCKS * u :]
        r0, r1, r2, r3 = _rule(steps[u]), _rule(steps[u + 8]), _rule(steps[u + 16]), _rule(steps[u + 24])
        r4, r5, r6, r7 = _rule(steps[u + 32]), _rule(steps[u + 40]), _rule(steps[u + 48]), _rule(steps[u + 56])
        for i in range(BLOCKS):
            f0, f1, f2, f3, f4, f5, f6, f7 = _forward(
                column[i],
                column[i + 128],
                column[i + 256],
                column[i + 384],
                column[i + 512],
                column[i + 640],
                column[i + 768],
                column[i + 896],
            )
            s0, s1, s2, s3, s4, s5, s6, s7 = _inverse(
                _multiple(_i32(f0 + _HALF_2) >> 2, r0),
                _multiple(_i32(f1 + _HALF_15) >> 15, r1),
                _multiple(_i32(f2 + _HALF_15) >> 15, r2),
                _multiple(_i32(f3 + _HALF_15) >> 15, r3),
                _multiple(_i32(f4 + _HALF_2) >> 2, r4),
                _multiple(_i32(f5 + _HALF_15) >> 15, r5),
                _multiple(_i32(f6 + _HALF_15) >> 15, r6),
                _multiple(_i32(f7 + _HALF_15) >> 15, r7),
            )
            column[i] = _i32(s0 + _HALF_11) >> 11
            column[i + 128] = _i32(s1 + _HALF_11) >> 11
            column[i + 256] = _i32(s2 + _HALF_11) >> 11
            column[i + 384] = _i32(s3 + _HALF_11) >> 11
            column[i + 512] = _i32(s4 + _HALF_11) >> 11
            column[i + 640] = _i32(s5 + _HALF_11) >> 11
            column[i + 768] = _i32(s6 + _HALF_11) >> 11
            column[i + 896] = _i32(s7 + _HALF_11) >> 11


@jit
def _rule(step):
    """What `_multiple` needs of a step."""
    return _f32(4 * step) + _f32(0.5), _f32(1) / _f32(8 * step), _i32(step)


@jit
def _multiple(coefficient, rule):
    """The multiple of a step that is nearest to a coefficient, which comes times 8; halves go away from zero.

    libjpeg divides |coefficient| + 4 step by 8 step and drops the fraction. Half a unit more before the division
    changes no result and keeps the quotient 1 / (16 step) away from whole numbers; as |coefficient| <= 2**13, float32
    is wrong by less than a hundredth of that.
    """
    half, inverse, step = rule
    value = _f32(coefficient) + (half if coefficient >= 0 else -half)
    return _i32(_i32(value * inverse) * step)


@jit
def inverse_rows(tile):
    """Second pass back: along the rows; levels, clipped to 0..255."""
    for start in range(0, TILE, _ROW):
        row = tile[start : start + _ROW]
        for i in range(BLOCKS):
            s0, s1, s2, s3, s4, s5, s6, s7 = _inverse(
                row[i], row[i + 16], row[i + 32], row[i + 48], row[i + 64], row[i + 80], row[i + 96], row[i + 112]
            )
            row[i] = _level(s0)
            row[i + 16] = _level(s1)
            row[i + 32] = _level(s2)
            row[i + 48] = _level(s3)
            row[i + 64] = _level(s4)
            row[i + 80] = _level(s5)
            row[i + 96] = _level(s6)
            row[i + 112] = _level(s7)


@jit
def _level(sample):
    return min(max(_i32(sample + _HALF_18_AND_GREY) >> 18, _BLACK), _WHITE)
