"""Steps about steps: which of them run."""

from __future__ import annotations

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
        return tuple(draw for step in chosen.steps for draw in step.draw(stream.stream))
