"""Noise where nothing is to be seen: the spread of luma in the flat areas of a picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SIDE = 16  # pixels of a block
FLATTEST = 2.0  # grey levels; more of the truth about its plane is texture, or its own noise

Plane = NDArray[np.float64]


def flat_noise(sr: Plane, hr: Plane, *, side: int = SIDE, flattest: float = FLATTEST) -> float:
    """The standard deviation of `sr` in its flat areas, in grey levels; nan where there are none.

    A block is flat where the truth `hr` deviates from its least-squares plane by less than `flattest`, whatever the
    method made of it: all methods are judged on the same blocks, and one that paints texture there does not escape by
    it. In each block the plane of `sr` is taken away, so that shading is no noise and neither is a shift of brightness.
    The result is the mean over blocks of the deviation that remains (over n - 3: a plane has three numbers).

    Args:
        sr, hr: (H, W, 1) luma of 8-bit pictures (`protocol.luma`, not rounded), alike. Blocks of `side` x `side` from
            the top left count, if whole; black ones, too, where noise is half clipped.

    Raises:
        ValueError: two that are not alike, or not of one channel.

    Source: our own. For Ren et al. 2020, who tell of noise in flat areas of dark pictures and measure none.
    """
    if sr.shape != hr.shape or sr.ndim != 3 or sr.shape[2] != 1:
        raise ValueError(f"expected two of (H, W, 1) alike, got shapes {sr.shape} and {hr.shape}")
    is_flat = _deviations(_blocks(hr, side)) < flattest
    if not is_flat.any():
        return math.nan
    return float(_deviations(_blocks(sr, side)[is_flat]).mean())


def _blocks(plane: Plane, side: int) -> Plane:
    """(blocks, side, side), row by row."""
    rows, columns = (length // side for length in plane.shape[:2])
    whole = plane[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return whole.swapaxes(1, 2).reshape(-1, side, side)


def _deviations(blocks: Plane) -> Plane:
    """(blocks,): the standard deviation of each block (side, side) about its least-squares plane."""
    side = blocks.shape[1]
    ramp = np.arange(side) - (side - 1) / 2
    energy = side * (ramp**2).sum()  # of a ramp over the block; ramps and constant are orthogonal
    level = blocks.mean((1, 2), keepdims=True)
    down = np.einsum("nyx,y->n", blocks, ramp)[:, None, None] / energy
    across = np.einsum("nyx,x->n", blocks, ramp)[:, None, None] / energy
    rest = blocks - level - down * ramp[:, None] - across * ramp
    return np.sqrt((rest**2).sum((1, 2)) / (side**2 - 3))
