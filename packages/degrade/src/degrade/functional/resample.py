"""Resampling and separable blur as short filters per output row and column.

One axis of any separable linear step is an `AxisMap`: output sample i is `sum_k taps[i, k] * input[first[i] + k]`.
Maps compose, so a blur and the resize after it become one filter, evaluated only where it is asked for.

Positions are those of pixel centres: output i of n lies at `(i + 0.5) * length / n - 0.5` in the input, so nothing
moves. With `antialias` a filter is widened by the reduction ratio (MATLAB, Pillow); without, it stays as wide as for
enlarging (OpenCV's plain modes). Filters, in units of the input pixel (of the output pixel where widened):

    nearest      the pixel whose centre is nearest, halves upward
    area         the mean over each output pixel's own footprint at any ratio (OpenCV's INTER_AREA when shrinking)
    linear       the triangle
    cubic        Keys's family with parameter `a`: -0.5 (MATLAB, Pillow, Catmull-Rom), -0.75 (OpenCV, torch)
    mitchell     B = C = 1/3 (Mitchell and Netravali 1988)
    hermite      B = C = 0, two taps
    lanczos      with `lobes`: 3 (MATLAB, Pillow), 4 (OpenCV)
    gaussian     sigma 0.5, cut off at 2 (ImageMagick)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import exp, sin_pi
from degrade.jit import jit

Filter = Literal["nearest", "area", "linear", "cubic", "mitchell", "hermite", "lanczos", "gaussian"]
Edge = Literal["symmetric", "edge", "reflect"]  # the modes of numpy.pad

_BAND = 48  # output rows at a time
_MATLAB_BLOCK = 1 << 21  # values at a time

_CODES: dict[str, int] = {"linear": 1, "cubic": 2, "lanczos": 3, "mitchell": 4, "hermite": 5, "gaussian": 6}
_SUPPORT: dict[str, float] = {"linear": 1.0, "cubic": 2.0, "mitchell": 2.0, "hermite": 1.0, "gaussian": 2.0}


@dataclass(frozen=True, eq=False)
class AxisMap:
    """A linear map along one axis.

    Attributes:
        first: (n,) int64, the input index of each output's first tap; may lie outside the input.
        taps: (n, k) float64.
        length: of the input axis.
    """

    first: NDArray[np.int64]
    taps: NDArray[np.float64]
    length: int

    def rows(self, start: int, stop: int) -> AxisMap:
        """The map that makes only outputs start..stop-1."""
        return AxisMap(self.first[start:stop], self.taps[start:stop], self.length)

    def scaled(self, factor: float) -> AxisMap:
        """The map with every result times `factor`."""
        return AxisMap(self.first, self.taps * factor, self.length)

    def after(self, inner: AxisMap) -> AxisMap:
        """The single map equal to `inner` followed by this one.

        Where a tap of this map reads outside `inner`'s output, the nearest output's filter is moved there.
        """
        first = np.empty(len(self.first), np.int64)
        width = _composed_first(self.first, self.taps.shape[1], inner.first, inner.taps.shape[1], first)
        taps = np.zeros((len(first), width))
        _composed_taps(self.first, self.taps, inner.first, inner.taps, first, taps)
        return AxisMap(first, taps, inner.length)

    @property
    def reach_outside(self) -> int:
        """How many samples beyond either end of the input the taps touch."""
        last = int(self.first.max()) + self.taps.shape[1]
        return max(0, -int(self.first.min()), last - self.length)


@lru_cache(maxsize=256)
def resize_axis(
    length: int, outputs: int, filter: Filter, *, antialias: bool = False, a: float = -0.5, lobes: int = 3
) -> AxisMap:
    """The resize of one axis from `length` to `outputs` samples.

    `a` is cubic's parameter (-0.5: MATLAB, Pillow; -0.75: OpenCV, torch); `lobes` Lanczos's width. Rows sum to 1.
    """
    if filter == "nearest":
        first = np.floor(centres(length, outputs) + 0.5).astype(np.int64)
        return AxisMap(np.minimum(first, length - 1), np.ones((outputs, 1)), length)
    if filter == "area":
        taps = np.empty((outputs, math.ceil(length / outputs) + 1))
        first = np.empty(outputs, np.int64)
        _area_taps(length, first, taps)
        return AxisMap(first, _without_unused(taps), length)
    support = float(lobes) if filter == "lanczos" else _SUPPORT[filter]
    reach = support * max(length / outputs, 1.0) if antialias else support
    taps = np.empty((outputs, math.ceil(2 * reach) + 1))
    first = np.empty(outputs, np.int64)
    _resize_taps(length / outputs, _CODES[filter], support, reach, a, first, taps)
    return AxisMap(first, _without_unused(taps), length)


def _without_unused(taps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without last taps that no output needs: aligned phases never do."""
    while taps.shape[1] > 1 and not taps[:, -1].any():
        taps = taps[:, :-1]
    return taps


