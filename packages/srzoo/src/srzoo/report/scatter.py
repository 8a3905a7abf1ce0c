"""Scatter plots as pixels, for pictures of a study: one colour for each series, its line by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from srzoo.report.chart import Point, ticks

WIDTH, HEIGHT = 640, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 18, 18, 52
_FINE = 2  # drawn larger, then made smaller: smooth edges
_RADIUS, _FONT = 4, 13
_PAPER, _INK, _RULE = (255, 255, 255), (60, 60, 60), (225, 225, 225)
_ROOM = 1.06  # of an axis beyond its largest value

# Okabe and Ito 2008, "Color universal design": told apart by colour-blind readers; without their yellow and black
COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233))


@dataclass(frozen=True)
class Series:
    """Marks of one colour. `is_fitted` draws their least-squares line."""

    name: str
    points: Sequence[Point]
    is_fitted: bool = True


def scatter(series: Sequence[Series], *, x_label: str, y_label: str) -> NDArray[np.uint8]:
    """(480, 640, 3): both axes from 0, and dotted where both values are equal. Colours recur after six series.

    Args:
        series: values of 0 or more, at least one.
    """
    places = [point for one in series for point in one.points]
    right, top = (max([*values, 1e-9]) * _ROOM for values in zip(*places, strict=True))
    picture = Image.new("RGB", (WIDTH * _FINE, HEIGHT * _FINE), _PAPER)
    sheet = _Sheet(ImageDraw.Draw(picture), right, top)
    sheet.axes(x_label, y_label)
    sheet.diagonal()
    for number, one in enumerate(series):
        sheet.series(one, COLOURS[number % len(COLOURS)], number)
    sheet.upright(picture, y_label)
    return np.asarray(picture.reduce(_FINE))


class _Sheet:
    """The paper: `right` and `top` are the values at the end of the axes."""

    def __init__(self, pen: ImageDraw.ImageDraw, right: float, top: float) -> None:
        self.pen, self.right, self.top = pen, right, top
        self.font = ImageFont.load_default(_FONT * _FINE)

    def place(self, x: float, y: float) -> Point:
        across = _LEFT + x / self.right * (WIDTH - _LEFT - _RIGHT)
        return across * _FINE, (HEIGHT - _BOTTOM - y / self.top * (HEIGHT - _TOP - _BOTTOM)) * _FINE

    def axes(self, x_label: str, y_label: str) -> None:
        low, gap = self.place(0, 0)[1], 6 * _FINE
        for value in ticks(0, self.right, 8):
            x = self.place(value, 0)[0]
            self.pen.line([(x, self.place(0, self.top)[1]), (x, low)], _RULE, _FINE)
            self.pen.text((x, low + gap), f"{value:g}", _INK, self.font, anchor="mt")
        for value in ticks(0, self.top, 6):
            left, y = self.place(0, value)
            self.pen.line([(left, y), (self.place(self.right, 0)[0], y)], _RULE, _FINE)
            self.pen.text((left - gap, y), f"{value:g}", _INK, self.font, anchor="rm")
        middle = self.place(self.right / 2, 0)[0]
        self.pen.text((middle, (HEIGHT - 8) * _FINE), x_label, _INK, self.font, anchor="mb")

    def diagonal(self) -> None:
        end = min(self.right, self.top)
        (x0, y0), (x1, y1) = self.place(0, 0), self.place(end, end)
        dots = max(2, int(np.hypot(x1 - x0, y1 - y0) / (5 * _FINE)))
        for x, y in zip(np.linspace(x0, x1, dots), np.linspace(y0, y1, dots), strict=True):
            self.pen.rectangle([x, y, x + _FINE, y + _FINE], _INK)

    def series(self, one: Series, colour: tuple[int, int, int], number: int) -> None:
        xs, ys = (np.array(values, np.float64) for values in zip(*one.points, strict=True))
        if one.is_fitted and np.ptp(xs) > 0:
            slope, offset = np.polyfit(xs, ys, 1)
            ends = [self.place(x, slope * x + offset) for x in (xs.min(), xs.max())]
            self.pen.line(ends, colour, 2 * _FINE)
        for x, y in one.points:
            self._mark(*self.place(x, y), colour)
        row = (_TOP + 10 + 18 * number) * _FINE
        self._mark((_LEFT + 14) * _FINE, row, colour)
        self.pen.text(((_LEFT + 26) * _FINE, row), one.name, _INK, self.font, anchor="lm")

    def _mark(self, x: float, y: float, colour: tuple[int, int, int]) -> None:
        radius = _RADIUS * _FINE
        self.pen.ellipse([x - radius, y - radius, x + radius, y + radius], colour, _PAPER, _FINE // 2)

    def upright(self, picture: Image.Image, y_label: str) -> None:
        """The label of the vertical axis, from below."""
        right, bottom = (round(edge) for edge in self.font.getbbox(y_label)[2:])
        label = Image.new("RGB", (right + 2, bottom + 4), _PAPER)
        ImageDraw.Draw(label).text((0, 0), y_label, _INK, self.font)
        turned = label.rotate(90, expand=True)
        picture.paste(turned, (6 * _FINE, ((HEIGHT - _BOTTOM + _TOP) * _FINE - turned.height) // 2))
