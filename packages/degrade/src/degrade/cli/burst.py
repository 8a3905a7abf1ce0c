"""`degrade burst`: many noisy shots of a still scene in, one clean picture out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from degrade.errors import InputsSkippedError, UsageError, printable

if TYPE_CHECKING:
    from degrade.sources.burst import Report

_MANY_REJECTED = 0.25  # share of a frame at which it is worth a word


@click.command(
    epilog="""\b
Examples:
  degrade burst shots/ -o clean.png                      20 shots from a tripod or a steady hand
  degrade burst shots/ -o clean.png --depth 16           keep what the mean gains beyond 8 bits
  degrade burst shots/ -o clean.png --reference sharpest
  degrade burst shots/ -o clean.png --no-rotation --json
"""
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The clean picture.")
@click.option(
    "--reference",
    default="first",
    show_default=True,
    metavar="NAME",
    help="The shot that the others are laid on: first, sharpest, or a file's name.",
)
@click.option("--no-rotation", is_flag=True, help="The camera did not turn: seek shifts alone.")
@click.option("--scale", is_flag=True, help="The camera may have come nearer: seek a scale too.")
@click.option("--depth", type=click.Choice(["8", "16"]), default="8", show_default=True, help="16: PNG and TIFF.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of every shot as JSON.")
def command(
    folder: Path, out: Path, reference: str, no_rotation: bool, scale: bool, depth: str, force: bool, as_json: bool
) -> None:
    """Fuse a burst of noisy shots of one scene to a clean picture.

    DIR holds the shots, all of one size. They are aligned to a fraction of a pixel (shifts and small rotations) and
    averaged; what moves through less than half of the shots at a place leaves no ghost. Shots that cannot be read, or
    show something else, are left out and named (exit code 3). Colours and the profile are those of the reference.
    """
    from degrade import codecs
    from degrade.cli.progress import progress
    from degrade.sources.burst import find_frames, fuse

    _check_out(out, depth, force=force)
    frames = [path for path in find_frames(folder) if path.resolve() != out.resolve()]
    burst = fuse(
        frames,
        reference=reference,
        rotation=not no_rotation,
        scale=scale,
        depth=16 if depth == "16" else 8,
        progress=progress,
    )
    codecs.write(out, codecs.Photo(burst.pixels, icc=burst.icc), quality=100, overwrite=force)
    if as_json:
        click.echo(json.dumps({"out": str(out), **_as_json(burst.report)}, indent=1))
    else:
        _tell(burst.report, out)
    for error in burst.report.left_out:
        click.echo(f"degrade: skipped: {error}", err=True)
    if burst.report.left_out:
        number = f"{len(burst.report.left_out)} of {len(frames)} shots"
        raise InputsSkippedError(number, "left out, see above", "mend or remove them")


def _check_out(out: Path, depth: str, *, force: bool) -> None:
    """Before the minutes of work: what could not be written afterwards."""
    from degrade.codecs import EXTENSIONS, FORMATS

    suffix = out.suffix.lower()
    if suffix not in EXTENSIONS:
        raise UsageError(out, f"'{suffix}' is no suffix of a known format", f"use {', '.join(FORMATS)}")
    if depth == "16" and suffix not in (*FORMATS["PNG"], *FORMATS["TIFF"]):
        raise UsageError(out, "only PNG and TIFF hold 16 bits", "use one of them, or --depth 8")
    if out.is_dir():
        raise UsageError(out, "it is a folder", "name a file")
    if not out.parent.is_dir():
        raise UsageError(out, "its folder is not there", "create it, or choose another")
    if out.exists() and not force:
        raise UsageError(out, "is there already", "overwrite with --force, or choose another -o")


def _as_json(report: Report) -> dict[str, object]:
    lost = [{"shot": error.subject, "problem": error.problem, "cure": error.cure} for error in report.left_out]
    return {
        "reference": report.reference,
        "noise_8bit": round(report.noise_8bit, 3),
        "frames": [
            {key: round(value, 5) if isinstance(value, float) else value for key, value in asdict(frame).items()}
            for frame in report.frames
        ],
        "skipped": lost,
    }


def _tell(report: Report, out: Path) -> None:
    count = len(report.frames)
    furthest = max(max(abs(frame.y), abs(frame.x)) for frame in report.frames)
    turned = max(abs(frame.angle) for frame in report.frames)
    reference = Path(report.reference).name
    click.echo(printable(f"{count} shots -> {out} (on {reference}, noise {report.noise_8bit:.1f} of 255)"))
    click.echo(f"  moved by up to {furthest:.1f} pixels, turned by up to {turned:.2f} degrees")
    for frame in report.frames:
        if frame.rejected > _MANY_REJECTED:
            click.echo(printable(f"  {Path(frame.name).name}: {100 * frame.rejected:.0f} % left out of the mean"))
