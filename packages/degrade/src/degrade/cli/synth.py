"""`degrade synth`: photographs in, shards of LR-HR pairs out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import InputsSkippedError, printable

if TYPE_CHECKING:
    from degrade.synthesize import Summary
    from degrade.synthesize.run import Progress

_EVERY = 5.0  # seconds between lines where there is no terminal

_EXAMPLES = """\b
Examples:
  degrade synth                                     2,000 pairs from sample pictures, into shards/
  degrade synth photos/ --pairs 20000               from your own photos, searched through
  degrade synth a.jpg b/ --per-image 50 --out set/  50 patches from each
  degrade synth photos/ --variants 4 --scale 2      four LR versions of every HR patch
  degrade synth photos/ dead-leaves:64@512x768      photos and 64 scenes (or 512x512 each)
  degrade synth photos/ --recipe generic --set lr.0.sigma_range=[0.2,1.5]
  degrade synth photos/ --dry-run                   say what would be made

Run the same command again after Ctrl-C, a crash or a full disk: it goes on where
it stopped, and the shards come out the same to the last byte.
"""


@click.command("synth", epilog=_EXAMPLES)
@click.argument("hr", nargs=-1, metavar="[HR]...")
@click.option("--recipe", default="generic", show_default=True, help="A recipe's name or a TOML file.")
@click.option("--out", default="shards", show_default=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--scale", type=click.IntRange(1, 16), help="HR size over LR size.  [default: the recipe's]")
@click.option("--patch", default=192, show_default=True, help="Side of an HR patch in pixels.")
@click.option("--pairs", type=int, help="Pairs in all.  [default: tile each photo once; 2000 without HR]")
@click.option("--per-image", type=int, help="Patches from each photo, instead of --pairs.")
@click.option("--variants", default=1, show_default=True, help="Pairs made from each HR patch.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws everything anew.")
@click.option("--workers", type=click.IntRange(1), help="Processes.  [default: all cores]")
@click.option(
    "--min-detail",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 255),
    help="Of 8 places take the first with a mean absolute Laplacian of this many grey levels (sky about 1,"
    " texture 20), else the most detailed.",
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a value of the recipe.")
@click.option("--overwrite", is_flag=True, help="Start over where --out holds another run.")
@click.option("--dry-run", is_flag=True, help="Plan only; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--allow-skips", is_flag=True, help="Exit with 0 although photos were left out.")
def command(
    hr: tuple[str, ...],
    recipe: str,
    out: Path,
    scale: int | None,
    patch: int,
    pairs: int | None,
    per_image: int | None,
    variants: int,
    seed: int,
    workers: int | None,
    min_detail: float,
    overrides: tuple[str, ...],
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    allow_skips: bool,
) -> None:
    """Make LR-HR training pairs from photographs.

    HR is any mix of photos, folders (searched through) and generated scenes (see the examples). Without HR, the
    photographs that come with scikit-image and generated scenes are used.
    """
    from degrade.synthesize import synthesize

    try:
        with _progress() as progress:
            summary = synthesize(
                hr,
                recipe,
                out,
                scale=scale,
                patch=patch,
                pairs=pairs,
                per_image=per_image,
                variants=variants,
                seed=seed,
                workers=workers,
                min_detail=min_detail,
                overrides=overrides,
                overwrite=overwrite,
                dry_run=dry_run,
                progress=progress,
                notice=lambda line: click.echo(f"degrade: {line}", err=True),
            )
    except KeyboardInterrupt as stop:
        kept = "finished shards are kept; run the same command again to make the rest"
        raise type(stop)(f"stopped - {kept}") from None
    click.echo(json.dumps(summary.as_dict()) if as_json else _told(summary))
    if summary.skipped and not allow_skips:
        raise _left_out(summary)


def _left_out(summary: Summary) -> InputsSkippedError:
    from degrade.shards.layout import SKIPPED_NAME

    first = summary.skipped[0]
    count, seen = len(summary.skipped), len(summary.skipped) + summary.num_photos
    where = f"see {summary.folder / SKIPPED_NAME}, or" if not summary.is_dry_run else "take them out, or"
    problem = f"left out, first {Path(first.path).name} ({first.kind})"
    return InputsSkippedError(f"{count} of {_counted(seen, 'picture')}", problem, f"{where} --allow-skips")


def _told(summary: Summary) -> str:
    side, lr_side = summary.patch, summary.patch // summary.scale
    count = summary.num_planned if summary.is_dry_run else summary.num_pairs
    size = _expected_bytes(summary) if summary.is_dry_run else summary.num_bytes
    about = "about " if summary.is_dry_run else ""
    what = (
        f"{_counted(count, 'pair')} ({side} x {side} and {lr_side} x {lr_side})"
        f" from {_counted(summary.num_photos, 'picture')} in {_counted(summary.num_shards, 'shard')},"
        f" {about}{_megabytes(size)}, in {summary.folder}"
    )
    workers = _counted(summary.workers, "worker")
    if summary.is_dry_run:
        return printable(f"would make {what} ({workers})")
    if summary.num_made:
        work = (
            f"made {summary.num_made:,} in {summary.seconds:.1f} s, {summary.pairs_per_second:,.0f} pairs/s, {workers}"
        )
    else:
        work = f"all of it was there already and is intact (checked in {summary.seconds:.1f} s)"
    where = "" if summary.folder == Path("shards") else f" --shards {summary.folder}"
    following = f"next: srzoo train{where}, or look at it: degrade inspect {summary.folder}"
    return "\n".join(map(printable, (what, work, following)))


def _expected_bytes(summary: Summary) -> int:
    lr_bytes = 3 * (summary.patch // summary.scale) ** 2
    return summary.num_planned * (3 * summary.patch**2 // summary.variants + lr_bytes)


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f} MB" if num_bytes < 1e7 else f"{num_bytes / 1e6:,.0f} MB"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal; a line every few seconds elsewhere. Both on stderr."""
    if sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        yield _lines()


def _lines() -> Progress:
    told = time.monotonic()
    start: tuple[float, int] | None = None  # when pairs began to come, and how many there were

    def progress(done: int, planned: int) -> None:
        nonlocal told, start
        now = time.monotonic()
        if start is None or done <= start[1]:
            start = now, done
        if now - told < _EVERY or done >= planned:
            return
        told = now
        seconds, pairs = now - start[0], done - start[1]
        rate = f", {pairs / seconds:,.0f} pairs/s, {(planned - done) * seconds / pairs:,.0f} s left" if pairs else ""
        click.echo(f"degrade: {done:,} of {planned:,} pairs{rate}", err=True)

    return progress


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Any:
            return f"{task.speed:,.0f} pairs/s" if task.speed else ""

    columns = (TextColumn("synth"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn(compact=True))
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("synth", total=None)

    def progress(done: int, planned: int) -> None:
        bar.start()  # at the first pair: before it, lines may be printed
        bar.update(task, completed=done, total=planned)

    try:
        yield progress
    finally:
        bar.stop()
