"""A recipe is data: which steps spoil an image, in which order, drawn from which ranges.

Published recipes are TOML files in `recipes/`; the language is described in `recipes/README.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import tomli_w

from degrade import schema
from degrade.assets import KINDS
from degrade.errors import MissingModelError, RecipeError, UsageError
from degrade.ops import OPS
from degrade.ops.learned import Learned
from degrade.ops.protocol import Step
from degrade.recipe.sizes import check_models, check_sizes, reduction
from degrade.recipe.steps import Reader, check_names, walk

MAX_SCALE = 16
MAX_CHAIN = 8  # of recipes that extend each other


@dataclass(frozen=True)
class Recipe:
    """A recipe as loaded, with every default filled in.

    Attributes:
        name: as the file states it; `short_name` is the file's own name.
        source: the paper or code it comes from.
        scale: HR size over LR size.
        margin: HR pixels of surroundings used and cropped away; a multiple of `scale`.
        unit: what is degraded: each "patch" with its surroundings, or the whole "photo", of which patches are cut then.
        hr, lr: steps that change the target, and steps that make the LR image from it.
        text: the TOML it was read from, overrides applied.
        assets: name and place of every pool, model and folder it uses; the digest knows them by their SHA-256.
        reduction: pixels of the photograph for one of HR, along each axis; above 1 where [[hr]] steps shrink it.
    """

    name: str
    short_name: str
    source: str
    description: str
    scale: int
    margin: int
    unit: Literal["patch", "photo"]
    hr: tuple[Step, ...]
    lr: tuple[Step, ...]
    text: str
    assets: tuple[tuple[str, str], ...] = ()
    reduction: int = 1

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what the recipe does: steps, ranges, scale and margin; not of its name or comments."""
        return hashlib.sha256(json.dumps(self.as_table(), sort_keys=True).encode()).hexdigest()

    @property
    def learned(self) -> tuple[Learned, ...]:
        """Its steps that run a learned degrader."""
        return tuple(step.op for step in walk((*self.hr, *self.lr)) if isinstance(step.op, Learned))

    @property
    def zoom(self) -> int:
        """Optical zoom of the pairs that its models learned from, where it keeps the size; else 1."""
        return max((op.card.zoom for op in self.learned), default=1) if self.scale == 1 else 1

    def as_table(self) -> dict[str, Any]:
        """What the recipe does, as plain values with the defaults filled in."""
        steps = {side: [_plain(step) for step in getattr(self, side)] for side in ("hr", "lr")}
        return {"scale": self.scale, "margin": self.margin, "unit": self.unit, **steps}


@dataclass(frozen=True, kw_only=True)
class WaitingRecipe:
    """A recipe that comes with the package, for a model that does not; `lack` says so, and what to do."""

    name: str
    short_name: str
    source: str
    description: str
    scale: int
    unit: Literal["patch", "photo"]
    lack: MissingModelError


@dataclass(frozen=True)
class _Header:
    """The keys of a recipe file beside its steps."""

    name: str
    source: str
    description: str = ""
    scale: int = 4
    margin: int = 32
    unit: Literal["patch", "photo"] = "patch"

    def __post_init__(self) -> None:
        if not 1 <= self.scale <= MAX_SCALE:
            raise ValueError(f"expected a scale from 1 to {MAX_SCALE}, got {self.scale}")
        if not 0 <= self.margin <= 512:
            raise ValueError(f"expected a margin from 0 to 512, got {self.margin}")


def load_recipe(name_or_path: str | Path, *, overrides: Iterable[str] = (), scale: int | None = None) -> Recipe:
    """The recipe of that short name, full name or TOML file.

    Args:
        overrides: `path=value` each, for example `lr.0.sigma_range=[0.2, 1.0]`.
        scale: instead of the recipe's own.

    Raises:
        UsageError: no such recipe; names the nearest one.
        RecipeError: the file does not say what it must; names the path inside it.
    """
    table, text, origin, short_name = _stated(name_or_path, overrides)
    if scale is not None:
        table["scale"] = scale
    path = Path(name_or_path)
    return _built(table, text, origin, short_name, folder=path.parent if path.suffix == ".toml" else None)


def parse_recipe(
    text: str, *, origin: str = "recipe", scale: int | None = None, assets: Mapping[str, str] | None = None
) -> Recipe:
    """The recipe that a TOML text states; for recipes stored in shards and plans. `assets`: where its pools lie."""
    table = _extended(schema.read_toml(text, origin=origin), origin, depth=0)
    if scale is not None:
        table["scale"] = scale
    return _built(table, text, origin, origin, places=assets)


def list_recipes() -> list[Recipe]:
    """The recipes that come with the package, by short name; without those that wait for a model."""
    return [recipe for recipe in _packaged() if isinstance(recipe, Recipe)]


def waiting_recipes() -> list[WaitingRecipe]:
    """Those whose model the user has to train."""
    return [recipe for recipe in _packaged() if isinstance(recipe, WaitingRecipe)]


def recipe_text(name_or_path: str | Path, *, overrides: Iterable[str] = ()) -> str:
    """The TOML of a recipe with overrides, as `Recipe.text`; what it names need not be there.

    Raises:
        UsageError: no such recipe, or none that can be read.
    """
    return _stated(name_or_path, overrides)[1]


