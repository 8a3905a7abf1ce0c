"""How a picture was made: by one network, or by two and a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from srzoo.upscale.difference import Difference


@dataclass(frozen=True)
class Facts:
    """How the last picture was made.

    Attributes:
        tiles: how many.
        overlap: LR pixels around each tile that the network was shown.
        is_exact: the result is what the whole picture run at once gives; else tiles are blended.
        difference: what blended tiles changed, measured once for a model.
    """

    tiles: int
    is_fast: bool
    overlap: int = 0
    is_exact: bool = True
    difference: Difference | None = None

    def __str__(self) -> str:
        if self.tiles == 1:
            return "run at once"
        if self.is_exact:
            return f"{self.tiles} tiles with an overlap of {self.overlap} pixels, exact"
        measured = "" if self.difference is None else f", which changes {self.difference}"
        return f"{self.tiles} tiles blended over an overlap of {self.overlap} pixels{measured}"


@dataclass(frozen=True)
class FusedFacts:
    """How the last picture was made from the results of two models.

    Attributes:
        y_med: the median luma of the first result, 16..235; it is fused where that is below `gamma`.
        second: None where the second model did not run.
    """

    y_med: float
    gamma: float
    is_fused: bool
    first: Facts | FusedFacts
    second: Facts | FusedFacts | None = None

    @property
    def is_exact(self) -> bool:
        return self.first.is_exact and (self.second is None or self.second.is_exact)

    def __str__(self) -> str:
        if self.second is None:
            return f"Y_med {self.y_med:.1f}, not below {self.gamma:g}: the first model alone, {self.first}"
        return f"Y_med {self.y_med:.1f}, below {self.gamma:g}: fused; first {self.first}; second {self.second}"
