"""Figures of degraders as a table, and as JSON laid out as that of `srzoo evaluate`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from srzoo.evaluate.degraders import DegraderResults
from srzoo.evaluate.measures import Column, Figures
from srzoo.evaluate.pairs import TestSet
from srzoo.evaluate.table import Grid

DEGRADER_COLUMNS: dict[str, Column] = {
    "psnr": Column("LR PSNR dB", 3, 1),
    "ssim": Column("LR SSIM", 4, 1),
    "std": Column("noise", 2, 0),
    "std_error": Column("std error", 3, -1),
    "std_error_worst": Column("worst", 3, -1),
    "spectrum_error": Column("spectrum dB", 2, -1),
    "spectrum_shape_error": Column("shape dB", 2, -1),
    "correlation_error": Column("correlation", 3, -1),
}
"""What the table shows; JSON has more."""


@dataclass(frozen=True)
class JudgedSet:
    """A set, what its rivals without learning are, what they were fitted to, and the figures."""

    set: TestSet
    plain: Mapping[str, str]
    fitted_to: str
    results: DegraderResults


def degraders_grid(judged: Sequence[JudgedSet], title: str) -> Grid:
    """A row for each set and degrader."""
    rows, ends = [], []
    tables = [(one, one.results.summary()) for one in judged]
    keys = [key for key in DEGRADER_COLUMNS if any(key in row for _, table in tables for row in table.values())]
    for one, table in tables:
        count = len(one.results.pictures)
        label = f"{one.set.name} ({count} picture{'s' * (count > 1)})"
        for number, (name, figures) in enumerate(table.items()):
            rows.append(("" if number else label, name, *(_shown(figures, key) for key in keys)))
        ends.append(len(rows) - 1)
    headings = ("set", "degrader", *(DEGRADER_COLUMNS[key].heading for key in keys))
    return Grid(title, headings, tuple(rows), ends=frozenset(ends))


def as_json(one: JudgedSet) -> dict[str, Any]:
    """All figures of a set; what is not finite is null."""
    return {
        "name": one.set.name,
        "hr": str(one.set.hr),
        "lr": str(one.set.lr),
        "plain": dict(one.plain),
        "fitted_to": one.fitted_to,
        "blocks": {name: noise.num_blocks for name, noise in one.results.noise.items()},
        "images": [{"name": name, "figures": _finite(figures)} for name, figures in one.results.pictures],
        "mean": _finite(one.results.summary()),
    }


def _shown(figures: Figures, key: str) -> str:
    if key not in figures:
        return ""
    value = figures[key]
    return "-" if math.isnan(value) else f"{value:.{DEGRADER_COLUMNS[key].digits}f}"


def _finite(table: Mapping[str, Figures]) -> dict[str, dict[str, float | None]]:
    return {
        name: {key: value if math.isfinite(value) else None for key, value in figures.items()}
        for name, figures in table.items()
    }
