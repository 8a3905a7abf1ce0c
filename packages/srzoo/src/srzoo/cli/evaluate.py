"""`srzoo evaluate`: models over test sets whose truth is known, by a stated protocol, in one table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from degrade.errors import UsageError
from srzoo.cli.bar import counting

if TYPE_CHECKING:
    from srzoo.cli.contestants import Contestant
    from srzoo.evaluate import Figures, Measures, Results, TestSet
    from srzoo.report.evaluation import Gallery

_EXAMPLES = """\b
Examples:
  srzoo evaluate --model bicubic --hr Set5/HR --scale 4      the bicubic row of the papers' tables
  srzoo evaluate --hr Set14/HR --protocol network            the newest run, as RCAN and EDSR are measured
  srzoo evaluate -m runs/a -m runs/b -m rcan.pth --hr Set5/HR --hr Set14/HR --html table.html
  srzoo evaluate --model 4x-compact --hr truth/ --lr spoiled/ --lpips alex --color-shift --cost
  srzoo evaluate -m ours=runs/a --hr Set5=data/x4/HR --against srdgan --format markdown
  srzoo evaluate -m r=runs/gan-r -m s=runs/gan-s -m fused=ren2020:r,s --hr night/ --flat-noise
  srzoo evaluate --model runs/mobile --lr phone/ --hr dslr/ --scale 1 --resize     truth of the input's size
  srzoo evaluate --model runs/my-run --hr Set5/HR --json > figures.json
"""

_NOTES = """\b
Protocols (all on 8-bit pictures; `scale` pixels of border left off, but for realsr):
  published  luma rounded to 8 bits. `bicubic` is then that of the papers' tables: all of it done on
             luma in double precision, clamped to 16..235. A network gets RGB LR made by MATLAB's
             uint8 bicubic; its 8-bit RGB becomes luma.
  network    luma of 8-bit RGB, not rounded: what RCAN, EDSR and BasicSR report for networks.
  rounded    network with luma rounded to 8 bits.
  rgb        PSNR over the three channels together, SSIM as their mean.
  realsr     luma rounded to 8 bits, the border counts: RealSR's and DML's tables.
HR is cropped to a multiple of the scale. With --lr, bicubic starts from those files, too, and then is
not that of the tables. A network that keeps the size (x1) is given the bicubic enlargement. LPIPS,
NIQE and colour shift look at whole 8-bit RGB pictures; smaller is better.

\b
--flat-noise: the standard deviation of luma, in grey levels, in blocks of 16 x 16 where the truth's is
below 2, shading (a plane in each block) taken away; the mean over such blocks, and over the pictures
that have any.

