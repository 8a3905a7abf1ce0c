"""The files of a blind preference study: the key beside its page, and what a rater's page has saved.

`ratings.json` is written by the page:
    {"format": "srzoo-ratings", "version": 1, "study": ID, "seed": N, "rater": NAME, "photos": [
      {"photo": TOKEN, "order": [TOKEN, ...], "scores": [0..5 or null, ...] or null,
       "ranks": [1.. or null, ...] or null, "seconds": S}]}
Scores and ranks (1: best) are of the methods in the order in which they were shown; a null inside is what was not
answered yet, a null instead what was not asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeVar

from degrade import schema
from degrade.codecs import read_bytes
from srzoo.errors import UsageError

VERSION = 1
KEY_FORMAT, RATINGS_FORMAT = "srzoo-study-key", "srzoo-ratings"
BEST = 5  # the highest score; the lowest is 0

By = Literal["score", "rank", "both"]
T = TypeVar("T")


@dataclass(frozen=True)
class KeyPhoto:
    """A trial: its token in the page, its photograph, its place (y, x, height, width), and its methods by token."""

    token: str
    photo: str
    place: tuple[int, int, int, int]
    methods: dict[str, str]


@dataclass(frozen=True)
class StudyKey:
    """What the page does not tell. `methods` says what each is, by name, in the order of tables."""

    format: str
    version: int
    study: str
    seed: int
    by: By
    methods: dict[str, str]
    photos: tuple[KeyPhoto, ...]

    def as_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"


@dataclass(frozen=True)
class RatedPhoto:
    """A rater's answers about one trial; `seconds` it was in sight."""

    photo: str
    order: tuple[str, ...]
    scores: tuple[float | None, ...] | None
    ranks: tuple[float | None, ...] | None
    seconds: float

    @property
    def is_finished(self) -> bool:
        """Whether all that was asked is answered."""
        asked = [given for given in (self.scores, self.ranks) if given is not None]
        return bool(asked) and all(value is not None for given in asked for value in given)


@dataclass(frozen=True)
class Ratings:
    """One rater's answers."""

    format: str
    version: int
    study: str
    seed: int
    rater: str
    photos: tuple[RatedPhoto, ...]


def read_key(path: Path) -> StudyKey:
    """The key at `path`.

    Raises:
        UsageError: no key of a study. ImageError, ResourceError: it cannot be read.
    """
    return _read(StudyKey, path, KEY_FORMAT, "give the .key.json that was written beside the page")


def read_ratings(path: Path, key: StudyKey) -> Ratings:
    """One rater's answers, checked against `key`.

    Raises:
        UsageError: no ratings, those of another study, or answers that cannot be.
    """
    found = _read(Ratings, path, RATINGS_FORMAT, "give the file that the page has saved")
    if found.study != key.study:
        problem = f"ratings of study {found.study[:8]}, but the key is of {key.study[:8]}"
        raise UsageError(path, problem, "give the key of the page that was rated")
    tokens = {one.token: one.methods for one in key.photos}
    seen = set()
    for one in found.photos:
        if one.photo not in tokens or one.photo in seen:
            raise UsageError(path, f"photo {one.photo} is not in the study, or twice", "save it anew from the page")
        seen.add(one.photo)
        _check(path, one, tokens[one.photo])
    return found


def _check(path: Path, one: RatedPhoto, methods: Mapping[str, str]) -> None:
    count, problems = len(methods), []
    if sorted(one.order) != sorted(methods):
        problems.append("shows other methods than the study")
    for name, given, low, high in (("score", one.scores, 0, BEST), ("rank", one.ranks, 1, count)):
        if given is not None and len(given) != count:
            problems.append(f"has {len(given)} {name}s of {count}")
        if any(value is not None and not low <= value <= high for value in given or ()):
            problems.append(f"has a {name} outside {low} to {high}")
    if problems:
        raise UsageError(path, f"photo {one.photo} {problems[0]}", "save it anew from the page")


def _read(cls: type[T], path: Path, format: str, cure: str) -> T:
    try:
        table = schema.read_json(read_bytes(path))
    except ValueError as error:
        raise UsageError(path, str(error), cure) from None
    if table.get("format") != format or table.get("version") != VERSION:
        problem = f"expected {format} {VERSION}, got {table.get('format')} {table.get('version')}"
        raise UsageError(path, problem, cure)
    return schema.build(cls, table, origin=str(path))
