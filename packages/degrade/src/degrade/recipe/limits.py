"""What an op accepts in each drawn field, learned by running its own checks on fields that write down what is asked.

The limits stand in one place, the op's `__post_init__`; schema and help read them from there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_args, get_type_hints

import numpy as np

from degrade.assets import ModelFile, PoolFile
from degrade.ops.protocol import Distribution, Options


@dataclass(frozen=True)
class Limits:
    """Of a drawn number its bounds (`above`: the lower one itself is refused), of a drawn word those known."""

    low: float = -np.inf
    high: float = np.inf
    above: bool = False
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.words:
            return ", ".join(self.words)
        least = f"above {self.low:g}" if self.above else f"{self.low:g}"
        if self.low == -np.inf:
            return "" if self.high == np.inf else f"at most {self.high:g}"
        if self.high == np.inf:
            return least if self.above else f"{least} or more"
        return f"{least} to {self.high:g}" if not self.above else f"{least}, at most {self.high:g}"


def limits_of(cls: type) -> dict[str, Limits]:
    """Field: what op `cls` asks of it. A check that depends on other fields is seen as their defaults have it."""
    hints = get_type_hints(cls)
    optional = [name for name, hint in hints.items() if hint is not Distribution and Distribution in get_args(hint)]
    asked: dict[str, Limits] = {}
    for stated in (None, *optional):  # one at a time: some exclude each other
        asked = _asked(cls, hints, stated) | asked
    return asked


def _asked(cls: type, hints: dict[str, Any], stated: str | None) -> dict[str, Limits]:
    probe, noted = object.__new__(cls), {}
    for field in fields(cls):
        default = field.default if field.default is not MISSING else _STAND_INS.get(hints[field.name])
        if hints[field.name] is Distribution or field.name == stated:
            default = noted[field.name] = _NotingDistribution(1.0)
        elif hints[field.name] is Options:
            default = noted[field.name] = _NotingOptions("")
        object.__setattr__(probe, field.name, default)
    with contextlib.suppress(ValueError, TypeError, AttributeError):  # a check of fields that are stand-ins here
        getattr(probe, "__post_init__", lambda: None)()
    return {name: field.asked for name, field in noted.items() if hasattr(field, "asked")}


_STAND_INS: dict[Any, Any] = {int: 4, float: 1.0, bool: False, str: "", PoolFile: None, ModelFile: None}


class _NotingDistribution(Distribution):
    def require(self, low: float, high: float = np.inf, *, name: str, above: bool = False) -> None:
        object.__setattr__(self, "asked", Limits(float(low), float(high), above))


class _NotingOptions(Options):
    def require(self, known: Collection[str], *, name: str) -> None:
        object.__setattr__(self, "asked", Limits(words=tuple(known)))
