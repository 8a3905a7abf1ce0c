"""What `srzoo compare --results` says: tables, or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from degrade.errors import printable

if TYPE_CHECKING:
    from srzoo.evaluate import Grid
    from srzoo.report.opinions import Opinions


def show_opinions(files: Sequence[Path], key: Path, *, as_json: bool) -> None:
    """Print what the ratings in `files` say together.

    Raises:
        UsageError: no key, no ratings, or those of another study.
    """
    from srzoo.report.opinions import opinions
    from srzoo.report.ratings import read_key, read_ratings

    known = read_key(key)
    said = opinions(known, [read_ratings(path, known) for path in files])
    if as_json:
        click.echo(json.dumps(said.as_json(), indent=1))
        return
    from srzoo.cli.grids import print_grid

    print_grid(opinion_grid(said))
    print_grid(preference_grid(said))
    for line in remarks(said):
        click.echo(printable(line))


def opinion_grid(said: Opinions) -> Grid:
    """A row for each method, the best by mean rank first."""
    from srzoo.evaluate import Grid

    rows = []
    for one in sorted(said.methods, key=lambda one: one.mor):
        rows.append((one.method, _number(one.mos), _number(one.interval), _number(one.mor), str(one.ratings)))
    raters = f"{len(said.raters)} rater{'s' * (len(said.raters) > 1)}"
    title = f"Study {said.study[:8]}: {raters}, {said.trials} crops"
    return Grid(title, ("method", "MOS (0-5)", "+- 95 %", "MOR (1 is best)", "ratings"), tuple(rows), frozenset({0}))


def preference_grid(said: Opinions) -> Grid:
    """How often the method of the row was preferred to that of the column, in percent; ties count half."""
    from srzoo.evaluate import Grid

    order = sorted(range(len(said.methods)), key=lambda k: said.methods[k].mor)
    ties, names = said.ties(), [said.methods[k].method for k in order]
    rows = []
    for a in order:
        shares = [(said.preferred[a, b] + ties[a, b] / 2) / said.judgements for b in order]
        cells = ["" if a == b else f"{100 * share:.0f} %" for b, share in zip(order, shares, strict=True)]
        rows.append((said.methods[a].method, *cells))
    return Grid("Row preferred to column, ties half", ("", *names), tuple(rows), frozenset({0}))


def remarks(said: Opinions) -> list[str]:
    """Agreement, time, and what was left out."""
    lines = [f"{said.seconds:.0f} seconds a crop; raters: {', '.join(said.raters)}"]
    if math.isfinite(said.agreement):
        chance = f"{len(said.raters)} raters, by chance about {1 / len(said.raters):.2f} and 0"
        lines.insert(0, f"agreement: Kendall's W {said.agreement:.2f}, Spearman {_number(said.spearman)} ({chance})")
    if said.unfinished:
        lines.append(f"left out, not finished: {said.unfinished} crops")
    return lines


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "-"
