"""Colour: what happens to a pixel from its own channels alone. Nothing clips. Gray images have no chroma."""

from __future__ import annotations

import numpy as np

from degrade.elementary import exp, log
from degrade.functional.light import to_linear, to_srgb
from degrade.image import Image
from degrade.jit import jit

LUMA_WEIGHTS = 0.299, 0.587, 0.114  # BT.601, of R, G, B

_RED, _GREEN, _BLUE = (np.float32(weight) for weight in LUMA_WEIGHTS)
_TONE_STEPS = 512  # of a curve's table; an even number
_TONE_SCALE = _TONE_STEPS * 0.5**0.5  # nodes lie evenly over the root of the distance to black, then to white


def luma(image: Image) -> Image:
    """BT.601 luma, (H, W, 1); of a gray image the image itself."""
    if image.shape[2] == 1:
        return image
    out = np.empty((*image.shape[:2], 1), np.float32)
    _luma(image.reshape(-1, 3), out.reshape(-1))
    return out


def saturate(image: Image, factor: float) -> Image:
    """Chroma times `factor` about BT.601 luma: 0 gives gray, 1 changes nothing. Not clipped."""
    if image.shape[2] == 1:
        return image
    out = np.empty_like(image)
    _saturated(image.reshape(-1, 3), np.float32(factor), out.reshape(-1, 3))
    return out


def balance_white(image: Image, red_gain: float, blue_gain: float) -> Image:
    """Red and blue light times a gain each; green stays as it is. sRGB in and out, multiplied in linear light.

    Not clipped: light above 1 continues along the tangent of the curve at white.
    """
    if image.shape[2] == 1:
        return image
    out = image.copy()
    for channel, gain in ((0, red_gain), (2, blue_gain)):
        out[:, :, channel] = to_srgb(to_linear(image[:, :, channel]) * np.float32(gain))
    return out


def curve_tones(image: Image, gamma: float, contrast: float) -> Image:
    """Every channel through one curve from (0, 0) to (1, 1) that rises all the way.

    First v = x**gamma (above 1 darkens), then v**c / (v**c + (1 - v)**c) with c = contrast: slope c at mid-grey, an S
    above 1 and its inverse below. Values outside [0, 1] stay. From a table whose nodes are dense at black and white,
    with linear interpolation: for gamma and contrast from 1/4 to 4 the error is below 1e-3, from 1/2 to 2 below 2e-5
    (from the first grey level of 255 on).

    Args:
        gamma, contrast: > 0; 1 and 1 change nothing.
    """
    if gamma == 1.0 and contrast == 1.0:
        return image
    out = np.empty_like(image)
    table = np.empty(_TONE_STEPS + 2)
    _tone_table(gamma, contrast, table)
    _toned(image.reshape(-1), table.astype(np.float32), out.reshape(-1))
    return out


@jit
def _luma(pixels, out):
    for i in range(out.size):
        out[i] = _RED * pixels[i, 0] + _GREEN * pixels[i, 1] + _BLUE * pixels[i, 2]


@jit
def _saturated(pixels, factor, out):
    for i in range(pixels.shape[0]):
        red, green, blue = pixels[i, 0], pixels[i, 1], pixels[i, 2]
        light = _RED * red + _GREEN * green + _BLUE * blue
        out[i, 0] = light + factor * (red - light)
        out[i, 1] = light + factor * (green - light)
        out[i, 2] = light + factor * (blue - light)


@jit
def _tone_table(gamma, contrast, table):
    steps = table.size - 2
    table[0], table[steps], table[steps + 1] = 0.0, 1.0, 1.0
    for i in range(1, steps):
        from_black, from_white = i / _TONE_SCALE, (steps - i) / _TONE_SCALE
        x = from_black * from_black if 2 * i < steps else 1.0 - from_white * from_white
        value = exp(gamma * log(x))
        if contrast != 1.0:
            value = 1.0 / (1.0 + exp(contrast * (log(1.0 - value) - log(value))))
        table[i] = value


@jit
def _toned(values, table, out):
    zero, half, one = np.float32(0.0), np.float32(0.5), np.float32(1.0)
    scale, half_steps = np.float32(_TONE_SCALE), np.float32((table.size - 2) // 2)
    for i in range(values.size):
        value = values[i]
        inside = value if value > zero else zero
        inside = inside if inside < one else one
        rest = one - inside
        root = np.sqrt(inside if inside < rest else rest) * scale
        place = half_steps + np.copysign(half_steps - root, inside - half)  # no branch
        node = np.int32(place)
        below = table[node]
        out[i] = below + (table[node + 1] - below) * (place - np.float32(node)) + (value - inside)
