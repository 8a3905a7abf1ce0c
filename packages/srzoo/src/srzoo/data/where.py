"""`where`: which pairs of a set take part, as a condition on what their traces say was drawn.

    jpeg.quality < 60
    gaussian_blur0.sigma > 1 and noise.op == 'gaussian_noise'
    not jpeg or 30 <= jpeg.quality < 60
    downsample.filter in ('bicubic', 'lanczos')

A name is the id of a step, else its op. Alone it asks whether such a step ran. `name.field` is the drawn value,
`name.field[0]` an entry of a list; where several steps of an op ran, a comparison holds if it holds for one of them,
and where none ran it does not hold. The language is read by `ast` against a list of what it may contain; nothing is
evaluated by Python.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade.schema import nearest
from srzoo.errors import UsageError

Trace = Mapping[str, Any]

_LONGEST, _DEEPEST = 2000, 20  # characters, and conditions inside conditions
_CURE = "write it like `jpeg.quality < 60 and noise.op == 'gaussian_noise'`"
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda one, several: one in several,
    ast.NotIn: lambda one, several: one not in several,
}


@dataclass(frozen=True)
class Where:
    """A condition on a trace. `names` are what it speaks of: `jpeg`, `jpeg.quality`."""

    text: str
    names: frozenset[str] = field(repr=False)
    _condition: ast.expr = field(repr=False)

    def holds(self, trace: Trace) -> bool:
        """Whether a pair with this trace takes part."""
        return _holds(self._condition, _steps(trace))


def parse_where(text: str) -> Where:
    """The condition that `text` states.

    Raises:
        UsageError: no such condition; says which part of it.
    """
    if len(text) > _LONGEST:
        raise _misread(text, f"{len(text)} characters")
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd escapes in strings
            condition = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # what a parser says of odd text
        raise _misread(text, "cannot be read") from None
    names: set[str] = set()
    _check(condition, text, names, 0)
    return Where(text, frozenset(names), condition)


def matching(where: Where, traces: Iterable[Trace]) -> NDArray[np.bool_]:
    """(N,) which of `traces` fulfil `where`.

    Raises:
        UsageError: none does, or it speaks of a step or field that no trace has.
    """
    found, known = [], set[str]()
    for trace in traces:
        steps = _steps(trace)
        known |= _known(steps)
        found.append(_holds(where._condition, steps))
    for name in sorted(where.names - known):
        raise UsageError(_shown(where.text), f"no pair has a drawn '{name}'", nearest(name, known))
    if not any(found):
        raise UsageError(_shown(where.text), f"none of {len(found)} pairs fulfils it", "widen it")
    return np.array(found, dtype=bool)


def _check(node: ast.expr, text: str, names: set[str], depth: int) -> None:
    """Refuse what is no condition, and note the names in it."""
    if depth > _DEEPEST:
        raise _misread(text, "nested too deep")
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            _check(value, text, names, depth + 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        _check(node.operand, text, names, depth + 1)
    elif isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for k, kind in enumerate(node.ops):
            if type(kind) not in _COMPARISONS:
                raise _misread(text, f"`{type(kind).__name__.lower()}` is not known here")
            if isinstance(kind, ast.In | ast.NotIn) != isinstance(sides[k + 1], ast.Tuple | ast.List):
                raise _misread(text, "`in` asks for a list, and nothing else does")
        for side in sides:
            _check_side(side, text, names)
    elif isinstance(node, ast.Name):
        names.add(node.id)
    else:
        raise _misread(text, f"`{ast.unparse(node)[:40]}` is no condition")


def _check_side(node: ast.expr, text: str, names: set[str]) -> None:
    """One side of a comparison: a value, a list of values, or `name.field`."""
    if isinstance(node, ast.Tuple | ast.List):
        for entry in node.elts:
            _check_side(entry, text, names)
    elif (address := _address(node)) is not None:
        names.add(f"{address[0]}.{address[1]}")
    elif not _is_value(node):
        raise _misread(text, f"`{ast.unparse(node)[:40]}` is neither a value nor a drawn field")


def _is_value(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return isinstance(node.operand, ast.Constant) and type(node.operand.value) in (int, float)
    return isinstance(node, ast.Constant) and type(node.value) in (int, float, str, bool)


def _address(node: ast.expr) -> tuple[str, str, int | None] | None:
    """Step, field and entry of `name.field` or `name.field[2]`."""
    entry = None
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and type(node.slice.value) is int:
        node, entry = node.value, node.slice.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id, node.attr, entry
    return None


def _steps(trace: Trace) -> list[Trace]:
    return [*trace.get("hr_steps", ()), *trace.get("steps", ())]


def _known(steps: Iterable[Trace]) -> set[str]:
    names = [(step[kind], step) for step in steps for kind in ("id", "op") if kind in step]
    return {str(name) for name, _ in names} | {f"{name}.{key}" for name, step in names for key in step}


def _holds(node: ast.expr, steps: list[Trace]) -> bool:
    if isinstance(node, ast.BoolOp):
        quantifier = all if isinstance(node.op, ast.And) else any
        return quantifier(_holds(value, steps) for value in node.values)
    if isinstance(node, ast.UnaryOp):
        return not _holds(node.operand, steps)
    if isinstance(node, ast.Name):
        return bool(_named(node.id, steps))
    assert isinstance(node, ast.Compare)
    sides = [_values(side, steps) for side in (node.left, *node.comparators)]
    return any(_compares(node.ops, chosen) for chosen in product(*sides))


def _compares(kinds: list[ast.cmpop], sides: tuple[Any, ...]) -> bool:
    try:
        return all(_COMPARISONS[type(kind)](sides[k], sides[k + 1]) for k, kind in enumerate(kinds))
    except TypeError:  # a word against a number: neither less nor more
        return False


def _named(name: str, steps: list[Trace]) -> list[Trace]:
    """The step of that id, else the steps of that op."""
    return [step for step in steps if step.get("id") == name] or [step for step in steps if step.get("op") == name]


def _values(node: ast.expr, steps: list[Trace]) -> list[Any]:
    """What one side may stand for: the only value of a constant, the value of each step that has the field."""
    if isinstance(node, ast.Tuple | ast.List):
        return [[value for entry in node.elts for value in _values(entry, steps)]]
    address = _address(node)
    if address is None:
        return [ast.literal_eval(node)]
    name, key, entry = address
    found = [step[key] for step in _named(name, steps) if key in step]
    if entry is None:
        return found
    return [value[entry] for value in found if isinstance(value, list) and entry < len(value)]


def _misread(text: str, problem: str) -> UsageError:
    return UsageError(_shown(text), problem, _CURE)


def _shown(text: str) -> str:
    return f"where: {text if len(text) <= 80 else f'{text[:60]}...'}"
