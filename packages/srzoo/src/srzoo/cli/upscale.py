"""`srzoo upscale`: photographs in, larger photographs out."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from degrade.errors import DegradeError, ImageError, InputsSkippedError, UsageError, printable

if TYPE_CHECKING:
    from degrade.codecs import Photo
    from srzoo.upscale.files import Job, Plan
    from srzoo.upscale.upscaler import Upscaler

PATIENCE = 2.0  # seconds before a bar appears
_LONGEST_SIDE = {".jpg": 65500, ".jpeg": 65500, ".webp": 16383, ".avif": 65535}

_EXAMPLES = """\b
Examples:
  srzoo upscale photo.jpg                    photo_x4.png beside it
  srzoo upscale photo.jpg -o large.webp      that file, in that format
  srzoo upscale photos/ more.tif -o large/   sub-folders are kept
  srzoo upscale photo.jpg --model runs/my-run --scale 2
  srzoo upscale photo.jpg --model 4x-compact --precision fp32 --threads 1
"""

_NOTES = """\b
What is kept: profile, EXIF, XMP, DPI, 16 bits, gray, alpha. The turn that EXIF asks for is applied
to the pixels. Gray goes through the network as three equal channels and comes back as their mean.
Alpha is enlarged bicubically, so what is opaque stays exactly opaque; colours hidden under fully
transparent pixels are replaced by their neighbours' first, so that no fringe appears.

\b
A picture too large to run at once is cut into tiles. Where a network sees no further than they overlap,
they give what the whole picture would, exactly. Where it sees too far for that (RRDB, RCAN, PLKSR),
neighbours are blended, and a line says what that changed on this picture. -v says which it was.
"""


@click.command(epilog=f"{_NOTES}\n{_EXAMPLES}")
@click.argument("pictures", metavar="IMG...", nargs=-1, type=click.Path(path_type=Path))
@click.option("-i", "--input", "more", multiple=True, hidden=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="A folder, or a file for one picture. [default: beside it]",
)
@click.option(
    "-m",
    "--model",
    "model_name",
    metavar="NAME|FILE|RUN",
    help="[default: the newest run under ./runs, else the model shipped with srzoo]",
)
@click.option("-n", "--model-name", "--model_name", "model_alias", hidden=True)
@click.option(
    "-s",
    "--scale",
    metavar="FACTOR",
    type=click.FloatRange(0, 16, min_open=True),
    help="Of the result. Another than the model's own: its output is resized (bicubic, antialiased) before rounding.",
)
@click.option(
    "-t",
    "--tile",
    metavar="PIXELS",
    type=click.IntRange(0),
    help="Run the network on pieces of this many input pixels a side; 0: never.  [default: as memory asks]",
)
@click.option(
    "--overlap",
    "--tile-pad",
    "--tile_pad",
    metavar="PIXELS",
    type=click.IntRange(0),
    help="Input pixels that tiles are shown around them.  [default: all that the network sees, or 64 and blended]",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--threads", metavar="N", type=click.IntRange(1), help="CPU threads.  [default: all cores]")
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16"]),
    default="auto",
    show_default=True,
    help="auto: bf16 where it is native and stays within a grey level of fp32 on a sample of the picture.",
)
@click.option("--outscale", "scale_alias", type=click.FloatRange(0, 16, min_open=True), hidden=True)
@click.option(
    "--quality",
    metavar="1-100",
    type=click.IntRange(1, 100),
    default=95,
    show_default=True,
    help="Of JPEG, WebP and AVIF.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there already; never the input.")
@click.option("-v", "--verbose", is_flag=True, help="Say of each picture whether it was cut, and how the parts join.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each picture.")
def command(
    pictures: tuple[Path, ...],
    more: tuple[Path, ...],
    output: Path | None,
    model_name: str | None,
    model_alias: str | None,
    scale: float | None,
    scale_alias: float | None,
    tile: int | None,
    overlap: int | None,
    device: str,
    threads: int | None,
    precision: Literal["auto", "fp32", "bf16"],
    quality: int,
    force: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Enlarge photographs with a trained network.

    IMG are image files and folders of them (with what lies below). Pictures that cannot be read are left out, with
    one line each, and the exit code is 3.
    """
    from srzoo.upscale.resolve import resolve_model

    inputs = [*more, *pictures]
    _check_inputs(inputs)
    path, sentence = resolve_model(model_name or model_alias)
    scale = scale or scale_alias

    from degrade.codecs import EXTENSIONS
    from srzoo.checkpoint import load_model
    from srzoo.upscale.files import plan
    from srzoo.upscale.upscaler import SMALLEST_TILE, Upscaler

    if tile is not None and 0 < tile < SMALLEST_TILE:
        raise UsageError(f"--tile {tile}", "too small", f"use 0, or {SMALLEST_TILE} and more")
    _use_threads(threads)
    model = load_model(path)
    upscaler = Upscaler(model, tile, device, precision, overlap=overlap)
    parameters = sum(weights.numel() for weights in model.network.parameters())
    _note(f"{sentence}: {model.name} x{model.scale}, {parameters:,} parameters, on {upscaler.engine.device}")
    todo = plan(inputs, output, scale=scale or model.scale, extensions=EXTENSIONS, force=force)
    _run(todo, upscaler, scale=scale, quality=quality, force=force, verbose=verbose, as_json=as_json)


