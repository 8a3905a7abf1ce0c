"""Degraders without learning, which learned ones have to beat, fitted to real pairs as well as they can be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from degrade.functional.convolve import correlate
from degrade.functional.kernels import gaussian_kernel
from degrade.functional.noise import add_gaussian
from degrade.functional.resample import imresize_uint8
from degrade.image import Pixels, to_float, to_pixels
from srzoo.evaluate.linear_part import LinearPart, gram, products
from srzoo.evaluate.scenes import Degrader, Scene
from srzoo.metrics.noise_statistics import NoiseSums
from srzoo.metrics.protocol import luma

KERNEL = 15  # pixels on a side
_SIGMAS = np.geomspace(0.1, KERNEL / 2, 60)
_CORRECTIONS = 3  # of the sigma of noise
_TO_RGB = 255 / 219  # what all channels gain with luma when chroma is kept


def fit_plain(fitted_to: Iterable[Scene], scale: int) -> tuple[Degrader, ...]:
    """At scale 1 `identity`, `gaussian` and `least_squares`; else `bicubic` and `bicubic+noise`.

    Those with something to fit are fitted to `fitted_to`, all its pictures together.
    """
    if scale == 1:
        moments = Moments.over(fitted_to)
        sigma, kernel = moments.best_sigma(), moments.best_kernel()
        return (
            Degrader("identity", "HR itself", lambda scene: scene.hr),
            Degrader("gaussian", f"isotropic Gaussian, sigma {sigma:.3f}", partial(_filtered, kernel=_gaussian(sigma))),
            Degrader(
                "least_squares",
                f"{KERNEL} x {KERNEL} kernel, sum {kernel.sum():.4f}",
                partial(_filtered, kernel=kernel),
            ),
        )
    sigma = fit_noise(fitted_to)
    return (
        Degrader("bicubic", "MATLAB's bicubic", _bicubic),
        Degrader(
            "bicubic+noise",
            f"the same with white Gaussian noise of {sigma:.2f} grey levels",
            partial(_noisy, sigma=sigma),
        ),
    )


def fit_noise(scenes: Iterable[Scene]) -> float:
    """The sigma in grey levels with which bicubic LR has the noise of real LR, over flat blocks of all pictures.

    What bicubic LR has by itself is taken off; what is lost by clipping is made up for.
    """
    real, bare, plain = [], [], []
    for scene in scenes:
        part, bicubic = LinearPart(scene.hr, scene.scale), _bicubic(scene)
        real.append(NoiseSums.of(scene.real - part.of(scene.real), scene.clean))
        bare.append(NoiseSums.of(bicubic - part.of(bicubic), scene.clean))
        plain.append((bicubic, scene.clean, scene.key, part.kept))
    wanted = sigma = math.sqrt(max(_std(real) ** 2 - _std(bare) ** 2, 0))
    for _ in range(_CORRECTIONS):
        added = [
            NoiseSums.of(kept * (_with_noise(bicubic, sigma, key) - bicubic.astype(np.float64)), clean)
            for bicubic, clean, key, kept in plain
        ]
        sigma *= wanted / (_std(added) or 1)
    return sigma


@dataclass(frozen=True)
class Moments:
    """All that the squared error of a kernel depends on: k' gram k - 2 k' cross + energy.

    Of luma, 16 to 235, at all pixels whose window of 15 x 15 lies inside the picture.

    Attributes:
        gram: (225, 225) products of HR pixels in a window, summed.
        cross: (225,) their products with the LR pixel in its middle.
        energy: squared LR pixels.
    """

    gram: NDArray[np.float64]
    cross: NDArray[np.float64]
    energy: float

    @classmethod
    def over(cls, scenes: Iterable[Scene]) -> Moments:
        """Raises `ValueError` if there is none."""
        parts = [cls._of(luma(scene.hr)[..., 0], luma(scene.real)[..., 0]) for scene in scenes]
        if not parts:
            raise ValueError("expected at least one scene")
        return sum(parts[1:], parts[0])

    @classmethod
    def _of(cls, hr: NDArray[np.float64], lr: NDArray[np.float64]) -> Moments:
        radius = KERNEL // 2
        windows = sliding_window_view(hr, (KERNEL, KERNEL))
        middles = lr[radius:-radius, radius:-radius]
        return cls(gram(windows), products(windows, middles), float((middles**2).sum()))

    def __add__(self, other: Moments) -> Moments:
        return replace(self, **{name: value + getattr(other, name) for name, value in vars(self).items()})

    def error(self, kernel: NDArray[np.floating]) -> float:
        """The squared error of `kernel`, summed over pixels."""
        taps = kernel.reshape(-1).astype(np.float64)
        return float(taps @ self.gram @ taps - 2 * taps @ self.cross + self.energy)

    def best_kernel(self) -> NDArray[np.float64]:
        """(15, 15), for `correlate`; where pictures do not decide, the smallest."""
        return np.linalg.lstsq(self.gram, self.cross, rcond=None)[0].astype(np.float64).reshape(KERNEL, KERNEL)

    def best_sigma(self) -> float:
        """Of an isotropic Gaussian of 15 x 15, to 0.1 %; 0.1, hardly a blur, at least."""
        low, high = _SIGMAS[0], _SIGMAS[-1]
        sigmas = _SIGMAS
        while high / low > 1.001:
            best = int(np.argmin([self.error(_gaussian(sigma)) for sigma in sigmas]))
            low, high = sigmas[max(best - 1, 0)], sigmas[min(best + 1, len(sigmas) - 1)]
            sigmas = np.geomspace(low, high, 10)
        return float(math.sqrt(low * high))


def _std(sums: Sequence[NoiseSums]) -> float:
    if not sums:
        raise ValueError("expected at least one scene")
    return sum(sums[1:], sums[0]).statistics().std


def _gaussian(sigma: float) -> NDArray[np.float64]:
    return gaussian_kernel(KERNEL, sigma, sigma).astype(np.float64)


def _filtered(scene: Scene, kernel: NDArray[np.float64]) -> Pixels:
    """HR with its luma filtered, mirrored at the edges, chroma kept."""
    before = luma(scene.hr).astype(np.float32)
    change = (correlate(before, kernel) - before) * np.float32(_TO_RGB)
    return to_pixels(((scene.hr + change) / 255).astype(np.float32))


def _bicubic(scene: Scene) -> Pixels:
    return imresize_uint8(scene.hr, *scene.real.shape[:2])


def _noisy(scene: Scene, sigma: float) -> Pixels:
    return _with_noise(_bicubic(scene), sigma, scene.key)


def _with_noise(pixels: Pixels, sigma: float, key: int) -> Pixels:
    return to_pixels(add_gaussian(to_float(pixels), sigma / 255, key))
