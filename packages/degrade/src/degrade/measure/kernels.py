"""The blur between two aligned photographs of one scene, as a kernel: HR * k = LR in the least-squares sense."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, ndimage, optimize

from degrade.functional.registration import SMALLEST, shift
from degrade.functional.resample import resize

SMOOTHNESS = 1e-2  # weight of the squared steps of the kernel, in units of the mean energy of a tap
MAX_EQUATIONS = 40_000  # LR pixels for each direction of the gradient, evenly spread
LEAST_EQUATIONS = 4  # for each tap
_BLOCK = 16  # LR pixels: what is larger no blur of ours touches, it shows gain and offset alone
_SUM_WEIGHT = 1e3  # of the row that fixes the kernel's sum, in units of the mean energy of a tap


@dataclass(frozen=True, eq=False)
class KernelFit:
    """A kernel and how well it explains LR.

    kernel: (k, k) float32, non-negative, sum 1, centre of mass in the middle.
    fit: share of the energy of LR's gradient that HR * kernel explains, before it was centred.
    offset: (y, x) by which LR's content lay below and right of HR's, in HR pixels; the kernel has none of it.
    gain: contrast of LR over that of HR at low frequencies.
    sigma: (y, x) standard deviations of the kernel, HR pixels.
    border: share of the kernel in its outermost ring; more than a few hundredths asks for a larger one.
    """

    kernel: NDArray[np.float32]
    fit: float
    offset: tuple[float, float]
    gain: float
    sigma: tuple[float, float]
    border: float


def estimate_kernel(lr: NDArray[np.floating], hr: NDArray[np.floating], *, size: int = 21, scale: int = 1) -> KernelFit:
    """The kernel (size, size) at HR size that turns `hr` into `lr`, whose pixel centres it is sampled at.

    Least squares on the gradients, so brightness does not count; smooth; non-negative (Lawson and Hanson 1974); the
    sum fixed to the gain that means of 16 x 16 blocks show. A camera that sharpens would need negative taps: the
    best kernel without them is what remains. A whole-pixel shift is taken out first, a fraction by a cubic spline.

    Args:
        lr: (h, w), any unit.
        hr: (scale * h, scale * w), same unit.
        size: odd.

    Raises:
        ValueError: sizes that do not belong together, too few pixels for so many taps, or a flat picture.
    """
    if size % 2 == 0 or hr.shape != (lr.shape[0] * scale, lr.shape[1] * scale):
        raise ValueError(f"expected an odd size and HR of {scale} times LR's {lr.shape}, got {size} and {hr.shape}")
    lr, hr, moved = _aligned(np.asarray(lr, np.float64), np.asarray(hr, np.float64), scale)
    gain = _gain(lr, hr, scale)
    normal, right, energy, count = _equations(lr, hr, size, scale)
    least = LEAST_EQUATIONS * size * size
    if count < least:
        raise ValueError(
            f"expected at least {least // 2:,} LR pixels inside for {size} x {size} taps, got {count // 2:,}"
        )
    if not np.trace(normal) > 0 or not energy > 0 or gain <= 0:
        raise ValueError("expected pictures with detail that belong together")
    taps = _solve(normal, right, size, gain)
    fit = 1 - float(taps @ normal @ taps - 2 * taps @ right + energy) / energy
    kernel, (y, x) = _centred(taps.reshape(size, size) / taps.sum())
    middle = 0.5 * (scale % 2 == 0)  # where the centre of an even block lies
    rows, columns = kernel.sum(axis=1), kernel.sum(axis=0)
    steps = np.arange(size) - size // 2
    sigma = tuple(float(np.sqrt(line @ steps**2)) for line in (rows, columns))
    border = 1 - float(kernel[1:-1, 1:-1].sum())
    return KernelFit(
        kernel.astype(np.float32),
        fit,
        (moved[0] + middle - y, moved[1] + middle - x),
        gain,
        (sigma[0], sigma[1]),
        border,
    )


def _aligned(
    lr: NDArray[np.float64], hr: NDArray[np.float64], scale: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, int]]:
    """Both cut so that LR lies on HR to a pixel of LR; how far it lay off, in HR pixels."""
    if min(lr.shape) < SMALLEST:
        return lr, hr, (0, 0)
    y, x, _ = shift(lr, resize(hr[..., None], *lr.shape)[..., 0])
    down, across = round(y), round(x)
    height, width = lr.shape[0] - abs(down), lr.shape[1] - abs(across)
    top, left = max(down, 0), max(across, 0)
    bottom, right = max(-down, 0) * scale, max(-across, 0) * scale
    small = lr[top : top + height, left : left + width]
    return small, hr[bottom : bottom + height * scale, right : right + width * scale], (down * scale, across * scale)


def _gain(lr: NDArray[np.float64], hr: NDArray[np.float64], scale: int) -> float:
    """Slope of LR's block means over HR's."""
    blocks = lr.shape[0] // _BLOCK, lr.shape[1] // _BLOCK
    if min(blocks) < 2:
        return 1.0
    means = []
    for plane, side in ((lr, _BLOCK), (hr, _BLOCK * scale)):
        cut = plane[: blocks[0] * side, : blocks[1] * side]
        means.append(cut.reshape(blocks[0], side, blocks[1], side).mean(axis=(1, 3)).ravel())
    variance = float(np.var(means[1]))
    return float(np.mean((means[0] - means[0].mean()) * (means[1] - means[1].mean()))) / variance if variance else 0.0


def _equations(
    lr: NDArray[np.float64], hr: NDArray[np.float64], size: int, scale: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, int]:
    """Normal matrix, right side, energy of LR's gradient, number of equations: both directions of the gradient.

    Tap (i, j) weighs HR pixel `scale * p + (scale - 1) // 2 + (i, j) - size // 2` for LR pixel p.
    """
    taps, first = size * size, (scale - 1) // 2 - size // 2
    normal, right, energy, count = np.zeros((taps, taps)), np.zeros(taps), 0.0, 0
    for axis in (0, 1):
        fine = np.diff(lr, axis=axis)
        detail = hr[scale:] - hr[:-scale] if axis == 0 else hr[:, scale:] - hr[:, :-scale]
        if min(detail.shape) < size:
            return normal, right, energy, 0
        windows = np.lib.stride_tricks.sliding_window_view(detail, (size, size))
        rows, columns = (_inside(fine.shape[k], windows.shape[k], first, scale) for k in (0, 1))
        stride = max(1, int(np.ceil(np.sqrt(len(rows) * len(columns) / MAX_EQUATIONS))))
        rows, columns = rows[::stride], columns[::stride]
        for part in np.array_split(rows, max(1, len(rows) // 16)):
            chosen = np.ix_(part * scale + first, columns * scale + first)
            matrix = windows[chosen].reshape(-1, taps)
            wanted = fine[np.ix_(part, columns)].ravel()
            normal += matrix.T @ matrix
            right += matrix.T @ wanted
            energy += float(wanted @ wanted)
            count += wanted.size
    return normal, right, energy, count


def _inside(length: int, windows: int, first: int, scale: int) -> NDArray[np.intp]:
    """The LR positions whose window of HR pixels lies inside."""
    positions = np.arange(length)
    starts = positions * scale + first
    return positions[(starts >= 0) & (starts < windows)]


def _solve(normal: NDArray[np.float64], right: NDArray[np.float64], size: int, gain: float) -> NDArray[np.float64]:
    """The non-negative taps of least error, smooth, with the sum `gain`."""
    energy = float(np.trace(normal)) / len(normal)
    system = normal + energy * (SMOOTHNESS * _roughness(size) + 1e-6 * np.eye(len(normal)) + _SUM_WEIGHT)
    root = linalg.cholesky(system)
    wanted = linalg.solve_triangular(root, right + energy * _SUM_WEIGHT * gain, trans=1)
    taps, _ = optimize.nnls(root, wanted, maxiter=30 * len(normal))
    return taps


@lru_cache(maxsize=4)
def _roughness(size: int) -> NDArray[np.float64]:
    """(k * k, k * k): the quadratic form of the squared steps between neighbouring taps."""
    line = np.diff(np.eye(size), axis=0)
    step, one = line.T @ line, np.eye(size)
    return np.kron(step, one) + np.kron(one, step)


def _centred(kernel: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """`kernel` with its centre of mass in the middle, and where (y, x) it was, in taps from there."""
    first = _centre_of_mass(kernel)
    for _ in range(3):  # clipping moves the centre a little
        y, x = _centre_of_mass(kernel)
        kernel = np.maximum(ndimage.shift(kernel, (-y, -x), order=3), 0)
        kernel /= kernel.sum()
    return kernel, first


def _centre_of_mass(kernel: NDArray[np.float64]) -> tuple[float, float]:
    steps = np.arange(len(kernel)) - len(kernel) // 2
    return float(kernel.sum(axis=1) @ steps), float(kernel.sum(axis=0) @ steps)
