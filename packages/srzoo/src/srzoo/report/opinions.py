"""What the raters of a blind preference study say together: scores, ranks, preferences, and whether they agree."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srzoo.errors import UsageError
from srzoo.metrics.opinion import kendalls_w, mean_interval, mean_spearman, midranks, preferences
from srzoo.report.ratings import RatedPhoto, Ratings, StudyKey


@dataclass(frozen=True)
class Opinion:
    """Of one method. `interval` is half the width of the mean score's 95 % confidence interval; MOR 1 is best."""

    method: str
    mos: float
    interval: float
    mor: float
    ratings: int


@dataclass(frozen=True)
class Opinions:
    """Everything a study says.

    Attributes:
        preferred: (k, k), how often the method of the row was ranked before that of the column.
        judgements: how many there are: trials times raters.
        agreement: Kendall's W, the mean over trials that two raters or more have judged; `spearman` likewise.
        unfinished: trials that a rater began and did not finish: left out.
    """

    study: str
    raters: tuple[str, ...]
    methods: tuple[Opinion, ...]
    preferred: NDArray[np.int64]
    judgements: int
    trials: int
    agreement: float
    spearman: float
    seconds: float
    unfinished: int

    def ties(self) -> NDArray[np.int64]:
        """(k, k), how often two were ranked alike."""
        return self.judgements - self.preferred - self.preferred.T

    def as_json(self) -> dict[str, Any]:
        """Plain values; null for what is not finite."""
        names = [one.method for one in self.methods]
        pairs = [(a, b) for a in range(len(names)) for b in range(a + 1, len(names))]
        return {
            "study": self.study,
            "raters": list(self.raters),
            "trials": self.trials,
            "judgements": self.judgements,
            "unfinished": self.unfinished,
            "methods": [{key: _finite(value) for key, value in asdict(one).items()} for one in self.methods],
            "pairs": [
                {
                    "methods": [names[a], names[b]],
                    "preferred": [int(self.preferred[a, b]), int(self.preferred[b, a])],
                    "ties": int(self.ties()[a, b]),
                }
                for a, b in pairs
            ],
            "agreement": {"kendalls_w": _finite(self.agreement), "mean_spearman": _finite(self.spearman)},
            "seconds_per_trial": _finite(self.seconds),
        }


def opinions(key: StudyKey, ratings: Sequence[Ratings]) -> Opinions:
    """What `ratings`, of this study, say together. Where no ranks were given, scores make them; equal ones tie.

    Raises:
        UsageError: the same file twice, or nobody has finished a photograph.
    """
    sessions = [(one.rater, one.seed) for one in ratings]
    twice = next((session for session in sessions if sessions.count(session) > 1), None)
    if twice is not None:
        problem = f"given twice (rater '{twice[0]}', seed {twice[1]})"
        raise UsageError("ratings", problem, "give each rater's file once, the newest")
    finished = [photo for one in ratings for photo in one.photos if photo.is_finished]
    if not finished:
        raise UsageError("ratings", "nobody has finished a photograph", "rate all methods of one at least")
    ranks, scores, by_trial = [], [], defaultdict(list)
    for photo in finished:
        scored, ranked = _in_order(key, photo)
        ranks.append(ranked)
        by_trial[photo.photo].append(ranked)
        scores += [] if scored is None else [scored]
    table, trials = np.stack(ranks), [np.stack(rows) for rows in by_trial.values()]  # (n, k); (raters, k) each
    columns = np.stack(scores, axis=1) if scores else np.empty((len(key.methods), 0))  # (k, n)
    methods = [
        Opinion(name, *mean_interval(columns[k]), mor=float(table[:, k].mean()), ratings=len(table))
        for k, name in enumerate(key.methods)
    ]
    return Opinions(
        study=key.study,
        raters=tuple(one.rater or f"rater {number}" for number, one in enumerate(ratings, start=1)),
        methods=tuple(methods),
        preferred=preferences(table),
        judgements=len(table),
        trials=len(trials),
        agreement=_mean([kendalls_w(rows) for rows in trials]),
        spearman=_mean([mean_spearman(rows) for rows in trials]),
        seconds=math.fsum(photo.seconds for photo in finished) / len(finished),
        unfinished=sum(len(one.photos) for one in ratings) - len(finished),
    )


def _in_order(key: StudyKey, photo: RatedPhoto) -> tuple[NDArray[np.float64] | None, NDArray[np.float64]]:
    """Scores, if any, and ranks of the methods in the order of `key`."""
    methods = next(one.methods for one in key.photos if one.token == photo.photo)
    shown = [methods[token] for token in photo.order]
    order = [shown.index(name) for name in key.methods]
    scores, ranks = (None if given is None else np.array(given, float)[order] for given in (photo.scores, photo.ranks))
    if ranks is None:
        ranks = midranks(np.empty(0) if scores is None else scores)  # a finished one has either
    return scores, ranks


def _mean(values: Sequence[float]) -> float:
    """Of those that are there."""
    there = [value for value in values if not math.isnan(value)]
    return math.fsum(there) / len(there) if there else math.nan


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
