"""What may be said in a step, read from the ops themselves: fields, defaults, limits and descriptions."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from degrade.assets import KINDS, PoolFile
from degrade.ops import OPS
from degrade.ops.choice import OneOf, Shuffled
from degrade.ops.protocol import Distribution, Options
from degrade.recipe.limits import Limits, limits_of
from degrade.recipe.words import canonical, in_words

Kind = Literal["number", "word", "pool", "file", "plain", "parts"]


@dataclass(frozen=True)
class OpField:
    """A field of an op as a recipe states it.

    Attributes:
        kind: "number" and "word" are drawn and take the forms of the language, "pool" is the name of a file of
            measured kernels or noise, "parts" are branches or groups, "plain" is everything else.
        hint: its type, without `None`.
        default: in words; None if it must be stated.
        limits: of a drawn field; of a plain one its words, if it has some.
        about: what the op's docstring says of it.
    """

    name: str
    kind: Kind
    hint: Any
    default: str | None
    limits: Limits
    about: str


def op_fields(kind: str) -> list[OpField]:
    """The fields of the op that recipes call `kind`, in the order it states them; the run's scale is left out."""
    cls = OPS[kind]
    hints, limits, about = get_type_hints(cls), limits_of(cls), _attributes(cls)
    return [
        OpField(
            name=field.name,
            kind=_kind(cls, hints[field.name]),
            hint=_without_none(hints[field.name]),
            default=None if field.default is MISSING else _default(field.default),
            limits=limits.get(field.name) or _words(hints[field.name]),
            about=about.get(field.name, ""),
        )
        for field in fields(cls)
        if not (field.name == "scale" and hints["scale"] is int)  # the run's
    ]


def summary(kind: str) -> str:
    """The first sentence or so: the first line of the op's docstring."""
    return _docstring(OPS[kind]).partition("\n")[0]


def description(kind: str) -> str:
    """The op's docstring without its list of attributes."""
    return re.sub(r"\n*^Attributes:\n(?:[ \t].*\n?|\n(?=[ \t]))*", "\n\n", _docstring(OPS[kind]), flags=re.M).strip()


def _docstring(cls: type) -> str:
    text = inspect.getdoc(cls) or ""
    return "" if text.startswith(f"{cls.__name__}(") else text  # what dataclass writes when there is none


def _attributes(cls: type) -> Mapping[str, str]:
    """Name: text, of the part `Attributes:` of a docstring; `a, b: text` describes both."""
    _, _, part = _docstring(cls).partition("Attributes:\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in part.splitlines():
        if line and not line.startswith(" "):
            break
        start = re.match(r" {4}(\w+(?:, \w+)*): (.*)", line)
        if start:
            names = start[1].split(", ")
            found |= dict.fromkeys(names, start[2].strip())
        elif names and line.strip():
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _kind(cls: type, hint: Any) -> Kind:
    parts = {hint, *get_args(hint)}
    if Distribution in parts:
        return "number"
    if Options in parts:
        return "word"
    if PoolFile in parts:
        return "pool"
    if parts & set(KINDS):
        return "file"
    return "parts" if cls in (OneOf, Shuffled) else "plain"


def _words(hint: Any) -> Limits:
    is_word = get_origin(hint) is Literal and all(isinstance(word, str) for word in get_args(hint))
    return Limits(words=get_args(hint)) if is_word else Limits()


def _without_none(hint: Any) -> Any:
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    rest = [part for part in get_args(hint) if part is not type(None)]
    return rest[0] if len(rest) == 1 else Union[tuple(rest)]  # noqa: UP007  the parts are known only now


def _default(value: Any) -> str:
    if isinstance(value, Distribution | Options):
        value = {key: part for key, part in asdict(value).items() if part is not None}
    return in_words(canonical(asdict(value) if is_dataclass(value) and not isinstance(value, type) else value))
