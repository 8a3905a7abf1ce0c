"""A TOML table becomes a frozen dataclass, strictly.

An unknown key (with the nearest known one), a missing key, a wrong type and a value out of range are
errors of one line that give the path. Recipes and presets share these rules.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

import pydantic

from degrade.errors import UsageError

T = TypeVar("T")
Table = dict[str, Any]

MAX_TEXT = 1 << 20  # characters; a configuration is never longer


def read_toml(text: str, *, origin: str) -> Table:
    """The table that `text` states.

    Raises:
        UsageError: not TOML, a key stated twice, too long or nested too deep; names line and column.
    """
    if len(text) > MAX_TEXT:
        raise UsageError(origin, f"{len(text)} characters of configuration", f"keep it under {MAX_TEXT}")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(origin, f"not valid TOML: {error}", "mend that line") from None
    except RecursionError:
        raise UsageError(origin, "tables nested too deep", "flatten them") from None
    except ValueError as error:  # an integer of thousands of digits
        raise UsageError(origin, f"a number that cannot be read: {error}", "shorten it") from None


def read_json(data: bytes) -> Table:
    """JSON (UTF-8) of a file that may be hostile, as a dict: no NaN, no infinity, no key twice.

    Raises:
        ValueError: none of that kind, and why.
    """
    try:
        table = json.loads(data.decode(), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except ValueError as error:  # not UTF-8, not JSON, or an integer of thousands of digits
        raise ValueError(f"not valid JSON: {error}") from None
    if not isinstance(table, dict):
        raise ValueError("not a JSON object")
    return table


def override(table: Table, assignments: Iterable[str], *, origin: str) -> Table:
    """A copy of `table` with every `path=value` applied; `lr.0.sigma_range=[0, 1]` reaches into lists.

    The value is TOML; a bare word is taken as a string.
    """
    result = _copied(table)
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not path.strip():
            raise UsageError(origin, f"cannot read the override '{assignment}'", "write it as path=value")
        try:
            value = tomllib.loads(f"value = {text.strip()}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        _assign(result, path.strip().split("."), value, assignment, origin)
    return result


def merged(below: Table, above: Table) -> Table:
    """`below` with the keys of `above` laid over it; tables merge, everything else is replaced."""
    result = _copied(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def build(cls: type[T], table: Mapping[str, Any], *, origin: str) -> T:
    """`cls` (a frozen dataclass) from `table`; nothing is converted but int to float and list to tuple.

    Raises:
        UsageError: `origin: path: what is wrong - cure`.
    """
    try:
        return _adapter(cls).validate_json(json.dumps(table), strict=True)
    except TypeError as error:  # TOML knows dates, our settings do not
        raise UsageError(origin, f"a value of a kind not used here: {error}", "use numbers, text or lists") from None
    except pydantic.ValidationError as error:
        problem, cure = _explain(cls, error.errors()[0])
        raise UsageError(origin, problem, cure) from None


@cache
def _adapter(cls: type) -> pydantic.TypeAdapter[Any]:
    for table in (cls, *_nested(cls)):  # pydantic reads its settings off the class; construction stays plain
        setattr(table, "__pydantic_config__", pydantic.ConfigDict(extra="forbid"))  # noqa: B010
    return pydantic.TypeAdapter(cls)


def _nested(cls: type) -> list[type]:
    found: list[type] = []
    for hint in _hints(cls).values():
        for part in _parts(hint):
            if isinstance(part, type) and is_dataclass(part) and part not in found:
                found += [part, *_nested(part)]
    return found


def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


def _parts(hint: Any) -> Iterable[Any]:
    yield hint
    for part in get_args(hint):
        yield from _parts(part)


def _explain(cls: type, error: Any) -> tuple[str, str]:
    path = ".".join(str(part) for part in error["loc"] if not str(part).startswith(("tagged-", "function-")))
    kind, given = error["type"], error.get("input")
    if kind in {"unexpected_keyword_argument", "extra_forbidden"}:
        key = str(error["loc"][-1])
        near = difflib.get_close_matches(key, known_keys(cls, error["loc"][:-1]), n=1)
        cure = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known_keys(cls, error['loc'][:-1]))}"
        return f"{path}: unknown key", cure
    if kind in {"missing", "missing_argument"}:
        return f"{path}: missing", "state it"
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"{path}: {message}, got {given!r}" if path else message, "mend the value"


def known_keys(cls: type, path: tuple[Any, ...] = ()) -> list[str]:
    """The keys that the dataclass at `path` inside `cls` knows."""
    for step in path:
        if isinstance(step, str) and is_dataclass(cls) and step in _hints(cls):
            inner = [p for p in _parts(_hints(cls)[step]) if isinstance(p, type) and is_dataclass(p)]
            cls = inner[0] if inner else cls
    return [field.name for field in fields(cls)] if is_dataclass(cls) else []


def nearest(name: str, known: Iterable[str]) -> str:
    """A cure for an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names)}"


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> Table:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key is stated twice")
    return table


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _assign(table: Any, path: list[str], value: Any, assignment: str, origin: str) -> None:
    for depth, key in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(table, list):
            if not key.isdigit() or int(key) >= len(table):
                raise UsageError(
                    origin, f"the override '{assignment}' has no entry {key}", f"use 0 to {len(table) - 1}"
                )
            index: Any = int(key)
        elif isinstance(table, dict):
            index = key
            if not last:
                table.setdefault(key, {})
        else:
            raise UsageError(origin, f"the override '{assignment}' reaches into a value", "stop the path earlier")
        if last:
            table[index] = value
        else:
            table = table[index]
