"""Contact sheets: pictures in a grid, what was drawn for each printed under it.

Text uses the font that ships with Pillow, which knows ASCII only; other letters lose their accents or
are written as escapes.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil, inf, log

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from degrade.errors import UsageError, printable

Pixels = NDArray[np.uint8]

CELL = 256  # the least width of a picture on the sheet; pictures grow by whole factors only
GAP, MARGIN, PADDING = 20, 28, 8
BACKGROUND, PANEL, WHITE, GREY, ACCENT = "#17191d", "#22252b", "#f4f5f7", "#b4bac4", "#f2b340"
MAX_TEXT = 300  # characters of a line; the rest is left out
MAX_SHEET = 120_000_000  # pixels
_ASPECT = 1.4  # width : height that a sheet aims at


@dataclass(frozen=True)
class Cell:
    """A picture (H, W, 1 or 3), uint8, and the lines under it; the first line is the heading."""

    image: Pixels
    lines: tuple[str, ...] = ()
    is_reference: bool = False  # framed: what the others are compared with


def contact_sheet(
    cells: Sequence[Cell], *, title: str, subtitle: Sequence[str] = (), columns: int | None = None
) -> Pixels:
    """One picture (H, W, 3) of all `cells` in reading order under a header.

    The largest picture grows by the least whole factor that makes it `CELL` wide, the others, by whole
    factors too, to the same size; enlarging repeats pixels, so what is seen is what is there.

    Args:
        columns: cells in a row; by default what comes nearest to a landscape page without gaps.

    Raises:
        UsageError: no cells, or a sheet of more than `MAX_SHEET` pixels.
    """
    if not cells:
        raise UsageError("contact sheet", "no pictures", "give at least one")
    side = max(max(cell.image.shape[:2]) for cell in cells)
    box = side * ceil(CELL / side)
    size = min(max(box // 20, 14), 28)  # of the text
    texts = [_wrapped(cell.lines, box, size) for cell in cells]
    columns = columns or _best_columns(len(cells), box, box + max(_height(text) for text in texts))
    rows = [range(start, min(start + columns, len(cells))) for start in range(0, len(cells), columns)]
    heights = [box + max(_height(texts[i]) for i in row) for row in rows]

    width = 2 * MARGIN + min(columns, len(cells)) * (box + GAP) - GAP
    header = _header(title, subtitle, width - 2 * MARGIN, size)
    top = MARGIN + sum(line.height for line in header) + GAP // 2
    height = top + sum(heights) + GAP * (len(heights) - 1) + MARGIN
    if width * height > MAX_SHEET:
        raise UsageError("contact sheet", f"it would be {width} x {height} pixels", "show fewer or smaller pictures")

    sheet = Image.new("RGB", (width, height), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    _write(pen, header, MARGIN, MARGIN)
    y = top
    for row, row_height in zip(rows, heights, strict=True):
        for column, i in enumerate(row):
            _paste_cell(sheet, pen, cells[i], texts[i], MARGIN + column * (box + GAP), y, box, row_height)
        y += row_height + GAP
    return np.asarray(sheet)


@dataclass(frozen=True)
class _Line:
    text: str
    size: int
    colour: str

    @property
    def height(self) -> int:
        return round(1.35 * self.size)


def _paste_cell(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, cell: Cell, text: list[_Line], x: int, y: int, box: int, height: int
) -> None:
    pen.rectangle((x, y, x + box - 1, y + height - 1), fill=PANEL)
    picture = _enlarged(cell.image, box)
    sheet.paste(picture, (x + (box - picture.width) // 2, y + (box - picture.height) // 2))
    if cell.is_reference:
        pen.rectangle((x - 3, y - 3, x + box + 2, y + height + 2), outline=ACCENT, width=3)
        text = [replace(line, colour=ACCENT) if line.colour == WHITE else line for line in text]
    _write(pen, text, x + PADDING, y + box + PADDING)


def _write(pen: ImageDraw.ImageDraw, lines: Iterable[_Line], x: int, y: int) -> None:
    for line in lines:
        pen.text((x, y), line.text, font=_font(line.size), fill=line.colour)
        y += line.height


def _enlarged(image: Pixels, box: int) -> Image.Image:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in {1, 3} or 0 in image.shape:
        raise ValueError(f"expected (H, W, 1 or 3) uint8, got {image.shape} {image.dtype}")
    factor = max(1, box // max(image.shape[:2]))
    picture = Image.fromarray(np.broadcast_to(image, (*image.shape[:2], 3)).copy())
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def _header(title: str, subtitle: Sequence[str], width: int, size: int) -> list[_Line]:
    lines = [_Line(part, 2 * size, WHITE) for part in _broken(title, 2 * size, width)]
    return lines + [_Line(part, size, GREY) for text in subtitle for part in _broken(text, size, width)]


def _wrapped(lines: Iterable[str], box: int, size: int) -> list[_Line]:
    """The lines as they fit a cell; the first is the heading."""
    wrapped: list[_Line] = []
    for number, text in enumerate(lines):
        line = _Line(text, size, GREY) if number else _Line(text, size + 2, WHITE)
        wrapped += [replace(line, text=part) for part in _broken(text, line.size, box - 2 * PADDING)]
    return wrapped


def _height(text: list[_Line]) -> int:
    return 2 * PADDING + sum(line.height for line in text) if text else 0


def _broken(text: str, size: int, width: int) -> Iterator[str]:
    """`text` in lines of at most `width` pixels; breaks between pairs of blanks first, then words, then letters."""
    font, line = _font(size), ""
    for chunk in (part for piece in _ascii(text).split("  ") for part in _fitting(piece, font, width)):
        longer = f"{line}   {chunk}" if line else chunk
        if line and font.getlength(longer) > width:
            yield line
            line = chunk
        else:
            line = longer
    yield line


def _fitting(chunk: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> Iterator[str]:
    while len(chunk) > 1 and font.getlength(chunk) > width:
        end = max(1, bisect_right(range(len(chunk)), width, key=lambda n: font.getlength(chunk[:n])) - 1)
        blank = chunk.rfind(" ", 1, end)
        end = blank if blank > 0 else end
        yield chunk[:end]
        chunk = chunk[end:].lstrip()
    yield chunk


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", printable(text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."))
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    return kept.replace("×", "x").replace("–", "-").encode("ascii", "backslashreplace").decode()


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _best_columns(count: int, width: int, height: int) -> int:
    """Few empty cells, and a page that is about `_ASPECT` wide."""
    best, best_cost = 1, inf
    for columns in range(1, count + 1):
        rows = ceil(count / columns)
        shape = columns * (width + GAP) / (rows * (height + GAP))
        cost = abs(log(shape / _ASPECT)) + 1.5 * (rows * columns - count) / count
        if cost < best_cost:
            best, best_cost = columns, cost
    return best
