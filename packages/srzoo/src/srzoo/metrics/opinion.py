"""What people's ratings say: mean opinion score, mean opinion rank, who is preferred, and whether raters agree."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Table = NDArray[np.float64]


def midranks(scores: Table) -> Table:
    """Ranks of `scores` (..., k) along the last axis: 1 for the highest; equal ones share the mean of their places."""
    higher = (scores[..., None, :] > scores[..., :, None]).sum(-1)  # (..., k)
    equal = (scores[..., None, :] == scores[..., :, None]).sum(-1)  # itself included
    return higher + (equal + 1) / 2


def mean_interval(values: Table, confidence: float = 0.95) -> tuple[float, float]:
    """The mean of `values` (n,), and how far its confidence interval reaches to either side: Student's t.

    The values are taken as independent. nan where they are too few: no mean of none, no interval of one.
    """
    count = len(values)
    if count < 2:
        return (float(values[0]) if count else math.nan), math.nan
    quantile = float(stdtrit(count - 1, (1 + confidence) / 2))
    return float(values.mean()), quantile * float(values.std(ddof=1)) / math.sqrt(count)


def preferences(ranks: Table) -> NDArray[np.int64]:
    """(k, k): how often, in `ranks` (n, k), the method of the row is before that of the column; ties count for none."""
    return (ranks[:, :, None] < ranks[:, None, :]).sum(0)


def kendalls_w(ranks: Table) -> float:
    """Kendall's coefficient of concordance of `ranks` (m raters, k methods), corrected for ties.

    1 where all agree; for raters that know nothing of each other 1 / m is expected, not 0. nan for one rater or one
    method, or where every rater finds all alike.

    Source: Kendall & Babington Smith 1939, "The problem of m rankings"; the correction: Siegel & Castellan 1988, 9.3.
    """
    raters, methods = ranks.shape
    sums = ranks.sum(0)
    spread = 12 * float(((sums - sums.mean()) ** 2).sum())
    most = raters**2 * (methods**3 - methods) - raters * sum(_ties(row) for row in ranks)
    return spread / most if raters > 1 and most > 0 else math.nan


def mean_spearman(ranks: Table) -> float:
    """The mean of Spearman's correlation over all pairs of raters, `ranks` (m, k): 1 where all agree, 0 by chance.

    Without ties (m W - 1) / (m - 1) with Kendall's W. Raters who find all alike have none and are left out; nan where
    fewer than two are left.
    """
    centred = ranks - ranks.mean(1, keepdims=True)
    lengths = np.sqrt((centred**2).sum(1))
    units = centred[lengths > 0] / lengths[lengths > 0, None]
    pairs = [float(one @ other) for one, other in combinations(units, 2)]
    return math.fsum(pairs) / len(pairs) if pairs else math.nan


def _ties(row: Table) -> int:
    """The sum of t^3 - t over groups of t equal ranks."""
    counts = np.unique(row, return_counts=True)[1]
    return int((counts**3 - counts).sum())