\b
NAME=ren2020:R,S[,alpha=0.6,beta=0.4,gamma=64] fuses what the models called R and S made of a picture:
alpha R + beta S where R's median luma is below gamma, else R, as `srzoo upscale --fuse` does.
"""


@click.command(epilog=f"{_NOTES}\n{_EXAMPLES}")
@click.option(
    "-m",
    "--model",
    "models",
    metavar="[NAME=]MODEL",
    multiple=True,
    help="`bicubic` (always there), as for `srzoo upscale`, or two fused, see below; repeatable."
    "  [default: the newest run under ./runs, else the model shipped]",
)
@click.option(
    "--hr",
    "truths",
    metavar="[NAME=]PATH",
    required=True,
    multiple=True,
    help="The truth: a folder, or one picture; repeatable.",
)
@click.option(
    "--lr",
    "starts",
    metavar="PATH",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What to enlarge, under the same names (or NAME_LR for NAME_HR); one for each --hr, `-` for none."
    "  [default: made by MATLAB's bicubic]",
)
@click.option(
    "-s", "--scale", metavar="N", type=click.IntRange(1, 16), help="[default: the models' own; 4 for bicubic]"
)
@click.option(
    "--resize",
    is_flag=True,
    help="Compare at --scale although a model's own is another: its output is resized, as `srzoo upscale` does.",
)
@click.option(
    "-p",
    "--protocol",
    type=click.Choice(["published", "network", "rounded", "rgb", "realsr"]),
    default="published",
    show_default=True,
    help="What is compared; see below.",
)
@click.option(
    "--ssim",
    type=click.Choice(["gaussian", "skimage_float2", "daala"]),
    default="gaussian",
    show_default=True,
    help="Which SSIM; all but the first only to reproduce a paper's table.",
)
@click.option("--lpips", "net", type=click.Choice(["alex", "vgg", "squeeze"]), help="LPIPS, too; papers report alex.")
@click.option(
    "--lpips-weights", metavar="FILE", type=click.Path(path_type=Path), help="Of its trunk.  [default: the caches']"
)
@click.option(
    "--lpips-heads", metavar="PATH", type=click.Path(path_type=Path), help="Of its heads.  [default: package lpips's]"
)
@click.option("--niqe", metavar="FILE", type=click.Path(path_type=Path), help="NIQE, too, with BasicSR's parameters.")
@click.option("--color-shift", is_flag=True, help="How far low frequencies move from the LR's, in grey levels.")
@click.option("--flat-noise", is_flag=True, help="Noise in the flat areas of the truth, in grey levels.")
@click.option("--cost", is_flag=True, help="Seconds and memory of each network for a megapixel of result.")
@click.option("--each", is_flag=True, help="Every picture, not only the means; JSON always has them.")
@click.option("--format", "style", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json; null for what is not finite.")
@click.option(
    "--html", metavar="FILE", type=click.Path(path_type=Path), help="A page, too: tables, and crops where they differ."
)
@click.option("--against", metavar="PAPER", multiple=True, help="Print the paper's rows beside ours; repeatable.")
@click.option(
    "--anchors",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where these rows are.  [default: benchmarks/anchors.toml, here or above]",
)
@click.option(
    "-t", "--tile", metavar="PIXELS", type=click.IntRange(0), help="As for `srzoo upscale`. [default: as memory asks]"
)
@click.option("--overlap", metavar="PIXELS", type=click.IntRange(0), help="As for `srzoo upscale`.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--threads", metavar="N", type=click.IntRange(1), help="CPU threads. [default: all cores]")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), default="fp32", show_default=True)
def command(
    models: tuple[str, ...],
    truths: tuple[str, ...],
    starts: tuple[Path, ...],
    scale: int | None,
    resize: bool,
    protocol: Any,
    ssim: str,
    net: Any,
    lpips_weights: Path | None,
    lpips_heads: Path | None,
    niqe: Path | None,
    color_shift: bool,
    flat_noise: bool,
    cost: bool,
    each: bool,
    style: Literal["text", "markdown", "json"],
    as_json: bool,
    html: Path | None,
    against: tuple[str, ...],
    anchors: Path | None,
    tile: int | None,
    overlap: int | None,
    device: str,
    threads: int | None,
    precision: Any,
) -> None:
    """Measure models by PSNR, SSIM and more on test sets, beside bicubic enlargement and published figures."""
    if html is not None and html.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(html, "is no name for a page", "end it in .html")
    from srzoo.cli.contestants import contestants
    from srzoo.cli.enlargers import Running
    from srzoo.cli.verdict import Verdict, everything, show, write_page
    from srzoo.evaluate.anchors import Conditions, beside, find_anchors, read_paper

    papers = {name: read_paper(name, anchors or find_anchors()) for name in against}
    there, scale = contestants(models, scale, Running(tile, overlap, device, threads, precision), resize=resize)
    sets = _sets(truths, starts, scale)
    measures = _measures(protocol, ssim, net, lpips_weights, lpips_heads, niqe, color_shift, flat_noise)
    gallery = _gallery() if html is not None else None
    results = _judge(sets, there, measures, scale, gallery)
    costs = _costs(there, sets[0]) if cost else {}
    conditions = Conditions(scale, protocol, ssim)
    published = {name: beside(paper, results, conditions) for name, paper in papers.items()}
    verdict = Verdict(there, results, measures, scale, costs, published)
    if as_json or style == "json":
        click.echo(json.dumps(everything(verdict), indent=1))
    else:
        show(verdict, style, each=each)
    if html is not None and gallery is not None:
        write_page(verdict, html, gallery, each=each)


def _sets(truths: Sequence[str], starts: Sequence[Path], scale: int) -> list[TestSet]:
    from srzoo.cli.contestants import named
    from srzoo.evaluate import find_set

    if starts and len(starts) != len(truths):
        raise UsageError("srzoo evaluate", f"{len(truths)} --hr but {len(starts)} --lr", "give one --lr for each --hr")
    lrs = [None if str(lr) == "-" else lr for lr in starts] or [None] * len(truths)
    found = []
    for text, lr in zip(truths, lrs, strict=True):
        name, path = named(text)
        found.append(find_set(Path(path), lr, scale=scale, name=name))
    if scale == 1 and any(one.lr is None for one in found):
        raise UsageError("--lr", "needed at scale 1: LR made here would be the truth", "give it, or another --scale")
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise UsageError("--hr", f"sets called {', '.join(names)}", "name them: --hr NAME=PATH")
    return found


def _measures(
    protocol: Any,
    ssim: str,
    net: Any,
    trunk: Path | None,
    heads: Path | None,
    niqe: Path | None,
    color_shift: bool,
    flat_noise: bool,
) -> Measures:
    from srzoo.evaluate import Measures

    distance = None
    if net is not None:
        from srzoo.features.lpips import load_lpips

        distance = load_lpips(net, trunk=trunk, heads=heads)
    pristine = None
    if niqe is not None:
        from srzoo.metrics.niqe import load_pristine

        pristine = load_pristine(niqe)
    return Measures(protocol, ssim, distance, pristine, color_shift, flat_noise)


def _judge(
    sets: Sequence[TestSet], there: Sequence[Contestant], measures: Measures, scale: int, gallery: Gallery | None
) -> list[Results]:
    from srzoo.evaluate import Results, evaluate

    results = []
    with counting("evaluating", sum(len(one.pairs) for one in sets)) as advance:
        for one in sets:
            pictures = []
            for judged in evaluate(one.pairs, [c.method for c in there], measures, scale=scale):
                pictures.append((judged.name, judged.figures))
                if gallery is not None:
                    gallery.add(one.name, judged.name, judged.lr, judged.hr, judged.sr)
                advance()
            results.append(Results(one, tuple(pictures)))
    return results


def _costs(there: Sequence[Contestant], one: TestSet) -> dict[str, Figures]:
    """What each network costs, on the first LR, or the first HR taken as if it were one."""
    from degrade.codecs import read, rgb8

    pixels = rgb8(read(one.pairs[0].lr or one.pairs[0].hr))
    return {other.method.name: other.cost(pixels) for other in there if other.upscalers}


def _gallery() -> Gallery:
    from srzoo.report.evaluation import Gallery

    return Gallery()
