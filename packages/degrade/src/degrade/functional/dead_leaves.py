"""Dead leaves: pictures made of occluding shapes of all sizes, with the statistics of photographs.

Shapes are laid front to back until nothing shows through. Their radii follow r**-3 between two limits, which makes
edges at all scales and a power spectrum near 1/f**2. Every shape has a colour of a scene's palette, a shade that
runs across it and a texture; most edges are sharp, some are out of focus.

Everything is plain IEEE arithmetic and our own elementary functions, so the bytes are the same on every machine.

Source: Lee, Mumford and Huang, "Occlusion models for natural images", IJCV 2001, section 3 (the model); Ruderman, Cronin
and Chiao, "Statistics of cone responses to natural images", JOSA A 1998 (the colour axes and their spread). Textures,
shapes beyond disks, soft edges and palettes are ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import cos_pi, exp, log, sin_pi
from degrade.jit import jit
from degrade.rng import philox

VERSION = 1  # of the scenes: changes whenever a byte of any does

_TILE = 256  # pixels a side of a texture, a power of two
_TILES = 4
_MAX_LEAVES = 400_000
_CLOSED = 1.0 / 256.0  # what shines through less is taken as covered
_LEFT_OVER = 1e-4  # share of the picture that may stay uncovered; the background shows there

_MASK, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
_UNIT = 2.0**-32
_ELLIPSE, _BLOB, _STRAND = 0.35, 0.65, 0.75  # cumulated chances; the rest are polygons


def render(height: int, width: int, key: int) -> NDArray[np.uint8]:
    """A scene, (height, width, 3) sRGB; a pure function of its arguments.

    Args:
        key: 64 bits; other keys give independent scenes.
    """
    if height < 1 or width < 1:
        raise ValueError(f"expected a size of at least 1 x 1, got {height} x {width}")
    low, high = np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32 & 0xFFFFFFFF)
    tiles = np.empty((_TILES, _TILE, _TILE), np.float32)
    for index in range(_TILES):
        _fill_tile(tiles[index], low, high, index)
    return _render(height, width, low, high, tiles)


@jit
def _words(low, high, number, purpose):
    """Four uniform numbers in (0, 1) for a purpose of leaf `number`."""
    a, b, c, d = philox(low, high, np.uint64(number), np.uint64(purpose), np.uint64(0), np.uint64(0))
    return (a + 0.5) * _UNIT, (b + 0.5) * _UNIT, (c + 0.5) * _UNIT, (d + 0.5) * _UNIT


@jit
def _bell(a, b, c, d):
    """About standard normal from four uniform numbers (their sum, Irwin and Hall)."""
    return (a + b + c + d - 2.0) * 1.7320508075688772


@jit
def _fill_tile(tile, low, high, index):
    """A periodic texture of mean about 0 and deviation about 1: noise of all octaves, finer ones weaker."""
    size = tile.shape[0]
    roughness = 0.55 + 0.12 * index  # amplitude from one octave to the next finer
    level = np.zeros((4, 4))
    amplitude, total = 1.0, 0.0
    octave = 0
    while True:
        n = level.shape[0]
        total += amplitude * amplitude
        for k in range(n * n // 4):
            u = _words(low, high, k, 1000 + 16 * index + octave)
            for j in range(4):
                level[(4 * k + j) // n, (4 * k + j) % n] += amplitude * (u[j] - 0.5) * 3.4641016151377544
        if n == size:
            break
        level = _doubled(level)
        amplitude *= roughness
        octave += 1
    scale = 1.0 / np.sqrt(total)
    for y in range(size):
        for x in range(size):
            tile[y, x] = np.float32(level[y, x] * scale)


@jit
def _doubled(level):
    """Twice the size, periodic, each new value 9:3:3:1 of its neighbours."""
    n = level.shape[0]
    out = np.empty((2 * n, 2 * n))
    for y in range(2 * n):
        y0 = y // 2
        y1 = (y0 + (1 if y % 2 else n - 1)) % n
        for x in range(2 * n):
            x0 = x // 2
            x1 = (x0 + (1 if x % 2 else n - 1)) % n
            near = 9.0 * level[y0, x0] + 3.0 * level[y0, x1]
            out[y, x] = (near + 3.0 * level[y1, x0] + level[y1, x1]) / 16.0
    return out


@jit
def _srgb(linear):
    if linear <= 0.0:
        return 0.0
    if linear >= 1.0:
        return 1.0
    if linear <= 0.0031308:
        return 12.92 * linear
    return 1.055 * exp(log(linear) / 2.4) - 0.055


@jit
def _colour(low, high, number, palette, spread, out):
    """A colour near one of the palette, as sRGB into `out`; axes of log cone responses (decades)."""
    u = _words(low, high, number, 1)
    v = _words(low, high, number, 2)
    w = _words(low, high, number, 3)
    near = palette[int(u[0] * palette.shape[0])]
    light = near[0] + spread * 0.24 * _bell(u[1], u[2], u[3], v[0])
    blue = near[1] + spread * 0.05 * _bell(v[1], v[2], v[3], w[0])
    red = near[2] + spread * 0.01 * _bell(w[1], w[2], w[3], v[1])
    _from_axes(light, blue, red, out)


@jit
def _from_axes(light, blue, red, out):
    """Light, yellow-blue and red-green (log10 of L, M, S rotated) to sRGB."""
    decade = 2.302585092994046
    shared = light + blue * 0.4082482904638631  # 1 / sqrt(6)
    l = exp(decade * (shared + red * 0.7071067811865476))
    m = exp(decade * (shared - red * 0.7071067811865476))
    s = exp(decade * (light - blue * 0.8164965809277261))
    out[0] = _srgb(4.4679 * l - 3.5873 * m + 0.1193 * s)
    out[1] = _srgb(-1.2186 * l + 2.3809 * m - 0.1624 * s)
    out[2] = _srgb(0.0497 * l - 0.2439 * m + 1.2045 * s)


@jit
def _texture(tile, x, y):
    """The tile at (x, y), between its pixels linearly."""
    size = tile.shape[0]
    fx, fy = np.floor(x), np.floor(y)
    tx, ty = x - fx, y - fy
    x0, y0 = np.int64(fx) & (size - 1), np.int64(fy) & (size - 1)
    x1, y1 = (x0 + 1) & (size - 1), (y0 + 1) & (size - 1)
    top = tile[y0, x0] + (tile[y0, x1] - tile[y0, x0]) * tx
    bottom = tile[y1, x0] + (tile[y1, x1] - tile[y1, x0]) * tx
    return top + (bottom - top) * ty


@jit
def _draw_palette(low, high):
    count = 3 + int(_words(low, high, 0, 11)[0] * 8.0)
    mood = _words(low, high, 0, 12)
    palette = np.empty((count, 3))
    for k in range(count):
        u = _words(low, high, k, 13)
        v = _words(low, high, k, 14)
        w = _words(low, high, k, 15)
        palette[k, 0] = -0.75 + 0.3 * (mood[0] - 0.5) + 0.38 * _bell(u[0], u[1], u[2], u[3])
        vivid = 1.0 / np.sqrt(0.02 + v[0])  # few strong colours among many dull ones
        palette[k, 1] = 0.04 * (mood[1] - 0.4) + 0.05 * vivid * _bell(v[1], v[2], v[3], w[0])
        palette[k, 2] = 0.007 * vivid * _bell(w[1], w[2], w[3], v[1])
    return palette


@jit
def _render(height, width, low, high, tiles):
    scene = _words(low, high, 0, 10)
    smallest = 1.0 + 7.0 * scene[0] * scene[0] * scene[0]
    largest = max(0.5 * min(height, width), 2.0 * smallest)
    spread = 0.3 + 0.9 * scene[1]
    contrast = 0.5 + scene[2]
    palette = _draw_palette(low, high)
    image = np.zeros((height, width, 3), np.float32)
    clear = np.ones((height, width), np.float32)
    colour, second = np.zeros(3), np.zeros(3)
    open_pixels = height * width
    corners = np.empty((8, 3))
    for leaf in range(_MAX_LEAVES):
        if open_pixels <= _LEFT_OVER * height * width:
            break
        u = _words(low, high, leaf, 20)
        v = _words(low, high, leaf, 21)
        w = _words(low, high, leaf, 22)
        ratio = smallest / largest
        radius = smallest / np.sqrt(1.0 - u[0] * (1.0 - ratio * ratio))
        cx = u[1] * (width + 2.0 * radius) - radius
        cy = u[2] * (height + 2.0 * radius) - radius
        cosine, sine = cos_pi(2.0 * u[3]), sin_pi(2.0 * u[3])
        stretch = 1.0 + 1.2 * v[1] * v[1]
        bend, corner_count = 0.0, 0
        a2, a3, a5 = 0.0, 0.0, 0.0
        if v[0] < _ELLIPSE:
            pass
        elif v[0] < _BLOB:
            s = _words(low, high, leaf, 23)
            a2, a3, a5 = 0.4 * (s[0] - 0.5), 0.5 * (s[1] - 0.5), 0.4 * (s[2] - 0.5)
        elif v[0] < _STRAND:
            stretch = 2.0 + 4.0 * v[1]
            bend = 1.6 * (v[2] - 0.5)
        else:
            corner_count = 3 + int(v[2] * 4.0)
            s = _words(low, high, leaf, 24)
            t = _words(low, high, leaf, 25)
            for k in range(corner_count):
                turn = 2.0 * (k + 0.7 * ((s[k] if k < 4 else t[k - 4]) - 0.5)) / corner_count
                corners[k, 0], corners[k, 1] = cos_pi(turn), sin_pi(turn)
                corners[k, 2] = 0.65 + 0.35 * (t[k] if k < 4 else s[k - 4])
        semi_x, semi_y = radius * stretch, radius / stretch
        softness = 1.0 if v[3] < 0.75 else 1.0 + (v[3] - 0.75) * 1.6 * np.sqrt(radius)
        reach = semi_x * (1.0 + 0.9 * abs(bend)) * (1.7 if corner_count or a2 or a3 else 1.0) + softness
        x_from, x_to = max(int(np.floor(cx - reach)), 0), min(int(np.floor(cx + reach)) + 1, width)
        y_from, y_to = max(int(np.floor(cy - reach)), 0), min(int(np.floor(cy + reach)) + 1, height)
        is_coloured = False
        tile, grain, along, across, ramp_x, ramp_y, period = tiles[0], 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        kind, shift_x, shift_y = 0.0, 0.0, 0.0
        for y in range(y_from, y_to):
            for x in range(x_from, x_to):
                through = clear[y, x]
                if through == 0.0:
                    continue
                dx, dy = x + 0.5 - cx, y + 0.5 - cy
                px, py = cosine * dx + sine * dy, cosine * dy - sine * dx
                qx = px / semi_x
                qy = py / semi_y + bend * (qx * qx - 0.3) * stretch
                if corner_count:
                    distance = -1e9
                    for k in range(corner_count):
                        distance = max(distance, corners[k, 0] * px + corners[k, 1] * py - corners[k, 2] * radius)
                else:
                    square = qx * qx + qy * qy + 1e-12
                    rho = np.sqrt(square)
                    slope = np.sqrt(qx * qx / (semi_x * semi_x) + qy * qy / (semi_y * semi_y)) / rho + 1e-12
                    edge = 1.0
                    if a2 or a3:
                        c, s1 = qx / rho, qy / rho
                        c2, s2 = c * c - s1 * s1, 2.0 * c * s1
                        c3 = c2 * c - s2 * s1
                        s3 = s2 * c + c2 * s1
                        edge += a2 * s2 + a3 * c3 + a5 * (c3 * c2 - s3 * s2)
                    distance = (rho - edge) / slope
                cover = 0.5 - distance / softness
                if cover <= 0.0:
                    continue
                cover = 1.0 if cover >= 1.0 else cover * cover * (3.0 - 2.0 * cover)
                if not is_coloured:
                    is_coloured = True
                    _colour(low, high, leaf, palette, spread, colour)
                    s = _words(low, high, leaf, 30)
                    t = _words(low, high, leaf, 31)
                    tile = tiles[int(s[0] * _TILES)]
                    grain = contrast * 0.30 * s[1] * s[1]
                    along = 1.0 / (1.0 + 5.0 * s[2])
                    across = along if s[3] < 0.6 else 1.0 / (1.0 + 1.5 * t[3])
                    shift_x, shift_y = t[0] * 256.0, t[1] * 256.0
                    kind = t[2]
                    ramp_x, ramp_y = 0.7 * (w[0] - 0.5), 0.7 * (w[1] - 0.5)
                    period = 1.0 / (2.5 + 24.0 * w[2] * w[2])
                    if kind > 0.88:  # a second colour for stripes
                        _colour(low, high, leaf + 0x40000000, palette, spread, second)
                value = _texture(tile, px * along + shift_x, py * across + shift_y)
                mix = 0.0
                if kind > 0.88:
                    wave = sin_pi(2.0 * period * (py + (2.0 * value if kind > 0.94 else 0.0)))
                    mix = min(max(0.5 + wave * (0.8 if kind > 0.91 else 3.0), 0.0), 1.0) * 0.8
                elif kind > 0.7:  # veins
                    value = 1.3 - 2.2 * abs(value)
                elif kind > 0.6:  # patches with edges of their own
                    value = min(max(value * 5.0, -1.2), 1.2)
                light = (1.0 + ramp_x * qx + ramp_y * qy) * (1.0 + grain * value)
                weight = np.float32(through * cover)
                for c in range(3):
                    base = colour[c] + mix * (second[c] - colour[c])
                    image[y, x, c] += weight * np.float32(min(max(base * light, 0.0), 1.0))
                through *= 1.0 - cover
                if through < _CLOSED:
                    through = 0.0
                    open_pixels -= 1
                clear[y, x] = np.float32(through)
    _from_axes(palette[0, 0], palette[0, 1], palette[0, 2], colour)
    out = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            for c in range(3):
                value = np.float64(image[y, x, c]) + np.float64(clear[y, x]) * colour[c]
                out[y, x, c] = np.uint8(min(max(value, 0.0), 1.0) * 255.0 + 0.5)
    return out
