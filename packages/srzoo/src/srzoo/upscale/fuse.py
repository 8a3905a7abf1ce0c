"""Two models fused by luminance: dark pictures get a weighted sum of both results, bright ones that of the first alone.

Source: Ren et al. 2020, "Real-World Super-Resolution using Generative Adversarial Networks", Eq. 6: with y_R of the
model trained with the relativistic critic and y_S of that with the standard one, alpha * y_R + beta * y_S where
Y_med < gamma, else y_R. The paper leaves open which luminance and median it means: ours is BT.601's studio luma
(16..235) over the whole y_R, not rounded.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from srzoo.upscale.alpha import Samples
from srzoo.upscale.enlarger import Enlarger, OnTile, enlarge_photo
from srzoo.upscale.facts import Facts, FusedFacts

if TYPE_CHECKING:
    from degrade.codecs import Photo

ALPHA, BETA, GAMMA = 0.6, 0.4, 64.0  # the paper's

_WEIGHTS = (65481, 128553, 24966)  # of R, G and B in luma, in thousandths over white
_BLACK = 16  # of luma
_BAND = 64  # rows at a time: doubles of a whole large picture would not fit


def fuse(first: Samples, second: Samples, *, alpha: float = ALPHA, beta: float = BETA, gamma: float = GAMMA) -> Samples:
    """Eq. 6 on two results: `first` itself where `median_luma(first) >= gamma`, else the weighted sum.

    Both are stored samples, clipped and rounded already, as files hold them: so that the same files fused later give
    the same picture, and a bright one is `first` byte for byte. The sum is taken in float64, then clipped and rounded
    once, half up.

    Args:
        first, second: (H, W, 1 or 3), uint8 or uint16, alike.
        gamma: a luma on the scale of 8 bits, also for 16-bit samples.

    Raises:
        ValueError: two that are not alike, other shapes or types, or a number that is not finite.
    """
    _check_finite(alpha, beta, gamma)
    if first.shape != second.shape or first.dtype != second.dtype:
        theirs = f"{first.shape} {first.dtype} and {second.shape} {second.dtype}"
        raise ValueError(f"expected two pictures alike, got {theirs}")
    if median_luma(first) >= gamma:
        return first
    return _weighted_sum(first, second, alpha, beta, np.empty_like(first))


def median_luma(pixels: Samples) -> float:
    """The median of BT.601 studio luma over `pixels` (H, W, 1 or 3), 16..235; of an even count the mean of the two.

    Whole numbers until the last division: no rounding decides whether a picture lies below a threshold. 16-bit samples
    are not rounded to 8 bits first. A grey picture counts as three equal channels.
    """
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.size == 0:
        raise ValueError(f"expected (H, W, 1 or 3), got {pixels.shape}")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected uint8 or uint16, got {pixels.dtype}")
    whole = np.int32 if pixels.dtype == np.uint8 else np.int64
    weights = np.array(_WEIGHTS if pixels.shape[2] == 3 else (sum(_WEIGHTS),), whole)
    sums = np.empty(pixels.shape[:2], whole)
    for y, row in enumerate(pixels):
        sums[y] = row.astype(whole) @ weights
    white = np.iinfo(pixels.dtype).max
    return _BLACK + float(np.median(sums, overwrite_input=True)) / (1000 * white)


class FusedUpscaler:
    """`fuse` on the results of two models of one scale. The second does not run where the first is all there is to it.

    Gray, alpha, 16 bits and other scales are as each model has them: where the result has another scale than theirs,
    both are resized before they are rounded and fused. Colours under transparent pixels count in the median.

    Args:
        first: trained with the relativistic critic (GAN-R).
        second: trained with the standard critic (GAN-S).

    Attributes:
        facts: about the last picture.
    """

    def __init__(
        self,
        first: Enlarger,
        second: Enlarger,
        *,
        alpha: float = ALPHA,
        beta: float = BETA,
        gamma: float = GAMMA,
    ) -> None:
        _check_finite(alpha, beta, gamma)
        if first.scale != second.scale:
            raise ValueError(f"expected two models of one scale, got x{first.scale} and x{second.scale}")
        self.first, self.second, self.scale = first, second, first.scale
        self.alpha, self.beta, self.gamma = alpha, beta, gamma
        self.facts = FusedFacts(math.nan, gamma, False, Facts(0, False))

    def photo(self, photo: Photo, *, scale: float | None = None, on_tile: OnTile | None = None) -> Photo:
        """`photo` larger, as `enlarge_photo` says."""
        return enlarge_photo(photo, lambda pixels: self.image(pixels, scale=scale, on_tile=on_tile))

    def image(self, pixels: Samples, *, scale: float | None = None, on_tile: OnTile | None = None) -> Samples:
        """`pixels` (H, W, 1 or 3) larger, as `fuse` of what both models give; `on_tile` counts anew for the second."""
        first = self.first.image(pixels, scale=scale, on_tile=on_tile)
        y_med = median_luma(first)
        if y_med >= self.gamma:
            self.facts = FusedFacts(y_med, self.gamma, False, self.first.facts)
            return first
        about_first = self.first.facts  # the second may be the same object
        second = self.second.image(pixels, scale=scale, on_tile=on_tile)
        self.facts = FusedFacts(y_med, self.gamma, True, about_first, self.second.facts)
        return _weighted_sum(first, second, self.alpha, self.beta, first)


def _weighted_sum(first: Samples, second: Samples, alpha: float, beta: float, result: Samples) -> Samples:
    """Into `result`, which may be `first`."""
    white = np.iinfo(first.dtype).max
    for top in range(0, len(first), _BAND):
        rows = slice(top, top + _BAND)
        total = alpha * first[rows].astype(np.float64) + beta * second[rows].astype(np.float64)
        result[rows] = np.floor(total + 0.5).clip(0, white)
    return result


def _check_finite(alpha: float, beta: float, gamma: float) -> None:
    if not all(map(math.isfinite, (alpha, beta, gamma))):
        raise ValueError(f"expected finite alpha, beta and gamma, got {alpha}, {beta} and {gamma}")
