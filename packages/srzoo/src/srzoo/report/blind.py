"""A blind preference study as one page: crops without names in shuffled orders, scored or ranked; and its key.

The page knows the methods by tokens alone; which token is which stands in the key, a file beside the page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from srzoo import __version__
from srzoo.errors import UsageError
from srzoo.report.page import templates
from srzoo.report.pictures import embedded
from srzoo.report.ratings import KEY_FORMAT, VERSION, By, KeyPhoto, StudyKey
from srzoo.report.trials import Trial

MOST_METHODS = 9  # letters A to I; more cannot be judged at once


@dataclass(frozen=True)
class Study:
    """The page as HTML, and its key."""

    html: str
    key: StudyKey


def blind_study(
    trials: Sequence[Trial], methods: Mapping[str, str], *, by: By = "score", seed: int = 0, title: str = ""
) -> Study:
    """A page that asks for an opinion of every trial; the same arguments give the same bytes.

    Each rater sees photographs and methods in an order of their own, drawn by a seed in the page and written into the
    ratings with it. Pictures are lossless.

    Args:
        methods: what each is, by name; for the key.
        by: `score`: 0 to 5 for each method. `rank`: which is best, second, ... `both`.
        seed: of the tokens.

    Raises:
        UsageError: fewer than two methods, or more than nine.
    """
    if not 2 <= len(methods) <= MOST_METHODS:
        raise UsageError("--rate", f"{len(methods)} methods", f"give two to {MOST_METHODS}")
    photos, shown = [], []
    for number, trial in enumerate(trials):
        name = _token(seed, number, trial.photo)
        tokens = {_token(seed, number, method, "of", trial.photo): method for method in trial.made}
        photos.append(KeyPhoto(name, trial.photo, trial.place, dict(sorted(tokens.items()))))
        shown.append(_shown(name, trial, tokens))
    shown.sort(key=lambda one: one["photo"])
    has_truth = any("Truth" in trial.context for trial in trials)
    study = hashlib.sha256(json.dumps([VERSION, by, shown], sort_keys=True).encode()).hexdigest()[:32]
    data = {"study": study, "version": VERSION, "by": by, "trials": shown}
    page = {"title": title or "Which picture is best?", "has_truth": has_truth, "by": by, "version": __version__}
    html = templates().get_template("rate.html").render(page=page, data=data)
    return Study(html, StudyKey(KEY_FORMAT, VERSION, study, seed, by, dict(methods), tuple(photos)))


def _shown(name: str, trial: Trial, tokens: Mapping[str, str]) -> dict:
    """What the page holds of a trial; candidates in the order of their tokens, which tells nothing."""
    labels = {"Input": "Input", "Truth": "Reference"}
    return {
        "photo": name,
        "height": trial.place[2],
        "width": trial.place[3],
        "context": [
            {"label": labels[label], "uri": embedded(pixels, 100), "input": label == "Input"}
            for label, pixels in trial.context.items()
        ],
        "candidates": [{"token": token, "uri": embedded(trial.made[tokens[token]], 100)} for token in sorted(tokens)],
    }


def _token(*parts: object) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=5).hexdigest()
