"""Do our `realesrgan`, `bsrgan` and `bsrgan_plus` make the LR images that the peers' own code makes?

    PEERS=DIR python benchmarks/parity.py [PHOTOS...] [--pairs 400]

The same photographs go through both, each drawing for itself: the peer takes a crop of 400 x 400 pixels and returns a
pair of 64 and 256; ours takes the 256 in the middle of the same crop with its surroundings. For every pair: the noise
level of LR (Immerkaer 1996, grey levels), its sharpness (mean absolute difference of neighbours, grey levels), and PSNR
against MATLAB-bicubic LR of the HR patch. Two-sample Kolmogorov-Smirnov between the two sets: D, p, and the deciles.

Known differences are undone in further rows, so that what is left is chance. BSRGAN's camera sensor step was never
published: ours is run without it. Real-ESRGAN's resize is mended in theirs. BSRGAN's correlated noise ignores the level
that it draws: this stays, in a fifth of the images.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy import ndimage, stats

import interleave
from degrade import codecs
from degrade.functional.resample import imresize_uint8
from degrade.image import Pixels, window
from degrade.pipeline import PairKey, degrade_window
from degrade.recipe import Recipe, load_recipe, parse_recipe
from degrade.sources import samples
from degrade.sources.load import where
from peers.generic import Absent
from peers.pairs import CROP, HR, PairWay

PEERS = ("bsrgan_recipe", "real_esrgan_recipe")
MEASURES = ("noise", "sharpness", "psnr_to_bicubic")
LUMA = np.array([0.299, 0.587, 0.114])
IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare recipes with the peers' own code.")
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--only", help="one recipe; the results file is left alone")
    arguments = parser.parse_args()
    pictures = [p for p in map(pixels_of, arguments.photos or photographs()) if min(p.shape[:2]) >= CROP]
    crops = list(crops_of(pictures, arguments.pairs))
    result: dict[str, Any] = {"machine": interleave.machine("degrade", "numpy"), "pairs": len(crops), "recipes": {}}
    for way in ways():
        if arguments.only not in (None, way.recipe):
            continue
        theirs = np.array([measured(lr[0], hr[0]) for lr, hr in made_by(way, crops)])
        rows = {}
        for name, recipe in versions(way.recipe):
            ours = np.array([measured(*made(recipe, crop, i)) for i, crop in enumerate(crops)])
            rows[name] = compared(ours, theirs)
            show(f"{way.recipe}: {name} against {way.name}", rows[name])
        result["recipes"].setdefault(way.recipe, {})[way.name] = rows
    if arguments.only is None:
        print(f"\nwritten: {interleave.save('parity', result)}")


def photographs() -> list[Path]:
    if os.environ.get("SR_DATA"):
        return sorted(Path(os.environ["SR_DATA"], "hr_train").glob("*.webp"))
    return [where(source) for source in samples.photographs()]


def pixels_of(path: Path) -> Pixels:
    return codecs.rgb8(codecs.read(path))


def crops_of(pictures: Sequence[Pixels], count: int) -> Iterator[Pixels]:
    random = np.random.default_rng(1)
    for number in range(count):
        picture = pictures[number % len(pictures)]
        y, x = (int(random.integers(side - CROP + 1)) for side in picture.shape[:2])
        yield window(picture, y, x, CROP, CROP)


def ways() -> Iterator[PairWay]:
    for name in PEERS:
        try:
            yield from (way for way in importlib.import_module(f"peers.{name}").prepare() if way.batch == 1)
        except Absent as reason:
            print(f"left out: {name}: {reason}")


def versions(name: str) -> Iterator[tuple[str, Recipe]]:
    """The recipe as it ships, and with what the peer's code does instead where we know of a difference."""
    recipe = load_recipe(name)
    yield "as it ships", recipe
    if 'op = "sensor"' in recipe.text:
        yield (
            "without the sensor",
            parse_recipe(re.sub(r'(op = "sensor".*?probability = )[0-9.]+', r"\g<1>0", recipe.text)),
        )


def made_by(way: PairWay, crops: Sequence[Pixels]) -> Iterator[tuple[Pixels, Pixels]]:
    for crop in track(crops, way.name, transient=True):
        yield way.make(crop[None])


def made(recipe: Recipe, crop: Pixels, number: int) -> tuple[Pixels, Pixels]:
    start = (CROP - HR) // 2
    pair = degrade_window(window(crop, start, start, HR, HR, recipe.margin), recipe, PairKey(7, number))
    return pair.lr, pair.hr


def measured(lr: Pixels, hr: Pixels) -> tuple[float, float, float]:
    luma = lr @ LUMA
    filtered = ndimage.correlate(luma, IMMERKAER)[1:-1, 1:-1]
    noise = np.sqrt(np.pi / 2) * np.abs(filtered).mean() / 6
    sharpness = (np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean()) / 2
    bicubic = imresize_uint8(np.ascontiguousarray(hr), *lr.shape[:2])
    error = np.mean((lr.astype(float) - bicubic) ** 2)
    return noise, sharpness, 10 * np.log10(255**2 / max(error, 1e-9))


def compared(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> dict[str, Any]:
    rows = {}
    for column, name in enumerate(MEASURES):
        test: Any = stats.ks_2samp(ours[:, column], theirs[:, column])
        deciles = {
            side: [round(float(v), 2) for v in np.percentile(values[:, column], (10, 50, 90))]
            for side, values in (("ours", ours), ("theirs", theirs))
        }
        rows[name] = {"D": round(float(test.statistic), 4), "p": round(float(test.pvalue), 4), **deciles}
    return rows


def show(title: str, rows: dict[str, Any]) -> None:
    print(f"\n{title}\n{'':18}{'D':>8}{'p':>9}   {'ours: 10, 50, 90 %':28}theirs")
    for name, row in rows.items():
        ours, theirs = (", ".join(f"{v:.2f}" for v in row[side]) for side in ("ours", "theirs"))
        print(f"{name.replace('_', ' '):18}{row['D']:8.3f}{row['p']:9.4f}   {ours:28}{theirs}")


if __name__ == "__main__":
    main()
