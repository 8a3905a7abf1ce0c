"""`degrade inspect`: what a set of shards, one pair, a picture, a recipe, a degrader or a trace file holds."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import ImageError, IntegrityError, UsageError, printable

if TYPE_CHECKING:
    from degrade.cli.pairs import Pairs

Table = dict[str, Any]

MAX_TRACES = 50_000  # read for statistics; of a larger set every k-th
_MAX_JSON = 1 << 20  # bytes of a trace file
_KNOWN = "give a folder of shards, a .h5 shard, an image, a .toml recipe, a .pt degrader or a .json trace"


def describe(path: Path, *, advance: Callable[[], None] = lambda: None) -> Table:
    """What `path` holds, as plain values; `advance` is called for each trace read.

    Raises:
        UsageError: nothing that is known. IntegrityError, RecipeError, ImageError: damaged, or cannot be meant.
    """
    if not path.exists() and not path.is_symlink():
        raise UsageError(path, "no such file or folder", "check the name")
    if path.is_dir() or path.suffix == ".h5":
        return describe_set(path, advance=advance)
    if path.suffix == ".toml":
        return describe_recipe(path)
    if path.suffix == ".json":
        return describe_trace(path)
    if path.suffix == ".pt":
        from degrade.cli.degraders import describe_degrader

        return describe_degrader(path)
    return describe_image(path)


def describe_set(path: Path, *, advance: Callable[[], None] = lambda: None) -> Table:
    """A folder of shards, or one shard: how it was made, how much there is, what was drawn."""
    from degrade.cli.pairs import open_pairs

    pairs = open_pairs(path)
    header = pairs.header(0)
    recipe, drawn = recipe_of(pairs)
    sources = pairs.sources()
    hr, lr = header.hr_size, header.lr_size
    return {
        "kind": "set of shards" if path.is_dir() else "shard",
        "path": str(path),
        **_extent(path, pairs),
        "photos": len(sources),
        "hr_size": f"{hr[1]} x {hr[0]}",
        "lr_size": f"{lr[1]} x {lr[0]}",
        "scale": header.scale,
        **({"zoom": header.zoom} if header.zoom > 1 else {}),
        "colour": header.colour,
        "recipe": recipe,
        "recipe_digest": header.recipe_digest,
        "seed": header.seed,
        "margin": header.margin,
        "engine": header.engine,
        "libraries": header.libraries,
        "tool": header.tool,
        **_drawn(pairs, drawn, advance),
    }


def describe_pair(path: Path, index: int, *, save: Path | None = None) -> Table:
    """One pair: its photo and place, and every value that was drawn for it; its pictures go into the folder `save`."""
    from degrade.cli.pairs import checked_index, open_pairs

    pairs = open_pairs(path)
    index = checked_index(pairs, index, path)
    (lr, hr), (y, x) = pairs.read(index), pairs.origin(index)
    saved = _save(save, index, lr=lr, hr=hr) if save is not None else []
    return {
        "kind": "pair",
        "path": str(path),
        "index": index,
        "of": len(pairs),
        "source": dict(pairs.source_row(index)),
        "origin": [y, x],
        "hr_size": f"{hr.shape[1]} x {hr.shape[0]}",
        "lr_size": f"{lr.shape[1]} x {lr.shape[0]}",
        "recipe": recipe_of(pairs, index)[0],
        **({"saved": [str(file) for file in saved]} if saved else {}),
        "trace": pairs.trace(index),
    }


def describe_image(path: Path) -> Table:
    """A picture as it is read: upright, with what its file carries beside the pixels."""
    from degrade import codecs

    data = codecs.read_bytes(path)
    try:
        photo = codecs.decode(data, str(path))
    except ImageError as error:
        raise ImageError(
            path, error.problem, error.cure if codecs.EXTENSIONS & {path.suffix.lower()} else _KNOWN
        ) from None
    (height, width, channels), header = photo.pixels.shape, codecs.header(data, str(path))
    return {
        "kind": "image",
        "path": str(path),
        "format": photo.format,
        "size": f"{width} x {height}",
        "orientation": header.orientation,
        "colour": ("gray" if channels == 1 else "rgb") + (" with alpha" if photo.alpha is not None else ""),
        "depth": photo.depth,
        "profile": profile_name(photo.icc) if photo.icc else None,
        "exif_bytes": len(photo.exif or b""),
        "xmp_bytes": len(photo.xmp or b""),
        "dpi": list(photo.dpi) if photo.dpi else None,
        "notes": list(photo.notes),
        "bytes": len(data),
        "sha256": codecs.sha256(data),
    }


def describe_recipe(path: Path) -> Table:
    """A recipe file, with every default filled in."""
    from degrade.recipe import load_recipe

    recipe = load_recipe(path)
    about = {"name": recipe.name, "source": recipe.source, "description": recipe.description, "digest": recipe.digest}
    return {"kind": "recipe", "path": str(path), **about, **recipe.as_table()}


def describe_trace(path: Path) -> Table:
    """The `.json` that `degrade apply` wrote beside an image."""
    from degrade.cli.apply import TRACE_FORMAT

    with path.open("rb") as file:
        text = file.read(_MAX_JSON + 1)
    try:
        table = json.loads(text) if len(text) <= _MAX_JSON else None
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict) or table.get("format") != TRACE_FORMAT:
        raise IntegrityError(path, "not a trace that `degrade apply` wrote", _KNOWN)
    return {"kind": "trace", "path": str(path), **table}


def profile_name(icc: bytes) -> str:
    """What an ICC profile calls itself (its `desc` tag, version 2 or 4); 'unnamed' if it does not say."""
    try:
        (count,) = struct.unpack_from(">I", icc, 128)
        for tag in range(min(count, 100)):
            name, start, size = struct.unpack_from(">4sII", icc, 132 + 12 * tag)
            data = icc[start : start + size]
            if name == b"desc" and data[:4] == b"desc":
                return data[12 : 12 + struct.unpack_from(">I", data, 8)[0]].rstrip(b"\0").decode("latin-1")
            if name == b"desc" and data[:4] == b"mluc":
                length, offset = struct.unpack_from(">II", data, 20)
                return data[offset : offset + length].decode("utf-16-be", "replace").rstrip("\0")
    except struct.error:
        return "unnamed"
    return "unnamed"


def _drawn(pairs: Pairs, drawn: Mapping[str, frozenset[str]] | None, advance: Callable[[], None]) -> Table:
    from degrade.measure.drawn import count_draws, summary

    step = -(-len(pairs) // MAX_TRACES)
    chosen = range(0, len(pairs), step)

    def traces() -> Iterator[Mapping[str, Any]]:
        for index in chosen:
            yield pairs.trace(index)
            advance()

    return {"traces_read": len(chosen), "steps": summary(count_draws(traces(), drawn))}


def recipe_of(pairs: Pairs, index: int = 0) -> tuple[str, Mapping[str, frozenset[str]] | None]:
    """The name of the recipe of a pair, and what it draws; None where this version cannot read it."""
    from degrade.cli.originals import stored_files
    from degrade.recipe import parse_recipe
    from degrade.report import drawn_fields

    text, folder = pairs.recipe_text(index), getattr(pairs, "folders", (None,))[0]
    if not text.strip():
        return "none: LR as it was captured", None
    try:
        recipe = parse_recipe(text, scale=pairs.header(index).scale, assets=stored_files(folder))
    except (UsageError, IntegrityError):
        return "not known to this version", None
    return recipe.name, drawn_fields((*recipe.hr, *recipe.lr))


def _extent(path: Path, pairs: Pairs) -> Table:
    """How many pairs, files and bytes, and whether the run was finished."""
    from degrade.cli.pairs import OneShard

    if isinstance(pairs, OneShard):
        contents = pairs.shard.contents
        return {"pairs": len(pairs), "hr_patches": contents.num_hr, "bytes": contents.num_bytes}
    (manifest,) = pairs.manifests
    files = sorted(path.glob("*.h5"))
    complete = manifest is not None and manifest.complete
    return {
        "state": "complete" if complete else "not finished: run the same `degrade synth` command again",
        "pairs": len(pairs),
        **({"planned": pairs.num_planned} if pairs.num_planned != len(pairs) else {}),
        **({"skipped": manifest.num_skipped} if manifest is not None else {}),
        "shards": len(pairs.sizes),
        "bytes": sum(file.stat().st_size for file in files),
    }


def _save(folder: Path, index: int, **pictures: Any) -> list[Path]:
    from degrade import codecs
    from degrade.atomic import resource_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise resource_error(folder, error) from None
    files = [folder / f"{index:06d}_{name}.png" for name in pictures]
    for file, pixels in zip(files, pictures.values(), strict=True):
        codecs.write(file, codecs.Photo(pixels))
    return files


@click.command(
    epilog="""\b
