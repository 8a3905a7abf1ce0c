"""Draw the pictures of these pages: `python packages/degrade/docs/make_pictures.py [NAME ...]`.

`pictures.toml` beside this file says what each shows. Photographs are scikit-image's, keys are fixed, and every LR is
made by the library as it stands, so the same versions give the same pictures. Enlarged by repeating pixels.
"""

from __future__ import annotations

import argparse
import importlib.util
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from PIL import Image

from degrade import codecs
from degrade.atomic import write_bytes
from degrade.cli.preview import View, preview
from degrade.image import Pixels, to_pixels, window
from degrade.pipeline import PairKey, degrade_window, run
from degrade.recipe import Recipe, load_recipe, parse_recipe
from degrade.report import Cell, contact_sheet
from degrade.rng import Stream

HERE = Path(__file__).resolve().parent
QUALITY = 75
POINT = 41  # side of the picture of a kernel: the largest there is


@dataclass(frozen=True)
class Strip:
    """One step with several values, side by side on the same crop.

    Attributes:
        photo, at, side: which crop of which photograph: row and column of its first pixel, and its size.
        base: the step; each of `vary` is laid over it and is the caption. An entry with `steps` has steps of its own.
        after: steps behind it.
        margin: HR pixels around the crop that the steps may use.
        has_points: a second row, of what becomes of one bright pixel, each scaled to its own brightest.
        has_original: the first cell is the crop itself.
        columns: of cells; all in one row (or two, with points) by default.
    """

    photo: str
    at: tuple[int, int]
    side: int
    vary: list[dict[str, Any]]
    base: dict[str, Any] = field(default_factory=dict)
    after: list[dict[str, Any]] = field(default_factory=list)
    title: str = ""
    scale: int = 1
    margin: int = 32
    key: int = 0
    columns: int | None = None
    has_points: bool = False
    has_original: bool = True


@dataclass(frozen=True)
class Sheet:
    """What `degrade preview PHOTO --recipe RECIPE` draws, with these options."""

    photo: str
    recipe: str
    patch: int = 128
    patches: int = 1
    variants: int = 6
    seed: int = 0
    min_detail: float = 5.0


def main() -> None:
    table = stated()
    parser = argparse.ArgumentParser(description="Draw the pictures of degrade's pages.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of the pictures; all by default")
    for name in parser.parse_args().names or table:
        path = HERE / "pictures" / f"{name}.webp"
        write_bytes(path, encoded(drawn(name, table[name])), overwrite=True)
        print(f"{path.relative_to(HERE)}: {path.stat().st_size:,} bytes")


def stated() -> dict[str, Strip | Sheet]:
    """Name: picture, as `pictures.toml` has them."""
    table = tomllib.loads((HERE / "pictures.toml").read_text(encoding="utf-8"))
    strips = {name: Strip(**_known(Strip, entry)) for name, entry in table["strip"].items()}
    return strips | {name: Sheet(**_known(Sheet, entry)) for name, entry in table["sheet"].items()}


def drawn(name: str, picture: Strip | Sheet) -> Pixels:
    """(H, W, 3) uint8."""
    if isinstance(picture, Sheet):
        data = (_photo_folder() / picture.photo).read_bytes()
        view = View(
            patch=picture.patch,
            patches=picture.patches,
            variants=picture.variants,
            seed=picture.seed,
            min_detail=picture.min_detail,
        )
        return preview(data, picture.photo, load_recipe(picture.recipe), view)
    cells = list(_cells(picture))
    columns = picture.columns or len(cells) // (2 if picture.has_points else 1)
    return contact_sheet(cells, title=picture.title or name, columns=columns)


def encoded(pixels: Pixels) -> bytes:
    """As WebP."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=QUALITY, method=6)
    return file.getvalue()


def recipe_of(steps: list[dict[str, Any]], *, scale: int, margin: int) -> Recipe:
    """A recipe of nothing but `steps`."""
    stated = {"name": "picture", "source": "docs/pictures.toml", "scale": scale, "margin": margin, "lr": steps}
    return parse_recipe(tomli_w.dumps(stated))


def _cells(strip: Strip) -> Iterator[Cell]:
    photo = codecs.rgb8(codecs.read(_photo_folder() / strip.photo))
    (y, x), side, margin = strip.at, strip.side, strip.margin
    if strip.has_original:
        yield Cell(photo[y : y + side, x : x + side], ("original",), is_reference=True)
    recipes = [recipe_of(_steps(strip, entry), scale=strip.scale, margin=margin) for entry in strip.vary]
    around = window(photo, y, x, side, side, margin)
    for recipe, entry in zip(recipes, strip.vary, strict=True):
        yield Cell(degrade_window(around, recipe, PairKey(strip.key)).lr, _caption(entry))
    if strip.has_points:
        if strip.has_original:
            yield Cell(_point(recipe_of([{"op": "clip"}], scale=1, margin=margin), strip.key, margin), ("one pixel",))
        for recipe in recipes:
            yield Cell(_point(recipe, strip.key, margin), ("what the pixel becomes",))


def _steps(strip: Strip, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    own = {key: value for key, value in entry.items() if key not in ("steps", "caption")}
    steps = entry["steps"] if "steps" in entry else [strip.base | own]
    return [*steps, *strip.after]


def _caption(entry: Mapping[str, Any]) -> tuple[str, ...]:
    if "caption" in entry:
        return tuple(str(entry["caption"]).split("\n"))
    return (", ".join(tomli_w.dumps(dict(entry)).splitlines()),)


def _point(recipe: Recipe, key: int, margin: int) -> Pixels:
    """What becomes of one bright pixel in the dark, negative weights as black."""
    side = POINT + 2 * margin
    image = np.zeros((side, side, 1), np.uint8)
    image[side // 2, side // 2] = 255
    stream = Stream(key, 0, 0)
    draws = [draw for step in recipe.lr for draw in step.draw(stream)]
    found = run(image, draws, scale=1, margin=margin)
    return to_pixels(found / max(float(found.max()), 1e-6))


def _photo_folder() -> Path:
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise SystemExit("scikit-image is not installed - pip install 'degrade[samples]'")
    return Path(spec.origin).parent / "data"


def _known(cls: type, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with lists where the class has tuples."""
    tuples = {f.name for f in fields(cls) if str(f.type).startswith("tuple")}
    return {key: tuple(value) if key in tuples else value for key, value in entry.items()}


if __name__ == "__main__":
    main()
