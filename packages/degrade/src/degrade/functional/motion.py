"""Kernels of a camera that moved while the shutter was open.

The path is followed in steps of 1/64 pixel or less, time passing evenly; each moment adds the image moved there, read
linearly between pixels: so a fraction of a pixel counts as such, and the centre of mass of the kernel is that of the
path. Every path is moved so that its own lies in the middle.
"""

from __future__ import annotations

import math

import numpy as np

from degrade.elementary import cos_pi, sin_pi
from degrade.functional.kernels import Kernel
from degrade.functional.noise_field import unit_normals
from degrade.jit import jit

_STEPS_PER_PIXEL = 64
_SHAKE_STEPS = 128
_INERTIA = 0.97  # share of the velocity that is left after a step: it lasts for a third of the exposure


def motion_kernel(length: float, angle: float, curvature: float = 0.0) -> Kernel:
    """Motion at even speed along an arc of `length` pixels; (K, K) with K = `motion_size(length)`.

    Args:
        angle: direction halfway, in radians from x towards y (downward).
        curvature: radians per pixel of path, the inverse of the arc's radius; 0 is a straight line.

    Length 0 leaves the image as it is.
    """
    kernel = np.zeros((motion_size(length), motion_size(length)))
    count = max(1, math.ceil(length * _STEPS_PER_PIXEL))
    path = np.empty((2, count))
    _arc(length / count, angle / math.pi, curvature / math.pi, path)
    _expose(path, kernel)
    return kernel


def motion_size(length: float) -> int:
    """The odd width that holds any path of `length` around its centre of mass: no point is further than half of it."""
    return 2 * math.ceil(0.5 * length) + 1


def shake_kernel(length: float, size: int, key: int) -> Kernel:
    """A hand's shake: a path of `length` pixels whose velocity is a random walk with inertia; (size, size).

    Velocities follow v = 0.97 v + noise for 128 steps, from rest beforehand, and the path is scaled to its length. One
    that would leave the kernel is shrunk to fit. Ours, in the spirit of Boracchi and Foi 2012.

    Args:
        size: odd.
        key: 64 bits; names the path.
    """
    kernel = np.zeros((size, size))
    noise = unit_normals(key, 0, 0, 1, 2 * _SHAKE_STEPS, rows=2)
    path = np.empty((2, _SHAKE_STEPS * max(1, math.ceil(length * _STEPS_PER_PIXEL / _SHAKE_STEPS))))
    _shake(noise, length, size // 2, _INERTIA, path)
    _expose(path, kernel)
    return kernel


@jit
def _arc(step, turns, turns_per_pixel, path):
    """Positions (y, x) in the middles of equal steps, the direction turning by the same angle from one to the next."""
    count = path.shape[1]
    first = turns - 0.5 * turns_per_pixel * step * (count - 1)
    cosine, sine = cos_pi(first), sin_pi(first)
    turn_cosine, turn_sine = cos_pi(turns_per_pixel * step), sin_pi(turns_per_pixel * step)
    y, x = 0.0, 0.0
    for k in range(count):
        path[0, k], path[1, k] = y + 0.5 * step * sine, x + 0.5 * step * cosine
        y, x = y + step * sine, x + step * cosine
        cosine, sine = cosine * turn_cosine - sine * turn_sine, sine * turn_cosine + cosine * turn_sine
    _centre(path)


@jit
def _shake(noise, length, reach, inertia, path):
    steps = noise.shape[1] // 2
    between = path.shape[1] // steps
    velocity = np.empty((2, steps))
    vy, vx, total = 0.0, 0.0, 0.0
    for k in range(2 * steps):  # the first half is the time before the shutter opens
        vy, vx = inertia * vy + noise[0, k], inertia * vx + noise[1, k]
        if k >= steps:
            velocity[0, k - steps], velocity[1, k - steps] = vy, vx
            total += np.sqrt(vy * vy + vx * vx)
    factor = length / (total * between)
    y, x = 0.0, 0.0
    for k in range(path.shape[1]):
        dy, dx = factor * velocity[0, k // between], factor * velocity[1, k // between]
        path[0, k], path[1, k] = y + 0.5 * dy, x + 0.5 * dx
        y, x = y + dy, x + dx
    _centre(path)
    furthest = 0.0
    for k in range(path.shape[1]):
        furthest = max(furthest, abs(path[0, k]), abs(path[1, k]))
    if furthest > reach:
        for k in range(path.shape[1]):
            path[0, k] *= reach / furthest
            path[1, k] *= reach / furthest


@jit
def _centre(path):
    for axis in path:
        total = 0.0
        for k in range(axis.size):
            total += axis[k]
        mean = total / axis.size
        for k in range(axis.size):
            axis[k] -= mean


@jit
def _expose(path, kernel):
    """Each position's share of time, divided among the four pixels around it."""
    middle = kernel.shape[0] // 2
    last = kernel.shape[0] - 1
    share = 1.0 / path.shape[1]
    for k in range(path.shape[1]):
        y, x = path[0, k] + middle, path[1, k] + middle
        top = min(max(np.int64(np.floor(y)), 0), last)  # rounding may put the end of a path outside
        left = min(max(np.int64(np.floor(x)), 0), last)
        below, right = min(top + 1, last), min(left + 1, last)
        v, u = y - top, x - left
        kernel[top, left] += share * (1.0 - v) * (1.0 - u)
        kernel[top, right] += share * (1.0 - v) * u
        kernel[below, left] += share * v * (1.0 - u)
        kernel[below, right] += share * v * u
