"""Claims of a study: sentences that figures decide."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from operator import ge, gt, le, lt

from srzoo.report.study_files import StudyFiles
from srzoo.report.study_spec import BOUNDS, Claim

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {"least": ge, "most": le}


@dataclass(frozen=True)
class Verdict:
    """What became of a claim: (name, number) of what it compares, what came of it and what was asked, in words."""

    text: str
    values: tuple[tuple[str, float], ...]
    measured: str
    asked: str
    holds: bool

    @property
    def word(self) -> str:
        return "holds" if self.holds else "does not hold"

    def line(self) -> str:
        """`does not hold: Generic beats bicubic. 27.4 - 26.1 = 1.3; asked: difference at least 1.5`."""
        return f"{self.word}: {self.text} {self.measured}; asked: {self.asked}"


def verdict(claim: Claim, files: StudyFiles) -> Verdict:
    """What the figures say of `claim`; one that rests on a figure nobody could take (NaN) does not hold.

    Raises:
        UsageError, IntegrityError: a reference that leads nowhere.
    """
    return _of_order(claim, files) if claim.order else _of_bounds(claim, files)


def number(value: float) -> str:
    """Five digits, so that what fails narrowly is not printed as the bound itself."""
    return "not measured" if math.isnan(value) else f"{value:.5g}"


def _of_bounds(claim: Claim, files: StudyFiles) -> Verdict:
    left, right = files.number(claim.left if claim.left is not None else math.nan), files.number(claim.right)
    results = {"difference": left - right, "ratio": left / right if right else math.nan}
    signs = {"difference": "-", "ratio": "/"}
    asked, holds, used = [], [], []
    for name in BOUNDS:
        bound = getattr(claim, name)
        if bound is not None:
            kind, _, side = name.split("_")
            asked.append(f"{kind} at {side} {bound:g}")
            holds.append(_COMPARISONS[side](results[kind], bound))
            used.append(kind)
    measured = [f"{number(left)} {signs[k]} {number(right)} = {number(results[k])}" for k in dict.fromkeys(used)]
    if claim.right == 0:  # the figure itself is what is bounded
        measured, asked = [number(left)], [words.removeprefix("difference ") for words in asked]
    values = (("left", left), ("right", right))
    return Verdict(claim.text, values, ", ".join(measured), " and ".join(asked), all(holds))


def _of_order(claim: Claim, files: StudyFiles) -> Verdict:
    names, sign = claim.ordered()
    values = tuple((name, files.number(claim.values[name])) for name in names)
    follows = gt if sign == ">" else lt
    holds = all(follows(one, other) for (_, one), (_, other) in pairwise(values))
    measured = ", ".join(f"{name} {number(value)}" for name, value in values)
    return Verdict(claim.text, values, measured, f" {sign} ".join(names), holds)
