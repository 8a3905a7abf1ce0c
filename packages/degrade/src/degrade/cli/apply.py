"""`degrade apply`: whole photographs in, degraded photographs and what was drawn for each out."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from degrade.errors import DegradeError, ImageError, InputsSkippedError, ResourceError, UsageError, printable

if TYPE_CHECKING:
    from degrade.recipe import Recipe

TRACE_FORMAT = "degrade-trace"


@dataclass(frozen=True)
class Found:
    """A photo and its place below the folder it was found through (its bare name if it was named itself)."""

    photo: Path
    place: Path


@dataclass(frozen=True)
class Job:
    """A photo and the files to be made of it."""

    photo: Path
    lr: Path
    trace: Path
    hr: Path | None

    @property
    def outputs(self) -> list[Path]:
        return [path for path in (self.lr, self.trace, self.hr) if path is not None]


def find_photos(paths: Sequence[Path], *, outside: Sequence[Path] = ()) -> list[Found]:
    """Every photo named or lying below a named folder, each file once; hidden ones and links to folders left out.

    Folders named by `outside` are passed over on the way: what an earlier run wrote is no input of the next.

    Raises:
        UsageError: a path that is not there, or nothing found at all.
    """
    found: dict[Path, Found] = {}
    for path in paths:
        if path.is_dir():
            for photo in _below(path, {folder.resolve() for folder in outside}):
                found.setdefault(photo.resolve(), Found(photo, photo.relative_to(path)))
        elif path.exists() or path.is_symlink():
            found.setdefault(path.resolve(), Found(path, Path(path.name)))
        else:
            raise UsageError(path, "no such file or folder", "check the path")
    if not found:
        raise UsageError(", ".join(map(str, paths)), "no images in there", "name image files, or folders of them")
    return list(found.values())


def plan_jobs(found: Sequence[Found], out: Path, *, hr: Path | None = None, force: bool = False) -> list[Job]:
    """Where each photo's files go: `out/<place>.png` and `.json`, and `hr/<place>.png` for the target.

    Two photos that differ in their suffix alone keep it: `a.jpg.png` and `a.tif.png`.

    Raises:
        UsageError: two photos would share a file, a file is there already (without `force`), or is an input.
    """
    stems: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        stems[str(one.place.with_suffix("")).casefold()].append(one)
    jobs = []
    for alike in stems.values():
        for one in alike:
            stem = str(one.place if len(alike) > 1 else one.place.with_suffix(""))
            jobs.append(Job(one.photo, out / f"{stem}.png", out / f"{stem}.json", hr / f"{stem}.png" if hr else None))
    _refuse_clashes(jobs, force=force)
    return jobs


def apply_photo(job: Job, recipe: Recipe, *, seed: int = 0, force: bool = False) -> None:
    """Degrade one photo as `synth` would its first patch, were that the whole photo, and write the files of `job`.

    LR (and HR) are 8-bit sRGB without a profile, as in training pairs: `codecs.rgb8` states what becomes of 16 bits,
    gray, alpha and other profiles. Metadata is not carried over.

    Raises:
        ImageError: the photo cannot be read, is too small, or too large for the memory.
        ResourceError: a file cannot be written.
    """
    from degrade import codecs
    from degrade.atomic import write_bytes
    from degrade.pipeline import PairKey, degrade_image
    from degrade.rng import source_key

    data = codecs.read_bytes(job.photo)
    photo, sha256 = codecs.decode(data, str(job.photo)), codecs.sha256(data)
    height, width = photo.pixels.shape[:2]
    if min(height, width) < recipe.scale * recipe.reduction:
        halved = f" of a photo made {recipe.reduction} times smaller" if recipe.reduction > 1 else ""
        problem = f"{width} x {height} pixels are too few for scale {recipe.scale}{halved}"
        raise ImageError(job.photo, problem, "use a larger photo")
    try:
        pixels = codecs.rgb8(photo)
        pair = degrade_image(pixels, recipe, key=PairKey(source_key(seed, sha256), 0, 0))
    except MemoryError:
        problem = f"not enough memory for {width} x {height} pixels"
        raise ImageError(job.photo, problem, "cut it into parts, or close other programs") from None
    record = {
        "format": TRACE_FORMAT,
        "format_version": 1,
        **_provenance(recipe, seed),
        "source": {"path": str(job.photo), "sha256": sha256, "height": height, "width": width},
        "trace": json.loads(pair.trace),
    }
    for path in job.outputs:
        _make_folder(path.parent)
    codecs.write(job.lr, codecs.Photo(pair.lr), overwrite=force)
    if job.hr is not None:
        codecs.write(job.hr, codecs.Photo(pair.hr), overwrite=force)
    write_bytes(job.trace, json.dumps(record, indent=1).encode() + b"\n", overwrite=force)


def apply_jobs(
    jobs: Sequence[Job],
    recipe: Recipe,
    *,
    seed: int = 0,
    force: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> list[DegradeError]:
    """Run `jobs`; what was wrong with the photos that had to be left out, in their order."""
    skipped: list[DegradeError] = []
    for job in jobs:
        try:
            apply_photo(job, recipe, seed=seed, force=force)
        except ImageError as error:
            skipped.append(error)
        advance()
    return skipped


def _provenance(recipe: Recipe, seed: int) -> dict[str, object]:
    from degrade import __version__
    from degrade.pipeline import ENGINE

    return {
        "tool": f"degrade {__version__}",
        "engine": ENGINE,
        "recipe": recipe.name,
        "recipe_digest": recipe.digest,
        "scale": recipe.scale,
        "margin": recipe.margin,
        "seed": seed,
    }


def _below(folder: Path, outside: Set[Path]) -> Iterator[Path]:
    from degrade.codecs import EXTENSIONS

    def refuse(error: OSError) -> None:
        raise ResourceError(error.filename or folder, error.strerror or str(error), "chmod u+rx it")

    for place, folders, names in os.walk(folder, onerror=refuse):
        shown = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in shown if Path(place, name).resolve() not in outside]
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS:
                yield Path(place, name)


def _refuse_clashes(jobs: Sequence[Job], *, force: bool) -> None:
    inputs = {job.photo.resolve() for job in jobs}
    taken: dict[str, Path] = {}
    for job in jobs:
        for path in job.outputs:
            other = taken.get(str(path).casefold())
            if other == job.photo:
                raise UsageError("--hr", "is the folder of the LR images", "choose another")
            if other is not None:
                raise UsageError(job.photo, f"and {other} would both become {path}", "run them apart, -o for each")
            taken[str(path).casefold()] = job.photo
            if path.resolve() in inputs:
                raise UsageError(path, "is one of the photos to be read", "choose another folder with -o")
            if not force and (path.exists() or path.is_symlink()):
                raise UsageError(path, "is there already", "overwrite with --force, or choose another -o")


def _make_folder(folder: Path) -> None:
    from degrade.atomic import resource_error

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise resource_error(folder, error) from None


@click.command(
    epilog="""\b
