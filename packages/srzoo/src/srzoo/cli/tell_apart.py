"""`srzoo tell-apart`: can a fresh critic tell made LR from real LR?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import UsageError
from srzoo.cli.bar import counting

if TYPE_CHECKING:
    from srzoo.evaluate.table import Grid
    from srzoo.evaluate.tell_apart import Picture, Separation, Trial

_SET = "real"  # of the table that `srzoo study` reads

_NOTES = """\b
For each set a small critic starts afresh and learns on part of the pictures of both sides; it is tested on
the others, then once more with the parts changed over. Real and made pictures of one name count as one
scene and stay together. It sees fine detail alone: each pixel without the mean of the 5 x 5 around it.
  accuracy   share of crops recognised, real and made counted alike: 0.5 cannot be told apart, 1 always
  AUC        chance that a real crop looks more real to it than a made one

\b
Give pictures of the same kind of scenes, of the same size of detail: what they show counts, too. Sets made
of the same HR can be compared with each other, whatever the real pictures show.
"""

_EXAMPLES = """\b
Examples:
  srzoo tell-apart --real phone/ -m bicubic=made/bicubic -m cyclegan=made/cyclegan
  srzoo tell-apart --real phone/ -m other=phone2/            what two sets of real pictures get
  srzoo tell-apart --real phone/ -m cyclegan=made/cyclegan --json > critic.json    for `srzoo study`
"""


@click.command("tell-apart", epilog=f"{_NOTES}\n{_EXAMPLES}")
@click.option("--real", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Real pictures, RGB.")
@click.option(
    "-m",
    "--made",
    "made",
    metavar="[NAME=]DIR",
    required=True,
    multiple=True,
    help="Pictures to tell from real ones; repeatable.",
)
@click.option(
    "--crop", metavar="PIXELS", type=click.IntRange(16), default=48, show_default=True, help="What a critic sees."
)
@click.option("--steps", type=click.IntRange(1), default=400, show_default=True, help="Of training, of 32 crops each.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of critics and crops.")
@click.option("--json", "as_json", is_flag=True, help="Each part and each real picture, too.")
def command(real: Path, made: tuple[str, ...], crop: int, steps: int, seed: int, as_json: bool) -> None:
    """Train a fresh critic to tell each set of made pictures from real ones, and say how well it does."""
    from srzoo.evaluate.tell_apart import FOLDS, Trial, read_pictures, tell_apart

    places = _named(made)
    trial = Trial(crop, steps, seed)
    reals = read_pictures("--real", real, crop)
    sets = {name: read_pictures(f"--made {name}:", folder, crop) for name, folder in places.items()}
    found = {}
    with counting("training critics", len(sets) * FOLDS * steps) as advance:
        for name, pictures in sets.items():
            found[name] = tell_apart(reals, pictures, trial, advance=advance)
    if as_json:
        click.echo(json.dumps(_everything(found, sets, reals, real, places, trial), indent=1, allow_nan=False))
    else:
        _show(found, sets, reals, trial)


def _named(texts: Sequence[str]) -> dict[str, Path]:
    from srzoo.cli.contestants import named

    places: dict[str, Path] = {}
    for name, text in map(named, texts):
        short = name or Path(text).absolute().name
        if short in places:
            raise UsageError(f"--made {text}", f"the name '{short}' is taken", "give it another: NAME=DIR")
        places[short] = Path(text)
    return places


def _everything(
    found: Mapping[str, Separation],
    sets: Mapping[str, Sequence[Picture]],
    reals: Sequence[Picture],
    real: Path,
    places: Mapping[str, Path],
    trial: Trial,
) -> dict[str, Any]:
    """As `srzoo evaluate --json` lays it out, which `srzoo study` reads."""
    from srzoo import __version__

    shares = {name: one.recognised for name, one in found.items()}
    folds = {name: [{"accuracy": fold.accuracy, "auc": fold.auc} for fold in one.folds] for name, one in found.items()}
    return {
        "srzoo": __version__,
        "crop": trial.crop,
        "steps": trial.steps,
        "seed": trial.seed,
        "real": str(real),
        "models": [{"name": name, "what": f"{len(sets[name])} pictures of {places[name]}"} for name in found],
        "sets": [
            {
                "name": _SET,
                "images": [
                    {"name": one.name, "figures": {name: {"recognised": shares[name][one.name]} for name in found}}
                    for one in reals
                ],
                "folds": folds,
                "mean": {name: {"accuracy": one.accuracy, "auc": one.auc} for name, one in found.items()},
            }
        ],
    }


def _show(
    found: Mapping[str, Separation], sets: Mapping[str, Sequence[Picture]], reals: Sequence[Picture], trial: Trial
) -> None:
    from srzoo.cli.grids import print_grid

    print_grid(_grid(found, sets, f"told from {len(reals)} real pictures by crops of {trial.crop} x {trial.crop}"))


def _grid(found: Mapping[str, Separation], sets: Mapping[str, Sequence[Picture]], title: str) -> Grid:
    from srzoo.evaluate.table import Grid

    rows = [
        (
            name,
            str(len(sets[name])),
            f"{one.accuracy:.3f}",
            " ".join(f"{fold.accuracy:.3f}" for fold in one.folds),
            f"{one.auc:.3f}",
        )
        for name, one in found.items()
    ]
    headings = ("made", "pictures", "accuracy", "each part", "AUC")
    return Grid(title, headings, tuple(rows), words=frozenset({0}))
