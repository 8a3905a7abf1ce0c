"""What `synth` and `pack` say: progress on the way, the summary at the end, and what was left out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import InputsSkippedError, printable

if TYPE_CHECKING:
    from degrade.synthesize import Summary
    from degrade.synthesize.run import Progress

_EVERY = 5.0  # seconds between lines where there is no terminal


def make_and_tell(
    make: Callable[[Progress], Summary], *, source: str, as_json: bool = False, allow_skips: bool = False
) -> None:
    """Make a set with a show of progress, and say what came of it; `source` is what pairs come from, in the singular.

    Raises:
        InputsSkippedError: some of it was left out, unless `allow_skips`.
    """
    try:
        with _progress() as progress:
            summary = make(progress)
    except KeyboardInterrupt as stop:
        kept = "finished shards are kept; run the same command again to make the rest"
        raise type(stop)(f"stopped - {kept}") from None
    click.echo(json.dumps(summary.as_dict()) if as_json else _told(summary, source))
    if summary.skipped and not allow_skips:
        raise _left_out(summary)


def _left_out(summary: Summary) -> InputsSkippedError:
    from degrade.shards.layout import SKIPPED_NAME

    first = summary.skipped[0]
    count, seen = len(summary.skipped), len(summary.skipped) + summary.num_photos
    where = f"see {summary.folder / SKIPPED_NAME}, or" if not summary.is_dry_run else "take them out, or"
    problem = f"left out, first {Path(first.path).name} ({first.kind})"
    return InputsSkippedError(f"{count} of {_counted(seen, 'picture')}", problem, f"{where} --allow-skips")


def _told(summary: Summary, source: str) -> str:
    side, lr_side = summary.patch, summary.patch // summary.scale
    count = summary.num_planned if summary.is_dry_run else summary.num_pairs
    size = _expected_bytes(summary) if summary.is_dry_run else summary.num_bytes
    about = "about " if summary.is_dry_run else ""
    what = (
        f"{_counted(count, 'pair')} ({side} x {side} and {lr_side} x {lr_side})"
        f" from {_counted(summary.num_photos, source)} in {_counted(summary.num_shards, 'shard')},"
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
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TimeRemainingColumn
    from rich.progress import Progress as Bar

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Any:
            return f"{task.speed:,.0f} pairs/s" if task.speed else ""

    columns = (BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn(compact=True))
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)

    def progress(done: int, planned: int) -> None:
        bar.start()  # at the first pair: before it, lines may be printed
        bar.update(task, completed=done, total=planned)

    try:
        yield progress
    finally:
        bar.stop()
