"""What the blurs' fields have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from degrade.functional.kernels import MAX_SIZE
from degrade.ops.protocol import Distribution

SIZE = Distribution(15)
NO_ANGLE = Distribution(0.0)
MAX_BETA = 16.0


def reach_from(half_width: Callable[[Any], int]) -> Any:
    """`reach` of a class of draws whose kernel's half width follows from their fields."""
    return property(half_width)


HALF_SIZE: Any = reach_from(lambda draw: draw.size // 2)


def require_odd(size: Distribution, *, high: int = MAX_SIZE) -> None:
    """Raise ValueError unless `size` lies in 3..high, and is odd where it is stated rather than drawn from a range."""
    size.require(3, high, name="size")
    stated = size.choice or (() if size.constant is None else (size.constant,))
    even = [value for value in stated if value % 2 != 1]
    if even:
        raise ValueError(f"expected an odd size from 3 to {high}, got {even[0]:g}")
