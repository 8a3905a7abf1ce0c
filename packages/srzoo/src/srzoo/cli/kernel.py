"""`srzoo kernel`: the blur kernels of photographs, as a pool that recipes draw from."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from degrade.errors import DegradeError, InputsSkippedError, UsageError, printable

if TYPE_CHECKING:
    from degrade.sources.source import Source
    from srzoo.kernelgan import KernelPool, PhotoKernel

_STEPS = 3000


@click.command(
    epilog="""\b
Examples:
  srzoo kernel photos/ -o pool.npz                 kernels of x2; the same command again goes on
  srzoo kernel photos/ -o pool4.npz --scale 4 --plot kernels.png
  degrade synth hr/ --recipe realsr --set lr.0.pool=pool4.npz --out shards/
Exit code: 3 if photos were left out.
"""
)
@click.argument("photos", metavar="IMG...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The pool, .npz.")
@click.option(
    "--scale",
    type=click.Choice(["2", "4"]),
    default="2",
    show_default=True,
    help="Of which downscaling: what is measured is x2, and that of x4 follows from it.",
)
@click.option("--steps", type=click.IntRange(1), default=_STEPS, show_default=True, help="Of each photo.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same one for each photo.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="A picture of the pool's kernels.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each photo.")
@click.option("--force", is_flag=True, help="Start over: forget what FILE holds. Also overwrites the picture.")
def command(
    photos: tuple[Path, ...],
    out: Path,
    scale: Literal["2", "4"],
    steps: int,
    seed: int,
    plot: Path | None,
    as_json: bool,
    force: bool,
) -> None:
    """Estimate the blur kernel of each photo, and collect them in a pool.

    IMG are image files and folders of them (with what lies below), at least 66 x 66 pixels each. KernelGAN
    (Bell-Kligler et al. 2019) looks for the kernel under which a photo, at half its size, looks like itself: the one it
    was taken with. A kernel is in the file as soon as it is found; a run that was stopped goes on with the next photo.
    """
    from srzoo.kernelgan import KernelPool, Settings, find_photos

    if plot is not None and plot.exists() and not force:
        raise UsageError(plot, "is there already", "overwrite with --force")
    pool = KernelPool(out, Settings(4 if scale == "4" else 2, steps, seed), start_over=force)
    found, refused = find_photos(photos)
    for error in refused:
        click.echo(f"srzoo: left out: {error}", err=True)
    todo = [photo for photo in found if photo not in pool]
    if len(todo) < len(found):
        click.echo(f"{len(found) - len(todo)} of {len(found)} kernels are there already", err=True)
    try:
        failed = _add(pool, todo, as_json=as_json)
    except KeyboardInterrupt as stop:
        there = printable(f"{len(pool.kernels)} kernels in {out}; the same command goes on")
        raise type(stop)(f"stopped: {there}") from None
    left_out = len(refused) + failed
    if not pool.kernels:
        raise UsageError("srzoo kernel", "no photo gave a kernel", "mend or replace what the lines above name")
    if plot is not None:
        _draw(pool, plot, overwrite=force)
    if not as_json:
        click.echo(printable(f"pool: {out}, {len(pool.kernels)} kernels"))
    if left_out:
        raise InputsSkippedError(f"{left_out} photos", "left out, see above", "mend or remove them")


def _add(pool: KernelPool, todo: Sequence[Source], *, as_json: bool) -> int:
    """A line for every photo; how many gave no kernel."""
    from srzoo.kernelgan import add_kernel

    failed = 0
    for number, photo in enumerate(todo, start=1):
        start, label = time.monotonic(), f"{number}/{len(todo)} {printable(Path(photo.path).name)}"
        try:
            with _progress(label, pool.settings.steps) as advance:
                one = add_kernel(pool, photo, advance=advance)
        except DegradeError as error:
            failed += 1
            click.echo(f"srzoo: left out: {error}", err=True)
        else:
            click.echo(_line(one, time.monotonic() - start, as_json=as_json))
    return failed


def _line(one: PhotoKernel, seconds: float, *, as_json: bool) -> str:
    from math import degrees

    from srzoo.kernelgan.kernel import spread

    along, across, angle = spread(one.kernel)
    if as_json:
        facts = {"name": one.name, "sha256": one.sha256, "sigma": [round(along, 3), round(across, 3)]}
        return json.dumps({**facts, "degrees": round(degrees(angle), 1), "seconds": round(seconds, 1)})
    return printable(f"{one.name}: sigma {along:.2f} x {across:.2f} at {degrees(angle):.0f} degrees ({seconds:.0f} s)")


def _draw(pool: KernelPool, path: Path, *, overwrite: bool) -> None:
    from degrade import codecs
    from srzoo.kernelgan import kernel_sheet

    codecs.write(path, codecs.Photo(kernel_sheet([one.kernel for one in pool.kernels])), overwrite=overwrite)


@contextmanager
def _progress(label: str, steps: int) -> Iterator[Callable[[], None]]:
    """To call after every step; a bar on a terminal, gone with the photo."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task(label, total=steps)
        yield lambda: bar.advance(task)
