"""The motion of a hand-held camera between two shots: shift, small rotation and, if asked for, scale.

Coarse to fine, from the shift that phase correlation gives and from none: Gauss-Newton on a pyramid with gain and
offset solved for along the way. Of the two ends the one where more than half of the picture fits better is kept, and
Tukey's biweight leaves out what moves by itself, as long as the still part is the larger.
"""

from __future__ import annotations

from math import cos, hypot, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from degrade.functional.registration import whole_shift
from degrade.functional.warp import Motion, coefficients, warp
from degrade.jit import jit

MAX_PIXELS = 4_000_000  # of the finest level used: enough to place a frame to some thousandths of a pixel

_CORRELATED_SIDE = 512  # longest side at which the shift is sought
_SMALLEST_SIDE = 24  # shortest side of the coarsest level
_PREFILTER = 1.0  # pixels, Gaussian
_MAX_STEPS, _CONVERGED = 20, 1e-3  # pixels, at the corner of the level
_TUKEY = 4.685  # 95 % efficient on Gaussian residuals
_CANDIDATE_PIXELS = 10_000  # of the level down to which both ways to begin are followed
_COMPARED_PIXELS = 250_000  # at most as many decide how well the two agree
_FEWEST = 64  # pixels in common

Plane = NDArray[np.float32]


class Aligned(NamedTuple):
    """The motion found, and the correlation coefficient of the two pictures after it (1: alike, 0: strangers)."""

    motion: Motion
    agreement: float


class Pyramid(NamedTuple):
    """A grey picture at 1, 1/2, 1/4, ... of its size, each level prefiltered against noise; and its full centre."""

    levels: tuple[Plane, ...]  # from the finest used
    first: int  # halvings of the finest level used
    centre: tuple[float, float]

    def centre_of(self, level: int) -> tuple[float, float]:
        """The picture's centre in pixels of a level: those of a level lie between those of the finer one."""
        halved = 2.0 ** (self.first + level)
        return (self.centre[0] + 0.5) / halved - 0.5, (self.centre[1] + 0.5) / halved - 0.5

    def at_level(self, motion: Motion, level: int) -> Motion:
        """A motion of the full picture in pixels of a level."""
        halved = 2.0 ** (self.first + level)
        return motion._replace(y=motion.y / halved, x=motion.x / halved)

    def at_full_size(self, motion: Motion, level: int) -> Motion:
        halved = 2.0 ** (self.first + level)
        return motion._replace(y=motion.y * halved, x=motion.x * halved)


def pyramid(grey: Plane) -> Pyramid:
    """Of a (H, W) picture in [0, 1]."""
    centre = (grey.shape[0] - 1) / 2, (grey.shape[1] - 1) / 2
    halvings, plane = 0, grey
    while plane.size > MAX_PIXELS:
        plane, halvings = _halved(plane), halvings + 1
    raw = [plane]
    while min(raw[-1].shape) >= 2 * _SMALLEST_SIDE:
        raw.append(_halved(raw[-1]))
    levels = tuple(_prefiltered(level) for level in raw)
    return Pyramid(levels, halvings, centre)


def align(frame: Pyramid, reference: Pyramid, *, rotation: bool = True, scale: bool = False) -> Aligned:
    """The motion of `frame` against `reference`, pyramids of pictures of one size.

    Rotations up to about 5 degrees and scales within 5 % are found; shifts up to half a side. Accuracy on 240 x 176
    pixels with the noise of a phone: 0.015 px and 0.01 degrees; more pixels, more accuracy.
    """
    coarsest = len(reference.levels) - 1
    middle = next(k for k, plane in enumerate(reference.levels) if plane.size <= _CANDIDATE_PIXELS or k == coarsest)

    def descended(motion: Motion, levels: range) -> Motion:
        for level in levels:
            here = reference.at_level(motion, level)
            centre = reference.centre_of(level)
            here = _descend(frame.levels[level], reference.levels[level], here, centre, rotation, scale)
            motion = reference.at_full_size(here, level)
        return motion

    candidates = [
        descended(start, range(coarsest, middle - 1, -1)) for start in (_correlated(frame, reference), Motion())
    ]
    best = min(candidates, key=lambda motion: _typical_difference(frame, reference, motion, middle))
    motion = descended(best, range(middle - 1, -1, -1))
    return Aligned(motion, _agreement(frame, reference, motion))


def _correlated(frame: Pyramid, reference: Pyramid) -> Motion:
    """The shift by phase correlation. A thing that moves and stands out may have caught it."""
    last = len(reference.levels) - 1
    level = next(k for k, plane in enumerate(reference.levels) if max(plane.shape) <= _CORRELATED_SIDE or k == last)
    y, x = whole_shift(frame.levels[level].astype(np.float64), reference.levels[level].astype(np.float64))
    return reference.at_full_size(Motion(y, x), level)


def _typical_difference(frame: Pyramid, reference: Pyramid, motion: Motion, level: int) -> float:
    """The median over the pixels of a level: small where more than half of the picture fits."""
    moved = _moved(frame, reference, motion, level)
    difference = (moved - reference.levels[level])[np.isfinite(moved)]
    if difference.size < _FEWEST:
        return np.inf
    return float(np.median(np.abs(difference - np.median(difference))))


