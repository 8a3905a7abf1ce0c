"""`srzoo study`: the page of a whole chain of experiments."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import UsageError, printable

if TYPE_CHECKING:
    from srzoo.report.study import StudyPage
    from srzoo.report.study_claims import Verdict
    from srzoo.report.study_tables import Papers

_FEW_BYTES = 10_000_000  # that a page should have
_REFUTED = 3

_EXAMPLES = """\b
Examples:
  srzoo study ren2020.toml                         writes ren2020.html, prints what became of each claim
  srzoo study ren2020.toml --root out/ren2020 -o out/ren2020/report.html
  srzoo study ren2020.toml --json > claims.json
  srzoo study ren2020.toml --strict                exit code 3 if a claim does not hold
"""


def _format() -> str:
    """What a study can say, its blocks kept as they are."""
    from srzoo.report import study_spec

    return "\n\n".join(f"\b\n{block}" for block in (study_spec.__doc__ or "").split("\n\n"))


@click.command(epilog=f"{_EXAMPLES}\n{_format()}")
@click.argument("study", metavar="STUDY.toml", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="[default: STUDY.html]")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="What files in the study are relative to.  [default: its own folder]",
)
@click.option(
    "--anchors",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where the papers' rows are.  [default: benchmarks/anchors.toml, here or above]",
)
@click.option("--json", "as_json", is_flag=True, help="The claims as JSON; null for what is not finite.")
@click.option("--strict", is_flag=True, help="Exit code 3 if a claim does not hold.")
def command(
    study: Path, output: Path | None, root: Path | None, anchors: Path | None, as_json: bool, strict: bool
) -> int:
    """Put the tables, claims, crops and training curves of a chain of experiments on one page.

    The page needs nothing else; one of the same name is replaced.
    """
    target = output or study.with_suffix(".html")
    if target.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(target, "is no name for a page", "end it in .html")
    from srzoo.report.study import study_page
    from srzoo.report.study_spec import read_study

    plan = read_study(study)
    page = study_page(plan, root or study.parent, _papers(plan.papers(), anchors), origin=str(study))
    _write(page, target)
    if as_json:
        click.echo(json.dumps({"page": str(target), "claims": _claims(page)}, indent=1))
    else:
        for verdict in page.verdicts:
            click.echo(printable(verdict.line()))
    return _REFUTED if strict and not all(one.holds for one in page.verdicts) else 0


def _papers(names: list[str], anchors: Path | None) -> Papers:
    from srzoo.evaluate.anchors import find_anchors, read_paper

    return {name: read_paper(name, anchors or find_anchors()).tables for name in names}


def _write(page: StudyPage, target: Path) -> None:
    from degrade.atomic import write_bytes
    from srzoo.report.study import rendered_study

    html = rendered_study(page).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, html)
    much = "; take fewer or smaller crops" if len(html) > _FEW_BYTES else ""
    click.echo(printable(f"{target}  ({len(html) / 1e6:.1f} MB{much})"), err=True)


def _claims(page: StudyPage) -> list[dict[str, Any]]:
    return [_claim(section.heading, one) for section in page.sections for one in section.verdicts]


def _claim(section: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "section": section,
        "text": verdict.text,
        "values": {name: value if math.isfinite(value) else None for name, value in verdict.values},
        "measured": verdict.measured,
        "asked": verdict.asked,
        "holds": verdict.holds,
    }
