"""What `srzoo evaluate` says in the end: tables, JSON, a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import printable
from srzoo import __version__

if TYPE_CHECKING:
    from srzoo.cli.contestants import Contestant
    from srzoo.evaluate import Figures, Grid, Measures, Results, TestSet
    from srzoo.report.evaluation import Gallery


@dataclass(frozen=True)
class Verdict:
    """A whole evaluation.

    Attributes:
        costs: of each network, if they were measured.
        published: each paper's rows beside ours, by its name.
    """

    there: Sequence[Contestant]
    results: Sequence[Results]
    measures: Measures
    scale: int
    costs: Mapping[str, Figures]
    published: Mapping[str, Grid]

    @property
    def lpips(self) -> str:
        """Which LPIPS it is; empty where none was measured."""
        distance = self.measures.lpips
        if distance is None:
            return ""
        odd = ", on Caffe's SqueezeNet: not the published distance" if distance.trunk.fed == "caffe" else ""
        return f"{distance.trunk.net}, version 0.1{odd}"

    def facts(self) -> list[tuple[str, str]]:
        """(label, text): how everything was measured, and on what."""
        ssim = self.measures.ssim
        lines = [
            ("Scale", str(self.scale)),
            ("Protocol", self.measures.protocol),
            ("SSIM", "" if ssim == "gaussian" else f"{ssim}: only for reproducing a table"),
            ("LPIPS", self.lpips),
            *((one.set.name, _described(one.set)) for one in self.results),
            *((one.method.name, one.sentence) for one in self.there),
        ]
        return [(label, text) for label, text in lines if text]

    def grids(self, *, each: bool) -> list[Grid]:
        """The table of means, then those of every picture if `each`, then the papers'."""
        from srzoo.evaluate import means_grid, pictures_grid

        means = means_grid(self.results, f"x{self.scale}, protocol {self.measures.protocol}", self.costs)
        return [means, *(pictures_grid(one) for one in self.results if each), *self.published.values()]


def everything(verdict: Verdict) -> dict[str, Any]:
    """Everything, every picture too."""
    from srzoo.evaluate.table import as_json

    costs = verdict.costs
    return {
        "srzoo": __version__,
        "scale": verdict.scale,
        "protocol": verdict.measures.protocol,
        "ssim": verdict.measures.ssim,
        "lpips": verdict.lpips or None,
        "models": [
            {"name": name, "what": one.sentence, "parameters": one.parameters, **costs.get(name, {})}
            for one in verdict.there
            for name in (one.method.name,)
        ],
        "sets": [as_json(one) for one in verdict.results],
        "against": {
            name: [dict(zip(grid.headings, row, strict=True)) for row in grid.rows]
            for name, grid in verdict.published.items()
        },
    }


def show(verdict: Verdict, style: str, *, each: bool) -> None:
    """Print the tables as `text` or `markdown`; under Markdown what they are goes to stderr."""
    from srzoo.cli.grids import print_grid
    from srzoo.evaluate import markdown

    for grid in verdict.grids(each=each):
        if style == "markdown":
            click.echo("\n".join(printable(line) for line in markdown(grid).split("\n")))
        else:
            print_grid(grid)
    for label, text in verdict.facts():
        click.echo(printable(f"{label}: {text}"), err=style == "markdown")


def write_page(verdict: Verdict, target: Path, gallery: Gallery, *, each: bool) -> None:
    """The page at `target`; one of the same name is replaced."""
    from degrade.atomic import write_bytes
    from srzoo.report.evaluation import EvaluationPage, Table, rendered_evaluation

    grids = verdict.grids(each=each)
    tables = [Table(one.title, one.headings, one.rows, one.words, one.ends) for one in grids]
    page = EvaluationPage("Evaluation", grids[0].title, verdict.facts(), tables, gallery.shown())
    target.parent.mkdir(parents=True, exist_ok=True)
    html = rendered_evaluation(page).encode()
    write_bytes(target, html)
    click.echo(printable(f"{target}  ({len(html) / 1e6:.1f} MB)"), err=True)


def _described(one: TestSet) -> str:
    made = "LR made by MATLAB's bicubic" if one.lr is None else f"LR: {one.lr}"
    return f"{len(one.pairs)} pictures of {one.hr}; {made}"