def _agreement(frame: Pyramid, reference: Pyramid, motion: Motion) -> float:
    last = len(reference.levels) - 1
    level = next(k for k, plane in enumerate(reference.levels) if plane.size <= _COMPARED_PIXELS or k == last)
    moved = _moved(frame, reference, motion, level)
    is_covered = np.isfinite(moved)
    if is_covered.sum() < _FEWEST:
        return 0.0
    one, two = (plane[is_covered].astype(np.float64) for plane in (moved, reference.levels[level]))
    one, two = one - one.mean(), two - two.mean()
    energy = float(np.sqrt(np.square(one).sum() * np.square(two).sum()))
    return float((one * two).sum()) / energy if energy > 0 else 0.0


def _moved(frame: Pyramid, reference: Pyramid, motion: Motion, level: int) -> Plane:
    plane, here = frame.levels[level], reference.at_level(motion, level)
    return warp(coefficients(plane[:, :, None]), here, reference.centre_of(level), (0, len(plane)), len(plane))[:, :, 0]


def _descend(
    frame: Plane, reference: Plane, motion: Motion, centre: tuple[float, float], rotation: bool, scale: bool
) -> Motion:
    """Gauss-Newton at one level; the reference's slopes stand in for the frame's, so they are made once."""
    spline = coefficients(frame[:, :, None])
    free = np.array([True, True, rotation, scale, True, True])
    slope_y, slope_x = (np.ascontiguousarray(slope, np.float32) for slope in np.gradient(reference))
    corner = hypot(*centre)
    gain, offset = 1.0, 0.0
    for _ in range(_MAX_STEPS):
        moved = warp(spline, motion, centre, (0, len(frame)), len(frame))[:, :, 0]
        residual = moved - (np.float32(gain) * reference + np.float32(offset))
        sizes = np.abs(residual[np.isfinite(residual)])
        if sizes.size < _FEWEST:
            return motion
        limit = _TUKEY * 1.4826 * max(float(np.median(sizes)), 1e-5)
        normal, right = np.zeros((6, 6)), np.zeros(6)
        _accumulate(moved, residual, reference, slope_y, slope_x, limit, *centre, normal, right)
        normal = normal[np.ix_(free, free)]
        normal[np.diag_indices_from(normal)] *= 1 + 1e-9
        normal[np.diag_indices_from(normal)] += 1e-12
        step = np.zeros(6)
        step[free] = np.linalg.solve(normal, right[free])
        gain, offset = gain + float(step[4]), offset + float(step[5])
        a, b = motion.scale * cos(motion.angle) - step[3], motion.scale * sin(motion.angle) - step[2]
        motion = Motion(
            motion.y - float(step[0]), motion.x - float(step[1]), float(np.arctan2(b, a)), float(np.hypot(a, b))
        )
        if not scale:
            motion = motion._replace(scale=1.0)
        if np.abs(step[:2]).max() + np.abs(step[2:4]).max() * corner < _CONVERGED:
            break
    return motion


def _prefiltered(plane: Plane) -> Plane:
    return np.asarray(ndimage.gaussian_filter(plane, _PREFILTER, mode="nearest"), np.float32)


def _halved(plane: Plane) -> Plane:
    """Half as many rows and columns, (1 3 3 1) / 8 each way; an odd last one is dropped."""
    for _ in range(2):
        count = plane.shape[0] // 2
        padded = np.concatenate([plane[:1], plane, plane[-1:]])
        first, second, third, fourth = (padded[k : k + 2 * count : 2] for k in range(4))
        plane = np.ascontiguousarray(((first + fourth + 3 * (second + third)) / 8).T, np.float32)
    return plane


@jit
def _accumulate(moved, residual, reference, slope_y, slope_x, limit, centre_y, centre_x, normal, right):
    """Normal equations of (y, x, turn, growth, gain, offset) under Tukey's weights; uncovered pixels have none."""
    height, width = moved.shape
    row = np.empty(6)
    total = np.empty((6, 7))
    for i in range(height):
        v = i - centre_y
        total[:] = 0.0
        for j in range(width):
            distance = residual[i, j] / limit
            if not distance * distance < 1.0:  # NaN too
                continue
            weight = 1.0 - distance * distance
            weight *= weight
            u = j - centre_x
            down, across = slope_y[i, j], slope_x[i, j]
            row[0], row[1] = down, across
            row[2], row[3] = down * u - across * v, down * v + across * u
            row[4], row[5] = reference[i, j], 1.0
            for k in range(6):
                scaled = weight * row[k]
                for m in range(k, 6):
                    total[k, m] += scaled * row[m]
                total[k, 6] += scaled * residual[i, j]
        for k in range(6):
            for m in range(k, 6):
                normal[k, m] += total[k, m]
            right[k] += total[k, 6]
    for k in range(6):
        for m in range(k):
            normal[k, m] = normal[m, k]
