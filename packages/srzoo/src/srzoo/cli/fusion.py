"""How two models are fused, as text: `ren2020[:MODEL,MODEL][,alpha=0.6][,beta=0.4][,gamma=64]`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from degrade.errors import UsageError
from degrade.schema import nearest
from srzoo.upscale.fuse import ALPHA, BETA, GAMMA

METHOD = "ren2020"
_NUMBERS = ("alpha", "beta", "gamma")


@dataclass(frozen=True)
class Fusion:
    """The numbers of Ren et al.'s Eq. 6, and what is fused, where the text says it."""

    alpha: float = ALPHA
    beta: float = BETA
    gamma: float = GAMMA
    parts: tuple[str, ...] = ()

    def formula(self, first: str, second: str) -> str:
        return f"{self.alpha:g} {first} + {self.beta:g} {second} where Y_med of {first} < {self.gamma:g}, else {first}"


def is_fusion(text: str) -> bool:
    """Whether `text` names models to be fused; `ren2020:generator`, a product of a run, does not."""
    return text.startswith(f"{METHOD}:") and "," in text


def read_fusion(option: str, text: str) -> Fusion:
    """What `text`, the value of `option`, says.

    Raises:
        UsageError: another method, an unknown setting, or no number.
    """
    subject = f"{option} {text}"
    method, _, rest = text.partition(":")
    if method != METHOD:
        raise UsageError(subject, "no such fusion", f"use {METHOD}")
    parts, numbers = [], {}
    for item in rest.split(",") if rest else []:
        key, equals, value = item.partition("=")
        if not equals:
            parts.append(item)
        elif key in _NUMBERS:
            numbers[key] = _number(subject, key, value)
        else:
            raise UsageError(subject, f"no setting '{key}'", nearest(key, _NUMBERS))
    return Fusion(**numbers, parts=tuple(parts))


def _number(subject: str, key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(subject, f"{key} is '{value}', not a finite number", f"e.g. {key}={getattr(Fusion(), key):g}")
    return number
