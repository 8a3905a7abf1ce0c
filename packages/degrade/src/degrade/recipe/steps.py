"""From the tables of a recipe file to its steps, strictly: every mistake names its path and the nearest known name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from degrade import assets, schema
from degrade.assets import Asset, ModelFile, PoolFile, ReferenceFolder
from degrade.errors import MissingModelError, UsageError
from degrade.ops import OPS
from degrade.ops.choice import Branch, Group, OneOf, Shuffled
from degrade.ops.protocol import Distribution, Options, Step
from degrade.rng import name_word

MAX_DEPTH = 8  # of steps inside steps
FORMS = ("range", "log_range", "choice", "weights", "normal")
WORD_FORMS = ("choice", "weights")


@dataclass
class Reader:
    """Reads the steps of one recipe.

    Attributes:
        scale: of the run.
        origin: how messages call the file.
        folder: where the file lies; its pools, models and references are looked for there.
        places: name of such a file: where it lies, instead of looking for it.
    """

    scale: int
    origin: str
    folder: Path | None = None
    places: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.used: dict[str, str] = {}  # pools, models, references: name, where it lies
        self._ordinals: dict[str, int] = {}

    def steps(self, tables: object, path: str, depth: int = 0) -> tuple[Step, ...]:
        """The steps that a list of tables states.

        Raises:
            UsageError: `origin: path: what is wrong - cure`.
        """
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self._error(f"{path}: expected a list of steps", f"write [[{path}]]")
        if depth > MAX_DEPTH:
            raise self._error(f"{path}: steps nested too deep", f"keep to {MAX_DEPTH} levels")
        return tuple(self._step(table, f"{path}[{i}]", depth) for i, table in enumerate(tables))

    def _step(self, table: Mapping[str, Any], path: str, depth: int) -> Step:
        rest = dict(table)
        kind = rest.pop("op", None)
        if kind is None:
            raise self._error(f"{path}.op: missing", "state one: op = ...")
        if not isinstance(kind, str) or kind not in OPS:
            raise self._error(f"{path}.op: unknown op {kind!r}", schema.nearest(str(kind), OPS))
        ordinal = self._ordinals.get(kind, 0)
        self._ordinals[kind] = ordinal + 1
        step_id = rest.pop("id", f"{kind}{ordinal}")
        probability = rest.pop("probability", 1.0)
        if not isinstance(step_id, str) or not step_id:
            raise self._error(f"{path}.id: expected a name, got {step_id!r}", "mend the value")
        if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
            raise self._error(f"{path}.probability: expected a number from 0 to 1, got {probability!r}", "mend it")
        return Step(step_id, self._op(OPS[kind], rest, path, depth), float(probability))

    def _op(self, cls: type, table: dict[str, Any], path: str, depth: int) -> Any:
        if cls is OneOf:
            return self._one_of(table, path, depth)
        if cls is Shuffled:
            return self._shuffled(table, path, depth)
        return schema.build(cls, self._op_table(cls, table, path), origin=f"{self.origin}: {path}")

    def _one_of(self, table: dict[str, Any], path: str, depth: int) -> OneOf:
        self._known(table, {"branches"}, path)
        branches = []
        for branch, where in self._tables(table, "branches", path):
            self._known(branch, {"steps", "weight"}, where)
            weight = branch.get("weight", 1)
            if isinstance(weight, bool) or not isinstance(weight, int | float):
                raise self._error(f"{where}.weight: expected a number, got {weight!r}", "mend the value")
            steps = self.steps(branch.get("steps", []), f"{where}.steps", depth + 1)
            branches.append(Branch(steps, float(weight)))
        return self._made(lambda: OneOf(tuple(branches)), path, "mend the branches")

    def _shuffled(self, table: dict[str, Any], path: str, depth: int) -> Shuffled:
        self._known(table, {"groups", "keep_order"}, path)
        groups = []
        for group, where in self._tables(table, "groups", path):
            self._known(group, {"steps", "name"}, where)
            name = group.get("name", "")
            if not isinstance(name, str):
                raise self._error(f"{where}.name: expected a name, got {name!r}", "mend the value")
            groups.append(Group(self.steps(group.get("steps", []), f"{where}.steps", depth + 1), name))
        chains = table.get("keep_order", [])
        is_chains = isinstance(chains, list) and all(isinstance(chain, list) for chain in chains)
        if not is_chains or not all(isinstance(name, str) for chain in chains for name in chain):
            raise self._error(f"{path}.keep_order: expected lists of group names, got {chains!r}", "mend the value")
        kept = tuple(tuple(chain) for chain in chains)
        return self._made(lambda: Shuffled(tuple(groups), kept), path, "mend the groups")

    def _tables(self, table: Mapping[str, Any], key: str, path: str) -> Iterator[tuple[dict[str, Any], str]]:
        entries = table.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._error(f"{path}.{key}: expected a list of tables", f"write [[{path.split('[')[0]}.{key}]]")
        for number, entry in enumerate(entries):
            yield entry, f"{path}.{key}[{number}]"

    def _op_table(self, cls: type, table: dict[str, Any], path: str) -> dict[str, Any]:
        """The step's keys as the op's fields: `sigma_range` is a form of `sigma`; scale and pools are filled in."""
        hints = get_type_hints(cls)
        takes_scale = hints.get("scale") is int  # the run's
        if "scale" in table and takes_scale:
            raise self._error(f"{path}.scale: a step never states the scale", "set the recipe's, or --scale")
        forms = drawn_forms(cls)
        known = {*forms, *hints, "op", "id", "probability"} - ({"scale"} if takes_scale else set())
        result: dict[str, Any] = {"scale": self.scale} if takes_scale else {}
        for key, value in table.items():
            if key not in known:
                raise self._error(f"{path}.{key}: unknown key", schema.nearest(key, known))
            if key in forms:
                name, form = forms[key]
                result.setdefault(name, {})[form] = value
            elif kind := _asset_kind(hints.get(key)):
                result[key] = self._asset(kind, value, f"{path}.{key}", has_reference="reference" in table)
            else:
                result[key] = value
        return result

    def _asset(self, kind: type[Asset], name: object, path: str, *, has_reference: bool) -> dict[str, str]:
        """The file as an op holds it: its name, and the SHA-256 of what was found.

        Args:
            has_reference: the step names a folder of references, too.
        """
        if not isinstance(name, str) or not name:
            raise self._error(f"{path}: expected the name of a {_CALLED[kind]}, got {name!r}", "mend the value")
        try:
            place = Path(self.places[name]) if name in self.places else assets.find(name, self.folder, kind)
            place = str(place.absolute())
            if self.used.setdefault(name, place) != place:
                raise UsageError(name, "names two files of different kinds", "write one of them as ./NAME")
            return {"name": name, "sha256": assets.register(Path(place))}
        except MissingModelError as error:
            step = path.replace("[", ".").replace("]", "").removesuffix(".model")
            cure = f"{error.cure} and --set {step}.model=FILE"
            cure += f" --set {step}.reference=DIR (real LR)" if has_reference else ""
            raise MissingModelError(self.origin, f"{path}: {error.subject} {error.problem}", cure) from None
        except UsageError as error:
            raise self._error(f"{path}: {error.subject}: {error.problem}", error.cure) from None

    def _known(self, table: Mapping[str, Any], known: set[str], path: str) -> None:
        for key in table:
            if key not in known:
                raise self._error(f"{path}.{key}: unknown key", schema.nearest(key, known))

    def _made(self, make: Any, path: str, cure: str) -> Any:
        try:
            return make()
        except ValueError as error:
            raise self._error(f"{path}: {error}", cure) from None

    def _error(self, problem: str, cure: str) -> UsageError:
        return UsageError(self.origin, problem, cure)


_CALLED: dict[type[Asset], str] = {PoolFile: "pool", ModelFile: "model", ReferenceFolder: "folder"}


def _asset_kind(hint: Any) -> type[Asset] | None:
    """Which kind of file a field of that type names; None if it is a plain value."""
    return next((kind for kind in _CALLED if kind in (hint, *get_args(hint))), None)


def drawn_forms(cls: type) -> dict[str, tuple[str, str]]:
    """The keys of a step that state a drawn field of op `cls`: key -> (field, form)."""
    result = {}
    for name, hint in get_type_hints(cls).items():
        kinds = {hint, *get_args(hint)}
        forms = FORMS if Distribution in kinds else WORD_FORMS if Options in kinds else None
        if forms is not None:
            result |= {f"{name}_{form}": (name, form) for form in forms} | {name: (name, "constant")}
    return result


def check_names(steps: Sequence[Step], origin: str) -> None:
    """Ids must differ, and so must the counter words of ids and fields: two equal words would share their numbers."""
    seen: dict[int, str] = {}
    for step in walk(steps):
        word = name_word(step.id)
        if word in seen:
            problem = "used twice" if seen[word] == step.id else f"has the same CRC-32 as '{seen[word]}'"
            raise UsageError(origin, f"step id '{step.id}' {problem}", "give one of them another id")
        seen[word] = step.id
    for op in OPS.values():
        words = {name_word(entry.name) for entry in fields(op)}
        assert len(words) == len(fields(op)), f"two fields of {op.__name__} share a CRC-32"


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step, those inside others included."""
    for step in steps:
        yield step
        for inner in parts(step.op):
            yield from walk(inner)


def parts(op: object) -> list[tuple[Step, ...]]:
    """The lists of steps inside an op that has any."""
    if isinstance(op, OneOf):
        return [branch.steps for branch in op.branches]
    return [group.steps for group in op.groups] if isinstance(op, Shuffled) else []