Examples:
  degrade apply photo.jpg -o lr/                       lr/photo.png and lr/photo.json
  degrade apply photos/ -o lr/ --hr hr/                a test set: the same names in lr/ and hr/
  degrade apply photos/ -o lr/ --recipe bicubic --scale 2
  degrade apply photo.jpg -o lr/ --seed 1 --set lr.0.sigma=2.5
"""
)
@click.argument("photos", metavar="IMG...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder for the LR images.")
@click.option("--recipe", default="generic", show_default=True, help="Name of a recipe, or a .toml file.")
@click.option("--scale", type=click.IntRange(1, 16), help="Instead of the recipe's.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, other draws.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Change a setting of the recipe.")
@click.option("--hr", type=click.Path(path_type=Path), metavar="DIR", help="Also write the HR, cut to whole LR pixels.")
@click.option("--force", is_flag=True, help="Overwrite files of an earlier run.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def command(
    photos: tuple[Path, ...],
    out: Path,
    recipe: str,
    scale: int | None,
    seed: int,
    overrides: tuple[str, ...],
    hr: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Degrade whole photographs into image files.

    IMG are image files and folders of them (with what lies below). Each photo becomes DIR/NAME.png, with the
    drawn parameters in DIR/NAME.json; sub-folders are kept. A photo gets the same draws in every run
    with the same seed, whatever its name is.
    """
    from degrade.cli.progress import progress
    from degrade.recipe import load_recipe

    loaded = load_recipe(recipe, overrides=overrides, scale=scale)
    found = find_photos(photos, outside=[out] if hr is None else [out, hr])
    jobs = plan_jobs(found, out, hr=hr, force=force)
    with progress("degrading", len(jobs)) as advance:
        skipped = apply_jobs(jobs, loaded, seed=seed, force=force, advance=advance)
    left_out = {error.subject for error in skipped}
    done = [job for job in jobs if str(job.photo) not in left_out]
    if as_json:
        made = [{name: path and str(path) for name, path in asdict(job).items()} for job in done]
        lost = [{"photo": error.subject, "problem": error.problem, "cure": error.cure} for error in skipped]
        click.echo(json.dumps({**_provenance(loaded, seed), "made": made, "skipped": lost}, indent=1))
    else:
        click.echo(
            printable(f"{len(done)} of {len(jobs)} photos -> {out} ({loaded.name} x{loaded.scale}, seed {seed})")
        )
    for error in skipped:
        click.echo(f"degrade: skipped: {error}", err=True)
    if skipped:
        raise InputsSkippedError(f"{len(skipped)} of {len(jobs)} photos", "left out, see above", "mend or remove them")
