"""Where a picture is cut for a network.

Along each axis a tile is a `Span`: which outputs it makes, which HR that takes, which LR the network must see for it.
With `overlap` at least the network's receptive radius, and windows that stop only where the picture does, every output
is what the whole picture would give. Where that overlap costs too much, or pooling sees the whole picture, neighbours
fade into each other (`blend`); which of the two is decided in `layout`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

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


def spans(
    length: int, scale: int, *, tile: int, overlap: int, align: int = 1, resize: AxisMap | None = None
) -> list[Span]:
    """An axis of `length` LR pixels in equal parts of at most `tile`, each with `overlap` around it.

    Args:
        align: windows begin at multiples of it, up to `align` - 1 pixels before the overlap does.
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
        result.append(Span(out, hr, (max(0, core[0] - overlap) // align * align, min(length, core[1] + overlap))))
    return result


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
