"""Dead leaves: pictures of occluding shapes of all sizes, with edges, textures and a spectrum like photographs.

Shapes are laid front to back until nothing shows through. Their radii follow r**-3, so every octave of size covers
the same area and the power spectrum falls near 1/f**2. A shape has a colour of the scene's palette, a shade that
runs across it and a texture; most edges are sharp, some out of focus.

Only plain IEEE arithmetic in a fixed order and our own elementary functions: the same bytes on every machine.

Source: Lee, Mumford and Huang, "Occlusion models for natural images", IJCV 2001, section 3 (the model); Ruderman,
Cronin and Chiao, "Statistics of cone responses to natural images", JOSA A 1998 (the colour axes). Departs from them:
shapes beyond disks, textures, soft edges, and palettes wider along the two colour axes than the natural mean.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import cos_pi, exp, log, sin_pi
from degrade.jit import jit
from degrade.rng import philox

VERSION = 1  # of the scenes: changes whenever a byte of any does

Array = NDArray[np.float64]

_CHUNK = 4096  # leaves drawn at a time
_MOST_LEAVES = 1.5  # per pixel; an end for unlucky scenes
_OPEN_SHARE = 1e-4  # of the picture may stay uncovered; the first colour of the palette shows there
_CLOSED = 1.0 / 256.0  # less than this shining through counts as covered

_TILE, _TILES = 256, 4  # size and number of a scene's textures
_DIRECTIONS = 4096  # that a shape or a corner can point to
_MAX_CORNERS = 6
_PALETTE = 12  # most colours of a scene

_ELLIPSES, _BLOBS, _STRANDS = 0.35, 0.65, 0.75  # cumulated chances; the rest are polygons
_VEINS, _STRIPES = 0.6, 0.88  # cumulated: plain texture below, from here on

# What a leaf is, one column each.
_X, _Y, _COS, _SIN, _SEMI_X, _SEMI_Y, _BEND, _WAVE_2, _WAVE_3, _WAVE_5, _CORNERS, _SOFTNESS, _REACH = range(13)
_GRAIN, _ALONG, _ACROSS, _SHIFT_X, _SHIFT_Y, _RAMP_X, _RAMP_Y, _TILE_INDEX, _IS_VEINED, _STRIPE, _WARP, _CRISP = range(
    13, 25
)
_COLOUR, _SECOND, _CORNER = 25, 28, 31  # three columns each, three for every corner
_COLUMNS = _CORNER + 3 * _MAX_CORNERS

# Log10 cone responses from (light, yellow-blue, red-green), and linear sRGB from cone responses (Reinhard et al. 2001).
_TO_LOG_CONES = ((1.0, 0.408248290, 0.707106781), (1.0, 0.408248290, -0.707106781), (1.0, -0.816496581, 0.0))
_TO_LINEAR = ((4.4679, -3.5873, 0.1193), (-1.2186, 2.3809, -0.1624), (0.0497, -0.2439, 1.2045))


def render(height: int, width: int, key: int) -> NDArray[np.uint8]:
    """A scene, (height, width, 3) sRGB; a pure function of its arguments.

    Args:
        key: 64 bits; another key gives an independent scene.

    Raises:
        ValueError: a size below 1.
    """
    if height < 1 or width < 1:
        raise ValueError(f"expected a size of at least 1 x 1, got {height} x {width}")
    mood = _uniforms(key, 0, 1, "mood")[0]
    palette = _palette(key, mood)
    tiles = np.stack([_tile(key, index) for index in range(_TILES)])
    image = np.zeros((height, width, 3), np.float32)
    clear = np.ones((height, width), np.float32)
    still_open = height * width
    for chunk in range(1 + int(_MOST_LEAVES * height * width) // _CHUNK):
        leaves = _leaves(key, chunk, height, width, mood, palette)
        still_open -= _paint(image, clear, leaves, tiles, int(_OPEN_SHARE * height * width), still_open)
        if still_open <= _OPEN_SHARE * height * width:
            break
    image += clear[:, :, None] * palette[0].astype(np.float32)
    return (np.clip(image, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _leaves(key: int, chunk: int, height: int, width: int, mood: Array, palette: Array) -> Array:
    """One chunk of leaves, (n, columns)."""
    place, form, edge, surface, grain, colour, second, first_corners, more_corners = (
        _uniforms(key, chunk * _CHUNK, _CHUNK, purpose).T
        for purpose in ("place", "form", "edge", "surface", "grain", "colour", "second", "corners", "more corners")
    )
    smallest = 0.8 + 6.0 * mood[0] * mood[0]
    largest = max(0.5 * min(height, width), 2 * smallest)
    radius = smallest / np.sqrt(1 - place[0] * (1 - (smallest / largest) * (smallest / largest)))
    kind = form[0]
    is_blob = (kind >= _ELLIPSES) & (kind < _BLOBS)
    is_strand = (kind >= _BLOBS) & (kind < _STRANDS)
    is_polygon = kind >= _STRANDS
    stretch = np.where(is_strand, 2 + 4 * form[1], 1 + 1.2 * form[1] * form[1])

    leaves = np.zeros((_CHUNK, _COLUMNS))
    leaves[:, _X] = place[1] * (width + 2 * radius) - radius
    leaves[:, _Y] = place[2] * (height + 2 * radius) - radius
    leaves[:, [_COS, _SIN]] = _directions()[_integers(place[3], _DIRECTIONS)]
    leaves[:, _SEMI_X] = np.where(is_polygon, radius, radius * stretch)
    leaves[:, _SEMI_Y] = np.where(is_polygon, radius, radius / stretch)
    leaves[:, _BEND] = np.where(is_strand, 1.6 * (form[2] - 0.5) * stretch, 0)
    leaves[:, _WAVE_2] = np.where(is_blob, 0.4 * (edge[0] - 0.5), 0)
    leaves[:, _WAVE_3] = np.where(is_blob, 0.5 * (edge[1] - 0.5), 0)
    leaves[:, _WAVE_5] = np.where(is_blob, 0.4 * (edge[2] - 0.5), 0)
    corners = 3 + _integers(form[2], _MAX_CORNERS - 2)
    leaves[:, _CORNERS] = np.where(is_polygon, corners, 0)
    leaves[:, _SOFTNESS] = 1 + np.where(edge[3] < 0.75, 0, (edge[3] - 0.75) * 1.6 * np.sqrt(radius))
    widest = np.where(is_polygon, 3.0, np.where(is_blob, 1.7, 1.0 + 0.6 * np.abs(leaves[:, _BEND])))
    leaves[:, _REACH] = leaves[:, _SEMI_X] * widest + leaves[:, _SOFTNESS]

    contrast = 0.6 + 0.9 * mood[2]
    leaves[:, _GRAIN] = contrast * (0.04 + 0.36 * surface[0] * surface[0])
    leaves[:, _ALONG] = 1 / (1 + 4 * surface[1])
    leaves[:, _ACROSS] = np.where(surface[2] < 0.6, leaves[:, _ALONG], 1 / (1 + surface[3]))  # grass, wood, cloth
    leaves[:, _SHIFT_X], leaves[:, _SHIFT_Y] = grain[0] * _TILE, grain[1] * _TILE
    leaves[:, _TILE_INDEX] = _integers(grain[2], _TILES)
    leaves[:, _IS_VEINED] = (grain[3] >= _VEINS) & (grain[3] < _STRIPES)
    leaves[:, _STRIPE] = np.where(grain[3] >= _STRIPES, 1 / (2.2 + 20 * form[3] * form[3]), 0)  # per pixel
    leaves[:, _WARP] = np.where(surface[3] < 0.5, 2 * surface[3], 0)
    leaves[:, _CRISP] = np.where(surface[2] < 0.5, 0.8, 3.0)
    leaves[:, _RAMP_X], leaves[:, _RAMP_Y] = 0.7 * (colour[2] - 0.5), 0.7 * (colour[3] - 0.5)
    for column, draws in ((_COLOUR, colour), (_SECOND, second)):
        leaves[:, column : column + 3] = _near(palette, draws, 0.3 + 0.9 * mood[1])
    draws = np.concatenate([first_corners, more_corners])  # (8, n)
    for k in range(_MAX_CORNERS):
        turn = (k + 0.7 * (draws[k] - 0.5)) / corners
        leaves[:, _CORNER + 3 * k : _CORNER + 3 * k + 2] = _directions()[_integers(turn + 1, _DIRECTIONS) % _DIRECTIONS]
        leaves[:, _CORNER + 3 * k + 2] = radius * (0.65 + 0.35 * draws[(k + 3) % 8])
    return leaves


def _near(palette: Array, draws: Array, spread: float) -> Array:
    """(n, 3) colours: one of the palette, lighter or darker, a little warmer or cooler."""
    chosen = palette[_integers(draws[0], len(palette))]
    fraction = draws[0] * len(palette) - np.floor(draws[0] * len(palette))
    light = 1 + spread * 0.9 * (draws[1] - 0.5)
    warmth = spread * 0.12 * (fraction - 0.5)
    return np.clip(chosen * light[:, None] + warmth[:, None] * np.array([1.0, 0.0, -1.0]), 0, 1)


def _palette(key: int, mood: Array) -> Array:
    """3 to 12 colours of a scene, sRGB: many dull, a few strong, more along yellow-blue than red-green."""
    draws = np.concatenate([_uniforms(key, 0, _PALETTE, f"palette {part}") for part in range(4)], axis=1)
    sums = draws[:, 0:12:4] + draws[:, 1:12:4] + draws[:, 2:12:4] + draws[:, 3:12:4]
    bells = (sums - 2) * 1.7320508075688772  # about normal
    vividness = 1 / np.sqrt(0.03 + draws[:, 12])
    light = -0.8 + 0.35 * (mood[3] - 0.5) + 0.33 * bells[:, 0]
    yellow = 0.05 * (mood[2] - 0.4) + 0.055 * vividness * bells[:, 1]
    red = 0.15 * yellow + 0.012 * vividness * bells[:, 2]  # orange and sky are more common than lilac and lime
    count = 3 + int(draws[0, 13] * (_PALETTE - 2))
    return np.array([_srgb(*axes) for axes in zip(light[:count], yellow[:count], red[:count], strict=True)])


def _srgb(light: float, yellow: float, red: float) -> list[float]:
    """A colour given by its log10 cone responses' axes."""
    cones = [exp(2.302585092994046 * (a * light + b * yellow + c * red)) for a, b, c in _TO_LOG_CONES]
    linear = [min(max(a * cones[0] + b * cones[1] + c * cones[2], 0.0), 1.0) for a, b, c in _TO_LINEAR]
    return [12.92 * value if value <= 0.0031308 else 1.055 * exp(log(value) / 2.4) - 0.055 for value in linear]


