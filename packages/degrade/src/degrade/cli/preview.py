"""`degrade preview`: a contact sheet of what a recipe makes of a photograph."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from degrade.errors import ImageError, UsageError, printable

if TYPE_CHECKING:
    from degrade.image import Pixels
    from degrade.recipe import Recipe
    from degrade.report import Cell

MAX_CELLS, MAX_COLUMNS = 400, 10
BASELINE = "bicubic"  # the recipe of the cell beside the HR


@dataclass(frozen=True)
class View:
    """What of a photo is shown: `variants` LR versions of each of `patches` patches of `patch` HR pixels."""

    patch: int = 192
    patches: int = 1
    variants: int = 16
    seed: int = 0
    min_detail: float = 5.0


def preview(
    data: bytes,
    name: str,
    recipe: Recipe,
    view: View,
    *,
    real: Path | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Pixels:
    """The sheet (H, W, 3): for each patch the HR, plain bicubic LR, and the variants with what was drawn for them.

    Patches and draws are those of `synth` with the same photo, seed, patch size and least detail.

    Args:
        real: a folder of photographs: as many crops of them, as large as LR, as there are variants of a patch.

    Raises:
        ImageError: `data` is no image that can be read, or smaller than a patch.
        UsageError: sizes that do not go together, or no crops in `real`.
    """
    from degrade import codecs
    from degrade.cli.real_crops import real_crops
    from degrade.report import contact_sheet
    from degrade.rng import source_key

    check_view(view, recipe.scale, with_real=real is not None)
    pixels, sha256 = codecs.rgb8(codecs.decode(data, name)), codecs.sha256(data)
    height, width = pixels.shape[:2]
    if min(height, width) < view.patch * recipe.reduction:
        problem = f"{width} x {height} pixels are too few for patches of {view.patch * recipe.reduction}"
        fitting = min(height, width) // recipe.reduction // recipe.scale * recipe.scale
        raise ImageError(name, problem, f"use --patch {fitting}")
    side, detail = view.patch // recipe.scale, view.min_detail
    beside: list[Cell] = []
    if real is not None:
        beside = real_crops(real, side, view.variants, scale=recipe.scale, seed=view.seed, min_detail=detail)
    cells = list(_cells(pixels, recipe, view, source_key(view.seed, sha256), advance))
    photo = f"{Path(name).name}  {width} x {height} pixels  SHA-256 {sha256[:16]}  seed {view.seed}"
    return contact_sheet(
        [*cells, *beside],
        title=f"{recipe.name} x{recipe.scale}",
        subtitle=[recipe.description or recipe.source, photo],
        columns=_columns(len(cells), view.patches),
    )


def check_view(view: View, scale: int, *, with_real: bool = False) -> None:
    """Raise UsageError, naming the option, unless the sizes and counts go together."""
    if view.patch < scale or view.patch % scale:
        near = max(view.patch // scale, 1) * scale
        raise UsageError("--patch", f"{view.patch} is not a multiple of the scale {scale}", f"use {near}")
    if view.patches * (view.variants + 2) + view.variants * with_real > MAX_CELLS:
        raise UsageError("-n", f"more than {MAX_CELLS} pictures on one sheet", "show fewer variants or patches")


def _columns(num_cells: int, patches: int) -> int | None:
    """A row for each patch where that is not too wide; None leaves it to the sheet."""
    per_patch = num_cells // patches
    return per_patch if patches > 1 and per_patch <= MAX_COLUMNS else None


def _cells(pixels: Pixels, recipe: Recipe, view: View, key: int, advance: Callable[[], None]) -> Iterator[Cell]:
    from degrade.pipeline import PairKey
    from degrade.report import Cell, drawn_fields, trace_lines
    from degrade.synthesize.cutter import Cutter
    from degrade.synthesize.picture import Picture

    drawn = drawn_fields((*recipe.hr, *recipe.lr))
    cutter = Cutter(recipe, view.patch, view.min_detail)
    plain = Cutter(_plain(recipe), view.patch)
    picture, side = Picture(pixels), cutter.side
    placed = cutter.pairs(picture, key, range(view.patches), range(view.variants), after_whole=advance)
    for number, (pair, (y, x), variant) in enumerate(placed):
        head = f"patch {number // view.variants}, " if view.patches > 1 else ""
        if variant == 0:
            made = f", made {recipe.reduction} times smaller" if recipe.reduction > 1 else ""
            lines = f"{head}HR", f"{side} x {side} pixels at y {y}, x {x}{made}"
            yield Cell(pair.hr, lines, is_reference=True)
            if recipe.scale > 1 and plain.recipe is not None and plain.recipe.digest != recipe.digest:
                lr = plain.at(picture, (y, x), PairKey(key)).lr
                yield Cell(lr, (f"{head}plain bicubic", f"{lr.shape[1]} x {lr.shape[0]} pixels, for comparison"))
        yield Cell(pair.lr, (f"{head}variant {variant}", *trace_lines(json.loads(pair.trace), drawn)))
        if not cutter.is_whole:
            advance()


def _plain(recipe: Recipe) -> Recipe:
    """The baseline, for the HR of `recipe` at its size."""
    from degrade.ops.resize import Resize
    from degrade.recipe import load_recipe

    resizes = tuple(step for step in recipe.hr if recipe.reduction > 1 and isinstance(step.op, Resize))
    return replace(load_recipe(BASELINE, scale=recipe.scale), hr=resizes, reduction=recipe.reduction)


@click.command(
    epilog="""\b
