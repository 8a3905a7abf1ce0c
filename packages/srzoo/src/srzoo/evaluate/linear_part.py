"""What a linear filter explains of a picture: the part of LR that is blur, resampling and phase, but no noise."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from degrade.image import Pixels

Array = NDArray[np.float64]

_WIDTH = 9  # HR pixels that a filter sees on a side, or one fewer at even scales
_BAND = 1 << 14  # windows copied at a time


class LinearPart:
    """Of pictures (H/s, W/s, 3) made of `hr` (H, W, 3), uint8.

    Each channel is fitted by least squares over all its pixels: one filter for the picture, on the same channel of HR,
    of each pixel's own s x s block and 4 pixels around it (at x2 and x3 3, at x4 2); mirrored edges.

    Noise of a picture is then what `of` leaves. It needs thousands of pixels: of n, the fit takes the share 81 / n of
    the noise's variance with it, and 64 / n at x2 and x4: of 64 x 64 pixels 0.8 % of the deviation.

    Source: our own. The clean LR alone will not do as what noise is added to: where a photograph is detailed, one LR
    differs from another by far more than by noise if they are sampled otherwise or lie a tenth of a pixel apart.
    """

    def __init__(self, hr: Pixels, scale: int) -> None:
        self._hr, self._scale = hr, scale

    @property
    def kept(self) -> float:
        """The share of the deviation of white noise that is left when its own linear part is taken away."""
        height, width, *window = self._windows[0].shape
        return math.sqrt(max(1 - math.prod(window) / (height * width), 0))

    def of(self, lr: Pixels) -> Array:
        """(h, w, 3), in grey levels.

        Raises:
            ValueError: not the size that goes with HR.
        """
        height, width = (side // self._scale for side in self._hr.shape[:2])
        if lr.shape != (height, width, 3):
            raise ValueError(f"expected ({height}, {width}, 3), got {lr.shape}")
        part = np.empty(lr.shape)
        for channel, (windows, gram) in enumerate(zip(self._windows, self._grams, strict=True)):
            level = lr[..., channel].mean()
            taps = np.linalg.lstsq(gram, products(windows, lr[..., channel] - level), rcond=None)[0]
            part[..., channel] = level + np.einsum("yxab,ab->yx", windows, taps.reshape(windows.shape[2:]))
        return part

    @cached_property
    def _windows(self) -> list[Array]:
        """For each channel, less its mean, (h, w, side, side)."""
        reach = max((_WIDTH - self._scale) // 2, 0)
        side, step = self._scale + 2 * reach, self._scale
        planes = [self._hr[..., channel] - self._hr[..., channel].mean() for channel in range(3)]
        return [
            sliding_window_view(np.pad(plane, reach, "symmetric"), (side, side))[::step, ::step] for plane in planes
        ]

    @cached_property
    def _grams(self) -> list[Array]:
        return [gram(windows) for windows in self._windows]


def gram(windows: Array) -> Array:
    """(k*k, k*k) products of the values in `windows` (h, w, k, k), summed over windows."""
    total = np.zeros((windows[0, 0].size,) * 2)
    for rows in _bands(windows):
        block = windows[rows].reshape(-1, len(total))
        total += block.T @ block
    return total


def products(windows: Array, plane: Array) -> Array:
    """(k*k,) products of the values in `windows` (h, w, k, k) with `plane` (h, w), summed."""
    total = np.zeros(windows[0, 0].size)
    for rows in _bands(windows):
        total += plane[rows].reshape(-1) @ windows[rows].reshape(-1, len(total))
    return total


def _bands(windows: Array) -> list[slice]:
    step = max(_BAND // windows.shape[1], 1)
    return [slice(top, top + step) for top in range(0, len(windows), step)]
