"""A recipe is data: which steps spoil an image, in which order, drawn from which ranges.

Published recipes are TOML files in `recipes/`; the language is described in `recipes/README.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_type_hints

import tomli_w

from degrade import schema
from degrade.errors import RecipeError, UsageError
from degrade.ops import OPS
from degrade.ops.choice import Branch, OneOf
from degrade.ops.protocol import Distribution, Step
from degrade.rng import name_word

MAX_SCALE = 16
MAX_DEPTH = 8  # of branches inside branches
_FORMS = ("range", "log_range", "choice", "weights", "normal")


@dataclass(frozen=True)
class Recipe:
    """A recipe as loaded, with every default filled in.

    Attributes:
        name: as the file states it; `short_name` is the file's own name.
        source: the paper or code it comes from.
        scale: HR size over LR size.
        margin: HR pixels of surroundings used and cropped away; a multiple of `scale`.
        hr, lr: steps that change the target, and steps that make the LR image from it.
        text: the TOML it was read from, overrides applied.
    """

    name: str
    short_name: str
    source: str
    description: str
    scale: int
    margin: int
    unit: Literal["patch"]
    hr: tuple[Step, ...]
    lr: tuple[Step, ...]
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what the recipe does: steps, ranges, scale and margin; not of its name or comments."""
        return hashlib.sha256(json.dumps(self.as_table(), sort_keys=True).encode()).hexdigest()

    def as_table(self) -> dict[str, Any]:
        """What the recipe does, as plain values with the defaults filled in."""
        steps = {side: [_plain(step) for step in getattr(self, side)] for side in ("hr", "lr")}
        return {"scale": self.scale, "margin": self.margin, "unit": self.unit, **steps}


@dataclass(frozen=True)
class _Header:
    """The keys of a recipe file beside its steps."""

    name: str
    source: str
    description: str = ""
    scale: int = 4
    margin: int = 32
    unit: Literal["patch"] = "patch"

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
    text, origin, short_name = _read(name_or_path)
    table = schema.read_toml(text, origin=origin)
    changes = list(overrides)
    if "extends" in table or changes:
        table = schema.override(_extended(table, origin, depth=0), changes, origin=origin)
        text = tomli_w.dumps(table)
    if scale is not None:
        table["scale"] = scale
    return _built(table, text, origin, short_name)


def parse_recipe(text: str, *, origin: str = "recipe", scale: int | None = None) -> Recipe:
    """The recipe that a TOML text states; for recipes stored in shards."""
    table = _extended(schema.read_toml(text, origin=origin), origin, depth=0)
    if scale is not None:
        table["scale"] = scale
    return _built(table, text, origin, origin)


def list_recipes() -> list[Recipe]:
    """The recipes that come with the package, by short name."""
    names = sorted(entry.name for entry in _folder().iterdir() if entry.name.endswith(".toml"))
    return [load_recipe(name.removesuffix(".toml")) for name in names]


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
    if depth == MAX_DEPTH:
        raise RecipeError(origin, f"extends more than {MAX_DEPTH} recipes in a row", "is there a circle?")
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