def _packaged() -> Iterator[Recipe | WaitingRecipe]:
    for name in sorted(entry.name for entry in _folder().iterdir() if entry.name.endswith(".toml")):
        short_name = name.removesuffix(".toml")
        try:
            yield load_recipe(short_name)
        except MissingModelError as lack:
            header = _header(_stated(short_name)[0], name)
            about = {key: getattr(header, key) for key in ("name", "source", "description", "scale", "unit")}
            yield WaitingRecipe(short_name=short_name, lack=lack, **about)


def _stated(name_or_path: str | Path, overrides: Iterable[str] = ()) -> tuple[schema.Table, str, str, str]:
    """The table of a recipe with overrides, its text, a name for messages, and the short name."""
    text, origin, short_name = _read(name_or_path)
    table = schema.read_toml(text, origin=origin)
    changes = list(overrides)
    if "extends" in table or changes:
        table = schema.override(_extended(table, origin, depth=0), changes, origin=origin)
        text = tomli_w.dumps(table)
    return table, text, origin, short_name


def _folder() -> Any:
    return resources.files("degrade") / "recipes"


def _read(name_or_path: str | Path) -> tuple[str, str, str]:
    """Text, a name for messages, and the short name."""
    path = Path(name_or_path)
    if path.suffix == ".toml":
        try:
            return path.read_text(encoding="utf-8"), str(path), path.stem
        except UnicodeDecodeError:
            raise RecipeError(path, "not UTF-8 text", "save it as UTF-8") from None
        except OSError as error:
            raise UsageError(path, f"cannot be read: {error.strerror}", "check the path") from None
    texts = {
        entry.name.removesuffix(".toml"): entry.read_text(encoding="utf-8")
        for entry in _folder().iterdir()
        if entry.name.endswith(".toml")
    }
    name = str(name_or_path)
    for short_name, text in texts.items():
        if name in (short_name, schema.read_toml(text, origin=short_name)["name"]):
            return text, f"{short_name}.toml", short_name
    raise UsageError(f"recipe '{name}'", "not known", f"{schema.nearest(name, texts)} or name a .toml file")


def _extended(table: schema.Table, origin: str, depth: int) -> schema.Table:
    """`table` laid over the recipe it extends; its `set` table reaches into that recipe's steps."""
    if "extends" not in table:
        return table
    if depth == MAX_CHAIN:
        raise RecipeError(origin, f"extends more than {MAX_CHAIN} recipes in a row", "is there a circle?")
    text, below_origin, _ = _read(str(table["extends"]))
    below = _extended(schema.read_toml(text, origin=below_origin), below_origin, depth + 1)
    own = {key: value for key, value in table.items() if key not in ("extends", "set")}
    changes = table.get("set", {})
    if not isinstance(changes, dict):
        raise RecipeError(origin, "set: expected a table of path = value", "mend the value")
    below = schema.override(below, [f"{path}={_toml_value(value)}" for path, value in changes.items()], origin=origin)
    return schema.merged(below, own)


def _toml_value(value: Any) -> str:
    return tomli_w.dumps({"value": value}).removeprefix("value = ").strip()


def _built(
    table: schema.Table,
    text: str,
    origin: str,
    short_name: str,
    *,
    folder: Path | None = None,
    places: Mapping[str, str] | None = None,
) -> Recipe:
    try:
        header = _header(table, origin)
        reader = Reader(header.scale, origin, folder, places or {})
        hr, lr = (reader.steps(table.get(side, []), side) for side in ("hr", "lr"))
        if not lr:
            raise UsageError(origin, "lr: no steps", "state at least one [[lr]] step")
        check_names([*hr, *lr], origin)
        margin = -(-header.margin // header.scale) * header.scale
        check_models(hr, lr, scale=header.scale, margin=margin, unit=header.unit, origin=origin)
        check_sizes(lr, header.scale, origin)
        reduced = reduction(hr, header.scale, origin)
    except RecipeError:
        raise
    except UsageError as error:
        raise RecipeError(error.subject, error.problem, error.cure) from None
    return Recipe(
        name=header.name,
        short_name=short_name,
        source=header.source,
        description=header.description,
        scale=header.scale,
        margin=margin,
        unit=header.unit,
        hr=hr,
        lr=lr,
        text=text,
        assets=tuple(sorted(reader.used.items())),
        reduction=reduced,
    )


def _header(table: schema.Table, origin: str) -> _Header:
    keys = {field.name for field in fields(_Header)}
    unknown = set(table) - keys - {"hr", "lr"}
    if unknown:
        key = sorted(unknown)[0]
        raise UsageError(origin, f"{key}: unknown key", schema.nearest(key, {*keys, "hr", "lr"}))
    return schema.build(_Header, {k: v for k, v in table.items() if k in keys}, origin=origin)


def _plain(value: Any) -> Any:
    """Dataclasses as tables, absent forms of a distribution left out, the kind of each op named."""
    if isinstance(value, KINDS):
        return {"sha256": value.sha256}
    if isinstance(value, Step):
        kind = next(name for name, cls in OPS.items() if cls is type(value.op))
        return {"op": kind, "id": value.id, "probability": value.probability, **_plain(value.op)}
    if is_dataclass(value):
        table = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {k: v for k, v in table.items() if v is not None}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value
