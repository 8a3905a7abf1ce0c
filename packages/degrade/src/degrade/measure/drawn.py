"""What the traces of a set say was drawn: for each step how often it ran, for each field its values."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from degrade.functional.statistics import histogram

Table = dict[str, Any]

LONGEST_LIST = 4  # entries that are shown each as a value


@dataclass
class StepCount:
    """One step id: its op, how often it ran, the numbers and words of each field."""

    op: str
    ran: int = 0
    numbers: dict[str, array[float]] = field(default_factory=dict)
    words: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, step: Mapping[str, Any]) -> None:
        """One run of the step. Of a short list each entry counts, as `name[0]`, ...; long ones and keys do not."""
        self.ran += 1
        for name, value in step.items():
            if name in {"op", "id"} or name.endswith("key"):
                continue
            if isinstance(value, list | tuple):
                for place, entry in enumerate(value if len(value) <= LONGEST_LIST else ()):
                    self._count(f"{name}[{place}]", entry)
            else:
                self._count(name, value)

    def _count(self, name: str, value: object) -> None:
        if isinstance(value, bool | str):
            word = value if isinstance(value, str) else "yes" if value else "no"
            self.words.setdefault(name, Counter())[word] += 1
        elif isinstance(value, int | float):
            self.numbers.setdefault(name, array("d")).append(value)

    def drop_constants(self, drawn: frozenset[str]) -> None:
        """Forget numbers that never differ, unless `drawn` names them."""
        for name, found in list(self.numbers.items()):
            if name not in drawn and min(found) == max(found):
                del self.numbers[name]


def count_draws(
    traces: Iterable[Mapping[str, Any]], drawn: Mapping[str, frozenset[str]] | None = None
) -> dict[str, StepCount]:
    """The steps of `traces` by id, in the order of `drawn`, else as they first occur.

    Args:
        drawn: step id -> the fields its recipe draws: other numbers that never differ are left out, being settings.
            None: all are kept.
    """
    found: dict[str, StepCount] = {}
    for trace in traces:
        for step in (*trace.get("hr_steps", ()), *trace.get("steps", ())):
            found.setdefault(str(step["id"]), StepCount(str(step["op"]))).add(step)
    if drawn is not None:
        for name, step in found.items():
            step.drop_constants(drawn.get(name, frozenset()))
    order = [name for name in drawn or () if name in found]
    return {name: found[name] for name in [*order, *(name for name in found if name not in order)]}


def summary(counts: Mapping[str, StepCount]) -> dict[str, Table]:
    """Plain values: of numbers least, mean and most, of words how often each occurs."""

    def values(step: StepCount) -> Table:
        numbers = {
            name: {"least": min(found), "mean": sum(found) / len(found), "most": max(found)}
            for name, found in step.numbers.items()
        }
        return numbers | {name: dict(found.most_common()) for name, found in step.words.items()}

    return {name: {"op": step.op, "ran": step.ran, "values": values(step)} for name, step in counts.items()}


def histograms(counts: Mapping[str, StepCount], bins: int = 20) -> dict[str, Table]:
    """As `summary`, with the edges and counts of a histogram beside each number, and words under `words`."""

    def values(step: StepCount) -> Table:
        numbers = {name: spread(np.frombuffer(found), bins) for name, found in step.numbers.items()}
        return numbers | {name: {"words": dict(found.most_common())} for name, found in step.words.items()}

    return {name: {"op": step.op, "ran": step.ran, "values": values(step)} for name, step in counts.items()}


def spread(values: np.ndarray, bins: int = 20) -> Table:
    """Least, median, mean and most of at least one value, and a histogram."""
    edges, counts = histogram(values, bins)
    return {
        "least": edges[0],
        "median": float(np.median(values)),
        "mean": float(np.mean(values)),
        "most": edges[-1],
        "edges": edges,
        "counts": counts,
    }
