"""How large the tiles of a picture are and how far they overlap: exactly as far as the network sees, or blended."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from srzoo.upscale.tiles import spans

# LR pixels. Real-ESRGAN's x4plus (RRDB, 23 blocks) can see 349 around a pixel. Cutting three photographs off 32 away
# changed it by up to 16 grey levels, 48 away by 5, 64 by 0.8, 96 by 0.03. Neighbours fade from 48 to 80 away: on the
# worst of the three 2 levels at most, 0.03 on average around the cut; with an overlap of 32, 16 and 0.4.
BLENDED_OVERLAP = 64
WORTH_EXACTNESS = 1.5  # times the work of blended tiles; exact ones may cost that much
RADII = 8  # on a side of an exact window, at least: then overlaps cost under 80 % on top
SMALLEST = 64  # LR pixels on a side of a tile that is not asked for; smaller ones run at less than full speed


@dataclass(frozen=True)
class Layout:
    """LR pixels: of a tile's side, and around it; whether that gives what the whole picture gives."""

    tile: int
    overlap: int
    is_exact: bool


def choose(
    height: int,
    width: int,
    *,
    radius: int | None,
    window: int,
    capacity: Callable[[], int],
    tile: int | None = None,
    overlap: int | None = None,
    ceiling: int | None = None,
) -> Layout:
    """The tiles of a picture of `height` x `width`.

    Up to `BLENDED_OVERLAP` the exact overlap costs no more than a blended one, so it is taken. A larger one is taken
    while its work stays within `WORTH_EXACTNESS`; RRDB's 349 would make a window of 762 pixels for a tile of 64. Where
    blending would be needed a picture is not cut at all if memory allows.

    Args:
        radius: how far the network sees; None: everywhere, or not the same everywhere.
        window: side that runs fastest, for networks of small radius.
        capacity: pixels of a window that fit the memory; asked for only where it matters.
        tile, overlap: as the caller wants them; tile 0: never cut.
        ceiling: tiles are not larger, whatever else says so.
    """
    whole = max(height, width)

    def laid(room: int, overlap: int, *, is_exact: bool) -> Layout:
        if tile is not None:
            side = tile or whole
        else:
            side = whole if height * width <= room else max(math.isqrt(room) - 2 * overlap, SMALLEST)
        side = min(side, ceiling or side)
        return Layout(side, overlap, is_exact or side >= whole)

    wanted = BLENDED_OVERLAP if overlap is None else overlap
    if radius is not None and radius <= wanted:
        return laid(window**2, radius if overlap is None else overlap, is_exact=True)
    most = capacity()
    blended = laid(most, wanted, is_exact=False)
    if radius is None or overlap is not None:
        return blended
    exact = laid(min(max(window, RADII * radius) ** 2, most), radius, is_exact=True)
    work, largest = _work(exact, height, width)
    is_worth_it = largest <= most and work <= WORTH_EXACTNESS * _work(blended, height, width)[0]
    return exact if is_worth_it else blended


def _work(layout: Layout, height: int, width: int) -> tuple[int, int]:
    """LR pixels that the network is run on: in all, and at most at once."""
    rows, columns = (
        [span.lr[1] - span.lr[0] for span in spans(length, 1, tile=layout.tile, overlap=layout.overlap)]
        for length in (height, width)
    )
    return sum(rows) * sum(columns), max(rows) * max(columns)
