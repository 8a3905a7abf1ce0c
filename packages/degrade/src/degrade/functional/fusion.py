"""The mean of aligned shots that leaves out what is not in all of them.

A sample counts fully while its neighbourhood differs from the mean by no more than noise would, and not at all where it
differs by clearly more. Neighbourhoods, not single pixels, are judged: so noise itself is never clipped (the mean stays
the mean), and a moving thing goes as a whole, its soft edge included. How much noise there is at a level of brightness,
and how much two shots differ at an edge because neither is resampled perfectly, is measured on the burst itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from degrade.jit import jit

LEVELS = 17  # of brightness at which the noise is measured, evenly over [0, 1]
REACH = 14  # rows around a strip that its result depends on: a smoothing and a slope, twice

_SMOOTHING = 1.8  # pixels, Gaussian, of the neighbourhood
_RADIUS = 5
_FULL, _NONE = 1.9, 3.6  # mean squared deviation, in units of the noise, up to which and from which on
_FULL_MEAN, _NONE_MEAN = 8.0, 16.0  # the same of the neighbourhood's mean deviation, squared
_ROUNDS = 2
_LEAST_VARIANCE = (0.3 / 255) ** 2  # of 8-bit rounding, about
_MEDIAN_OF_SQUARE = 0.4549  # of a standard normal value
_FEWEST = 200  # samples of a level that are worth a figure

_TAPS = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / _SMOOTHING) ** 2)
_TAPS = (_TAPS / _TAPS.sum()).astype(np.float32)

Stack = NDArray[np.float32]  # (N, H, W, C); NaN where a frame does not cover the pixel


@dataclass(frozen=True, eq=False)
class Noise:
    """How much one aligned frame differs from another where nothing moves.

    Attributes:
        variance: (LEVELS, C), of a sample by its brightness, [0, 1] squared.
        edge: pixels squared; variance per squared slope of the picture, from imperfect resampling and alignment.
        mean_variance: of a neighbourhood's mean deviation, in units of a sample's variance (1/n for white noise).
    """

    variance: NDArray[np.float32]
    edge: float
    mean_variance: float


def measure_noise(stacks: list[Stack]) -> Noise:
    """From parts of a burst, aligned, `REACH` and more pixels a side, at least two frames.

    Medians throughout, so that what moves through less than a quarter of the samples counts little. Levels that do not
    occur get the figure of the nearest that does.
    """
    centres = [median(stack) for stack in stacks]
    slopes = [_squared_slope(centre) for centre in centres]
    channels = stacks[0].shape[3]
    steep = float(np.quantile(np.concatenate([slope.ravel()[::7] for slope in slopes]), 0.9))
    flat = float(np.quantile(np.concatenate([slope.ravel()[::7] for slope in slopes]), 0.5))
    by_level = np.empty((LEVELS, channels), np.float32)
    for c in range(channels):
        pairs = [_pair_squares(stack[..., c]) for stack in stacks]
        level = np.concatenate([np.rint(centre[..., c] * (LEVELS - 1)).ravel() for centre in centres])
        is_flat = np.concatenate([slope[..., c].ravel() <= flat for slope in slopes])
        squares = np.concatenate([pair.reshape(len(pair), -1) for pair in pairs], axis=1)
        by_level[:, c] = _by_level(squares[:, is_flat], np.clip(level[is_flat], 0, LEVELS - 1))
    noise = Noise(np.maximum(by_level, _LEAST_VARIANCE), 0.0, 1.0)
    edge = _edge_variance(stacks, centres, slopes, noise, steep)
    noise = Noise(noise.variance, edge, 1.0)
    energies, means = [], []
    for stack, centre in zip(stacks, centres, strict=True):
        precision = _precision(centre, noise)
        for frame in stack:
            energy, mean = _deviation(frame, centre, precision)
            energies.append(energy[::3, ::3].ravel())
            means.append(mean[::3, ::3].ravel())
    unit = max(float(np.median(np.concatenate(energies))), 0.25)  # what the model misses on the whole
    mean_variance = float(np.median(np.concatenate(means))) / unit
    return Noise(noise.variance * np.float32(unit), edge * unit, max(mean_variance, 1e-4))


def robust_mean(stack: Stack, noise: Noise) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean (H, W, C) and every frame's weight (N, H, W) in [0, 1]; not clipped.

    Starts from the median and weighs anew twice. Where no frame is like the others, which can only be with few frames
    or a crowd in every one, the first frame stands (it must cover everything). `REACH` pixels next to the border of
    the stack depend on what lies beyond it.

    Source: an M-estimate of location with redescending weights (Huber, Robust Statistics, 1981); to judge by
    neighbourhoods, and the thresholds, are our own: chosen on bursts with real noise so that the mean of a still
    scene loses under 0.1 dB against the plain mean.
    """
    mean = median(stack)
    weights = np.zeros(stack.shape[:3], np.float32)
    for _ in range(_ROUNDS):
        precision = _precision(mean, noise)
        total, count = np.zeros_like(mean), np.zeros(mean.shape[:2], np.float32)
        for frame, weight in zip(stack, weights, strict=True):
            energy, deviation = _deviation(frame, mean, precision)
            _weigh(frame, energy, deviation, np.float32(noise.mean_variance), weight, total, count)
        _divide(total, count, stack[0], mean)
    return mean, weights


