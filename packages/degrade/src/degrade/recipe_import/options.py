"""The options of a training file, looked up by name and checked one by one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from degrade.errors import UsageError

_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")  # YAML 1.1 takes 1e-4 for a word
_HUGE = 1e100
_REDUX_ONLY = ("blur_prob", "blur_prob2", "jpeg_prob", "jpeg_prob2", "kernel_range", "resize_mode_list", "lq_usm")


@dataclass(frozen=True)
class OptionFile:
    """Options of the file's top and of `datasets.train`, which share no name that matters here.

    Every method raises UsageError with file, option and cure where the value is missing or not of its kind.
    """

    path: Path
    values: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    @property
    def is_redux(self) -> bool:
        """Whether it has options that only traiNNer-redux knows."""
        return any(name in self for name in _REDUX_ONLY)

    def number(self, name: str, low: float, high: float) -> float:
        return self._number(name, self._stated(name), low, high)

    def whole(self, name: str, low: int, high: int) -> int:
        value = self.number(name, low, high)
        if value != int(value):
            raise self.error(name, f"expected a whole number, got {value:g}")
        return int(value)

    def range(self, name: str, low: float, high: float) -> tuple[float, float]:
        """Two numbers of [low, high], the smaller first."""
        values = self._list(name)
        if len(values) != 2:
            raise self.error(name, f"expected two numbers, got {_short(values)}")
        first, second = (self._number(name, value, low, high) for value in values)
        if first > second:
            raise self.error(name, f"expected low <= high, got {first:g} and {second:g}")
        return first, second

    def chances(self, name: str, count: int) -> list[float]:
        """`count` weights, not all 0."""
        values = self._list(name)
        if len(values) != count:
            raise self.error(name, f"expected {count} numbers, got {len(values)}")
        weights = [self._number(name, value, 0, math.inf) for value in values]
        if not sum(weights) > 0:
            raise self.error(name, "expected one number above 0")
        return weights

    def words(self, name: str, known: Mapping[str, str]) -> list[str]:
        """The words of a list as our own."""
        values = self._list(name)
        for value in values:
            if not isinstance(value, str) or value not in known:
                raise self.error(name, f"expected some of {', '.join(known)}, got {_short(value)}")
        return [known[value] for value in values]

    def flag(self, name: str, default: bool) -> bool:
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.error(name, f"expected true or false, got {_short(value)}")
        return default if value is None else value

    def error(self, name: str, problem: str, cure: str = "mend the value") -> UsageError:
        return UsageError(self.path, f"{name}: {problem}", cure)

    def _stated(self, name: str) -> Any:
        if name not in self:
            raise self.error(name, "missing", "state it, as the published option files do")
        return self.values[name]

    def _list(self, name: str) -> list[Any]:
        value = self._stated(name)
        if not isinstance(value, list):
            raise self.error(name, f"expected a list, got {_short(value)}")
        return value

    def _number(self, name: str, value: Any, low: float, high: float) -> float:
        if isinstance(value, str) and _EXPONENT.fullmatch(value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not -_HUGE < value < _HUGE:
            raise self.error(name, f"expected a number, got {_short(value)}")
        if not low <= value <= high:
            limit = f"of {low:g} or more" if high == math.inf else f"from {low:g} to {high:g}"
            raise self.error(name, f"expected a number {limit}, got {value:g}")
        return value


def _short(value: object) -> str:
    text = type(value).__name__ if isinstance(value, list | dict) and len(value) > 8 else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
