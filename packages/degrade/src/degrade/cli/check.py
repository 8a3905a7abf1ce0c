"""`degrade check`: a verdict on a set of shards, and the list of its suspicious pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import InputsSkippedError, printable

if TYPE_CHECKING:
    from degrade.cli.pairs import Pairs
    from degrade.measure.check import Remark, Verdict

MAX_LISTED = 40  # lines of text; JSON and page hold all
_MAX_PICTURES = 60  # on a page


@click.command(
    epilog="""\b
Examples:
  degrade check shards/                       verdict and list
  degrade check shards/ --html check.html     a page with pictures of the suspicious pairs
  degrade check shards/ --json > check.json   every remark
Exit code: 0 fine, 3 some pairs (or the set's registration) are suspicious.
"""
)
@click.argument("path", metavar="SET", type=click.Path(path_type=Path))
@click.option(
    "--max-bias",
    type=click.FloatRange(0),
    default=0.05,
    show_default=True,
    help="Suspicious length of the set's median shift, LR pixels.",
)
@click.option(
    "--max-shift",
    type=click.FloatRange(0),
    default=0.2,
    show_default=True,
    help="Suspicious distance of a pair's shift from the median, LR pixels.",
)
@click.option(
    "--max-colour",
    type=click.FloatRange(0),
    default=3.0,
    show_default=True,
    help="Suspicious mean difference of LR from HR in a channel, grey levels of 255.",
)
@click.option(
    "--min-deviation",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Blank: standard deviation of HR's luma below this, grey levels.",
)
@click.option(
    "--max-clipped",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Clipped: share of HR pixels that are black, or white, in all channels.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page as well.")
@click.option("--force", is_flag=True, help="Overwrite the page of an earlier run.")
def command(
    path: Path,
    max_bias: float,
    max_shift: float,
    max_colour: float,
    min_deviation: float,
    max_clipped: float,
    as_json: bool,
    html: Path | None,
    force: bool,
) -> None:
    """Check that LR lies on HR, has its colours, and that no patch is blank, clipped or there twice.

    SET is a folder of shards (finished or not) or one .h5 shard. LR is registered to HR, downsampled with antialiasing,
    to a fraction of a pixel. Heavy noise and blur make the shift of a single pair uncertain: pairs below half
    confidence are counted, not judged. The median over the set shows a fault of the method, such as a stride without
    centring, to a hundredth of an LR pixel.
    """
    from degrade.cli.pairs import open_pairs
    from degrade.cli.progress import progress
    from degrade.cli.stats import check_free, write_page
    from degrade.measure.check import Thresholds, check_set

    check_free(html, force)
    limits = Thresholds(
        max_bias=max_bias,
        max_shift=max_shift,
        max_colour=max_colour,
        min_deviation=min_deviation,
        max_clipped=max_clipped,
    )
    pairs = open_pairs(path)
    with progress("checking", len(pairs)) as advance:
        verdict = check_set(pairs, thresholds=limits, advance=advance)
    if html is not None:
        write_page(html, "check", force=force, **_page_values(path, verdict, pairs))
    table = {"kind": "check", "path": str(path), "verdict": sentence(verdict), **verdict.as_dict()}
    lines = [json.dumps(table, indent=1)] if as_json else [printable(line) for line in as_lines(path, verdict)]
    click.echo("\n".join(lines))
    if not verdict.is_fine:
        raise click.exceptions.Exit(InputsSkippedError.exit_code)


def sentence(verdict: Verdict) -> str:
    """The verdict in one line."""
    parts = []
    if verdict.registration.is_suspicious:
        parts.append(f"the whole set is shifted by {verdict.registration.length:.3f} LR pixels")
    if verdict.remarks:
        parts.append(f"{verdict.num_suspicious:,} of {verdict.num_pairs:,} pairs are suspicious")
    return "; ".join(parts) or f"fine: {verdict.num_pairs:,} pairs"


def as_lines(path: Path, verdict: Verdict) -> Iterator[str]:
    """The verdict, the facts of the set, the list."""
    yield f"check: {path}"
    facts = list(_facts(verdict))
    width = max(len(label) for label, _, _ in facts)
    for label, value, note in facts:
        yield f"  {label:{width}}  {value}{f' ({note})' if note else ''}"
    for remark in verdict.remarks[:MAX_LISTED]:
        yield f"  pair {remark.index}: {remark.reason}: {remark.text} - {remark.source}"
    if len(verdict.remarks) > MAX_LISTED:
        yield f"  ... {len(verdict.remarks) - MAX_LISTED:,} more: --json or --html FILE lists all"
    yield f"  verdict: {sentence(verdict)}"


def _facts(verdict: Verdict) -> Iterator[tuple[str, str, str]]:
    """What, how much, and what that means."""
    found, limits = verdict.registration, verdict.thresholds
    yield "pairs", f"{verdict.num_pairs:,}, of {verdict.num_patches:,} HR patches", ""
    if found.num_confident:
        shift = f"{found.y:+.4f}, {found.x:+.4f} LR pixels (y, x), +- {found.error:.4f}"
        yield "median shift", shift, f"suspicious above {limits.max_bias:g}"
        sure = f"{found.num_confident:,} of {found.num_measured:,} pairs"
        yield "judged by", sure, "the others have too much noise or too little detail for a shift"
    else:
        yield "median shift", "not known", "no pair has enough detail and little enough noise"
    if verdict.colour:
        colour = ", ".join(f"{value:+.2f}" for value in verdict.colour)
        yield "colour", f"{colour} levels", f"median of LR minus HR; a pair is suspicious above {limits.max_colour:g}"
    for reason, count in verdict.counts.items():
        yield reason, f"{count:,} pairs" if count > 1 else "1 pair", ""


def _page_values(path: Path, verdict: Verdict, pairs: Pairs) -> dict[str, Any]:
    return {
        "title": f"Check of {printable(str(path))}",
        "is_fine": verdict.is_fine,
        "verdict": f"{sentence(verdict)}.".capitalize(),
        "facts": list(_facts(verdict)),
        "remarks": verdict.remarks,
        "shown": [_shown(remark, pairs) for remark in verdict.remarks[:_MAX_PICTURES]],
    }


def _shown(remark: Remark, pairs: Pairs) -> tuple[Remark, str, str]:
    """The remark with its pictures, 8 bits each."""
    from degrade.image import to_float, to_pixels
    from degrade.report.page import embedded

    lr, hr = (embedded(to_pixels(to_float(pixels))) for pixels in pairs.read(remark.index))
    return remark, lr, hr
