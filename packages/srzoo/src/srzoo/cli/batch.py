"""Pictures through an enlarger, one after another: what is said of each, and what is left out."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from degrade.errors import DegradeError, ImageError, InputsSkippedError, printable

if TYPE_CHECKING:
    from degrade.codecs import Photo
    from srzoo.upscale.enlarger import Enlarger
    from srzoo.upscale.files import Job, Plan

PATIENCE = 2.0  # seconds before a bar appears
_LONGEST_SIDE = {".jpg": 65500, ".jpeg": 65500, ".webp": 16383, ".avif": 65535}


def upscale_files(
    todo: Plan, enlarger: Enlarger, *, scale: float | None, quality: int, force: bool, verbose: bool, as_json: bool
) -> None:
    """Every picture of `todo`, with a line on stdout for each; one that fails is left out, with a line on stderr.

    Raises:
        DegradeError: pictures were left out.
    """
    from degrade.atomic import sweep

    failures: list[DegradeError] = []
    if todo.own:
        note(f"left out what an earlier run made (NAME_x4.png beside NAME): {todo.own}")
    for refusal in todo.refused:
        _left_out(refusal, failures, of=len(todo))
    for folder in {job.target.parent for job in todo.jobs if job.target.parent.is_dir()}:
        sweep(folder)  # what a killed run could not remove
    start = time.monotonic()
    for number, job in enumerate(todo.jobs, start=1):
        began = time.monotonic()
        place = f"{number}/{len(todo.jobs)} " if len(todo.jobs) > 1 else ""
        try:
            with _progress(place + printable(job.source.name)) as on_tile:
                photo, result = upscale_file(job, enlarger, scale=scale, quality=quality, force=force, on_tile=on_tile)
        except DegradeError as error:
            _left_out(error, failures, of=len(todo))
            continue
        for remark in photo.notes:
            note(f"{job.source}: {remark}")
        if verbose or not enlarger.facts.is_exact:
            note(f"{job.source}: {enlarger.facts}")
        sizes = [(p.pixels.shape[1], p.pixels.shape[0]) for p in (photo, result)]
        seconds = time.monotonic() - began
        if as_json:
            facts = {"from": sizes[0], "to": sizes[1], "seconds": round(seconds, 3), **asdict(enlarger.facts)}
            click.echo(json.dumps({"source": str(job.source), "target": str(job.target), **facts}))
        else:
            words = " -> ".join(f"{width} x {height}" for width, height in sizes)
            click.echo(printable(f"{job.source} -> {job.target}  ({words}, {seconds:.1f} s)"))
    if len(todo) > 1 and not as_json:
        done = len(todo) - len(failures)
        click.echo(f"{done} of {len(todo)} pictures, {time.monotonic() - start:.1f} s")
    _finish(failures, len(todo))


def upscale_file(
    job: Job,
    enlarger: Enlarger,
    *,
    scale: float | None = None,
    quality: int = 95,
    force: bool = False,
    on_tile: Callable[[int, int], None] | None = None,
) -> tuple[Photo, Photo]:
    """Read, enlarge and write one picture; it and the result.

    Raises:
        DegradeError: it cannot be read, enlarged or written; no part of a file is left.
    """
    from degrade import codecs
    from degrade.atomic import resource_error

    photo = codecs.read(job.source)
    height, width = (round(side * (scale or enlarger.scale)) for side in photo.pixels.shape[:2])
    longest = _LONGEST_SIDE.get(job.target.suffix.lower())
    if longest is not None and max(height, width) > longest:
        problem = f"would be {width} x {height}, more than {job.target.suffix} can hold"
        raise ImageError(job.source, problem, "write .png or .tif")
    try:
        result = enlarger.photo(photo, scale=scale, on_tile=on_tile)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        codecs.write(job.target, result, quality=quality, overwrite=force)
    except MemoryError:
        problem = f"not enough memory for a result of {width} x {height}"
        raise ImageError(job.source, problem, "use a smaller --scale, or cut it into parts") from None
    except OSError as error:  # of mkdir; write has its own
        raise resource_error(job.target.parent, error) from None
    return photo, result


def _finish(failures: Sequence[DegradeError], total: int) -> None:
    if not failures:
        return
    if total == 1:
        raise failures[0]
    if len(failures) == total and len({failure.exit_code for failure in failures}) == 1:
        error = type(failures[0])
        raise error(f"all {total} pictures", "left out, see above", "mend what the lines above name")
    raise InputsSkippedError(f"{len(failures)} of {total} pictures", "left out, see above", "mend or remove them")


def _left_out(error: DegradeError, failures: list[DegradeError], *, of: int) -> None:
    failures.append(error)
    if of > 1:
        note(f"srzoo: left out: {error}")


def note(text: str) -> None:
    """A line on stderr."""
    click.echo(printable(text), err=True)


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of tiles on stderr once the picture has taken `PATIENCE` seconds, and gone with it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
    task = bar.add_task(label, total=None)
    timer = threading.Timer(PATIENCE, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda done, total: bar.update(task, completed=done, total=total if total > 1 else None)
    finally:
        timer.cancel()
        timer.join()  # it may be starting the bar right now
        bar.stop()
