"""Steps of a recipe as TOML for a reader: one line a step, and behind it the option its numbers come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tomli_w

Fields = dict[str, Any]


@dataclass(frozen=True)
class BranchText:
    """A branch of a `one_of`: its weight and steps, and what to say of each."""

    weight: float
    steps: Sequence[Fields]
    weight_from: str
    steps_from: str = ""


def value_text(value: Any) -> str:
    """A number, text, truth value, list or inline table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_text(part) for part in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {value_text(part)}' for key, part in value.items())} }}"
    return tomli_w.dumps({"value": value}).removeprefix("value = ").strip()


def any_of(field: str, values: list[Any], weights: list[float] | None = None) -> Fields:
    """One of `values`: the field itself where only one of them has a weight, its `_choice` otherwise."""
    if weights is not None:
        kept = [(value, weight) for value, weight in zip(values, weights, strict=True) if weight]
        values, weights = [value for value, _ in kept], [weight for _, weight in kept]
    if len(values) == 1:
        return {field: values[0]}
    is_even = weights is None or len(set(weights)) == 1
    return {f"{field}_choice": values} | ({} if is_even else {f"{field}_weights": weights})


def clean(weight: float) -> float:
    """`weight` without the noise of floats: 0.9 * 0.45 is 0.405."""
    return round(weight, 12)


def step_text(side: str, fields: Fields, comment: str = "") -> Iterator[str]:
    """`[[lr]]` and a line for each field."""
    yield ""
    yield from _comment(comment)
    yield f"[[{side}]]"
    for key, value in fields.items():
        yield f"{key} = {value_text(value)}"


def one_of_text(fields: Fields, branches: Sequence[BranchText], comment: str = "") -> Iterator[str]:
    """A `one_of` step of the LR side."""
    yield from step_text("lr", {"op": "one_of", **fields}, comment)
    for branch in branches:
        yield "[[lr.branches]]"
        yield f"weight = {value_text(branch.weight)}{_behind(branch.weight_from)}"
        yield f"steps = [{', '.join(value_text(step) for step in branch.steps)}]{_behind(branch.steps_from)}"


def shuffled_text(
    fields: Fields, groups: Sequence[tuple[str, Sequence[tuple[Fields, str]]]], comment: str
) -> Iterator[str]:
    """A `shuffled` step of the LR side; each group: its name, and its steps with what to say of each."""
    yield from step_text("lr", {"op": "shuffled", **fields}, comment)
    for name, steps in groups:
        yield "[[lr.groups]]"
        yield f"name = {value_text(name)}"
        yield "steps = ["
        for step, said in steps:
            yield f"    {value_text(step)},{_behind(said)}"
        yield "]"


def _comment(text: str) -> Iterator[str]:
    yield from (f"# {line}" for line in text.splitlines())


def _behind(text: str) -> str:
    return f"  # {text}" if text else ""