def median(stack: Stack) -> NDArray[np.float32]:
    """(H, W, C), the median over frames of the samples there are; NaN where there is none."""
    out = np.empty(stack.shape[1:], np.float32)
    frames = stack.shape[0]
    _median(stack.reshape(frames, -1), np.empty(frames, np.float32), out.reshape(-1))
    return out


def variance(mean: NDArray[np.float32], noise: Noise) -> NDArray[np.float32]:
    """(H, W, C): of the noise of a frame's sample where the picture is `mean`."""
    out = np.empty_like(mean)
    _interpolate(mean.reshape(-1, mean.shape[2]), noise.variance, out.reshape(-1, mean.shape[2]))
    return out


def smooth(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, H, W), each pixel the weighted mean of its neighbourhood (Gaussian, 11 pixels a side; the edge repeated)."""
    out = np.empty_like(planes)
    _smooth(planes, _TAPS, np.empty(planes.shape[1:], np.float32), out)
    return out


def _pair_squares(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N - 1, H, W): half the squared difference of each frame to the next, whose mean is the variance of one."""
    return np.float32(0.5) * np.square(frames[1:] - frames[:-1])


def _by_level(squares: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
    """(LEVELS,) variances from (pairs, pixels) squares: a level's median, for a normal distribution."""
    found = np.full(LEVELS, np.nan)
    for k in range(LEVELS):
        here = squares[:, level == k]
        here = here[np.isfinite(here)]
        if here.size >= _FEWEST:
            found[k] = np.median(here) / _MEDIAN_OF_SQUARE
    is_known = np.isfinite(found)
    if not is_known.any():
        here = squares[np.isfinite(squares)]
        return np.full(LEVELS, np.median(here) / _MEDIAN_OF_SQUARE if here.size else 0.0, np.float32)
    return np.interp(np.arange(LEVELS), np.flatnonzero(is_known), found[is_known]).astype(np.float32)


def _edge_variance(
    stacks: list[Stack], centres: list[NDArray], slopes: list[NDArray], noise: Noise, steep: float
) -> float:
    """What is left of the variance at the steepest tenth of pixels, per squared slope."""
    ratios = []
    for stack, centre, slope in zip(stacks, centres, slopes, strict=True):
        excess = _pair_squares(stack) / np.float32(_MEDIAN_OF_SQUARE) - variance(centre, noise)
        ratio = np.where(slope >= max(steep, 1e-12), excess / np.maximum(slope, 1e-12), np.nan)
        ratios.append(ratio[np.isfinite(ratio)])
    found = np.concatenate(ratios)
    return max(float(np.median(found)), 0.0) if found.size else 0.0


def _precision(mean: NDArray[np.float32], noise: Noise) -> NDArray[np.float32]:
    total = variance(mean, noise) + np.float32(noise.edge) * _squared_slope(mean)
    return np.asarray(1 / total, np.float32)


def _squared_slope(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, C), of central differences; the picture's own noise is in it, and is small in a median or mean."""
    out = np.zeros_like(picture)
    _slope(picture, out)
    return out


def _deviation(
    frame: NDArray[np.float32], mean: NDArray[np.float32], precision: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each pixel's neighbourhood (H, W): the mean of the squared deviations, and the squared mean deviation.

    In units of the noise, averaged over the channels. A pixel that is not covered counts as an average one.
    """
    height, width, channels = frame.shape
    planes = np.empty((1 + channels, height, width), np.float32)
    _deviations(frame, mean, precision, planes)
    smoothed = smooth(planes)
    return smoothed[0], np.asarray(np.square(smoothed[1:]).mean(axis=0), np.float32)


@jit
def _median(samples, sorted_, out):
    frames, pixels = samples.shape
    for i in range(pixels):
        count = 0
        for k in range(frames):
            value = samples[k, i]
            if value == value:
                j = count
                while j > 0 and sorted_[j - 1] > value:
                    sorted_[j] = sorted_[j - 1]
                    j -= 1
                sorted_[j] = value
                count += 1
        if count == 0:
            out[i] = np.nan
        elif count % 2:
            out[i] = sorted_[count // 2]
        else:
            out[i] = np.float32(0.5) * (sorted_[count // 2 - 1] + sorted_[count // 2])


@jit
def _interpolate(levels, table, out):
    last = table.shape[0] - 1
    for i in range(levels.shape[0]):
        for c in range(levels.shape[1]):
            place = min(max(levels[i, c] * np.float32(last), np.float32(0.0)), np.float32(last))
            k = min(int(place), last - 1)
            t = place - np.float32(k)
            out[i, c] = table[k, c] + t * (table[k + 1, c] - table[k, c])


@jit
def _slope(picture, out):
    height, width, channels = picture.shape
    half = np.float32(0.5)
    for y in range(height):
        above, below = picture[max(y - 1, 0)], picture[min(y + 1, height - 1)]
        for x in range(width):
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            for c in range(channels):
                down = half * (below[x, c] - above[x, c])
                across = half * (picture[y, right, c] - picture[y, left, c])
                out[y, x, c] = down * down + across * across


@jit
def _deviations(frame, mean, precision, planes):
    height, width, channels = frame.shape
    share = np.float32(1.0) / np.float32(channels)
    for y in range(height):
        for x in range(width):
            energy, is_covered = np.float32(0.0), True
            for c in range(channels):
                difference = frame[y, x, c] - mean[y, x, c]
                is_covered = is_covered and difference == difference
                energy += difference * difference * precision[y, x, c]
                planes[1 + c, y, x] = difference * np.sqrt(precision[y, x, c])
            planes[0, y, x] = share * energy
            if not is_covered:
                planes[0, y, x] = 1.0
                for c in range(channels):
                    planes[1 + c, y, x] = 0.0


@jit
def _smooth(planes, taps, lines, out):
    """Both ways with `taps`, the edge repeated; whole rows at a time."""
    count, height, width = planes.shape
    radius = taps.size // 2
    for p in range(count):
        for y in range(height):
            line = lines[y]
            line[:] = 0
            for k in range(taps.size):
                source, tap = planes[p, min(max(y + k - radius, 0), height - 1)], taps[k]
                for x in range(width):
                    line[x] += tap * source[x]
        for y in range(height):
            target, line = out[p, y], lines[y]
            target[:] = 0
            for k in range(taps.size):
                tap, offset = taps[k], k - radius
                start, stop = min(max(-offset, 0), width), max(min(width - offset, width), 0)
                for x in range(start):
                    target[x] += tap * line[0]
                for x in range(start, stop):
                    target[x] += tap * line[x + offset]
                for x in range(max(stop, start), width):
                    target[x] += tap * line[width - 1]


@jit
def _weigh(frame, energy, deviation, mean_variance, weight, total, count):
    """Adds the weighted frame to `total` and its weight to `count`."""
    height, width, channels = frame.shape
    for y in range(height):
        for x in range(width):
            if frame[y, x, 0] != frame[y, x, 0]:
                weight[y, x] = 0.0
                continue
            w = _falling(energy[y, x], _FULL, _NONE) * _falling(deviation[y, x] / mean_variance, _FULL_MEAN, _NONE_MEAN)
            weight[y, x] = w
            count[y, x] += w
            for c in range(channels):
                total[y, x, c] += w * frame[y, x, c]


@jit
def _falling(value, full, none):
    """1 up to `full`, 0 from `none` on, Tukey's curve between."""
    t = min(max((value - np.float32(full)) / np.float32(none - full), np.float32(0.0)), np.float32(1.0))
    left = np.float32(1.0) - t * t
    return left * left


@jit
def _divide(total, count, fallback, mean):
    height, width, channels = total.shape
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                enough = count[y, x] > np.float32(0.5)
                mean[y, x, c] = total[y, x, c] / count[y, x] if enough else fallback[y, x, c]
