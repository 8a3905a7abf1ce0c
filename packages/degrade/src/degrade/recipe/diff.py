"""What two recipes do differently: by step and field, with the defaults filled in and distributions in words."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from degrade.recipe.load import Recipe
from degrade.recipe.words import apart, canonical, ids_in_words, is_of_the_run, percent, step_in_words

Table = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """One difference. A side that has nothing there is None.

    Attributes:
        where: the side and the steps around it, as `lr, blur1`; empty for the recipe itself.
        what: a field, `step`, `branch`, `group`, `order`, `chance of ...`.
    """

    where: str
    what: str
    a: str | None
    b: str | None

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        if self.a is None or self.b is None:
            side, only = ("B", self.b) if self.a is None else ("A", self.a)
            return f"{place}{self.what} only in {side}: {only}"
        return f"{place}{self.what}: {self.a} -> {self.b}"


def differences(a: Recipe, b: Recipe) -> list[Difference]:
    """In the order of the steps; empty if both do the same, whatever their names, comments and order of branches.

    Steps are paired by id and op, those left over by op in the order they stand, and then the id is a difference too:
    random numbers belong to it.
    """
    one, two = a.as_table(), b.as_table()
    found = [
        Difference("", key, str(one[key]), str(two[key])) for key in ("scale", "margin", "unit") if one[key] != two[key]
    ]
    return found + [difference for side in ("hr", "lr") for difference in _steps(one[side], two[side], side)]


def _steps(a: Sequence[Table], b: Sequence[Table], where: str) -> Iterator[Difference]:
    pairs = _paired(a, b, [lambda step: (step["op"], step["id"]), lambda step: step["op"]])
    for step in _left_over(a, [i for i, _ in pairs]):
        yield Difference(where, f"step '{step['id']}'", step_in_words(step), None)
    for step in _left_over(b, [j for _, j in pairs]):
        yield Difference(where, f"step '{step['id']}'", None, step_in_words(step))
    order = [j for _, j in pairs]
    if order != sorted(order):
        names = [str(a[i]["id"]) for i, _ in pairs]
        moved = [str(a[i]["id"]) for i, _ in sorted(pairs, key=lambda pair: pair[1])]
        yield Difference(where, "order", ", ".join(names), ", ".join(moved))
    for i, j in pairs:
        yield from _step(a[i], b[j], f"{where}, {a[i]['id']}")


def _step(a: Table, b: Table, where: str) -> Iterator[Difference]:
    nested = {"branches": _branches, "groups": _groups}
    for key in dict.fromkeys((*a, *b)):
        if key in nested:
            yield from nested[key](a[key], b[key], where)
        elif key != "op" and not is_of_the_run(key, a.get(key)):
            one, two = canonical(a.get(key)), canonical(b.get(key))
            if one != two:
                yield Difference(where, key, *apart(one, two))


def _branches(a: Sequence[Table], b: Sequence[Table], where: str) -> Iterator[Difference]:
    total_a, total_b = (sum(branch["weight"] for branch in branches) for branches in (a, b))
    pairs = _paired(a, b, [_ids, _ops])
    for branch in _left_over(a, [i for i, _ in pairs]):
        yield Difference(where, f"branch '{_ids(branch)}'", _part(branch, branch["weight"] / total_a), None)
    for branch in _left_over(b, [j for _, j in pairs]):
        yield Difference(where, f"branch '{_ids(branch)}'", None, _part(branch, branch["weight"] / total_b))
    for i, j in pairs:
        one, two = a[i]["weight"] / total_a, b[j]["weight"] / total_b
        if abs(one - two) > 1e-9:
            yield Difference(where, f"chance of '{_ids(a[i])}'", percent(one), percent(two))
        yield from _steps(a[i]["steps"], b[j]["steps"], where)


def _groups(a: Sequence[Table], b: Sequence[Table], where: str) -> Iterator[Difference]:
    pairs = _paired(a, b, [lambda group: (group["name"], _ids(group)), lambda group: group["name"] or None, _ids, _ops])
    for group in _left_over(a, [i for i, _ in pairs]):
        yield Difference(where, f"group '{group['name'] or _ids(group)}'", _part(group), None)
    for group in _left_over(b, [j for _, j in pairs]):
        yield Difference(where, f"group '{group['name'] or _ids(group)}'", None, _part(group))
    for i, j in pairs:
        if a[i]["name"] != b[j]["name"]:
            yield Difference(where, "name of a group", a[i]["name"] or "none", b[j]["name"] or "none")
        yield from _steps(a[i]["steps"], b[j]["steps"], where)


def _ids(part: Table) -> str:
    return ids_in_words(part["steps"])


def _ops(part: Table) -> tuple[str, ...]:
    return tuple(step["op"] for step in part["steps"])


def _part(part: Table, share: float | None = None) -> str:
    steps = "; ".join(step_in_words(step) for step in part["steps"]) or "nothing"
    return steps if share is None else f"{percent(share)}: {steps}"


def _paired(
    a: Sequence[Table], b: Sequence[Table], keys: Sequence[Callable[[Table], Hashable | None]]
) -> list[tuple[int, int]]:
    """Which entry of `a` answers which of `b`: alike by the first key, or by a later one; in the order of `a`."""
    pairs: dict[int, int] = {}
    for key in keys:
        for i, entry in enumerate(a):
            if i in pairs or key(entry) is None:
                continue
            same = (j for j, other in enumerate(b) if j not in pairs.values() and key(other) == key(entry))
            j = next(same, None)
            if j is not None:
                pairs[i] = j
    return sorted(pairs.items())


def _left_over(entries: Sequence[Table], taken: Sequence[int]) -> list[Table]:
    return [entry for index, entry in enumerate(entries) if index not in taken]
