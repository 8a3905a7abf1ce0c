"""`srzoo follow-noise`: does the noise of made LR follow the reference's?"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import UsageError, printable
from srzoo.cli.bar import counting

if TYPE_CHECKING:
    from degrade.image import Pixels
    from srzoo.evaluate.follow_noise import Following
    from srzoo.evaluate.scenes import Degrader

_SET = "noise"  # of the table that `srzoo study` reads

_NOTES = """\b
Noise is the standard deviation of the finest grain where gradients are least, in grey levels (Immerkaer
1996, over the flattest quarter of the pixels): of the middle of each reference, as large as LR; and of what
made LR has beside bicubic LR, the mean over HR pictures.
  correlation   Pearson's, of made noise and the references'; none (null) if a model ignores them
  slope         levels of made noise for one of the reference's; 0 if a model ignores them
  noise         of made LR, the mean over references
"""

_EXAMPLES = """\b
Examples:
  srzoo follow-noise -m ddnsr=runs/ddnsr-paper-small --hr clean/ --reference phone/
  srzoo follow-noise -m ddnsr.pt -m zeros=runs/ablation-d --hr clean/ --reference phone/ --plot noise.png
  srzoo follow-noise -m ddnsr.pt --hr clean/ --reference phone/ --json > noise.json    for `srzoo study`
"""

_Place = click.Path(path_type=Path)


@click.command("follow-noise", epilog=f"{_NOTES}\n{_EXAMPLES}")
@click.option(
    "-m",
    "--model",
    "models",
    metavar="[NAME=]RUN",
    required=True,
    multiple=True,
    help="A degrader that takes a reference: a run, RUN:role, a model file, or an exported .pt; repeatable.",
)
@click.option("--hr", "truths", metavar="DIR", required=True, type=_Place, help="Clean HR, whole pictures.")
@click.option("--reference", "references", metavar="DIR", required=True, type=_Place, help="Real LR photos, 3 or more.")
@click.option("--plot", metavar="FILE", type=_Place, help="Made noise against the reference's, as a picture.")
@click.option("--json", "as_json", is_flag=True, help="Every reference's figures, too; null where there is none.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
def command(
    models: tuple[str, ...], truths: Path, references: Path, plot: Path | None, as_json: bool, device: str
) -> None:
    """Make LR of the same pictures with one reference after another, and say whether its noise follows theirs."""
    degraders, scale = _loaded(models, device)
    hrs, photos = _pictures("--hr", truths), _pictures("--reference", references)
    from srzoo.evaluate.follow_noise import FEWEST, follow_noise

    if len(photos) < FEWEST:
        raise UsageError(f"--reference {references}", f"holds {len(photos)}", f"give at least {FEWEST} photos")
    with counting("making LR", len(degraders) * len(hrs) * len(photos)) as advance:
        found = follow_noise(degraders, hrs, photos, scale, advance=advance)
    if plot is not None:
        _draw(found, plot)
    if as_json:
        everything = _everything(found, degraders, list(photos), truths, references)
        click.echo(json.dumps(everything, indent=1, allow_nan=False))
    else:
        _show(found, degraders, len(hrs))


def _loaded(texts: Sequence[str], device: str) -> tuple[list[Degrader], int]:
    """The models, each under a name of its own, and the scale of them all."""
    from srzoo.cli.contestants import named
    from srzoo.upscale.resolve import LR_ROLES, resolve_model

    found = [(name, text, resolve_model(text, roles=LR_ROLES)[0]) for name, text in map(named, texts)]
    from srzoo.evaluate.follow_noise import imitator
    from srzoo.evaluate.learned_degraders import load_learned
    from srzoo.upscale.engine import pick_device

    where, degraders, scales = pick_device(device), {}, {}
    for name, text, path in found:
        short = name or (path.absolute().parent.name if path.stem in LR_ROLES else path.stem)
        if short in degraders:
            raise UsageError(f"--model {text}", f"the name '{short}' is taken", "give it another: NAME=RUN")
        model = load_learned(path, where)
        degraders[short], scales[text] = imitator(model, short), model.scale
    if len(set(scales.values())) > 1:
        said = ", ".join(f"{text} x{scale}" for text, scale in scales.items())
        raise UsageError("--model", f"different scales: {said}", "compare models of one scale")
    return list(degraders.values()), next(iter(scales.values()))


def _pictures(option: str, folder: Path) -> dict[str, Pixels]:
    from degrade.codecs import read, rgb8
    from srzoo.evaluate.pairs import find_pictures

    return {name: rgb8(read(path)) for name, path in find_pictures(option, folder).values()}


def _draw(found: Following, path: Path) -> None:
    from degrade.codecs import Photo, write
    from srzoo.report.scatter import Series, scatter

    series = [Series(name, list(zip(found.reference, made, strict=True))) for name, made in found.made.items()]
    pixels = scatter(series, x_label="noise of the reference", y_label="noise of made LR")
    write(path, Photo(pixels), overwrite=True)


def _summary(found: Following) -> dict[str, dict[str, float]]:
    return {
        name: {"correlation": found.correlation(name), "slope": found.slope(name), "std": fmean(made)}
        for name, made in found.made.items()
    }


def _everything(
    found: Following, degraders: Sequence[Degrader], photos: Sequence[str], truths: Path, references: Path
) -> dict[str, Any]:
    """As `srzoo evaluate --json` lays it out, which `srzoo study` reads."""
    from srzoo import __version__

    images = [
        {
            "name": photo,
            "reference": level,
            "figures": {name: {"std": made[number]} for name, made in found.made.items()},
        }
        for number, (photo, level) in enumerate(zip(photos, found.reference, strict=True))
    ]
    return {
        "srzoo": __version__,
        "models": [{"name": one.name, "what": one.what} for one in degraders],
        "sets": [
            {
                "name": _SET,
                "hr": str(truths),
                "reference": str(references),
                "images": images,
                "mean": {name: _finite(figures) for name, figures in _summary(found).items()},
            }
        ],
    }


def _finite(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {key: value if math.isfinite(value) else None for key, value in figures.items()}


def _show(found: Following, degraders: Sequence[Degrader], num_truths: int) -> None:
    from srzoo.cli.grids import print_grid
    from srzoo.evaluate.table import Grid

    rows = [
        (name, _shown(one["correlation"], 3), _shown(one["slope"], 3), _shown(one["std"], 2))
        for name, one in _summary(found).items()
    ]
    low, high = min(found.reference), max(found.reference)
    print_grid(Grid("noise of made LR", ("model", "correlation", "slope", "noise"), tuple(rows), words=frozenset({0})))
    click.echo(f"LR of {num_truths} pictures, {len(found.reference)} references with noise of {low:.2f} to {high:.2f}")
    for one in degraders:
        click.echo(printable(f"{one.name}: {one.what}"))


def _shown(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