def _tile(key: int, index: int) -> NDArray[np.float32]:
    """A periodic texture, mean about 0 and deviation about 1: noise of all octaves, from smooth to rough by `index`."""
    persistence = 0.6 + 0.15 * index  # amplitude of an octave against the coarser one; 1 makes 1/f**2
    level, amplitude, power = np.zeros((2, 2)), 1.0, 0.0
    while len(level) < _TILE:
        level = _doubled(level)
        side = len(level)
        noise = _uniforms(key, 0, side * side // 4, f"tile {index} {side}").reshape(side, side) - 0.5
        level = level + (amplitude * 3.4641016151377544) * noise
        power += amplitude * amplitude
        amplitude *= persistence
    return (level / np.sqrt(power)).astype(np.float32)


def _doubled(level: Array) -> Array:
    """Twice the size, periodic: along each axis three parts the nearest value, one part the next."""
    for axis in (0, 1):
        near = 0.75 * level
        pair = np.stack([near + 0.25 * np.roll(level, 1, axis), near + 0.25 * np.roll(level, -1, axis)], axis + 1)
        shape = list(level.shape)
        shape[axis] *= 2
        level = pair.reshape(shape)
    return level


def _integers(uniform: Array, count: int) -> NDArray[np.intp]:
    return (uniform * count).astype(np.intp)


@lru_cache(maxsize=1)
def _directions() -> Array:
    """(n, 2): cosine and sine of all directions."""
    turns = [2 * k / _DIRECTIONS for k in range(_DIRECTIONS)]
    return np.array([(cos_pi(turn), sin_pi(turn)) for turn in turns])


def _uniforms(key: int, first: int, count: int, purpose: str) -> Array:
    """(count, 4) numbers in (0, 1), those of items `first` onwards."""
    out = np.empty((count, 4))
    word = int.from_bytes(purpose.encode().ljust(12, b"\0")[:12], "little")
    _fill(out, key & 0xFFFFFFFF, key >> 32, first, word & 0xFFFFFFFF, word >> 32 & 0xFFFFFFFF, word >> 64 & 0xFFFFFFFF)
    return out


@jit
def _fill(out, key_low, key_high, first, c1, c2, c3):
    for k in range(len(out)):
        words = philox(
            np.uint64(key_low), np.uint64(key_high), np.uint64(first + k), np.uint64(c1), np.uint64(c2), np.uint64(c3)
        )
        for j in range(4):
            out[k, j] = (np.float64(words[j]) + 0.5) * 2.0**-32


@jit
def _paint(image, clear, leaves, tiles, may_stay_open, still_open):
    """Lay `leaves` behind what `clear` says is there already; how many pixels they closed."""
    height, width = clear.shape
    closed = 0
    for number in range(len(leaves)):
        leaf = leaves[number]
        if still_open - closed <= may_stay_open:
            break
        x_from, x_to = max(int(leaf[_X] - leaf[_REACH]), 0), min(int(leaf[_X] + leaf[_REACH]) + 1, width)
        y_from, y_to = max(int(leaf[_Y] - leaf[_REACH]), 0), min(int(leaf[_Y] + leaf[_REACH]) + 1, height)
        for y in range(y_from, y_to):
            for x in range(x_from, x_to):
                through = np.float64(clear[y, x])
                if through == 0.0:
                    continue
                dx, dy = x + 0.5 - leaf[_X], y + 0.5 - leaf[_Y]
                px = leaf[_COS] * dx + leaf[_SIN] * dy
                py = leaf[_COS] * dy - leaf[_SIN] * dx
                cover = 0.5 - _distance(leaf, px, py) / leaf[_SOFTNESS]
                if cover <= 0.0:
                    continue
                cover = 1.0 if cover >= 1.0 else cover * cover * (3.0 - 2.0 * cover)
                _shade(leaf, tiles, px, py, through * cover, image[y, x])
                through *= 1.0 - cover
                if through < _CLOSED:
                    through = 0.0
                    closed += 1
                clear[y, x] = through
    return closed


@jit
def _distance(leaf, px, py):
    """Pixels from (px, py), in the leaf's own axes, to its edge; negative inside. Exact for half planes and disks."""
    if leaf[_CORNERS] > 0.0:
        distance = -1e9
        for k in range(int(leaf[_CORNERS])):
            at = _CORNER + 3 * k
            distance = max(distance, leaf[at] * px + leaf[at + 1] * py - leaf[at + 2])
        return distance
    qx = px / leaf[_SEMI_X]
    qy = py / leaf[_SEMI_Y] + leaf[_BEND] * (qx * qx - 0.3)
    rho = np.sqrt(qx * qx + qy * qy + 1e-12)
    gx, gy = qx / leaf[_SEMI_X], qy / leaf[_SEMI_Y]
    slope = np.sqrt(gx * gx + gy * gy) / rho + 1e-12
    c1, s1 = qx / rho, qy / rho  # cosine and sine of the angle, then of 2, 3 and 5 times it
    c2, s2 = c1 * c1 - s1 * s1, 2.0 * c1 * s1
    c3, s3 = c2 * c1 - s2 * s1, s2 * c1 + c2 * s1
    edge = 1.0 + leaf[_WAVE_2] * s2 + leaf[_WAVE_3] * c3 + leaf[_WAVE_5] * (c3 * c2 - s3 * s2)
    return (rho - edge) / slope


@jit
def _shade(leaf, tiles, px, py, weight, pixel):
    """Add `weight` of the leaf's colour at (px, py) to `pixel`."""
    tile = tiles[int(leaf[_TILE_INDEX])]
    value = _between(tile, px * leaf[_ALONG] + leaf[_SHIFT_X], py * leaf[_ACROSS] + leaf[_SHIFT_Y])
    mix = 0.0
    if leaf[_STRIPE] > 0.0:
        wave = 4.0 * abs(_wrapped(py * leaf[_STRIPE] + leaf[_WARP] * value) - 0.5) - 1.0
        mix = 0.8 * min(max(0.5 + wave * leaf[_CRISP], 0.0), 1.0)
    elif leaf[_IS_VEINED] > 0.0:
        value = 1.3 - 2.2 * abs(value)
    ramp = leaf[_RAMP_X] * px / leaf[_SEMI_X] + leaf[_RAMP_Y] * py / leaf[_SEMI_Y]
    light = (1.0 + ramp) * (1.0 + leaf[_GRAIN] * value)
    for c in range(3):
        colour = leaf[_COLOUR + c] + mix * (leaf[_SECOND + c] - leaf[_COLOUR + c])
        pixel[c] += weight * min(max(colour * light, 0.0), 1.0)


@jit
def _between(tile, x, y):
    """The periodic tile at (x, y), linear between its values."""
    fx, fy = np.floor(x), np.floor(y)
    tx, ty = x - fx, y - fy
    x0, y0 = np.int64(fx) % _TILE, np.int64(fy) % _TILE
    x1, y1 = (x0 + 1) % _TILE, (y0 + 1) % _TILE
    top = tile[y0, x0] + (tile[y0, x1] - tile[y0, x0]) * tx
    bottom = tile[y1, x0] + (tile[y1, x1] - tile[y1, x0]) * tx
    return top + (bottom - top) * ty


@jit
def _wrapped(x):
    return x - np.floor(x)
