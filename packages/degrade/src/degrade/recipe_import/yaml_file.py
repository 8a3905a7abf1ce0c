"""A YAML file as plain values, read as data that a stranger wrote.

Only `yaml.safe_load` builds values, and only after the file's events were looked at: no tag but the plain ones, no key
twice, no aliases that grow, no deep nesting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from degrade.errors import UnsafeFileError, UsageError

MAX_BYTES = 1 << 20
MAX_NODES = 10_000  # with every alias written out; option files have hundreds
MAX_DEPTH = 50
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {f"{_TAG}{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str")}


def read_yaml(path: Path) -> dict[str, Any]:
    """The table of a YAML 1.1 file.

    Raises:
        UsageError: cannot be read, not YAML, no table, longer than 1 MiB, or a key stated twice; names the line.
        UnsafeFileError: a tag that makes objects, or more than 10,000 values with its aliases written out.
    """
    try:
        import yaml
    except ImportError:
        raise UsageError(path, "reading YAML needs PyYAML", 'pip install "degrade[import]"') from None
    text = _text(path)
    try:
        _check_events(yaml.parse(text, Loader=yaml.SafeLoader), path)
        table = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UsageError(path, f"not valid YAML: {line}{error.problem or error.context}", "mend that line") from None
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:  # also `!!int ""`, `2024-13-45`
        problem = " ".join(str(error).split())[:100] or type(error).__name__
        raise UsageError(path, f"not valid YAML: {problem}", "mend the file") from None
    if not isinstance(table, dict):
        raise UsageError(path, f"expected options (key: value), got {type(table).__name__}", "is it an option file?")
    return {str(key): value for key, value in table.items()}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(path, "not UTF-8 text", "save it as UTF-8") from None
    except OSError as error:
        raise UsageError(path, f"cannot be read: {error.strerror}", "check the path") from None
    if len(data) > MAX_BYTES:
        raise UsageError(path, "more than 1 MiB of options", "is it an option file?")
    return text


@dataclass
class _Open:
    """A list or table whose end has not come yet."""

    anchor: str | None
    is_table: bool
    nodes: int = 1
    children: int = 0
    keys: set[str] = field(default_factory=set)


def _check_events(events: Iterable[Any], path: Path) -> None:
    """Follows the parser's events with a stack, before anything is built from them."""
    stack = [_Open(None, is_table=False)]
    sizes: dict[str, int] = {}  # anchor: nodes, aliases written out
    for event in events:
        kind, line = type(event).__name__, event.start_mark.line + 1
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in _PLAIN_TAGS and tag != "!":
            problem = f"line {line}: the tag '{tag.replace(_TAG, '!!')[:60]}' asks for more than plain values"
            raise UnsafeFileError(path, problem, "refused; nothing was run")
        if kind in {"ScalarEvent", "AliasEvent", "SequenceStartEvent", "MappingStartEvent"}:
            _check_key(stack[-1], event, path)
        if kind == "ScalarEvent":
            if event.anchor:
                sizes[event.anchor] = 1
            _grow(stack[-1], 1, path)
        elif kind == "AliasEvent":
            if event.anchor not in sizes:
                raise UnsafeFileError(path, f"line {line}: the alias *{event.anchor[:40]} contains itself", "refused")
            _grow(stack[-1], sizes[event.anchor], path)
        elif kind in {"SequenceStartEvent", "MappingStartEvent"}:
            if len(stack) > MAX_DEPTH:
                raise UsageError(path, f"line {line}: nested more than {MAX_DEPTH} deep", "flatten it")
            stack.append(_Open(event.anchor, is_table=kind == "MappingStartEvent"))
        elif kind in {"SequenceEndEvent", "MappingEndEvent"}:
            closed = stack.pop()
            if closed.anchor:
                sizes[closed.anchor] = closed.nodes
            _grow(stack[-1], closed.nodes, path)


def _check_key(parent: _Open, event: Any, path: Path) -> None:
    """In a table, children are keys and values by turns; a plain key may come once."""
    is_key = parent.is_table and parent.children % 2 == 0
    parent.children += 1
    value = getattr(event, "value", None)
    if is_key and isinstance(value, str):
        if value in parent.keys:
            problem = f"line {event.start_mark.line + 1}: the key '{value[:60]}' stands here a second time"
            raise UsageError(path, problem, "keep one of them")
        parent.keys.add(value)


def _grow(parent: _Open, nodes: int, path: Path) -> None:
    parent.nodes += nodes
    if parent.nodes > MAX_NODES:
        raise UnsafeFileError(path, f"more than {MAX_NODES:,} values, aliases written out", "refused")
