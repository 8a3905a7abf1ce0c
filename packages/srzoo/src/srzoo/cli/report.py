"""`srzoo report`: a run as one page of HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from degrade.errors import DegradeError, ImageError, InputsSkippedError, UsageError, printable

if TYPE_CHECKING:
    from srzoo.report.pictures import Case
    from srzoo.upscale.upscaler import Upscaler

_SHEET_WIDTH = 1600  # pixels on the page

_EXAMPLES = """\b
Examples:
  srzoo report                                          the newest run under ./runs: curves and model card
  srzoo report runs/demo --lr lr/photo.png --hr photo.jpg -o report.html
  srzoo report runs/demo --photo old.jpg --photo phone.jpg
  srzoo report runs/demo --shards shards/ --sheet sheet.png
  srzoo report 4x-compact --photo old.jpg -o old.html   the model shipped with srzoo
"""


@click.command(epilog=_EXAMPLES)
@click.argument("run", metavar="[RUN]", required=False)
@click.option(
    "--lr",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An input; its truth is the --hr at its place.",
)
@click.option("--hr", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="The truth; repeatable.")
@click.option(
    "--photo",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A photo without a truth; repeatable.",
)
@click.option(
    "--shards",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Measure pairs by noise, filter and blur; of shards it trained on, those held out.",
)
@click.option("--pairs", type=click.IntRange(1), default=200, show_default=True, help="How many of them at most.")
@click.option("--sheet", type=click.Path(path_type=Path), metavar="FILE", help="A contact sheet of `degrade preview`.")
@click.option(
    "--sheet-note",
    metavar="TEXT",
    default="Patches as the recipe makes them; what was drawn for each is written under it.",
    help="A sentence above the sheet.",
)
@click.option("--title", metavar="TEXT", help="[default: the name of the run]")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="[default: RUN/report.html]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--threads", metavar="N", type=click.IntRange(1), help="CPU threads.  [default: all cores]")
def command(
    run: str | None,
    lr: tuple[Path, ...],
    hr: tuple[Path, ...],
    photo: tuple[Path, ...],
    shards: tuple[Path, ...],
    pairs: int,
    sheet: Path | None,
    sheet_note: str,
    title: str | None,
    output: Path | None,
    device: str,
    threads: int | None,
) -> None:
    """Show what a network learned, beside bicubic, on one page that needs nothing else.

    RUN is a run folder, a model file, or the name of either. A page of the same name is replaced.
    """
    from srzoo.upscale.resolve import SR_ROLES, resolve_model

    if len(lr) != len(hr):
        raise UsageError("srzoo report", f"{len(lr)} --lr but {len(hr)} --hr", "give them in pairs")
    path, sentence = resolve_model(run)
    target = output or path.parent / "report.html"
    if output is None and "shipped" in sentence:
        target = Path("report.html")
    if target.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(target, "is no name for a page", "end it in .html")

    from degrade.atomic import write_bytes
    from srzoo.checkpoint import load_model
    from srzoo.report.kinds import by_kind
    from srzoo.report.page import page_of, rendered
    from srzoo.report.run import read_diary
    from srzoo.upscale.upscaler import Upscaler

    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    upscaler = Upscaler(load_model(path), None, device)
    click.echo(printable(sentence), err=True)
    cases, left_out = _cases(list(zip(lr, hr, strict=True)), photo, upscaler.scale)
    page = page_of(
        title or (path.parent.name if path.stem in SR_ROLES else path.stem),
        upscaler,
        read_diary(path.parent),
        shown=_shown(cases, upscaler),
        kinds=by_kind(shards, upscaler, most=pairs) if shards else None,
        sheet=_sheet(sheet) if sheet else "",
        sheet_note=sheet_note,
    )
    html = rendered(page).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, html)
    click.echo(printable(f"{target}  ({len(html) / 1e6:.1f} MB, {len(cases)} photographs)"))
    _finish(left_out, len(cases) + len(left_out))


def _shown(cases: Sequence[Case], upscaler: Upscaler) -> list:
    from srzoo.report.pictures import show

    if cases:
        upscaler.image(cases[0].lr[:32, :32])  # so that the first is timed like the others
    return [show(case, upscaler) for case in cases]


def _cases(
    pairs: Sequence[tuple[Path, Path]], photos: Sequence[Path], scale: int
) -> tuple[list[Case], list[DegradeError]]:
    """What can be read of what was named; the rest is said at once."""
    from srzoo.report.pictures import pair_case, photo_case

    jobs: list[Callable[[], Case]] = [lambda lr=lr, hr=hr: pair_case(lr, hr, scale) for lr, hr in pairs]
    jobs += [lambda photo=photo: photo_case(photo, scale) for photo in photos]
    cases, left_out = [], []
    for job in jobs:
        try:
            cases.append(job())
        except ImageError as error:
            left_out.append(error)
            click.echo(printable(f"srzoo: left out: {error}"), err=True)
    return cases, left_out


def _sheet(path: Path) -> str:
    from degrade import codecs
    from degrade.functional.resample import resize
    from degrade.image import to_float, to_pixels
    from srzoo.report.pictures import embedded

    pixels = codecs.rgb8(codecs.read(path))
    height, width = pixels.shape[:2]
    if width > _SHEET_WIDTH:
        pixels = to_pixels(resize(to_float(pixels), round(height * _SHEET_WIDTH / width), _SHEET_WIDTH))
    return embedded(pixels, 88)


def _finish(left_out: Sequence[DegradeError], total: int) -> None:
    if left_out:
        raise InputsSkippedError(f"{len(left_out)} of {total} photographs", "not on the page", "mend or remove them")
