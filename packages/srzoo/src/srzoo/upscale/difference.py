"""What blended tiles change, measured on one cut of the picture at hand."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from srzoo.upscale.tiles import Span

Range = tuple[int, int]  # LR pixels, half open


@dataclass(frozen=True)
class Difference:
    """What tiles changed, in 8-bit levels, against `place` run at once."""

    mean: float
    largest: float
    place: str

    def __str__(self) -> str:
        return f"{self.mean:.2f} grey levels on average, {self.largest:.0f} at most, against {self.place} run at once"


@dataclass(frozen=True)
class Window:
    """A window over the cut nearest the middle of a picture; each range of rows, then columns.

    Attributes:
        lr: what the network is to see at once.
        inner: the part that is compared: all but the surroundings the network needs.
    """

    lr: tuple[Range, Range]
    inner: tuple[Range, Range]
    place: str


def window_over_a_cut(grid: tuple[list[Span], list[Span]], overlap: int, side: int | None, align: int) -> Window:
    """`side` LR pixels wide and high where the picture is; None: all of it. Begins at a multiple of `align`."""
    lr, inner = [], []
    for axis in grid:
        length = axis[-1].lr[1]
        size = length if side is None else min(length, side)
        middle = _nearest_cut(axis, length)
        start = min(max(0, middle - size // 2), length - size) // align * align
        lr.append((start, start + size))
        inner.append((start + (overlap if start else 0), start + size - (overlap if start + size < length else 0)))
    size = " x ".join(str(stop - start) for start, stop in reversed(lr))
    place = "the whole picture" if side is None else f"{size} pixels around a cut"
    return Window((lr[0], lr[1]), (inner[0], inner[1]), place)


def between(tiled: Tensor, alone: Tensor, place: str) -> Difference:
    levels = (tiled.clamp(0, 1) - alone.clamp(0, 1)).abs() * 255
    return Difference(levels.mean().item(), levels.max().item(), place)


def _nearest_cut(axis: list[Span], length: int) -> int:
    """In LR pixels; the middle of an axis that is not cut."""
    if len(axis) == 1:
        return length // 2
    span = axis[len(axis) // 2]
    return span.hr[0] * length // axis[-1].hr[1]