def centres(length: int, outputs: int) -> NDArray[np.float64]:
    """Where in the input (pixel units, 0 = centre of the first) each output's centre lies."""
    return (np.arange(outputs, dtype=np.float64) + 0.5) * (length / outputs) - 0.5


def matlab_axis(length: int, outputs: int) -> AxisMap:
    """MATLAB's imresize, bicubic: a = -0.5, antialiased when shrinking."""
    return resize_axis(length, outputs, "cubic", antialias=True)


def apply_axes(image: NDArray, rows: AxisMap, columns: AxisMap, *, edge: Edge = "symmetric") -> NDArray:
    """`image` (H, W, C) filtered along both axes, rows first.

    uint8 and float32 input give float32, float64 gives float64; the unit stays (uint8 gives 0..255). Not clipped.
    Where the taps leave the image it is continued by `edge`.
    """
    precision = np.float64 if image.dtype == np.float64 else np.float32
    return _separable(np.ascontiguousarray(image), rows, columns, precision, edge)


def resize(
    image: NDArray,
    height: int,
    width: int,
    filter: Filter = "cubic",
    *,
    antialias: bool = True,
    a: float = -0.5,
    lobes: int = 3,
    edge: Edge = "symmetric",
) -> NDArray:
    """`image` (H, W, C) resized to (height, width, C); dtype and edges as `apply_axes`. Defaults: MATLAB's bicubic."""
    settings = {"antialias": antialias, "a": a, "lobes": lobes}
    rows = resize_axis(image.shape[0], height, filter, **settings)
    columns = resize_axis(image.shape[1], width, filter, **settings)
    return apply_axes(image, rows, columns, edge=edge)


def imresize(image: NDArray, height: int, width: int) -> NDArray[np.float64]:
    """MATLAB's `imresize(image, [height width])` on doubles: bicubic, antialiased, mirrored edges. Not clipped."""
    return resize(image.astype(np.float64), height, width)


def imresize_uint8(
    pixels: NDArray[np.uint8], height: int, width: int, *, edge: Edge = "symmetric"
) -> NDArray[np.uint8]:
    """MATLAB's imresize of a uint8 image, to the bit: rounded and clipped to uint8 after each of the two passes.

    The dimension that shrinks most goes first, ties rows first. `edge="symmetric"` is today's MATLAB,
    "edge" (replicate) that of the releases which made the LR files of the classic test sets.
    """
    passes = [(height / pixels.shape[0], 0, height), (width / pixels.shape[1], 1, width)]
    for _, axis, outputs in sorted(passes):
        moved = np.ascontiguousarray(np.moveaxis(pixels, axis, 0))
        pixels = np.moveaxis(_matlab_pass(moved, outputs, edge), 0, axis)
    return np.ascontiguousarray(pixels)


