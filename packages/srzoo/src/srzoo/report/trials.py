"""A photograph as several methods show it, and the crops of it that are looked at side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from degrade.image import Pixels
from srzoo.errors import UsageError
from srzoo.report.evaluation import most_different

_SLACK = 16  # rows and columns that results of one photo may differ by: what a crop to a multiple takes away


@dataclass(frozen=True)
class Entry:
    """One photograph, 8-bit RGB.

    Attributes:
        made: by method, (H, W, 3).
        input: (h, w, 3), what they were made from; H is about a whole multiple of h.
        truth: (H, W, 3).
    """

    name: str
    made: Mapping[str, Pixels]
    input: Pixels | None = None
    truth: Pixels | None = None


@dataclass(frozen=True)
class Trial:
    """The same place of everything; `place` is y, x, height, width in pixels of the results, `whole` height, width.

    `context` holds the input (small, as it is) and the truth under their labels, where they are known.
    """

    photo: str
    place: tuple[int, int, int, int]
    whole: tuple[int, int]
    made: Mapping[str, Pixels]
    context: Mapping[str, Pixels]


def trials_of(entry: Entry, side: int, count: int = 1) -> list[Trial]:
    """The `count` places of `entry` where its results differ most, apart from each other; fewer where it is small.

    Results start at the same top left corner; up to 16 rows and columns that not all of them have are left off. The
    truth takes part in the choice only beside a single result.

    Args:
        side: of a square crop, rounded down to whole pixels of the input. A photograph that is no larger is shown
            whole, and so is every one for 0.

    Raises:
        UsageError: nothing to compare, or pictures of one photograph that do not fit each other.
    """
    if len(entry.made) + (entry.truth is not None) < 2:
        raise UsageError(entry.name, "only one picture of it", "name two methods, or the truth")
    scale = _scale(entry)
    height, width = _common_size(entry, scale)
    made = {name: pixels[:height, :width] for name, pixels in entry.made.items()}
    truth = None if entry.truth is None else entry.truth[:height, :width]
    if side == 0 or max(height, width) <= side:
        places = [(0, 0, height, width)]
    else:
        side = max(1, min(side, height, width) // scale) * scale
        pictures = [*made.values()] if len(made) > 1 or truth is None else [*made.values(), truth]
        found = most_different(pictures, side, step=scale, count=count)
        places = [(y, x, side, side) for _, y, x in found]
    return [_trial(entry, made, truth, place, (height, width), scale) for place in places]


def _trial(
    entry: Entry,
    made: Mapping[str, Pixels],
    truth: Pixels | None,
    place: tuple[int, int, int, int],
    whole: tuple[int, int],
    scale: int,
) -> Trial:
    context = {}
    if entry.input is not None:
        y, x, rows, columns = (length // scale for length in place)
        context["Input"] = _cut(entry.input, y, x, rows, columns)
    if truth is not None:
        context["Truth"] = _cut(truth, *place)
    return Trial(entry.name, place, whole, {name: _cut(pixels, *place) for name, pixels in made.items()}, context)


def _scale(entry: Entry) -> int:
    if entry.input is None:
        return 1
    name, pixels = next(iter(entry.made.items()))
    (height, width), (low, narrow) = pixels.shape[:2], entry.input.shape[:2]
    scale = max(1, round(height / low))
    if max(abs(height - scale * low), abs(width - scale * narrow)) >= scale:
        problem = f"{name}'s is {width} x {height}, which is no whole multiple of the input's {narrow} x {low}"
        raise UsageError(entry.name, problem, "give the photographs that these pictures were made from")
    return scale


def _common_size(entry: Entry, scale: int) -> tuple[int, int]:
    sizes = {name: pixels.shape[:2] for name, pixels in entry.made.items()}
    if entry.truth is not None:
        sizes["the truth"] = entry.truth.shape[:2]
    height, width = (min(size[axis] for size in sizes.values()) for axis in (0, 1))
    for name, size in sizes.items():
        if size[0] - height > _SLACK or size[1] - width > _SLACK:
            problem = f"{name} is {size[1]} x {size[0]}, another only {width} x {height}"
            raise UsageError(entry.name, problem, "compare pictures of one size")
    if entry.input is not None:
        height, width = min(height, scale * entry.input.shape[0]), min(width, scale * entry.input.shape[1])
    return height // scale * scale, width // scale * scale


def _cut(pixels: Pixels, y: int, x: int, height: int, width: int) -> Pixels:
    return np.ascontiguousarray(pixels[y : y + height, x : x + width])