Examples:
  degrade preview photo.jpg -o sheet.png                    16 variants of one patch
  degrade preview photo.jpg --patches 4 -n 5 -o sheet.png   5 of each of 4 patches
  degrade preview photo.jpg --recipe mine.toml --set lr.0.sigma=2.5 -o sheet.png
  degrade preview photo.jpg --recipe h2l --real phone/ -o sheet.png    beside crops of real photographs
  degrade preview photo.jpg --min-detail 0 -o sheet.png     also skies and walls, as in `synth`
"""
)
@click.argument("photo", metavar="IMG", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The sheet: PNG, JPEG, WebP ...")
@click.option("--recipe", default="generic", show_default=True, help="A recipe's name or a TOML file.")
@click.option("-n", "--variants", type=click.IntRange(1), default=16, show_default=True, help="LR versions of a patch.")
@click.option("--patches", type=click.IntRange(1), default=1, show_default=True, help="Patches of the photo.")
@click.option("--patch", type=click.IntRange(1), default=192, show_default=True, help="Side of a patch in HR pixels.")
@click.option("--scale", type=click.IntRange(1, 16), help="HR size over LR size.  [default: the recipe's]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, other draws.")
@click.option(
    "--min-detail",
    type=click.FloatRange(0, 255),
    default=5.0,
    show_default=True,
    help="As of `synth`: where a patch may lie (sky has about 1, texture 20).",
)
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Change a value of the recipe.")
@click.option(
    "--real",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Real LR photographs: also show crops of them, as large as LR, as many as variants.",
)
@click.option("--force", is_flag=True, help="Overwrite the sheet of an earlier run.")
def command(
    photo: Path,
    out: Path,
    recipe: str,
    variants: int,
    patches: int,
    patch: int,
    scale: int | None,
    seed: int,
    min_detail: float,
    overrides: tuple[str, ...],
    real: Path | None,
    force: bool,
) -> None:
    """Draw a contact sheet of what a recipe makes of a photograph.

    Each cell is an LR image enlarged by repeating its pixels, with the values drawn for it; HR and plain bicubic LR
    come first. The patches and draws are those that `synth` makes with the same settings; a recipe for whole photos
    degrades the whole photo for each variant.
    """
    from degrade import codecs
    from degrade.cli.progress import progress
    from degrade.recipe import load_recipe

    loaded = load_recipe(recipe, overrides=overrides, scale=scale)
    if out.suffix.lower() not in codecs.EXTENSIONS:
        raise UsageError(out, "not a name for an image", "end it in .png")
    if out.exists() and (not force or out.samefile(photo)):
        cure = "choose another -o" if photo.exists() and out.samefile(photo) else "overwrite with --force"
        raise UsageError(out, "is there already", cure)
    view = View(patch=patch, patches=patches, variants=variants, seed=seed, min_detail=min_detail)
    total = variants if loaded.unit == "photo" else patches * variants
    with progress("degrading", total) as advance:
        sheet = preview(codecs.read_bytes(photo), str(photo), loaded, view, real=real, advance=advance)
    codecs.write(out, codecs.Photo(sheet), overwrite=force)
    size = f"{sheet.shape[1]} x {sheet.shape[0]}"
    click.echo(
        printable(f"{out}: {patches * variants} variants of {photo.name}, {loaded.name} x{loaded.scale}, {size}")
    )
