"""Figures as tables: text, Markdown, and what JSON holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from srzoo.evaluate.measures import COLUMNS, Figures
from srzoo.evaluate.pairs import TestSet
from srzoo.evaluate.run import mean
from srzoo.upscale.bicubic import BICUBIC


@dataclass(frozen=True)
class Grid:
    """A table of text. Columns of `words` are text, the others numbers; a row index in `ends` ends a part."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0, 1})
    ends: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Results:
    """A set, judged: the figures of each picture by method, in order."""

    set: TestSet
    pictures: tuple[tuple[str, Mapping[str, Figures]], ...]

    def means(self) -> dict[str, Figures]:
        """The mean of each method, with its gain in PSNR over bicubic."""
        methods = self.pictures[0][1]
        averages = {name: mean([figures[name] for _, figures in self.pictures]) for name in methods}
        base = averages.get(BICUBIC, {}).get("psnr", math.nan)
        for name, figures in averages.items():
            if name != BICUBIC:
                figures["gain"] = figures["psnr"] - base
        return averages


def means_grid(results: Sequence[Results], title: str, costs: Mapping[str, Figures] | None = None) -> Grid:
    """A row for each set and method: the means, and what each method costs."""
    rows, ends = [], []
    table = [(one, name, figures | (costs or {}).get(name, {})) for one in results for name, figures in _rows(one)]
    keys = [key for key in COLUMNS if any(key in figures for _, _, figures in table)]
    for number, (one, name, figures) in enumerate(table):
        count = len(one.pictures)
        is_first = number == 0 or table[number - 1][0] is not one
        label = f"{one.set.name} ({count} picture{'s' * (count > 1)})" if is_first else ""
        rows.append((label, name, *(shown(figures, key) for key in keys)))
        if number + 1 == len(table) or table[number + 1][0] is not one:
            ends.append(number)
    return Grid(title, ("set", "model", *(COLUMNS[key].heading for key in keys)), tuple(rows), ends=frozenset(ends))


def pictures_grid(one: Results) -> Grid:
    """A row for each picture and method."""
    keys = [key for key in COLUMNS if key in next(iter(one.pictures[0][1].values()))]
    rows, ends = [], []
    for picture, by_method in one.pictures:
        for number, (name, figures) in enumerate(by_method.items()):
            rows.append(("" if number else picture, name, *(shown(figures, key) for key in keys)))
        ends.append(len(rows) - 1)
    headings = ("picture", "model", *(COLUMNS[key].heading for key in keys))
    return Grid(one.set.name, headings, tuple(rows), ends=frozenset(ends))


def shown(figures: Figures, key: str) -> str:
    """The figure as tables print it; empty where there is none, a dash where it could not be taken."""
    if key not in figures:
        return ""
    value = figures[key]
    if math.isnan(value):
        return "-"
    return f"{value:{'+' if key == 'gain' else ''}.{COLUMNS[key].digits}f}"


def markdown(grid: Grid) -> str:
    """`grid` as a Markdown table."""
    ruler = ["---" if column in grid.words else "---:" for column in range(len(grid.headings))]
    lines = [grid.headings, tuple(ruler), *grid.rows]
    text = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    return f"**{grid.title}**\n\n{text}\n"


def as_json(one: Results) -> dict[str, Any]:
    """All figures of a set; what is not finite is null."""
    return {
        "name": one.set.name,
        "hr": str(one.set.hr),
        "lr": None if one.set.lr is None else str(one.set.lr),
        "images": [{"name": name, "figures": _finite(figures)} for name, figures in one.pictures],
        "mean": _finite(one.means()),
    }


def _rows(one: Results) -> list[tuple[str, Figures]]:
    return list(one.means().items())


def _finite(table: Mapping[str, Figures]) -> dict[str, dict[str, float | None]]:
    return {
        method: {key: value if math.isfinite(value) else None for key, value in figures.items()}
        for method, figures in table.items()
    }
