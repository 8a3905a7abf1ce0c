"""`srzoo evaluate`: a model over a test set whose truth is known, by a stated protocol."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from degrade.errors import UsageError, printable
from srzoo import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from srzoo.evaluate import Score, Upscale
    from srzoo.metrics.protocol import Protocol

_EXAMPLES = """\b
Examples:
  srzoo evaluate --model bicubic --hr Set5/HR --scale 4      the bicubic row of the papers' tables
  srzoo evaluate --hr Set14/HR --protocol network            the newest run, as RCAN and EDSR are measured
  srzoo evaluate --model 4x-compact --hr truth/ --lr spoiled/
  srzoo evaluate --model runs/my-run --hr Set5/HR --json > scores.json
"""

_NOTES = """\b
Protocols (all on 8-bit pictures, `scale` pixels of border left off, SSIM 11 x 11 with sigma 1.5):
  published  luma rounded to 8 bits. `bicubic` is then that of the papers' tables: all of it done on
             luma in double precision, clamped to 16..235. A network gets RGB LR made by MATLAB's
             uint8 bicubic; its 8-bit RGB becomes luma.
  network    luma of 8-bit RGB, not rounded: what RCAN, EDSR and BasicSR report for networks.
  rgb        PSNR over the three channels together, SSIM as their mean.
HR is cropped to a multiple of the scale. With --lr, bicubic starts from those files, too, and then is
not that of the tables.
"""


@click.command(epilog=f"{_NOTES}\n{_EXAMPLES}")
@click.option(
    "-m",
    "--model",
    "model_name",
    metavar="NAME|FILE|RUN",
    help="`bicubic`, or as for `srzoo upscale`. [default: the newest run under ./runs, else the model shipped]",
)
@click.option(
    "--hr", metavar="PATH", required=True, type=click.Path(path_type=Path), help="The truth: a folder, or one picture."
)
@click.option(
    "--lr",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="What to enlarge, under the same names (or NAME_LR for NAME_HR). [default: made by MATLAB's bicubic]",
)
@click.option(
    "-s", "--scale", metavar="N", type=click.IntRange(1, 16), help="[default: the model's own; 4 for bicubic]"
)
@click.option(
    "-p",
    "--protocol",
    type=click.Choice(["published", "network", "rgb"]),
    default="published",
    show_default=True,
    help="What is compared; see below.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table; null where PSNR is infinite.")
@click.option(
    "-t", "--tile", metavar="PIXELS", type=click.IntRange(0), help="As for `srzoo upscale`. [default: as memory asks]"
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--threads", metavar="N", type=click.IntRange(1), help="CPU threads. [default: all cores]")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), default="fp32", show_default=True)
def command(
    model_name: str | None,
    hr: Path,
    lr: Path | None,
    scale: int | None,
    protocol: Protocol,
    as_json: bool,
    tile: int | None,
    device: str,
    threads: int | None,
    precision: Literal["auto", "fp32", "bf16"],
) -> None:
    """Measure PSNR and SSIM of a model, picture by picture, beside bicubic enlargement."""
    from srzoo.evaluate import BICUBIC, evaluate, find_pairs, mean

    upscale: Upscale | None = None
    if model_name == BICUBIC:
        sentence, scale = "bicubic", scale or 4
    else:
        upscale, sentence, scale = _network(model_name, scale, tile, device, threads, precision)
    pairs = find_pairs(hr, lr, scale=scale)
    scores = []
    with _progress(len(pairs)) as advance:
        for score in evaluate(pairs, upscale, scale=scale, protocol=protocol):
            scores.append(score)
            advance(score.name)
    facts = {
        "model": sentence,
        "scale": scale,
        "protocol": protocol,
        "hr": str(hr),
        "lr": None if lr is None else str(lr),
    }
    if as_json:
        click.echo(json.dumps({"srzoo": __version__, **facts, **_table_of(scores, mean(scores))}, indent=1))
    else:
        _print(scores, mean(scores), facts, with_bicubic=upscale is not None)


def _network(
    name: str | None, scale: int | None, tile: int | None, device: str, threads: int | None, precision: Any
) -> tuple[Upscale, str, int]:
    from srzoo.upscale.resolve import resolve_model

    path, sentence = resolve_model(name)
    from srzoo.checkpoint import load_model
    from srzoo.upscale.upscaler import SMALLEST_TILE, Upscaler

    if tile is not None and 0 < tile < SMALLEST_TILE:
        raise UsageError(f"--tile {tile}", "too small", f"use 0, or {SMALLEST_TILE} and more")
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    model = load_model(path)
    if scale is not None and scale != model.scale:
        raise UsageError(f"--scale {scale}", f"{path} is a model of x{model.scale}", f"use --scale {model.scale}")
    return Upscaler(model, tile, device, precision).image, sentence.removeprefix("model "), model.scale  # type: ignore[reportReturnType]  uint8 in, uint8 out


def _table_of(scores: Sequence[Score], average: Score) -> dict[str, Any]:
    rows = [{key: _finite(value) for key, value in asdict(score).items()} for score in (*scores, average)]
    rows[-1].pop("name")
    return {"images": rows[:-1], "mean": rows[-1]}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print(scores: Sequence[Score], average: Score, facts: dict[str, Any], *, with_bicubic: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(printable(f"{facts['model']}, x{facts['scale']}, protocol {facts['protocol']}")))
    table.add_column("picture", overflow="fold")
    for heading in ("PSNR dB", "SSIM", *(("bicubic dB", "bicubic SSIM", "gain dB") if with_bicubic else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for number, score in enumerate((*scores, average), start=1):
        figures = [f"{score.psnr:.4f}", f"{score.ssim:.6f}"]
        if with_bicubic:
            gain = score.psnr - score.psnr_bicubic
            figures += [f"{score.psnr_bicubic:.4f}", f"{score.ssim_bicubic:.6f}", f"{gain:+.4f}"]
        table.add_row(Text(printable(score.name)), *figures, end_section=number == len(scores))
    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(table)
    made = "made by MATLAB's bicubic" if facts["lr"] is None else facts["lr"]
    console.print(Text(printable(f"{len(scores)} pictures of {facts['hr']}; LR: {made}")))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar of pictures on stderr, on a terminal only, gone at the end."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("evaluating", total=total)
        yield lambda name: bar.advance(task)
