"""Where one picture lies on another: the sub-pixel translation between two patches.

Phase correlation finds the shift to a pixel, a least-squares fit of moved reference to moving picture finds the rest.
The fit's model has what real pairs differ by besides the shift: gain, offset, and a symmetric blur of unknown width
(the reference seen through two Gaussians). Without the blur terms a blurred patch is misplaced by 10 times as much.
Measurement only: nothing here is on the way to a training pixel, so FFT and matrix products are allowed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from degrade.jit import jit

Plane = NDArray[np.float64]

SMALLEST = 16  # pixels a side
DOUBTFUL_ERROR = 0.1  # pixels of standard error at which the confidence is halved

_PASS_BAND = 0.15  # cycles per pixel, standard deviation of the Gaussian weight of the phase correlation
_WHITENING = 0.5  # exponent of |cross spectrum| that is divided out: between plain correlation (0) and phase only (1)
_PREFILTER = 0.8  # pixels; noise above the photograph's own band is left out of the fit
_BLURS = (1.0, 2.0)  # pixels, the Gaussians of the blur terms
_MARGIN = 2  # rows and columns next to the border that are not compared: the filters invent them
_MAX_STEPS, _CONVERGED = 12, 1e-4  # pixels
_NOISE_AREA = 4 * np.pi * _PREFILTER**2  # pixels that share one independent noise value after the prefilter


class Shift(NamedTuple):
    """How far the content of `moving` lies below (y) and to the right (x) of the reference's, in pixels.

    `moving[p + (y, x)] = reference[p]`: to lay `moving` on the reference, move it by (-y, -x), which is what
    `skimage.registration.phase_cross_correlation(reference, moving)` gives.

    `confidence` in [0, 1] is the share of `moving`'s variance that the moved, blurred, rescaled reference explains,
    divided by 1 + (e / DOUBTFUL_ERROR)^2, where e is the fit's standard error along its least certain direction.
    So it is near 0 for flat or unrelated patches and for a single straight edge, 0.5 for SNR 1, near 1 for a pair.
    """

    y: float
    x: float
    confidence: float


def shift(moving: NDArray[np.floating], reference: NDArray[np.floating]) -> Shift:
    """The translation from `reference` to `moving`, two (H, W) arrays of one unit; see `Shift` for its sign.

    Shifts up to half a side are found; what has no overlap in both is not compared. Any gain and offset between the
    two, noise in either and a symmetric blur of `moving` are allowed for; `reference` should be the sharper.

    Measured on 28 photographs, patches of 48 to 256 px, shifts up to 4 px: with noise, blurred or not, the median
    error is 1.0 to 1.9 times the Cramer-Rao bound of the patch; without noise 0.002 px and less. What to expect of a
    patch is the confidence's business: with noise of 5/255 the median error is 0.014 px at 48 px, 0.003 px at 256 px.

    Raises:
        ValueError: not two-dimensional, of different sizes, or under `SMALLEST` pixels a side.

    Source: Kuglin and Hines 1975 (phase correlation); Lucas and Kanade 1981 (the fit); the blur terms are our own.
    """
    if moving.ndim != 2 or moving.shape != reference.shape:
        raise ValueError(f"expected two (H, W) arrays of one size, got {moving.shape} and {reference.shape}")
    if min(moving.shape) < SMALLEST:
        raise ValueError(f"expected at least {SMALLEST} x {SMALLEST} pixels, got {moving.shape}")
    one, other = np.asarray(moving, np.float64), np.asarray(reference, np.float64)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return Shift(0.0, 0.0, 0.0)
    return _fit(one, other, whole_shift(one, other))


def whole_shift(moving: Plane, reference: Plane) -> tuple[int, int]:
    """(y, x) to the nearest pixel or so, by Hann-windowed, band-limited, partly whitened correlation."""
    height, width = reference.shape
    hann = _hann(height)[:, None] * _hann(width)
    cross = _spectrum((moving - moving.mean()) * hann) * _spectrum((reference - reference.mean()) * hann).conj()
    distance = fft.fftfreq(height)[:, None] ** 2 + fft.rfftfreq(width) ** 2
    magnitude = np.abs(cross)
    weight = np.exp(distance / (-2 * _PASS_BAND**2)) / (magnitude**_WHITENING + 1e-9 * magnitude.max() + 1e-300)
    weight[0, 0] = 0
    surface = np.asarray(fft.irfft2(cross * weight, s=(height, width)))
    y, x = divmod(int(np.argmax(surface)), width)
    return (y - height if y > height // 2 else y), (x - width if x > width // 2 else x)


def _spectrum(plane: Plane) -> NDArray[np.complex128]:
    return np.asarray(fft.rfft2(plane))


def _fit(moving: Plane, reference: Plane, start: tuple[int, int]) -> Shift:
    """Gauss-Newton on the shift, with gain, offset and blur solved for at every step."""
    coefficients = ndimage.spline_filter(ndimage.gaussian_filter(moving, _PREFILTER, mode="nearest"), 3, mode="mirror")
    terms = _terms(ndimage.gaussian_filter(reference, _PREFILTER, mode="nearest"))
    y, x = float(start[0]), float(start[1])
    confidence = 0.0
    for _ in range(_MAX_STEPS):
        rows, columns = _overlap(y, reference.shape[0]), _overlap(x, reference.shape[1])
        if min(rows.stop - rows.start, columns.stop - columns.start) < SMALLEST // 2:
            return Shift(float(start[0]), float(start[1]), 0.0)
        tapers = _taper(rows.stop - rows.start), _taper(columns.stop - columns.start)
        moved = _sampled(coefficients, y, x, rows, columns)
        normal, right = np.zeros((6, 6)), np.zeros(6)
        _accumulate(terms[:, rows, columns], moved, *tapers, normal, right)
        normal[np.diag_indices(6)] *= 1 + 1e-10  # a flat patch: solvable, and of no weight
        normal[np.diag_indices(6)] += 1e-12
        solution = np.linalg.solve(normal, right)
        model = (solution[3:, None, None] * terms[3:]).sum(axis=0)
        confidence = _confidence(moved, model[rows, columns] + solution[2], tapers, np.linalg.inv(normal)[:2, :2])
        terms[0], terms[1] = np.gradient(model)  # of what the reference looks like in `moving`
        step = np.clip(solution[:2], -1, 1)
        y, x = y - float(step[0]), x - float(step[1])
        if np.abs(step).max() < _CONVERGED:
            break
    return Shift(y, x, confidence)


def _terms(reference: Plane) -> NDArray[np.float64]:
    """(6, H, W): the derivatives along y and x, one, the reference, and the reference under each blur."""
    blurred = [ndimage.gaussian_filter(reference, sigma, mode="nearest") for sigma in _BLURS]
    down, right = np.gradient(reference)
    return np.stack([down, right, np.ones_like(reference), reference, *blurred])


def _overlap(offset: float, length: int) -> slice:
    """The reference's samples whose place in `moving` has a spline's four neighbours."""
    return slice(_MARGIN + max(0, int(np.ceil(-offset))), length - _MARGIN - max(0, int(np.ceil(offset))))


def _sampled(coefficients: Plane, y: float, x: float, rows: slice, columns: slice) -> Plane:
    """The spline at (row + y, column + x): one set of four weights for all rows, another for all columns."""
    top, left = int(np.floor(y)), int(np.floor(x))
    down, right = _cubic_spline(y - top), _cubic_spline(x - left)
    lines = sum(down[k] * coefficients[rows.start + top + k - 1 : rows.stop + top + k - 1] for k in range(4))
    assert isinstance(lines, np.ndarray)
    sampled = sum(right[k] * lines[:, columns.start + left + k - 1 : columns.stop + left + k - 1] for k in range(4))
    assert isinstance(sampled, np.ndarray)
    return sampled


def _cubic_spline(t: float) -> tuple[float, float, float, float]:
    """The cubic B-spline's weights of the samples at -1, 0, 1, 2 for a point at 0 <= t < 1."""
    s = 1 - t
    return s**3 / 6, 2 / 3 - t * t * (2 - t) / 2, 2 / 3 - s * s * (2 - s) / 2, t**3 / 6


