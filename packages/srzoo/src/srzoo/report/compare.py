"""Several methods' results of the same photographs on one page: zoomed and moved together, or one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from srzoo import __version__
from srzoo.report.evaluation import Box
from srzoo.report.page import templates
from srzoo.report.pictures import View, embedded
from srzoo.report.trials import Trial


@dataclass(frozen=True)
class Compared:
    """A place of a photograph; `views` are the input, the methods and the truth, those that there are.

    `box` says where it lies in the photograph, in percent; None where it is all of it.
    """

    name: str
    note: str
    height: int
    width: int
    views: tuple[View, ...]
    box: Box | None


@dataclass(frozen=True)
class ComparisonPage:
    """Everything the template shows; `facts` are (method, what it is)."""

    title: str
    shown: Sequence[Compared]
    facts: Sequence[tuple[str, str]] = ()
    footer: str = field(default=f"Made by srzoo {__version__}. This file needs nothing else.")


def compared(trial: Trial) -> Compared:
    """`trial` with its pictures embedded, lossless."""
    y, x, height, width = trial.place
    whole_height, whole_width = trial.whole
    is_whole = (height, width) == trial.whole
    box = Box(100 * x / whole_width, 100 * y / whole_height, 100 * width / whole_width, 100 * height / whole_height)
    size = f"{whole_width} x {whole_height} pixels"
    note = size if is_whole else f"{width} x {height} of {size}, from column {x} and row {y} on"
    pictures = {**trial.made, **trial.context}
    order = [label for label in ("Input", *trial.made, "Truth") if label in pictures]
    views = tuple(View(label, embedded(pictures[label], 100), is_input=label == "Input") for label in order)
    return Compared(trial.photo, note, height, width, views, None if is_whole else box)


def rendered_comparison(page: ComparisonPage) -> str:
    """`page` as HTML with everything in it."""
    return templates().get_template("compare.html").render(page=page)
