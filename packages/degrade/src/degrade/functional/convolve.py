"""A kernel of two dimensions and the separable resize after it, evaluated only where that resize takes samples.

Where output samples lie on a lattice of whole pixels, kernel and resize become one kernel of `lattice` samples. The
image is dealt out into one plane for each phase of the lattice: a tap is then one offset into the planes, and its loop
runs over rows and columns at once. Otherwise the kernel is evaluated on the pixels that the resize reads, and the two
passes follow. Taps that are zero cost nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import AxisMap, Edge, apply_axes
from degrade.jit import jit

_GROUP = 8  # taps per pass over the sums
_BAND = 2048  # sums that stay in the first cache while all taps are added
_ONE = np.ones(1)
_EDGES: dict[Edge, int] = {"symmetric": 0, "edge": 1, "reflect": 2}


def filter_kernel(
    image: NDArray,
    kernel: NDArray[np.float64],
    anchor: tuple[int, int],
    rows: AxisMap | None = None,
    columns: AxisMap | None = None,
    *,
    edge: Edge = "symmetric",
) -> NDArray[np.float32]:
    """`image` (H, W, C) correlated with `kernel` and then resized by `rows` and `columns`; not clipped.

    Args:
        image: uint8 (the result is in 0..255 then) or float32.
        kernel: (K, L) weights; entry `anchor` (row, column) is that of the pixel itself. Not flipped.
        rows, columns: the resize of each axis; None keeps every pixel.
        edge: how the image continues beyond its edge. The kernel is evaluated out there too, where the resize reads.
    """
    height, width = image.shape[:2]
    rows = _identity(height) if rows is None else rows
    columns = _identity(width) if columns is None else columns
    kernel = np.ascontiguousarray(kernel, np.float64)
    size = len(rows.first), len(columns.first)
    (top, bottom), (left, right) = _span(rows), _span(columns)
    taps = np.count_nonzero(kernel)
    column_pass = size[0] * size[1] * columns.taps.shape[1]
    row_pass = size[0] * (right - left) * rows.taps.shape[1]
    afterwards = (bottom - top) * (right - left) * taps + row_pass + column_pass
    strides = _stride(rows.first, rows.taps), _stride(columns.first, columns.taps)
    if strides[0] and strides[1]:
        composed = _composed(kernel, rows.taps[0], columns.taps[0])
        if size[0] * size[1] * np.count_nonzero(composed) <= afterwards:
            start = int(rows.first[0]) - anchor[0], int(columns.first[0]) - anchor[1]
            return _on_lattice(image, composed, start, strides, size, edge)
    start = top - anchor[0], left - anchor[1]
    columns = AxisMap(columns.first - left, columns.taps, right - left)
    pattern = _composed((kernel != 0).astype(np.float64), np.ones(rows.taps.shape[1]), _ONE)
    if size[0] * (right - left) * np.count_nonzero(pattern) + column_pass < afterwards:
        blurred = _row_by_row(image, kernel, pattern, start, rows, right - left, edge)
        return apply_axes(blurred, _identity(size[0]), columns)
    blurred = _on_lattice(image, kernel, start, (1, 1), (bottom - top, right - left), edge)
    return apply_axes(blurred, AxisMap(rows.first - top, rows.taps, bottom - top), columns)


def correlate(image: NDArray, kernel: NDArray[np.float64], *, edge: Edge = "symmetric") -> NDArray[np.float32]:
    """`image` (H, W, C) correlated with `kernel` (K, K), K odd: its middle lies on the pixel itself."""
    return filter_kernel(image, kernel, (kernel.shape[0] // 2, kernel.shape[1] // 2), edge=edge)


def _identity(length: int) -> AxisMap:
    return AxisMap(np.arange(length), np.ones((length, 1)), length)


def _span(axis: AxisMap) -> tuple[int, int]:
    """The first input sample that is read, and the one after the last."""
    return int(axis.first.min()), int(axis.first.max()) + axis.taps.shape[1]


@jit
def _stride(first, taps):
    """Pixels from one output to the next if that is one number > 0 and all outputs have the same taps; else 0."""
    if first.size == 1:
        return 1
    stride = first[1] - first[0]
    for i in range(1, first.size):
        if stride < 1 or first[i] - first[i - 1] != stride:
            return 0
        for k in range(taps.shape[1]):
            if taps[i, k] != taps[0, k]:
                return 0
    return stride


@jit
def _composed(kernel, row_taps, column_taps):
    height, width = kernel.shape
    tall = np.zeros((height + row_taps.size - 1, width))
    for a in range(height):
        for i in range(row_taps.size):
            for b in range(width):
                tall[a + i, b] += row_taps[i] * kernel[a, b]
    both = np.zeros((tall.shape[0], width + column_taps.size - 1))
    for a in range(tall.shape[0]):
        for j in range(column_taps.size):
            for b in range(width):
                both[a, b + j] += column_taps[j] * tall[a, b]
    return both


def _on_lattice(
    image: NDArray,
    kernel: NDArray[np.float64],
    start: tuple[int, int],
    strides: tuple[int, int],
    size: tuple[int, int],
    edge: Edge,
) -> NDArray[np.float32]:
    """out[i, j] = sum over (a, b) of kernel[a, b] * image[start + (i, j) * strides + (a, b)]."""
    channels = image.shape[2]
    high, wide = (n - 1 + -(-k // s) for n, k, s in zip(size, kernel.shape, strides, strict=True))
    planes = _planes(image, start, strides, high, wide, edge)
    offsets, weights = _taps(kernel, strides[0], strides[1], high * wide * channels, wide * channels, channels)
    sums = np.empty(size[0] * wide * channels, np.float32)
    _add_taps(planes.reshape(-1), offsets, weights, sums[: sums.size - (wide - size[1]) * channels])
    return np.ascontiguousarray(sums.reshape(size[0], wide, channels)[:, : size[1]])


def _row_by_row(
    image: NDArray,
    kernel: NDArray[np.float64],
    pattern: NDArray[np.float64],
    start: tuple[int, int],
    rows: AxisMap,
    outputs: int,
    edge: Edge,
) -> NDArray[np.float32]:
    """The kernel and `rows` as one kernel for each output row; every column of `outputs` is kept.

    `pattern` is not 0 where the kernel of any row is not.
    """
    channels = image.shape[2]
    top, bottom = _span(rows)
    high, wide = bottom - top + kernel.shape[0] - 1, outputs + kernel.shape[1] - 1
    planes = _planes(image, start, (1, 1), high, wide, edge)
    offsets, _ = _taps(pattern, 1, 1, planes.size, wide * channels, channels)
    sums = np.empty((len(rows.first), outputs, channels), np.float32)
    flat = sums.reshape(len(rows.first), -1)
    _add_row_taps(planes.reshape(-1), offsets, pattern, kernel, rows.first - top, rows.taps, wide * channels, flat)
    return sums


@jit
def _add_row_taps(planes, offsets, pattern, kernel, first, taps, line, sums):
    weights = np.zeros(offsets.size, np.float32)
    for i in range(first.size):
        composed = _composed(kernel, taps[i], _ONE)
        at = 0
        for a in range(pattern.shape[0]):
            for b in range(pattern.shape[1]):
                if pattern[a, b] != 0.0:
                    weights[at] = composed[a, b]
                    at += 1
        _add_taps(planes[first[i] * line :], offsets, weights, sums[i])


def _planes(
    image: NDArray, start: tuple[int, int], strides: tuple[int, int], high: int, wide: int, edge: Edge
) -> NDArray[np.float32]:
    """The image from `start` on, a plane (high, wide * C) for each phase of the lattice."""
    height, width, channels = image.shape
    lines = _continued(start[0], high * strides[0], height, _EDGES[edge])
    places = _continued(start[1], wide * strides[1], width, _EDGES[edge])
    planes = np.empty((strides[0] * strides[1], high, wide * channels), np.float32)
    _deal(np.ascontiguousarray(image).reshape(height, width * channels), lines, places, strides[1], channels, planes)
    return planes


@jit
def _continued(start, count, length, edge):
    """The pixel that stands at start, start + 1, ... of an axis of `length` pixels continued at its ends."""
    indices = np.empty(count, np.int64)
    for i in range(count):
        at = start + i
        if edge == 0:
            at %= 2 * length
            at = min(at, 2 * length - 1 - at)
        elif edge == 1 or length == 1:
            at = min(max(at, 0), length - 1)
        else:
            at %= 2 * (length - 1)
            at = min(at, 2 * (length - 1) - at)
        indices[i] = at
    return indices


@jit
def _deal(flat, lines, places, stride, channels, planes):
    """planes[py * stride + px, y, x] = the image at line y * (row stride) + py, place x * stride + px."""
    row_stride = planes.shape[0] // stride
    for line in range(lines.size):
        source = flat[lines[line]]
        for px in range(stride):
            target = planes[(line % row_stride) * stride + px, line // row_stride]
            if channels == 3:
                for x in range(target.size // 3):
                    at = 3 * places[x * stride + px]
                    target[3 * x] = source[at]
                    target[3 * x + 1] = source[at + 1]
                    target[3 * x + 2] = source[at + 2]
            else:
                for x in range(target.size // channels):
                    at = channels * places[x * stride + px]
                    for c in range(channels):
                        target[channels * x + c] = source[at + c]


@jit
def _taps(kernel, row_stride, column_stride, plane, line, channels):
    """Offset into the planes and weight of every tap that is not zero, padded to whole groups with weights of zero."""
    count = 0
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            if kernel[a, b] != 0.0:
                count += 1
    padded = max(1, -(-count // _GROUP)) * _GROUP
    offsets, weights = np.zeros(padded, np.int64), np.zeros(padded, np.float32)
    at = 0
    for py in range(row_stride):  # plane after plane: neighbours in memory
        for px in range(column_stride):
            for a in range(py, kernel.shape[0], row_stride):
                for b in range(px, kernel.shape[1], column_stride):
                    if kernel[a, b] != 0.0:
                        phase = (py * column_stride + px) * plane
                        offsets[at] = phase + (a // row_stride) * line + (b // column_stride) * channels
                        weights[at] = kernel[a, b]
                        at += 1
    return offsets, weights


@jit
def _add_taps(planes, offsets, weights, sums):
    """sums[i] = sum_k weights[k] * planes[i + offsets[k]], band by band."""
    for low in range(0, sums.size, _BAND):
        band = sums[low : min(low + _BAND, sums.size)]
        for i in range(band.size):
            band[i] = 0.0
        for k in range(0, offsets.size, _GROUP):
            _eight_more(band, planes[low:], offsets, weights, k)


@jit
def _eight_more(band, planes, at, weights, k):
    """The taps k to k + 7; as separate numbers and rows, so that the loop over pixels vectorises."""
    a, b, c, d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
    e, f, g, h = weights[k + 4], weights[k + 5], weights[k + 6], weights[k + 7]
    p, q, r, s = planes[at[k] :], planes[at[k + 1] :], planes[at[k + 2] :], planes[at[k + 3] :]
    t, u, v, w = planes[at[k + 4] :], planes[at[k + 5] :], planes[at[k + 6] :], planes[at[k + 7] :]
    for i in range(band.size):
        half = (a * p[i] + b * q[i]) + (c * r[i] + d * s[i])
        band[i] += half + ((e * t[i] + f * u[i]) + (g * v[i] + h * w[i]))