def _confidence(moved: Plane, model: Plane, tapers: tuple[Plane, Plane], covariance: NDArray[np.floating]) -> float:
    """See `Shift`; `covariance` of the shift for noise of variance 1, independent from pixel to pixel."""
    weight = tapers[0][:, None] * tapers[1]
    weight /= weight.sum()
    variance = float((weight * (moved - (weight * moved).sum()) ** 2).sum())
    left = float((weight * (moved - model) ** 2).sum())
    if variance <= 0:
        return 0.0
    error_squared = float(np.linalg.eigvalsh(covariance)[-1]) * left * _NOISE_AREA
    return max(0.0, 1 - left / variance) / (1 + error_squared / DOUBTFUL_ERROR**2)


@jit
def _accumulate(terms, moved, rows, columns, normal, right):
    """Weighted normal equations of the six terms; a product of matrices would wake every core for a small patch."""
    height, width = moved.shape
    line = np.empty((7, width))
    for y in range(height):
        for k in range(6):
            for x in range(width):
                line[k, x] = terms[k, y, x]
        for x in range(width):
            line[6, x] = moved[y, x]
        for k in range(6):
            for m in range(k, 7):
                total = 0.0
                for x in range(width):
                    total += columns[x] * line[k, x] * line[m, x]
                if m < 6:
                    normal[k, m] += rows[y] * total
                else:
                    right[k] += rows[y] * total
    for k in range(6):
        for m in range(k):
            normal[k, m] = normal[m, k]


def _hann(length: int) -> Plane:
    return np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2


def _taper(length: int) -> Plane:
    """1, with a quarter at either end falling to 0 as half a cosine period (a Tukey window)."""
    ramp = max(length // 4, 1)
    window = np.ones(length)
    window[:ramp] = np.sin(np.pi / 2 * (np.arange(ramp) + 0.5) / ramp) ** 2
    window[length - ramp :] = window[:ramp][::-1]
    return window
