"""Pictures cut into tiles or extended to whole blocks, for filters whose reach is known and that work on a grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from degrade.image import Image

Window = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class Tile:
    """`taken`: rows and columns that the part is computed from; `kept`: those whose result is right and is used."""

    taken: Window
    kept: Window


def tiles(height: int, width: int, *, side: int, overlap: int, multiple: int = 1) -> Iterator[Tile]:
    """The parts of a picture of `height` x `width` in reading order; what is kept covers it once.

    Args:
        side: of what is kept, rounded up to a multiple of `multiple`; so is the overlap, and every tile begins at one.
        overlap: pixels taken beyond what is kept, where the picture has them.
    """
    for rows in _parts(height, side, overlap, multiple):
        for columns in _parts(width, side, overlap, multiple):
            yield Tile((rows[0], columns[0]), (rows[1], columns[1]))


@dataclass(frozen=True, slots=True)
class Framed:
    """An image in a frame, so that it begins and ends on whole blocks.

    Attributes:
        image: (H, W, C), with the frame.
        origin: row and column of its first pixel, multiples of the block.
        inside: where the image itself lies.
    """

    image: Image
    origin: tuple[int, int]
    inside: Window

    @classmethod
    def of(cls, image: Image, origin: tuple[int, int], multiple: int) -> Framed:
        """`image`, whose first pixel is at `origin`, mirrored at its edges (repeating the edge) as far as needed."""
        (top, bottom, rows), (left, right, columns) = (
            _frame(start, length, multiple) for start, length in zip(origin, image.shape[:2], strict=True)
        )
        if top or bottom or left or right:
            image = np.pad(image, ((top, bottom), (left, right), (0, 0)), "symmetric")
        return cls(image, (origin[0] - top, origin[1] - left), (rows, columns))

    def cut(self, result: Image, scale: int) -> Image:
        """What of `result`, 1/`scale` of the framed image, belongs to the image itself."""
        return np.ascontiguousarray(result[divided(self.inside, scale)])


def divided(window: Window, scale: int) -> Window:
    """`window` at 1/`scale` of the size; it begins and ends on whole pixels there."""
    rows, columns = (slice(part.start // scale, part.stop // scale) for part in window)
    return rows, columns


def _parts(length: int, side: int, overlap: int, multiple: int) -> Iterator[tuple[slice, slice]]:
    side, overlap = (-(-value // multiple) * multiple for value in (side, overlap))
    for start in range(0, length, side):
        stop = min(start + side, length)
        yield slice(max(start - overlap, 0), min(stop + overlap, length)), slice(start, stop)


def _frame(origin: int, length: int, multiple: int) -> tuple[int, int, slice]:
    before = origin % multiple
    return before, -(before + length) % multiple, slice(before, before + length)
