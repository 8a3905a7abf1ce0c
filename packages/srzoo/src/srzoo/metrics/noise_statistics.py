"""What noise looks like: how strong by brightness, of what grain, and how alike its channels are.

It is looked at where the clean picture is flat, so that what another blur of the same scene leaves hardly counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from degrade.functional.color import LUMA_WEIGHTS

SIDE = 16  # pixels of a block
BANDS = 8  # of the spectrum
BINS = 8  # of brightness
SMALLEST_SHARE = 0.01  # of the blocks; a bin with fewer says nothing
FLOOR = 1e-6  # grey levels squared: a power below it counts as this, so that no noise has a level in dB

_LUMA = np.array(LUMA_WEIGHTS)
_TAPER = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIDE) / SIDE)  # Hann
_WINDOW = np.outer(_TAPER, _TAPER)
# Power that white noise of variance 1 has at each frequency once the block's mean is gone and the window laid over it.
_GAIN = (_WINDOW**2).sum() - np.abs(np.fft.fft2(_WINDOW)) ** 2 / SIDE**2
_FREQUENCY = np.fft.fftfreq(SIDE) * SIDE
_BAND = np.hypot(*np.meshgrid(_FREQUENCY, _FREQUENCY)).round().clip(1, BANDS).astype(int) - 1
_IN_BAND = np.stack([(band == _BAND) & (np.arange(SIDE**2).reshape(SIDE, SIDE) > 0) for band in range(BANDS)])
_NUM_IN_BAND = _IN_BAND.sum((1, 2))


@dataclass(frozen=True)
class NoiseStatistics:
    """Of noise pooled over pictures, in grey levels of 255.

    Attributes:
        std: root mean square over pixels and channels.
        std_by_brightness: the same in blocks whose reference has a mean luma of 0..31, 32..63, ...; None where there
            are hardly any.
        share_by_brightness: of all blocks, those with that brightness; they sum to 1.
        spectrum: of luma, in dB of grey levels squared, from coarse to fine: band k is that of k + 1/2 to k + 3/2
            periods in 16 pixels, the last one with the corners. White noise of deviation s has 20 log10 s in each.
        channel_correlation: of R and G, G and B, R and B; nan where a channel has no noise.
        num_blocks: how many were flat.
    """

    std: float
    std_by_brightness: tuple[float | None, ...]
    share_by_brightness: tuple[float, ...]
    spectrum: tuple[float, ...]
    channel_correlation: tuple[float, float, float]
    num_blocks: int

    @property
    def spectrum_shape(self) -> tuple[float, ...]:
        """`spectrum` against its mean power over all frequencies: the grain alone, however strong the noise."""
        total = float(_NUM_IN_BAND @ 10 ** (np.array(self.spectrum) / 10) / _NUM_IN_BAND.sum())
        return tuple(level - 10 * math.log10(total) for level in self.spectrum)


@dataclass(frozen=True)
class NoiseDistance:
    """How far made noise is from real noise; 0 where they are alike, nan where it cannot be said.

    Attributes:
        std: mean of |made / real - 1| of the deviations by brightness, weighed by the real blocks of each bin.
        std_worst: its largest, over the bins that both have.
        spectrum, spectrum_mean: largest and mean difference over the bands, dB.
        spectrum_shape: largest difference of the spectra's shapes, dB.
        correlation: largest difference of the three channel correlations.
    """

    std: float
    std_worst: float
    spectrum: float
    spectrum_mean: float
    spectrum_shape: float
    correlation: float


@dataclass(frozen=True)
class NoiseSums:
    """The noise of pictures, added up; `a + b` is that of both, `statistics` what they tell together.

    Attributes:
        counts, squares: (BINS,) blocks, and the variances of those summed.
        covariance: (3, 3) summed over blocks.
        power: (BANDS,) mean power in the band, summed over blocks.
    """

    counts: NDArray[np.float64]
    squares: NDArray[np.float64]
    covariance: NDArray[np.float64]
    power: NDArray[np.float64]

    @classmethod
    def of(cls, noise: NDArray, reference: NDArray) -> NoiseSums:
        """Of `noise` on the clean picture `reference`, both (H, W, 3) RGB in grey levels of 255, at least 16 x 16.

        Whole blocks of 16 x 16 from the top left; of those the flatter half, by the standard deviation of the
        reference's luma. Every block loses its mean, channel by channel; variances are over n - 1. The spectrum is that
        of a Hann window over the block, corrected for what mean and window take from white noise.

        Raises:
            ValueError: two that are not alike, not RGB, or smaller than a block.
        """
        if noise.shape != reference.shape or noise.ndim != 3 or noise.shape[2] != 3 or min(noise.shape[:2]) < SIDE:
            shapes = f"{noise.shape} and {reference.shape}"
            raise ValueError(f"expected two of (H, W, 3) alike, at least {SIDE} x {SIDE}, got shapes {shapes}")
        light = _blocks(reference.astype(np.float64) @ _LUMA)
        flat = np.argsort(light.std((1, 2)), kind="stable")[: (len(light) + 1) // 2]
        blocks = _blocks(noise.astype(np.float64))[flat]
        blocks -= blocks.mean((1, 2), keepdims=True)
        covariances = np.einsum("nyxc,nyxd->ncd", blocks, blocks) / (SIDE**2 - 1)
        variances = covariances.trace(axis1=1, axis2=2) / 3
        bins = np.minimum(light[flat].mean((1, 2)) * BINS / 256, BINS - 1).astype(int)
        return cls(
            np.bincount(bins, minlength=BINS).astype(np.float64),
            np.bincount(bins, variances, minlength=BINS).astype(np.float64),
            covariances.sum(0),
            _band_powers(blocks @ _LUMA).sum(0),
        )

    def __add__(self, other: NoiseSums) -> NoiseSums:
        return replace(self, **{name: value + getattr(other, name) for name, value in vars(self).items()})

    def statistics(self) -> NoiseStatistics:
        total = self.counts.sum()
        shares = self.counts / total
        by_brightness = tuple(
            math.sqrt(squares / count) if share >= SMALLEST_SHARE else None
            for squares, count, share in zip(self.squares, self.counts, shares, strict=True)
        )
        deviation = np.sqrt(self.covariance.diagonal())
        with np.errstate(invalid="ignore"):
            correlation = self.covariance / np.outer(deviation, deviation)
        return NoiseStatistics(
            std=math.sqrt(self.covariance.trace() / 3 / total),
            std_by_brightness=by_brightness,
            share_by_brightness=tuple(shares.tolist()),
            spectrum=tuple((10 * np.log10(np.maximum(self.power / total, FLOOR))).tolist()),
            channel_correlation=(float(correlation[0, 1]), float(correlation[1, 2]), float(correlation[0, 2])),
            num_blocks=int(total),
        )


def measure_noise(pairs: Iterable[tuple[NDArray, NDArray]]) -> NoiseStatistics:
    """Of all (picture, its clean reference) together; see `NoiseSums.of`.

    Raises:
        ValueError: no pair, or one that does not fit.
    """
    sums = [NoiseSums.of(np.subtract(lr, reference, dtype=np.float64), reference) for lr, reference in pairs]
    if not sums:
        raise ValueError("expected at least one pair")
    return sum(sums[1:], sums[0]).statistics()


def compare(real: NoiseStatistics, made: NoiseStatistics) -> NoiseDistance:
    """How far `made` is from `real`, both measured on the same scenes."""
    shared = [
        (share, _relative_error(one, other))
        for share, one, other in zip(
            real.share_by_brightness, real.std_by_brightness, made.std_by_brightness, strict=True
        )
        if one is not None and other is not None
    ]
    weight = sum(share for share, _ in shared)
    bands = np.abs(np.subtract(made.spectrum, real.spectrum))
    return NoiseDistance(
        std=sum(share * error for share, error in shared) / weight if shared else math.nan,
        std_worst=max((error for _, error in shared), default=math.nan),
        spectrum=float(bands.max()),
        spectrum_mean=float(bands.mean()),
        spectrum_shape=float(np.abs(np.subtract(made.spectrum_shape, real.spectrum_shape)).max()),
        correlation=float(np.abs(np.subtract(made.channel_correlation, real.channel_correlation)).max()),
    )


def _relative_error(real: float, made: float) -> float:
    if real:
        return abs(made / real - 1)
    return math.inf if made else 0.0


def _blocks(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, W, ...) to (blocks, SIDE, SIDE, ...), row by row."""
    rows, columns = array.shape[0] // SIDE, array.shape[1] // SIDE
    whole = array[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE, *array.shape[2:])
    return whole.swapaxes(1, 2).reshape(-1, SIDE, SIDE, *array.shape[2:])


def _band_powers(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """(blocks, BANDS) mean power of `noise` (blocks, SIDE, SIDE), each block without its mean."""
    power = np.abs(np.fft.fft2(noise * _WINDOW)) ** 2 / _GAIN
    return np.einsum("nyx,byx->nb", power, _IN_BAND.astype(np.float64)) / _NUM_IN_BAND
