"""`srzoo evaluate-degrader`: the LR that networks make, against the LR of a camera."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import UsageError, printable
from srzoo.cli.bar import counting

if TYPE_CHECKING:
    from collections.abc import Callable

    from degrade.image import Pixels
    from srzoo.evaluate.degrader_table import JudgedSet
    from srzoo.evaluate.degraders import DegraderJudge, DegraderResults
    from srzoo.evaluate.pairs import TestSet
    from srzoo.evaluate.scenes import Degrader, Framing, Scene

_COMMAND = "srzoo evaluate-degrader"

_NOTES = """\b
Beside the models stand degraders without learning: at scale 1 HR itself, the best isotropic Gaussian and
the best kernel of 15 x 15 by least squares, both of luma; else bicubic, and bicubic with white Gaussian
noise of the real strength. They are fitted to the pairs of --fit-hr and --fit-lr, else to those evaluated,
which favours them.

\b
PSNR and SSIM are of luma, 8 bits, --border pixels of LR left off. A model of luma keeps chroma.

\b
--noise looks at what of LR no linear filter of HR explains (one for each picture and channel, 8 or 9 HR
pixels wide), in grey levels, in the flatter half of the clean LR's blocks of 16 x 16, all pictures together.
The clean LR is HR itself at scale 1, else its pixels at the same places with --nearest, else bicubic.
  noise         standard deviation
  std error     mean of |made / real - 1| over 8 bins of brightness (0.25 is 25 %), and the worst bin
  spectrum dB   the largest difference in 8 bands of the radial power spectrum of luma; shape dB: both
                spectra against their own power, so the grain alone
  correlation   the largest difference of the correlations of R and G, G and B, R and B
JSON has every bin (std_0, dark, .. std_7), band (band_0, coarse, .. band_7) and correlation (corr_rg,
corr_gb, corr_rb), and those of the camera's LR under `real`.

\b
A model that takes noise gets it by --seed and the picture's name; one that imitates an example gets
the real LR of the picture before; one that keeps the size is given bicubic LR where --scale is above 1.
"""

_EXAMPLES = """\b
Examples:
  srzoo evaluate-degrader -m dml=runs/dml-small --hr city100=test/hr --lr test/lr \\
      --fit-hr train/hr --fit-lr train/lr                        against kernels fitted elsewhere
  srzoo evaluate-degrader -m runs/srdgan-h2l-small --hr polyu=clean --lr noisy --nearest --noise
  srzoo evaluate-degrader -m h2l.pt --hr clean --lr noisy --nearest --noise --json > h2l.json
  srzoo evaluate-degrader --scale 4 --hr hr --lr lr --out made   nothing learned: what there is to beat
