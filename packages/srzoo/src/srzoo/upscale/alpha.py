"""Transparency: what colours hide under it, and how it is enlarged itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import resize

Samples = NDArray[np.uint8 | np.uint16]


def bleed(pixels: Samples, alpha: Samples) -> Samples:
    """`pixels` (H, W, C) with every fully transparent one replaced by the colours nearest to it.

    Whatever a file hides there (often black) would otherwise reach visible pixels as a fringe. `alpha` is (H, W).
    """
    visible = alpha > 0
    if visible.all() or not visible.any():
        return pixels
    filled = _filled(pixels.astype(np.float32), visible.astype(np.float32)[..., None])
    return np.where(visible[..., None], pixels, (filled + 0.5).astype(pixels.dtype))


def enlarge_alpha(alpha: Samples, height: int, width: int) -> Samples:
    """`alpha` (H, W) resized bicubically, antialiased, clipped and rounded: fully opaque stays exactly so."""
    white = np.iinfo(alpha.dtype).max
    enlarged = resize(alpha[..., None].astype(np.float32), height, width)[..., 0]
    return (np.clip(enlarged, 0, white) + 0.5).astype(alpha.dtype)


def _filled(colours: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples of weight 0 take the mean of the visible ones in the smallest aligned square around them that has any."""
    height, width, _ = colours.shape
    if weights.all():
        return colours
    rows, columns = height % 2, width % 2
    sums = np.pad(colours * weights, ((0, rows), (0, columns), (0, 0)))
    counts = np.pad(weights, ((0, rows), (0, columns), (0, 0)))
    sums, counts = (a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2, -1).sum((1, 3)) for a in (sums, counts))
    means = sums / np.maximum(counts, 1)
    coarse = _filled(means, np.minimum(counts, 1))
    coarse = coarse.repeat(2, 0).repeat(2, 1)[:height, :width]
    return np.where(weights > 0, colours, coarse)