Examples:
  degrade inspect shards/                    the set: recipe, counts, what was drawn
  degrade inspect shards/ 17                 one pair: its photo, its place, its draws
  degrade inspect shards/ 17 --save look/    ... and its two pictures as PNG
  degrade inspect shards/ -- -1              the last pair
  degrade inspect photo.jpg
  degrade inspect mine.toml --json
  degrade inspect mine.pt                    a learned degrader: its card, gate and trust
  degrade inspect dml.pt --plot kernels.png --photo HR.jpg     the blur kernels it mixes
"""
)
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("index", required=False, type=int)
@click.option("--save", type=click.Path(path_type=Path), metavar="DIR", help="Write the pair's pictures there.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="PNG", help="Draw the kernels that a degrader mixes.")
@click.option("--photo", type=click.Path(path_type=Path), metavar="IMG", help="For --plot; else a synthetic scene.")
@click.option("--at", "positions", type=(int, int), metavar="Y X", multiple=True, help="Pixel for --plot; repeat it.")
@click.option("--force", is_flag=True, help="Overwrite an earlier plot.")
@click.option("--full", is_flag=True, help="Print long texts whole: a degrader's preset.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def command(
    path: Path,
    index: int | None,
    save: Path | None,
    plot: Path | None,
    photo: Path | None,
    positions: tuple[tuple[int, int], ...],
    force: bool,
    full: bool,
    as_json: bool,
) -> None:
    """Say what a set of shards, a pair of it, an image, a recipe, a learned degrader or a trace holds.

    PATH is a folder of shards (finished or not), one .h5 shard, an image, a .toml recipe, a .pt degrader, or the .json
    that `degrade apply` wrote. INDEX is a pair of a set, from 0.

    --plot runs the degrader, so it has to be trusted. Drawn are its basis kernels, the weight of each at every pixel of
    the middle of a photo, and the kernels these make at some pixels: those of --at, else one for each basis kernel.
    """
    from degrade.cli.progress import progress
    from degrade.cli.text import as_lines

    if plot is None and (photo is not None or positions):
        raise UsageError("--photo, --at", "nothing is drawn", "add --plot kernels.png")
    if plot is not None and (path.suffix != ".pt" or index is not None):
        raise UsageError(path, "only a learned degrader (.pt) has kernels to draw", "leave --plot out")
    if index is not None:
        if not path.is_dir() and path.suffix != ".h5":
            raise UsageError(path, "only a set of shards has pairs", "leave the index out")
        table = describe_pair(path, index, save=save)
    elif save is not None:
        raise UsageError("--save", "no pair given", "add its index: degrade inspect SET INDEX --save DIR")
    else:
        with progress("reading traces", None) as advance:
            table = describe(path, advance=advance)
    if plot is not None:
        from degrade.cli.degraders import plot_kernels

        plot_kernels(path, plot, photo=photo, positions=positions, force=force)
        table |= {"plot": str(plot)}
    lines = [json.dumps(table, indent=1)] if as_json else [printable(line) for line in as_lines(table, full=full)]
    click.echo("\n".join(lines))
