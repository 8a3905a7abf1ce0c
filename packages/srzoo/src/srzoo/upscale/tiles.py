"""Where a picture is cut for a network, and how the pieces become one picture again.

Along each axis a tile is a `Span`: which outputs it makes, which HR that takes, which LR the network must see for it.
With `overlap` at least the network's receptive radius, and windows that stop only where the picture does, every output
is what the whole picture would give; so nothing is blended. Where pooling sees the whole picture nothing is exact:
there neighbours are faded into each other (`fades`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import AxisMap


@dataclass(frozen=True)
class Span:
    """One tile along one axis; all ranges half open, HR and LR in whole LR pixels.

    Attributes:
        out: pixels of the result that it makes.
        hr: the network's output which those take; equal to `out` unless the result is resized.
        lr: the network's input.
    """

    out: tuple[int, int]
    hr: tuple[int, int]
    lr: tuple[int, int]


def spans(length: int, scale: int, *, tile: int, overlap: int, resize: AxisMap | None = None) -> list[Span]:
    """An axis of `length` LR pixels in equal parts of at most `tile`, each with `overlap` around it.

    Args:
        resize: from the network's output (length * scale) to the result; None: the output is the result.
    """
    count = max(1, -(-length // tile))
    edges = [i * length // count for i in range(count + 1)]
    result = []
    for start, stop in pairwise(edges):
        if resize is None:
            out = (start * scale, stop * scale)
            core = (start, stop)
        else:
            outputs = resize.first.size
            out = (start * outputs // length, stop * outputs // length)
            if out[0] == out[1]:
                continue
            low, high = _needed(resize, *out)
            core = (low // scale, -(-high // scale))
        hr = (core[0] * scale, core[1] * scale)
        result.append(Span(out, hr, (max(0, core[0] - overlap), min(length, core[1] + overlap))))
    return result


def fades(axis: Sequence[Span], scale: int, overlap: int) -> list[NDArray[np.float32]]:
    """Per span of `spans` (without resize) the weight of each HR pixel of its window; over all spans they sum to 1.

    The weight rises in a line over `overlap` LR pixels (fewer where tiles are narrower) across each inner edge.
    """
    narrowest = min(span.hr[1] - span.hr[0] for span in axis)
    reach = min(overlap * scale, narrowest) / 2  # HR pixels on each side of an edge
    weights = []
    for number, span in enumerate(axis):
        centres = np.arange(span.lr[0] * scale, span.lr[1] * scale) + 0.5
        weight = np.ones(centres.size)
        if reach and number:
            weight *= np.clip(0.5 + (centres - span.hr[0]) / (2 * reach), 0, 1)
        if reach and number < len(axis) - 1:
            weight *= np.clip(0.5 - (centres - span.hr[1]) / (2 * reach), 0, 1)
        weights.append(weight.astype(np.float32))
    return weights


def shifted(resize: AxisMap, span: Span) -> AxisMap:
    """The part of `resize` that makes `span.out` from `span.hr` alone."""
    rows = resize.rows(*span.out)
    return AxisMap(rows.first - span.hr[0], rows.taps, span.hr[1] - span.hr[0])


def _needed(resize: AxisMap, start: int, stop: int) -> tuple[int, int]:
    """The input that makes outputs start..stop-1, with what is mirrored at an end of the axis."""
    rows = resize.rows(start, stop)
    low, high = int(rows.first.min()), int(rows.first.max()) + rows.taps.shape[1]
    before, after = max(0, -low), max(0, high - resize.length)
    return max(0, min(low, resize.length - after)), min(resize.length, max(high, before))
