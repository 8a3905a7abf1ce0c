"""`degrade stats`: histograms of what was drawn for a set of shards, and figures of its pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from degrade.errors import UsageError, printable

Table = dict[str, Any]

_MOST_WORDS = 8  # of a field that a line shows


@click.command(
    epilog="""\b
Examples:
  degrade stats shards/                        text
  degrade stats shards/ --html stats.html      a page with histograms
  degrade stats shards/ --json > stats.json    all edges and counts
"""
)
@click.argument("path", metavar="SET", type=click.Path(path_type=Path))
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="Pairs whose pixels are measured, evenly spread over the set. Traces are read all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page as well.")
@click.option("--force", is_flag=True, help="Overwrite the page of an earlier run.")
def command(path: Path, limit: int, as_json: bool, html: Path | None, force: bool) -> None:
    """Say how a set is distributed: every drawn parameter, PSNR, noise level, sharpness and difficulty.

    SET is a folder of shards (finished or not) or one .h5 shard. Noise levels are standard deviations in grey levels of
    255: the median of the Laplacian residual (Immerkaer 1996) where the picture is flat. Difficulty is how many dB the
    enlarged LR lies below an enlarged bicubic LR of the same HR.
    """
    from degrade.cli.inspect import recipe_of
    from degrade.cli.pairs import open_pairs
    from degrade.cli.progress import progress
    from degrade.measure.stats import measure_set

    check_free(html, force)
    pairs = open_pairs(path)
    recipe, drawn = recipe_of(pairs)
    with progress("measuring", len(pairs) + min(limit, len(pairs))) as advance:
        found = measure_set(pairs, drawn=drawn, limit=limit, advance=advance).as_dict()
    table = {"kind": "statistics", "path": str(path), "recipe": recipe, "scale": pairs.header(0).scale, **found}
    if html is not None:
        write_page(html, "statistics", force=force, **_page_values(table))
    lines = [json.dumps(table, indent=1)] if as_json else [printable(line) for line in as_lines(table)]
    click.echo("\n".join(lines))


def as_lines(table: Table) -> Iterator[str]:
    """The text form: pixels first, then each step with a line a field; histograms run from the least to the most."""
    yield f"statistics: {table['path']}"
    yield f"  {_summary(table)}"
    yield f"  pixels ({_sample(table)}):"
    yield from _aligned([(f["title"], *_numbers(f), f["unit"]) for f in table["figures"].values()], "    ")
    yield f"  drawn (all {table['pairs']:,} pairs):"
    for name, step in table["steps"].items():
        share = 100 * step["ran"] / table["pairs"]
        yield f"    {name}  ({step['op'].replace('_', ' ')})  ran {step['ran']:,} times, {share:.1f} %"
        rows = [(f.replace("_", " "), *_numbers(found)) for f, found in step["values"].items() if "words" not in found]
        yield from _aligned(rows, "      ")
        for field, found in step["values"].items():
            if "words" in found:
                yield f"      {field.replace('_', ' ')}  {_words(found['words'], step['ran'])}"


def check_free(file: Path | None, force: bool) -> None:
    """Refuse, before any work, a file that is there.

    Raises:
        UsageError: it is, and `force` is not given.
    """
    if file is not None and file.exists() and not force:
        raise UsageError(file, "is there already", "overwrite with --force")


def write_page(file: Path, template: str, *, force: bool, **values: Any) -> None:
    """Fill `template` into `file`, whole or not at all."""
    from degrade.atomic import write_bytes
    from degrade.report.page import page

    write_bytes(file, page(template, **values).encode(), overwrite=force)


def _page_values(table: Table) -> Table:
    shown = {name: table[name] for name in ("pairs", "figures", "steps")}
    title, sample = f"Statistics of {printable(table['path'])}", f"{_sample(table).capitalize()}."
    return {"title": title, "summary": _summary(table), "sample": sample, **shown}


def _summary(table: Table) -> str:
    return f"{table['pairs']:,} pairs, x{table['scale']}, recipe {table['recipe']}"


def _sample(table: Table) -> str:
    if table["pairs_measured"] == table["pairs"]:
        return "every pair"
    return f"{table['pairs_measured']:,} of {table['pairs']:,} pairs, evenly spread"


def _numbers(found: Mapping[str, Any]) -> tuple[str, ...]:
    from degrade.report import histogram_line, value_text

    least, median, mean, most = (value_text(found[key]) for key in ("least", "median", "mean", "most"))
    if found["least"] == found["most"]:
        return least, "", "", "", ""
    return least, histogram_line(found["counts"]), most, f"median {median}", f"mean {mean}"


def _words(found: Mapping[str, int], ran: int) -> str:
    from degrade.report import word_text

    if len(found) == 1:
        return word_text(next(iter(found)))
    shown = list(found.items())[:_MOST_WORDS]
    parts = [f"{word_text(word)} {count:,} ({100 * count / ran:.1f} %)" for word, count in shown]
    return ", ".join(parts) + (f" and {len(found) - _MOST_WORDS:,} more" if len(found) > _MOST_WORDS else "")


def _aligned(rows: list[tuple[str, ...]], indent: str) -> Iterator[str]:
    """Columns as wide as their widest entry; the second, a number before the bars, to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [c.rjust(w) if i == 1 else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        yield (indent + "  ".join(cells)).rstrip()
