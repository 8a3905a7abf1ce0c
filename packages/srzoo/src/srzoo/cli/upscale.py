"""`srzoo upscale`: photographs in, larger photographs out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from degrade.errors import ImageError, UsageError

_EXAMPLES = """\b
Examples:
  srzoo upscale photo.jpg                    photo_x4.png beside it
  srzoo upscale photo.jpg -o large.webp      that file, in that format
  srzoo upscale photos/ more.tif -o large/   sub-folders are kept
  srzoo upscale photo.jpg --model runs/my-run --scale 2
  srzoo upscale photo.jpg --model 4x-compact --precision fp32 --threads 1
  srzoo upscale dslr/ --model bicubic --scale 4 -o large/
  srzoo upscale night.jpg --fuse ren2020 --model runs/gan-r --model runs/gan-s -v
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

\b
--fuse ren2020 takes two models, R then S (Ren et al. 2020, Eq. 6): a dark picture, one whose result by R
has a median luma Y_med below gamma (BT.601, 16..235), becomes alpha R + beta S of the 8- or 16-bit
results; any other is R's result, and S does not run. -v and --json tell Y_med and which it was.
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
    "models",
    metavar="NAME|FILE|RUN",
    multiple=True,
    help="`bicubic`: MATLAB's, no network. Twice with --fuse."
    "  [default: the newest run under ./runs, else the model shipped with srzoo]",
)
@click.option("-n", "--model-name", "--model_name", "more_models", multiple=True, hidden=True)
@click.option(
    "--fuse",
    metavar="ren2020[:alpha=0.6,beta=0.4,gamma=64]",
    help="Fuse two models by luminance; see below.",
)
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
@click.option(
    "-v", "--verbose", is_flag=True, help="Say of each picture whether it was cut or fused, and how the parts join."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each picture.")
def command(
    pictures: tuple[Path, ...],
    more: tuple[Path, ...],
    output: Path | None,
    models: tuple[str, ...],
    more_models: tuple[str, ...],
    fuse: str | None,
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
    inputs = [*more, *pictures]
    _check_inputs(inputs)
    from srzoo.cli.batch import note, upscale_files
    from srzoo.cli.enlargers import Running, open_enlarger
    from srzoo.cli.fusion import read_fusion

    fusion = None if fuse is None else read_fusion("--fuse", fuse)
    if fusion is not None and fusion.parts:
        raise UsageError(f"--fuse {fuse}", "names models", "give them as --model R --model S")
    running = Running(tile, overlap, device, threads, precision)
    enlarger, lines = open_enlarger([*models, *more_models], fusion, running)
    for line in lines:
        note(line)
    from degrade.codecs import EXTENSIONS
    from srzoo.upscale.files import plan

    scale = scale or scale_alias
    todo = plan(inputs, output, scale=scale or enlarger.scale, extensions=EXTENSIONS, force=force)
    upscale_files(todo, enlarger, scale=scale, quality=quality, force=force, verbose=verbose, as_json=as_json)


def _check_inputs(inputs: Sequence[Path]) -> None:
    """Before anything heavy is loaded."""
    if not inputs:
        raise UsageError("srzoo upscale", "no picture given", "srzoo upscale photo.jpg")
    if not any(path.exists() for path in inputs):
        raise ImageError(inputs[0], "no such file or folder", "check the path")
