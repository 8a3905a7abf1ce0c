"""A photograph taken apart to what the sensor saw, exposed again with its noise, and developed again.

Source: Brooks et al., "Unprocessing images for learned raw denoising", CVPR 2019, section 3. Departs from it: the sRGB
curve instead of a power of 2.2; the raw image is quantised above a black level and clipped to the sensor's range; the
tone curve is applied on the way back too, so that without noise the photograph returns; Malvar's demosaicing beside
bilinear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import exp
from degrade.functional.bayer import Raw, demosaic, mosaic, red_site
from degrade.functional.camera_matrix import IDENTITY, inverse
from degrade.functional.light import to_linear, to_srgb
from degrade.functional.noise_field import bands, unit_normals
from degrade.jit import jit

Image = NDArray[np.float32]

_TONE_STEPS = 1024  # of the inverse tone curve, over sqrt(y) in [0, sqrt(1/2)]
_TONE_SCALE = _TONE_STEPS / sqrt(0.5)
_INFLECTION = 0.9  # linear light above which white balance is undone less and less
_LN2 = 0.6931471805599453


@dataclass(frozen=True, slots=True)
class Camera:
    """What a sensor and its development are like.

    Attributes:
        red_gain, blue_gain: white balance, the factors of red and blue over green.
        exposure: in EV: the sensor gets 2**exposure times the light and the development divides by it. Below 0 it is
            underexposed, noisier; above 0 its highlights are lost.
        to_camera: camera colours from linear sRGB, rows summing to 1.
        pattern: of the Bayer mosaic: "RGGB", "BGGR", "GRBG" or "GBRG".
        bits: of the raw values, 8 to 16; a sixteenth of their range lies below black.
        demosaic: "bilinear" or "malvar".
    """

    red_gain: float = 1.0
    blue_gain: float = 1.0
    exposure: float = 0.0
    to_camera: Sequence[Sequence[float]] = IDENTITY
    pattern: str = "RGGB"
    bits: int = 12
    demosaic: str = "malvar"

    @property
    def light(self) -> float:
        """2**exposure."""
        return float(exp(self.exposure * _LN2))


def photograph(
    image: Image, camera: Camera, shot: float, read: float, key: int, origin: tuple[int, int] = (0, 0)
) -> Image:
    """`image` as the camera gives it: `raw_of`, `exposed`, `developed`; clipped to [0, 1].

    Args:
        image: (H, W, 3) sRGB; with one channel there is no mosaic, no white balance and no matrix, but noise in light.
        shot, read: variances, see `exposed`.
        key: 64 bits; names the noise field.
        origin: row and column of the image's first pixel, counted from the patch's; the mosaic is anchored there.
    """
    if image.shape[2] == 1:
        raw = exposed(_scaled_light(image, camera)[..., 0], shot, read, camera.bits, key, origin)
        return _rendered(np.clip(raw / np.float32(camera.light), 0, 1)[..., None])
    raw = exposed(raw_of(image, camera, origin), shot, read, camera.bits, key, origin)
    return developed(raw, camera, origin)


def raw_of(image: Image, camera: Camera, origin: tuple[int, int] = (0, 0)) -> Raw:
    """(H, W) in [0, 1]: what each pixel of the sensor would count of a noiseless scene, 1 where it is full.

    The tone curve, the sRGB curve, the camera's matrix and the white balance undone, in this order. The inverse gains
    rise to 1 from light 0.9 to white, so that white fills the sensor in every colour (the paper's safe gains).
    """
    light = to_linear(inverse_tone_curve(image))
    colours = np.empty_like(light)
    gains = np.array([1 / camera.red_gain, 1.0, 1 / camera.blue_gain]) * camera.light
    _unbalanced(light, np.array(camera.to_camera, np.float32), gains.astype(np.float32), colours)
    return mosaic(colours, camera.pattern, origin)


def exposed(raw: Raw, shot: float, read: float, bits: int, key: int, origin: tuple[int, int] = (0, 0)) -> Raw:
    """`raw` with Gaussian noise of variance `shot * raw + read`, clipped to the sensor's range and quantised to `bits`.

    The range is [-1/15, 1], nearly: a sixteenth of the raw values lies below black, as in cameras, so that the noise
    of dark pixels keeps its mean. Photon noise is approximated by a normal law, as in the paper.

    Args:
        shot: variance at full white, > 0.
        read: variance at black, >= 0.
    """
    out = np.empty_like(raw)
    top, black = (1 << bits) - 1, 1 << (bits - 4)
    sizes = np.float32(shot), np.float32(read), np.float32(black), np.float32(top)
    width = raw.shape[1]
    for rows in bands(raw[..., None]):
        height = rows.stop - rows.start
        normals = unit_normals(key, origin[0] + rows.start, origin[1], height, width, rows=2)
        _counted(raw[rows].reshape(-1), normals[0], *sizes, out[rows].reshape(-1))
    return out


def developed(raw: Raw, camera: Camera, origin: tuple[int, int] = (0, 0)) -> Image:
    """(H, W, 3) sRGB in [0, 1]: white balance, demosaicing, matrix, sRGB curve and tone curve.

    Clipped at white after the white balance, and to [0, 1] in linear light.
    """
    balanced = np.empty_like(raw)
    gains = np.array([camera.red_gain, 1.0, camera.blue_gain]) / camera.light
    _balanced(raw, gains.astype(np.float32), *red_site(camera.pattern, origin), balanced)
    colours = demosaic(balanced, camera.pattern, camera.demosaic, origin)
    light = np.empty_like(colours)
    _corrected(colours, np.array(inverse(camera.to_camera), np.float32), light)
    return _rendered(light)


def tone_curve(image: Image) -> Image:
    """The smoothstep x**2 (3 - 2 x) of values clipped to [0, 1]: a photograph's contrast."""
    out = np.empty_like(image)
    _smoothstep(image.reshape(-1), out.reshape(-1))
    return out


def inverse_tone_curve(image: Image) -> Image:
    """What `tone_curve` gives `image` for, of values clipped to [0, 1]; absolute error below 3e-7."""
    out = np.empty_like(image)
    _inverse_smoothstep(image.reshape(-1), _tone_table(), out.reshape(-1))
    return out


def _scaled_light(image: Image, camera: Camera) -> Image:
    return np.minimum(to_linear(inverse_tone_curve(image)) * np.float32(camera.light), np.float32(1.0))


def _rendered(light: Image) -> Image:
    return tone_curve(to_srgb(light))


@lru_cache(maxsize=1)
def _tone_table() -> NDArray[np.float32]:
    """x over t, where x**2 (3 - 2 x) = t**2: smooth in t down to black; the other half follows by symmetry."""
    roots = [i / _TONE_SCALE for i in range(_TONE_STEPS + 2)]
    return np.array([_smoothstep_root(root * root) for root in roots], np.float32)


def _smoothstep_root(y: float) -> float:
    """By bisection and Newton's method, to double precision."""
    if y == 0.0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle * middle * (3 - 2 * middle) < y else (low, middle)
    x = high
    for _ in range(3):
        x -= (x * x * (3 - 2 * x) - y) / (6 * x * (1 - x))
    return x


@jit
def _smoothstep(values, out):
    zero, one = np.float32(0.0), np.float32(1.0)
    for i in range(values.size):
        x = values[i] if values[i] > zero else zero
        x = x if x < one else one
        out[i] = x * x * (np.float32(3.0) - np.float32(2.0) * x)


@jit
def _inverse_smoothstep(values, table, out):
    zero, half, one = np.float32(0.0), np.float32(0.5), np.float32(1.0)
    scale = np.float32(_TONE_SCALE)
    for i in range(values.size):
        y = values[i] if values[i] > zero else zero
        y = y if y < one else one
        place = np.sqrt(y if y < half else one - y) * scale
        node = np.int32(place)
        below = table[node]
        x = below + (table[node + 1] - below) * (place - np.float32(node))
        out[i] = x if y < half else one - x


@jit
def _unbalanced(light, matrix, gains, out):
    zero, one = np.float32(0.0), np.float32(1.0)
    start, span = np.float32(_INFLECTION), np.float32(1.0 / (1.0 - _INFLECTION))
    for y in range(light.shape[0]):
        for x in range(light.shape[1]):
            r, g, b = light[y, x, 0], light[y, x, 1], light[y, x, 2]
            red = matrix[0, 0] * r + matrix[0, 1] * g + matrix[0, 2] * b
            green = matrix[1, 0] * r + matrix[1, 1] * g + matrix[1, 2] * b
            blue = matrix[2, 0] * r + matrix[2, 1] * g + matrix[2, 2] * b
            bright = ((red + green + blue) * np.float32(1 / 3) - start) * span
            bright = bright if bright > zero else zero
            mask = bright * bright
            for c, value in ((0, red), (1, green), (2, blue)):
                gain = gains[c]
                safe = mask + (one - mask) * gain
                value *= safe if safe > gain else gain
                value = value if value > zero else zero
                out[y, x, c] = value if value < one else one


@jit
def _counted(raw, normals, shot, read, black, top, out):
    zero, half = np.float32(0.0), np.float32(0.5)
    white = top - black
    step = np.float32(1.0) / white
    for i in range(raw.size):
        value = raw[i] + np.sqrt(shot * raw[i] + read) * normals[i]
        level = np.floor(value * white + black + half)
        level = level if level > zero else zero
        level = level if level < top else top
        out[i] = (level - black) * step


@jit
def _balanced(raw, gains, red_y, red_x, out):
    one = np.float32(1.0)
    for y in range(raw.shape[0]):
        in_red_row = y % 2 == red_y
        site = red_x if in_red_row else 1 - red_x
        coloured, green = gains[0 if in_red_row else 2], gains[1]
        even, odd = (coloured, green) if site == 0 else (green, coloured)
        for x in range(raw.shape[1]):
            value = raw[y, x] * (odd if x & 1 else even)
            out[y, x] = value if value < one else one


@jit
def _corrected(colours, matrix, out):
    zero, one = np.float32(0.0), np.float32(1.0)
    for y in range(colours.shape[0]):
        for x in range(colours.shape[1]):
            r, g, b = colours[y, x, 0], colours[y, x, 1], colours[y, x, 2]
            for c in range(3):
                value = matrix[c, 0] * r + matrix[c, 1] * g + matrix[c, 2] * b
                value = value if value > zero else zero
                out[y, x, c] = value if value < one else one