def _matlab_pass(pixels: NDArray[np.uint8], outputs: int, edge: Edge) -> NDArray[np.uint8]:
    """One pass over the first axis. Halves round away from zero, so the sums are taken in MATLAB's precision."""
    axis = matlab_axis(pixels.shape[0], outputs)
    flat = pixels.reshape(pixels.shape[0], -1)
    margin = axis.reach_outside
    made = np.empty((outputs, flat.shape[1]), np.uint8)
    step = max(_MATLAB_BLOCK // len(flat), 1)  # doubles of a whole large photo would not fit
    for start in range(0, flat.shape[1], step):
        block = flat[:, start : start + step].astype(np.float64)
        block = np.pad(block, ((margin, margin), (0, 0)), mode=edge) if margin else block
        sums = np.empty((outputs, block.shape[1]))
        _filter_rows(block, 0, axis.first + margin, axis.taps, sums)
        made[:, start : start + step] = np.clip(np.floor(sums + 0.5), 0, 255)
    return made.reshape(outputs, *pixels.shape[1:])


def _separable(image: NDArray, rows: AxisMap, columns: AxisMap, precision: type, edge: Edge) -> NDArray:
    """The two passes, rows first: whole rows are contiguous and vectorise."""
    height, width, channels = image.shape
    out = np.empty((len(rows.first), len(columns.first), channels), precision)
    row_margin, column_margin = rows.reach_outside, columns.reach_outside
    row_of, column_of = _continued(height, row_margin, edge), _continued(width, column_margin, edge)
    taps = rows.taps.astype(precision), columns.taps.astype(precision)
    flat = image.reshape(height, width * channels)
    _both_passes(flat, row_of, column_of, rows.first + row_margin, taps[0], columns.first + column_margin, taps[1], out)
    return out


def _continued(length: int, margin: int, edge: Edge) -> NDArray[np.int64]:
    """Which sample stands where, `margin` beyond both ends of an axis; nothing where nothing is beyond."""
    return np.pad(np.arange(length), margin, mode=edge) if margin else np.empty(0, np.int64)


@jit
def _both_passes(flat, row_of, column_of, row_first, row_taps, column_first, column_taps, out):
    """Some output rows at a time, so that what lies between the passes stays cached. No index: nothing is beyond."""
    height, width, channels = out.shape
    left, right = column_first[0], column_first[0]
    for i in range(width):
        left, right = min(left, column_first[i]), max(right, column_first[i])
    used = right + column_taps.shape[1] - left
    low, high = row_first[0], row_first[0]
    for i in range(height):
        low, high = min(low, row_first[i]), max(high, row_first[i])
    is_inside = row_of.size == 0 and column_of.size == 0
    rows = np.empty((0 if is_inside else high + row_taps.shape[1] - low, used * channels), flat.dtype)
    ready = 0
    band = min(_BAND, height)
    filtered = np.empty((band, used * channels), out.dtype)
    turned = np.empty(used * channels * band, out.dtype)
    both = np.empty(width * channels * band, out.dtype)
    for start in range(0, height, band):
        count = min(band, height - start)
        for i in range(start, start + count):
            if is_inside:
                _filter_row(flat, left * channels, row_first[i], row_taps[i], filtered[i - start])
                continue
            while ready < row_first[i] + row_taps.shape[1] - low:  # rows are continued as they come into use
                source = low + ready if row_of.size == 0 else row_of[low + ready]
                _continue_row(flat[source], left, column_of, channels, rows[ready])
                ready += 1
            _filter_row(rows, 0, row_first[i] - low, row_taps[i], filtered[i - start])
        band_turned = turned[: used * channels * count].reshape(used, channels * count)
        band_both = both[: width * channels * count].reshape(width, channels * count)
        _turn(filtered[:count], band_turned.reshape(used * channels, count))
        _filter_rows(band_turned, 0, column_first - left, column_taps, band_both)
        _turn_back(band_both, out[start : start + count])


@jit
def _continue_row(values, left, column_of, channels, row):
    """`row` = the continued row from its sample `left` on."""
    used, length = row.size // channels, values.size // channels
    margin = (column_of.size - length) // 2 if column_of.size else 0
    first = min(max(margin - left, 0), used)  # what lies inside is one piece
    last = max(min(margin + length - left, used), first)
    start = (left + first - margin) * channels
    for k in range((last - first) * channels):
        row[first * channels + k] = values[start + k]
    for x in range(used):
        if x < first or x >= last:
            for c in range(channels):
                row[x * channels + c] = values[column_of[left + x] * channels + c]


@jit
def _turn(rows, turned):
    for x in range(turned.shape[0]):  # contiguous writes: twice as fast as contiguous reads
        for i in range(turned.shape[1]):
            turned[x, i] = rows[i, x]


@jit
def _turn_back(columns, out):
    height, width, channels = out.shape
    for i in range(height):
        for j in range(width):
            for c in range(channels):
                out[i, j, c] = columns[j, c * height + i]


@jit
def _filter_rows(source, left, first, taps, out):
    """out[i] = sum_k taps[i, k] * source[first[i] + k, left:]."""
    for i in range(first.size):
        _filter_row(source, left, first[i], taps[i], out[i])


@jit
def _filter_row(source, left, at, tap, row):
    """One row of `_filter_rows`, four taps at a time: `row` stays cached."""
    count, right = tap.size, left + row.size
    start = count % 4
    if start == 0:
        row[:] = 0
    else:  # one to three taps left over: read in range, weigh by zero
        second, third = min(1, start - 1), start - 1
        zero = tap[0] * 0
        x, y, z = source[at, left:right], source[at + second, left:right], source[at + third, left:right]
        _three(row, tap[0], tap[1] if start > 1 else zero, tap[2] if start > 2 else zero, x, y, z)
    for k in range(start, count, 4):
        q = at + k
        x, y = source[q, left:right], source[q + 1, left:right]
        z, w = source[q + 2, left:right], source[q + 3, left:right]
        _four_more(row, tap[k], tap[k + 1], tap[k + 2], tap[k + 3], x, y, z, w)


@jit
def _three(row, a, b, c, x, y, z):
    for i in range(row.size):
        row[i] = a * x[i] + b * y[i] + c * z[i]


@jit
def _four_more(row, a, b, c, d, x, y, z, w):
    for i in range(row.size):
        row[i] += (a * x[i] + b * y[i]) + (c * z[i] + d * w[i])


@jit
def _weight(code, a, lobes, x):
    x = abs(x)
    if code == 1:
        return max(0.0, 1.0 - x)
    if code == 2:
        if x <= 1.0:
            return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
        return ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a if x < 2.0 else 0.0
    if code == 4:
        if x <= 1.0:
            return ((7.0 * x - 12.0) * x * x + 16.0 / 3.0) / 6.0
        return (((-7.0 / 3.0 * x + 12.0) * x - 20.0) * x + 32.0 / 3.0) / 6.0 if x < 2.0 else 0.0
    if code == 5:
        return (2.0 * x - 3.0) * x * x + 1.0 if x < 1.0 else 0.0
    if code == 6:
        return exp(-2.0 * x * x) if x < 2.0 else 0.0
    if x >= lobes:
        return 0.0
    if x < 1e-9:
        return 1.0
    angle = 3.141592653589793 * x
    return lobes * sin_pi(x) * sin_pi(x / lobes) / (angle * angle)


@jit
def _area_taps(length, first, taps):
    """Coverage of each input pixel by an output's footprint, in whole numbers of 1 / outputs input pixels: exact."""
    outputs, count = first.size, taps.shape[1]
    for i in range(outputs):
        start, stop = i * length, (i + 1) * length
        first[i] = start // outputs
        for k in range(count):
            low, high = (first[i] + k) * outputs, (first[i] + k + 1) * outputs
            covered = min(high, stop) - max(low, start)
            taps[i, k] = max(covered, 0) / length


@jit
def _resize_taps(ratio, code, support, reach, a, first, taps):
    for i in range(first.size):
        centre = (i + 0.5) * ratio - 0.5
        first[i] = np.int64(np.ceil(centre - reach - 1e-9))
        total = 0.0
        for k in range(taps.shape[1]):
            taps[i, k] = _weight(code, a, support, (first[i] + k - centre) * (support / reach))
            total += taps[i, k]
        for k in range(taps.shape[1]):
            taps[i, k] /= total


@jit
def _composed_first(outer_first, outer_count, inner_first, inner_count, first):
    """Fills `first`; returns how many taps the widest output needs."""
    widest = 0
    for i in range(first.size):
        low = _inner_start(outer_first[i], inner_first)
        high = low
        for k in range(1, outer_count):
            start = _inner_start(outer_first[i] + k, inner_first)
            low = start if start < low else low
            high = start if start > high else high
        first[i] = low
        width = high + inner_count - low
        widest = width if width > widest else widest
    return widest


@jit
def _composed_taps(outer_first, outer_taps, inner_first, inner_taps, first, taps):
    for i in range(first.size):
        for k in range(outer_taps.shape[1]):
            weight, position = outer_taps[i, k], outer_first[i] + k
            row = _nearest_row(position, inner_first.size)
            start = _inner_start(position, inner_first) - first[i]
            for j in range(inner_taps.shape[1]):
                taps[i, start + j] += weight * inner_taps[row, j]


@jit
def _nearest_row(position, rows):
    row = position if position > 0 else 0
    return row if row < rows else rows - 1


@jit
def _inner_start(position, inner_first):
    row = _nearest_row(position, inner_first.size)
    return inner_first[row] + (position - row)
