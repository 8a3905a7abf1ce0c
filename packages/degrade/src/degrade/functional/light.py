"""Linear light from sRGB and back: the transfer curve of IEC 61966-2-1, bit-equal on every machine.

Both ways are tables with linear interpolation, built once from our own `exp` and `log`. The way back is tabulated over
sqrt(light), where the curve is smooth at black too, with a node where its line meets its power.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import exp, log
from degrade.jit import jit

Array = NDArray[np.float32]

_LAST_OF_LINE, _LAST_OF_LINE_LINEAR = 0.04045, 0.0031308  # where the line near black ends
_LINEAR_STEPS = 2048  # over [0, 1]
_STEPS_OF_LINE = 230  # over sqrt(light) up to the end of the line; about 4,110 up to 1
_SRGB_SCALE = _STEPS_OF_LINE / sqrt(_LAST_OF_LINE_LINEAR)  # nodes per unit of sqrt(light)
_SLOPE = np.float32(2.4 / 1.055)  # of light over sRGB at white


def to_linear(srgb: Array) -> Array:
    """Linear light of sRGB values, any shape, C-contiguous; absolute error below 3e-7 on [0, 1].

    Outside [0, 1]: odd below 0, the tangent at white above 1, so that `to_srgb` inverts it everywhere. Not clipped.
    """
    return _looked_up(srgb, _expand, _linear_table())


def to_srgb(linear: Array) -> Array:
    """sRGB values of linear light, any shape, C-contiguous; absolute error below 4e-7 on [0, 1].

    Outside [0, 1] the inverse of `to_linear`: odd below 0, straight above 1. Not clipped.
    """
    return _looked_up(linear, _compress, _srgb_table())


def _looked_up(values, curve, table):  # type: ignore[no-untyped-def]
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    out = np.empty_like(flat)
    curve(flat, table, out)
    return out.reshape(values.shape)


@jit
def _expand(values, table, out):
    zero, one, steps = np.float32(0.0), np.float32(1.0), np.float32(_LINEAR_STEPS)
    for i in range(values.size):
        size = abs(values[i])
        place = (size if size < one else one) * steps
        node = np.int32(place)
        node = node if node < _LINEAR_STEPS else np.int32(_LINEAR_STEPS - 1)
        below = table[node]
        light = below + (table[node + 1] - below) * (place - np.float32(node))
        light = light if size < one else one + (size - one) * _SLOPE
        out[i] = light if values[i] >= zero else -light


@jit
def _compress(values, table, out):
    zero, one, scale = np.float32(0.0), np.float32(1.0), np.float32(_SRGB_SCALE)
    for i in range(values.size):
        size = abs(values[i])
        place = np.sqrt(size if size < one else one) * scale
        node = np.int32(place)
        below = table[node]
        value = below + (table[node + 1] - below) * (place - np.float32(node))
        value = value if size < one else one + (size - one) / _SLOPE
        out[i] = value if values[i] >= zero else -value


@lru_cache(maxsize=1)
def _linear_table() -> Array:
    values = [i / _LINEAR_STEPS for i in range(_LINEAR_STEPS + 1)]
    return np.array([_linear(value) for value in values], np.float32)


@lru_cache(maxsize=1)
def _srgb_table() -> Array:
    roots = [i / _SRGB_SCALE for i in range(int(_SRGB_SCALE) + 3)]
    return np.array([_srgb(root * root) for root in roots], np.float32)


def _linear(srgb: float) -> float:
    return srgb / 12.92 if srgb <= _LAST_OF_LINE else exp(2.4 * log((srgb + 0.055) / 1.055))


def _srgb(light: float) -> float:
    return 12.92 * light if light <= _LAST_OF_LINE_LINEAR else 1.055 * exp(log(light) / 2.4) - 0.055