"""

_Place = click.Path(path_type=Path)


@click.command("evaluate-degrader", epilog=f"{_NOTES}\n{_EXAMPLES}")
@click.option(
    "-m",
    "--model",
    "models",
    metavar="[NAME=]RUN",
    multiple=True,
    help="A run folder, its name under ./runs, RUN:role, a model file, or an exported .pt; repeatable.",
)
@click.option(
    "--hr", "truths", metavar="[NAME=]DIR", required=True, multiple=True, help="HR, or clean photos; repeatable."
)
@click.option(
    "--lr",
    "reals",
    metavar="DIR",
    required=True,
    multiple=True,
    type=_Place,
    help="The camera's LR; one for each --hr.",
)
@click.option(
    "--fit-hr",
    "fit_truths",
    metavar="DIR",
    multiple=True,
    type=_Place,
    help="What degraders without learning are fitted to: one folder, or one for each --hr."
    "  [default: the pairs evaluated]",
)
@click.option("--fit-lr", "fit_reals", metavar="DIR", multiple=True, type=_Place, help="Its LR.")
@click.option("-s", "--scale", metavar="N", type=click.IntRange(1, 16), help="[default: the models' own, else 1]")
@click.option("--nearest", is_flag=True, help="--lr has the size of HR: every N-th of its pixels is taken.")
@click.option("--noise", is_flag=True, help="Measure noise, too; see below.")
@click.option("--border", metavar="PIXELS", type=click.IntRange(0), default=7, show_default=True, help="Left off LR.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the noise.")
@click.option(
    "--out", metavar="DIR", type=_Place, help="Write the LR as DIR/SET/MODEL/NAME.png, the camera's as `real`."
)
@click.option("--json", "as_json", is_flag=True, help="Everything; null for what is not finite.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
def command(
    models: tuple[str, ...],
    truths: tuple[str, ...],
    reals: tuple[Path, ...],
    fit_truths: tuple[Path, ...],
    fit_reals: tuple[Path, ...],
    scale: int | None,
    nearest: bool,
    noise: bool,
    border: int,
    seed: int,
    out: Path | None,
    as_json: bool,
    device: str,
) -> None:
    """Judge networks that make LR by real pairs: how near their LR is to a camera's, and how near its noise."""
    learned, scale = _learned(models, scale, device)
    sets = _sets(truths, reals, scale)
    fits = _fits(fit_truths, fit_reals, len(sets), scale)
    from srzoo.evaluate.degrader_table import JudgedSet
    from srzoo.evaluate.degraders import DegraderJudge
    from srzoo.evaluate.scenes import Framing

    multiple = math.lcm(scale, *(one.multiple for one in learned))
    framing = Framing(scale, multiple, nearest=nearest, border=border, seed=seed)
    plain = [_plain(one, fit, framing) for one, fit in zip(sets, fits, strict=True)]
    judged = []
    with counting("judging", sum(len(one.pairs) for one in sets)) as advance:
        for one, (rivals, fitted_to) in zip(sets, plain, strict=True):
            both = _unique(one, [*rivals, *learned])
            results = _judge(one, DegraderJudge(both, border, noise), framing, out, advance)
            judged.append(JudgedSet(one, {rival.name: rival.what for rival in rivals}, fitted_to, results))
    if as_json:
        click.echo(json.dumps(_everything(judged, learned, framing, noise), indent=1, allow_nan=False))
    else:
        _show(judged, learned, framing)


def _learned(texts: Sequence[str], scale: int | None, device: str) -> tuple[list[Degrader], int]:
    """The models, loaded, each under a name of its own, and the scale of them all."""
    from srzoo.cli.contestants import named
    from srzoo.upscale.resolve import LR_ROLES, resolve_model

    found = [(name, text, resolve_model(text, roles=LR_ROLES)[0]) for name, text in map(named, texts)]
    if not found:
        return [], scale or 1
    from srzoo.evaluate.learned_degraders import load_learned
    from srzoo.upscale.engine import pick_device

    where = pick_device(device)
    models = [load_learned(path, where) for *_, path in found]
    chosen = scale or next((one.scale for one in models if one.scale > 1), 1)
    for (_, text, _), one in zip(found, models, strict=True):
        if one.scale not in (1, chosen):
            problem = f"makes LR of x{one.scale}, the comparison is at x{chosen}"
            raise UsageError(f"--model {text}", problem, "compare models of one scale, and state no other --scale")
    names = [name or _short(text, path) for name, text, path in found]
    return [one.at(chosen, name) for name, one in zip(names, models, strict=True)], chosen


def _short(text: str, path: Path) -> str:
    from srzoo.upscale.resolve import LR_ROLES

    is_own = Path(text).is_file() and path.stem not in LR_ROLES
    return path.stem if is_own else path.absolute().parent.name


def _sets(truths: Sequence[str], reals: Sequence[Path], scale: int) -> list[TestSet]:
    from srzoo.cli.contestants import named
    from srzoo.evaluate.pairs import find_set

    if len(reals) != len(truths):
        raise UsageError(_COMMAND, f"{len(truths)} --hr but {len(reals)} --lr", "give one --lr for each --hr")
    found = []
    for text, lr in zip(truths, reals, strict=True):
        name, path = named(text)
        found.append(find_set(Path(path), lr, scale=scale, name=name))
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise UsageError("--hr", f"sets called {', '.join(names)}", "name them: --hr NAME=DIR")
    return found


