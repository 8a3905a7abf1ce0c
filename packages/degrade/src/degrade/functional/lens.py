"""What a lens and a sensor's planes do: channels that lie apart, and corners that get less light.

Positions are those of pixel centres: row y and column x of the image lie at (y, x) + origin in the patch's coordinates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.functional.light import to_linear, to_srgb
from degrade.image import Image
from degrade.jit import jit

RED, BLUE = 0, 2


def shift_channels(image: Image, red: tuple[float, float], blue: tuple[float, float]) -> Image:
    """Red and blue moved by (y, x) pixels each, down and right where positive; green stays. Not clipped.

    Between pixels by Catmull-Rom (cubic, a = -0.5), which moves a ramp exactly; mirrored at the edges. Whole pixels are
    moved without a change. A gray image stays.
    """
    if image.shape[2] == 1:
        return image
    out = image.copy()
    for channel, shift in ((RED, red), (BLUE, blue)):
        if shift != (0.0, 0.0):
            _move(image, channel, (1.0, 1.0), (-shift[0], -shift[1]), (0, 0), out)
    return out


def magnify_channels(
    image: Image, red: float, blue: float, centre: tuple[float, float], origin: tuple[int, int] = (0, 0)
) -> Image:
    """Lateral chromatic aberration: red and blue magnified about `centre`; green stays. Not clipped.

    Args:
        red, blue: magnification, about 1; 1.001 moves content 1000 pixels from the centre outward by 1 pixel.
        centre: the optical axis (y, x), in pixels counted from the patch's first.
        origin: row and column of the image's first pixel, counted from the patch's.

    Interpolated and mirrored as in `shift_channels`. A gray image stays.
    """
    if image.shape[2] == 1:
        return image
    out = image.copy()
    for channel, factor in ((RED, red), (BLUE, blue)):
        if factor != 1.0:
            offsets = centre[0] - centre[0] / factor, centre[1] - centre[1] / factor
            _move(image, channel, (1 / factor, 1 / factor), offsets, origin, out)
    return out


def vignette(
    image: Image, strength: float, radius: float, centre: tuple[float, float], origin: tuple[int, int] = (0, 0)
) -> Image:
    """Less light away from `centre`: the fourth power of a cosine, as of a lens without vignetting of its own.

    Light at distance r is multiplied by cos(theta)**4 = 1 / (1 + k * (r / radius)**2)**2, k such that at `radius` it is
    1 - strength. sRGB in and out, multiplied in linear light. Not clipped. Gray alike.

    Args:
        strength: the part of the light that is lost at `radius`, [0, 1).
        radius: in pixels, > 0: from the centre to the photo's corner.
        centre: the optical axis (y, x), in pixels counted from the patch's first.
        origin: row and column of the image's first pixel, counted from the patch's.

    Source: the cosine-fourth law of natural illumination falloff (Kingslake, "Optics in Photography", 1992).
    """
    falloff = 1 / np.sqrt(1 - strength) - 1
    distances = (
        np.arange(start, start + length) - axis
        for length, axis, start in zip(image.shape[:2], centre, origin, strict=True)
    )
    rows, columns = ((falloff / (radius * radius) * (d * d)).astype(np.float32) for d in distances)
    light = to_linear(image)
    _dimmed(light, rows, columns, np.empty(image.shape[1], np.float32))
    return to_srgb(light)


def _move(
    image: Image,
    channel: int,
    steps: tuple[float, float],
    offsets: tuple[float, float],
    origin: tuple[int, int],
    out: Image,
) -> None:
    """One channel of `out`: that of `image` sampled at `step * place + offset` on each axis, places as in the patch."""
    (row_taps, row_places), (column_taps, column_places) = (
        _cubic(*axis) for axis in zip(image.shape[:2], origin, steps, offsets, strict=True)
    )
    line = np.empty(image.shape[1], np.float32)
    _moved(image, channel, row_taps, row_places, column_taps, column_places, line, out)


def _cubic(length: int, start: int, step: float, offset: float) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Weights and indices, (4, length) each, of Catmull-Rom samples of an axis of `length` pixels from `start` on."""
    taps, places = np.empty((4, length), np.float32), np.empty((4, length), np.int32)
    _cubic_taps(start, step, offset, taps, places)
    return taps, places


@jit
def _cubic_taps(start, step, offset, taps, places):
    length = taps.shape[1]
    for i in range(length):
        place = step * (start + i) + offset
        before = np.floor(place)
        t = place - before
        taps[0, i] = ((-0.5 * t + 1.0) * t - 0.5) * t
        taps[1, i] = (1.5 * t - 2.5) * t * t + 1.0
        taps[2, i] = ((-1.5 * t + 2.0) * t + 0.5) * t
        taps[3, i] = (0.5 * t - 0.5) * t * t
        for k in range(4):
            mirrored = (np.int64(before) - 1 - start + k) % (2 * length)
            places[k, i] = mirrored if mirrored < length else 2 * length - 1 - mirrored


@jit
def _moved(image, channel, row_taps, row_places, column_taps, column_places, line, out):
    for y in range(image.shape[0]):
        a, b, c, d = row_taps[0, y], row_taps[1, y], row_taps[2, y], row_taps[3, y]
        first, second = image[row_places[0, y]], image[row_places[1, y]]
        third, fourth = image[row_places[2, y]], image[row_places[3, y]]
        for x in range(line.size):
            near = b * second[x, channel] + c * third[x, channel]
            line[x] = near + (a * first[x, channel] + d * fourth[x, channel])
        for x in range(line.size):
            near = column_taps[1, x] * line[column_places[1, x]] + column_taps[2, x] * line[column_places[2, x]]
            far = column_taps[0, x] * line[column_places[0, x]] + column_taps[3, x] * line[column_places[3, x]]
            out[y, x, channel] = near + far


@jit
def _dimmed(light, rows, columns, gains):
    one = np.float32(1.0)
    height, width, channels = light.shape
    for y in range(height):
        for x in range(width):
            secant = one + (rows[y] + columns[x])  # squared
            gains[x] = one / (secant * secant)
        for x in range(width):
            for c in range(channels):
                light[y, x, c] *= gains[x]
