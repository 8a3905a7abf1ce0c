"""An evaluation as one page of HTML that needs nothing else: its tables, and crops where the methods differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from degrade.image import Pixels
from srzoo import __version__
from srzoo.metrics.protocol import luma
from srzoo.metrics.psnr import psnr
from srzoo.report.page import templates
from srzoo.report.pictures import CROP, View, embedded, fitted, window_means

CROPS = 2  # of each picture
PICTURES = 3  # of each set
_LARGEST_OVERVIEW = 480  # pixels


@dataclass(frozen=True)
class Table:
    """Text in rows; columns of `words` are not numbers. A row index in `ends` ends a part."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[int]
    ends: frozenset[int]


@dataclass(frozen=True)
class Box:
    """Where a crop lies in its picture, in percent of its sides."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Compared:
    """A picture on the page: the truth, and its crops as input, every method and truth."""

    set: str
    name: str
    overview: str
    boxes: tuple[Box, ...]
    crops: tuple[tuple[View, ...], ...]
    spread: float


@dataclass(frozen=True)
class EvaluationPage:
    """Everything the template shows; `facts` are (label, text)."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    shown: Sequence[Compared]
    footer: str = f"Made by srzoo {__version__}. This file needs nothing else."


class Gallery:
    """Of each set the pictures with the places where the methods differ most; the others are forgotten at once."""

    def __init__(self, most: int = PICTURES) -> None:
        self._most = most
        self._kept: dict[str, list[Compared]] = {}

    def add(self, set_name: str, name: str, lr: Pixels, hr: Pixels, sr: Mapping[str, Pixels]) -> None:
        """Look at one picture: `lr` (h, w, 3), `hr` and what each method made of it (s*h, s*w, 3)."""
        step = hr.shape[0] // lr.shape[0]
        side = min(CROP, *(length // step * step for length in hr.shape[:2]))
        places = most_different(list(sr.values()) if len(sr) > 1 else [*sr.values(), hr], side, step=step)
        kept = self._kept.setdefault(set_name, [])
        if len(kept) == self._most and places[0][0] <= kept[-1].spread:
            return
        kept.append(_compared(set_name, name, lr, hr, sr, [(y, x) for _, y, x in places], side, places[0][0]))
        kept.sort(key=lambda one: -one.spread)
        del kept[self._most :]

    def shown(self) -> list[Compared]:
        return [one for kept in self._kept.values() for one in kept]


def most_different(
    pictures: Sequence[Pixels], side: int, *, step: int = 1, count: int = CROPS
) -> list[tuple[float, int, int]]:
    """(spread, y, x) of the places, apart from each other, where `pictures` differ most.

    The spread is the mean over the window of the standard deviation of luma between the pictures, in grey levels. The
    truth takes no part, so no method is favoured. Places are multiples of `step`.
    """
    planes: NDArray[np.float64] = np.stack([luma(picture)[..., 0] for picture in pictures])
    spread = planes.std(axis=0)
    stride = max(step, side // 8 // step * step)
    ys, xs = (range(0, length - side + 1, stride) for length in spread.shape)
    places = np.array([(y, x) for y in ys for x in xs])
    means = window_means(spread, places, side)
    found: list[tuple[float, int, int]] = []
    while len(found) < count and np.isfinite(means).any():
        best = int(means.argmax())
        y, x = map(int, places[best])
        found.append((float(means[best]), y, x))
        means = np.where(np.abs(places - (y, x)).max(1) < side, -np.inf, means)
    return found


def rendered_evaluation(page: EvaluationPage) -> str:
    """`page` as HTML with everything in it."""
    return templates().get_template("evaluation.html").render(page=page)


def _compared(
    set_name: str,
    name: str,
    lr: Pixels,
    hr: Pixels,
    sr: Mapping[str, Pixels],
    places: Sequence[tuple[int, int]],
    side: int,
    spread: float,
) -> Compared:
    height, width = hr.shape[:2]
    boxes = [Box(100 * x / width, 100 * y / height, 100 * side / width, 100 * side / height) for y, x in places]
    step = height // lr.shape[0]
    rows = []
    for y, x in places:
        truth = hr[y : y + side, x : x + side]
        small = lr[y // step : (y + side) // step, x // step : (x + side) // step]
        views = [View("input", embedded(small, 100), is_input=True)]
        for method, picture in sr.items():
            crop = picture[y : y + side, x : x + side]
            views.append(View(method, embedded(crop, 100), score=f"{psnr(luma(crop), luma(truth)):.2f} dB"))
        rows.append((*views, View("truth", embedded(truth, 100))))
    overview = embedded(fitted(hr, _LARGEST_OVERVIEW), 88)
    return Compared(set_name, name, overview, tuple(boxes), tuple(rows), spread)