def _built(table: schema.Table, text: str, origin: str, short_name: str) -> Recipe:
    try:
        header_keys = {field.name for field in fields(_Header)}
        unknown = set(table) - header_keys - {"hr", "lr"}
        if unknown:
            key = sorted(unknown)[0]
            raise UsageError(origin, f"{key}: unknown key", schema.nearest(key, {*header_keys, "hr", "lr"}))
        header = schema.build(_Header, {k: v for k, v in table.items() if k in header_keys}, origin=origin)
        ordinals: dict[str, int] = {}
        sides = {side: _steps(table.get(side, []), side, header.scale, origin, ordinals) for side in ("hr", "lr")}
        if not sides["lr"]:
            raise UsageError(origin, "lr: no steps", "state at least one [[lr]] step")
        _check_names([*sides["hr"], *sides["lr"]], origin)
    except RecipeError:
        raise
    except UsageError as error:
        raise RecipeError(error.subject, error.problem, error.cure) from None
    margin = -(-header.margin // header.scale) * header.scale
    return Recipe(
        name=header.name,
        short_name=short_name,
        source=header.source,
        description=header.description,
        scale=header.scale,
        margin=margin,
        unit=header.unit,
        hr=sides["hr"],
        lr=sides["lr"],
        text=text,
    )


def _steps(
    tables: object, path: str, scale: int, origin: str, ordinals: dict[str, int], depth: int = 0
) -> tuple[Step, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(origin, f"{path}: expected a list of steps", f"write [[{path}]]")
    if depth > MAX_DEPTH:
        raise UsageError(origin, f"{path}: branches nested too deep", f"keep to {MAX_DEPTH} levels")
    return tuple(_step(t, f"{path}[{i}]", scale, origin, ordinals, depth) for i, t in enumerate(tables))


def _step(table: Mapping[str, Any], path: str, scale: int, origin: str, ordinals: dict[str, int], depth: int) -> Step:
    rest = dict(table)
    kind = rest.pop("op", None)
    if kind not in OPS:
        cure = schema.nearest(str(kind), OPS) if kind is not None else "state one: op = ..."
        raise UsageError(origin, f"{path}.op: unknown op {kind!r}" if kind is not None else f"{path}.op: missing", cure)
    ordinal = ordinals.get(kind, 0)
    ordinals[kind] = ordinal + 1
    step_id = rest.pop("id", f"{kind}{ordinal}")
    probability = rest.pop("probability", 1.0)
    if not isinstance(step_id, str) or not step_id:
        raise UsageError(origin, f"{path}.id: expected a name, got {step_id!r}", "mend the value")
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise UsageError(origin, f"{path}.probability: expected a number from 0 to 1, got {probability!r}", "mend it")
    cls = OPS[kind]
    op = (
        _one_of(rest, path, scale, origin, ordinals, depth)
        if cls is OneOf
        else schema.build(cls, _op_table(cls, rest, path, scale, origin), origin=f"{origin}: {path}")
    )
    return Step(step_id, op, float(probability))


def _one_of(table: dict[str, Any], path: str, scale: int, origin: str, ordinals: dict[str, int], depth: int) -> OneOf:
    unknown = set(table) - {"branches"}
    if unknown:
        raise UsageError(origin, f"{path}.{sorted(unknown)[0]}: unknown key", "known: branches, id, op, probability")
    branches = []
    for i, branch in enumerate(table.get("branches", [])):
        where = f"{path}.branches[{i}]"
        extra = set(branch) - {"steps", "weight"}
        if extra:
            raise UsageError(origin, f"{where}.{sorted(extra)[0]}: unknown key", "known: steps, weight")
        weight = branch.get("weight", 1)
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise UsageError(origin, f"{where}.weight: expected a number, got {weight!r}", "mend the value")
        steps = _steps(branch.get("steps", []), f"{where}.steps", scale, origin, ordinals, depth + 1)
        branches.append(Branch(steps, float(weight)))
    try:
        return OneOf(tuple(branches))
    except ValueError as error:
        raise UsageError(origin, f"{path}: {error}", "mend the branches") from None


def _op_table(cls: type, table: dict[str, Any], path: str, scale: int, origin: str) -> dict[str, Any]:
    """The step's keys as the op's fields: `sigma_range` becomes one form of `sigma`; the run's scale is put in."""
    hints = get_type_hints(cls)
    if "scale" in table and "scale" in hints:
        raise UsageError(origin, f"{path}.scale: a step never states the scale", "set the recipe's, or --scale")
    drawn = {name for name, hint in hints.items() if hint is Distribution}
    forms = {f"{name}_{form}": (name, form) for name in drawn for form in _FORMS}
    forms |= {name: (name, "constant") for name in drawn}
    known = {*forms, *hints, "op", "id", "probability"} - {"scale"}
    result: dict[str, Any] = {"scale": scale} if "scale" in hints else {}
    for key, value in table.items():
        if key not in known:
            raise UsageError(origin, f"{path}.{key}: unknown key", schema.nearest(key, known))
        if key in forms:
            name, form = forms[key]
            result.setdefault(name, {})[form] = value
        else:
            result[key] = value
    return result


def _check_names(steps: Sequence[Step], origin: str) -> None:
    """Ids must differ, and so must the counter words of ids and fields: two equal words would share their numbers."""
    seen: dict[int, str] = {}
    for step in _walk(steps):
        word = name_word(step.id)
        if word in seen:
            problem = "used twice" if seen[word] == step.id else f"has the same CRC-32 as '{seen[word]}'"
            raise UsageError(origin, f"step id '{step.id}' {problem}", "give one of them another id")
        seen[word] = step.id
    for op in OPS.values():
        words = {name_word(field.name) for field in fields(op)}
        assert len(words) == len(fields(op)), f"two fields of {op.__name__} share a CRC-32"


def _walk(steps: Iterable[Step]) -> Iterable[Step]:
    for step in steps:
        yield step
        if isinstance(step.op, OneOf):
            for branch in step.op.branches:
                yield from _walk(branch.steps)


def _plain(value: Any) -> Any:
    """Dataclasses as tables, absent forms of a distribution left out, the kind of each op named."""
    if isinstance(value, Step):
        kind = next(name for name, cls in OPS.items() if cls is type(value.op))
        return {"op": kind, "id": value.id, "probability": value.probability, **_plain(value.op)}
    if is_dataclass(value):
        table = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {k: v for k, v in table.items() if v is not None}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value