def upscale_file(
    job: Job,
    upscaler: Upscaler,
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
    height, width = (round(side * (scale or upscaler.scale)) for side in photo.pixels.shape[:2])
    longest = _LONGEST_SIDE.get(job.target.suffix.lower())
    if longest is not None and max(height, width) > longest:
        problem = f"would be {width} x {height}, more than {job.target.suffix} can hold"
        raise ImageError(job.source, problem, "write .png or .tif")
    try:
        result = upscaler.photo(photo, scale=scale, on_tile=on_tile)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        codecs.write(job.target, result, quality=quality, overwrite=force)
    except MemoryError:
        problem = f"not enough memory for a result of {width} x {height}"
        raise ImageError(job.source, problem, "use a smaller --scale, or cut it into parts") from None
    except OSError as error:  # of mkdir; write has its own
        raise resource_error(job.target.parent, error) from None
    return photo, result


def _run(
    todo: Plan, upscaler: Upscaler, *, scale: float | None, quality: int, force: bool, verbose: bool, as_json: bool
) -> None:
    from degrade.atomic import sweep

    failures: list[DegradeError] = []
    if todo.own:
        _note(f"left out what an earlier run made (NAME_x4.png beside NAME): {todo.own}")
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
                photo, result = upscale_file(job, upscaler, scale=scale, quality=quality, force=force, on_tile=on_tile)
        except DegradeError as error:
            _left_out(error, failures, of=len(todo))
            continue
        for note in photo.notes:
            _note(f"{job.source}: {note}")
        if verbose or not upscaler.facts.is_exact:
            _note(f"{job.source}: {upscaler.facts}")
        sizes = [(p.pixels.shape[1], p.pixels.shape[0]) for p in (photo, result)]
        seconds = time.monotonic() - began
        if as_json:
            facts = {"from": sizes[0], "to": sizes[1], "seconds": round(seconds, 3), **asdict(upscaler.facts)}
            click.echo(json.dumps({"source": str(job.source), "target": str(job.target), **facts}))
        else:
            words = " -> ".join(f"{width} x {height}" for width, height in sizes)
            click.echo(printable(f"{job.source} -> {job.target}  ({words}, {seconds:.1f} s)"))
    if len(todo) > 1 and not as_json:
        done = len(todo) - len(failures)
        click.echo(f"{done} of {len(todo)} pictures, {time.monotonic() - start:.1f} s")
    _finish(failures, len(todo))


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
        _note(f"srzoo: left out: {error}")


def _check_inputs(inputs: Sequence[Path]) -> None:
    """Before anything heavy is loaded."""
    if not inputs:
        raise UsageError("srzoo upscale", "no picture given", "srzoo upscale photo.jpg")
    if not any(path.exists() for path in inputs):
        raise ImageError(inputs[0], "no such file or folder", "check the path")


def _use_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _note(text: str) -> None:
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