def _fits(truths: Sequence[Path], reals: Sequence[Path], num_sets: int, scale: int) -> list[TestSet | None]:
    """What the plain degraders of each set are fitted to; None: the set itself."""
    from srzoo.evaluate.pairs import find_set

    if len(truths) != len(reals) or len(truths) not in (0, 1, num_sets):
        problem = f"{len(truths)} --fit-hr and {len(reals)} --fit-lr for {num_sets} --hr"
        raise UsageError(_COMMAND, problem, "give one of both, or one of both for each --hr")
    fits: list[TestSet | None] = [find_set(hr, lr, scale=scale) for hr, lr in zip(truths, reals, strict=True)]
    return fits if len(fits) == num_sets else (fits or [None]) * num_sets


def _plain(one: TestSet, fit: TestSet | None, framing: Framing) -> tuple[tuple[Degrader, ...], str]:
    """The degraders without learning for a set, and what they were fitted to, in words."""
    from srzoo.evaluate.plain_degraders import fit_plain
    from srzoo.evaluate.scenes import scenes

    pairs = (fit or one).pairs
    fitted_to = "the pairs evaluated" if fit is None else f"{len(pairs)} pairs of {fit.hr} and {fit.lr}"
    return fit_plain(scenes(pairs, framing), framing.scale), fitted_to


def _unique(one: TestSet, degraders: list[Degrader]) -> list[Degrader]:
    from srzoo.evaluate.degraders import REAL

    names = [REAL, *(degrader.name for degrader in degraders)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"--model for {one.name}", f"the name '{twice[0]}' is taken", "give it another: NAME=RUN")
    return degraders


def _judge(
    one: TestSet, judge: DegraderJudge, framing: Framing, out: Path | None, advance: Callable[[], None]
) -> DegraderResults:
    from srzoo.evaluate.scenes import scenes

    for scene in scenes(one.pairs, framing):
        made = judge.add(scene)
        if out is not None:
            _write(out / _file_name(one.name), scene, made)
        advance()
    return judge.results()


def _write(folder: Path, scene: Scene, made: Mapping[str, Pixels]) -> None:
    from degrade.codecs import Photo, write
    from srzoo.evaluate.degraders import REAL

    for name, lr in {REAL: scene.real, **made}.items():
        path = (folder / _file_name(name) / scene.name).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, Photo(lr), overwrite=True)


def _file_name(name: str) -> str:
    return name.replace("/", "_").lstrip(".") or "_"


def _everything(judged: Sequence[JudgedSet], learned: Sequence[Degrader], framing: Framing, noise: bool) -> Any:
    """As `srzoo evaluate --json` lays it out, which `srzoo study` reads."""
    from srzoo import __version__
    from srzoo.evaluate.degrader_table import as_json

    return {
        "srzoo": __version__,
        "scale": framing.scale,
        "protocol": "network",
        "border": framing.border,
        "nearest": framing.nearest,
        "noise": noise,
        "seed": framing.seed,
        "models": [{"name": one.name, "what": one.what} for one in learned],
        "sets": [as_json(one) for one in judged],
    }


def _show(judged: Sequence[JudgedSet], learned: Sequence[Degrader], framing: Framing) -> None:
    from srzoo.cli.grids import print_grid
    from srzoo.evaluate.degrader_table import degraders_grid

    print_grid(degraders_grid(judged, f"LR at 1/{framing.scale}, luma, {framing.border} pixels of border left off"))
    for one in judged:
        for name, what in one.plain.items():
            fitted = "" if name in {"identity", "bicubic"} else f", fitted to {one.fitted_to}"
            click.echo(printable(f"{one.set.name}: {name}: {what}{fitted}"))
    for one in learned:
        click.echo(printable(f"{one.name}: {one.what}"))
