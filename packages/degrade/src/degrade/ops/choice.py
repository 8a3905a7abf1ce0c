"""Steps about steps: which of them run, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from degrade.ops.protocol import Draw, Step
from degrade.rng import StepStream


@dataclass(frozen=True)
class Branch:
    steps: tuple[Step, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class OneOf:
    """Runs the steps of one branch, chosen with chances in proportion to the weights."""

    branches: tuple[Branch, ...]

    def __post_init__(self) -> None:
        weights = [branch.weight for branch in self.branches]
        if not weights or min(weights) < 0 or sum(weights) <= 0:
            raise ValueError("expected at least one branch, weights >= 0 and one above 0")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        chosen = self.branches[stream.choice("branch", tuple(branch.weight for branch in self.branches))]
        return _in_order(chosen.steps, stream)


@dataclass(frozen=True)
class Group:
    """Steps that stay together, in their order. `name` is what `keep_order` calls it."""

    steps: tuple[Step, ...]
    name: str = ""


@dataclass(frozen=True)
class Shuffled:
    """Runs all groups in a random order, every order alike.

    `keep_order = [["a", "b"]]`: where the shuffle puts those groups, they swap places until a comes before b, so the
    first of two reductions stays the first (BSRGAN: Zhang et al. 2021, section 3.4).
    """

    groups: tuple[Group, ...]
    keep_order: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        if len(self.groups) < 2:
            raise ValueError("expected at least two groups")
        names = [group.name for group in self.groups if group.name]
        if len(set(names)) != len(names):
            raise ValueError("expected a name of its own for each group")
        kept = [name for chain in self.keep_order for name in chain]
        strangers = [name for name in kept if name not in names]
        if strangers:
            raise ValueError(f"expected keep_order to name groups ({', '.join(names) or 'none'}), got '{strangers[0]}'")
        if len(set(kept)) != len(kept):
            raise ValueError("expected each group at most once in keep_order")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        order = list(range(len(self.groups)))
        for last in range(len(order) - 1, 0, -1):  # Fisher and Yates
            other = stream.integer(f"swap{last}", last + 1)
            order[last], order[other] = order[other], order[last]
        return tuple(draw for index in self.kept(order) for draw in _in_order(self.groups[index].steps, stream))

    def kept(self, order: Sequence[int]) -> list[int]:
        """`order` (of group numbers) with the groups of each chain of `keep_order` in that chain's order."""
        result = list(order)
        numbers = {group.name: number for number, group in enumerate(self.groups)}
        for chain in self.keep_order:
            members = [numbers[name] for name in chain]
            places = sorted(result.index(number) for number in members)
            for place, number in zip(places, members, strict=True):
                result[place] = number
        return result


def _in_order(steps: Sequence[Step], stream: StepStream) -> tuple[Draw, ...]:
    return tuple(draw for step in steps for draw in step.draw(stream.stream))
