"""Ratings and their key: what is read, what is refused, and what they say together."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from degrade.errors import DegradeError
from srzoo.errors import UsageError
from srzoo.report.opinions import opinions
from srzoo.report.ratings import KEY_FORMAT, KeyPhoto, Ratings, StudyKey, read_key, read_ratings

METHODS = ("a", "b", "c")
TOKENS = ("t2", "t0", "t1")  # of a, b, c


def study_key() -> StudyKey:
    photos = tuple(
        KeyPhoto(f"p{n}", f"photo {n}", (0, 0, 8, 8), {f"{t}-{n}": m for t, m in zip(TOKENS, METHODS, strict=True)})
        for n in range(2)
    )
    return StudyKey(KEY_FORMAT, 1, "ab" * 16, 0, "score", dict.fromkeys(METHODS, "what"), photos)


def photo(number: int, order: tuple[int, ...], scores: Any, ranks: Any = None) -> dict[str, Any]:
    """Of methods shown in `order` (indices of a, b, c), the answers in the order of a, b, c."""
    turned = [None if given is None else [given[k] for k in order] for given in (scores, ranks)]
    shown = [f"{TOKENS[k]}-{number}" for k in order]
    return {"photo": f"p{number}", "order": shown, "scores": turned[0], "ranks": turned[1], "seconds": 4}


def ratings(rater: str, *photos: dict[str, Any], **other: Any) -> dict[str, Any]:
    head = {"format": "srzoo-ratings", "version": 1, "study": "ab" * 16, "seed": 7, "rater": rater}
    return {**head, "photos": list(photos), **other}


def read(tmp_path: Path, table: dict[str, Any]) -> Ratings:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(table))
    return read_ratings(path, study_key())


def test_the_key_survives_its_file(tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text(study_key().as_json())
    assert read_key(tmp_path / "k.json") == study_key()


def test_scores_find_their_method_whatever_the_order(tmp_path: Path) -> None:
    ann = read(tmp_path, ratings("Ann", photo(0, (2, 0, 1), (5, 3, 1)), photo(1, (0, 1, 2), (4, 4, 0))))
    ben = read(tmp_path, ratings("", photo(0, (1, 2, 0), (5, 4, 3))))
    said = opinions(study_key(), [ann, ben])
    assert said.raters == ("Ann", "rater 2")
    assert (said.judgements, said.trials, said.unfinished, said.seconds) == (3, 2, 0, 4)
    scores = {"a": [5, 4, 5], "b": [3, 4, 4], "c": [1, 0, 3]}
    ranks = {"a": [1, 1.5, 1], "b": [2, 1.5, 2], "c": [3, 3, 3]}
    for one in said.methods:
        assert (one.mos, one.mor, one.ratings) == (np.mean(scores[one.method]), np.mean(ranks[one.method]), 3)
        assert math.isclose(one.interval, stats.t.ppf(0.975, 2) * stats.sem(scores[one.method]))
    assert said.preferred.tolist() == [[0, 2, 3], [0, 0, 3], [0, 0, 0]]
    assert said.ties().tolist() == [[3, 1, 0], [1, 3, 0], [0, 0, 3]]
    assert (said.agreement, round(said.spearman, 12)) == (1, 1)  # of the one photo that both have judged


def test_given_ranks_go_before_scores_and_ranks_alone_have_no_mos(tmp_path: Path) -> None:
    both = read(tmp_path, ratings("Ann", photo(0, (2, 1, 0), (5, 5, 0), (2, 1, 3))))
    assert [one.mor for one in opinions(study_key(), [both]).methods] == [2, 1, 3]
    alone = read(tmp_path, ratings("Ann", photo(0, (2, 1, 0), None, (3, 1, 2))))
    said = opinions(study_key(), [alone])
    assert [one.mor for one in said.methods] == [3, 1, 2]
    assert all(math.isnan(one.mos) for one in said.methods)
    told = json.loads(json.dumps(said.as_json(), allow_nan=False))
    assert told["methods"][0] == {"method": "a", "mos": None, "interval": None, "mor": 3, "ratings": 1}
    assert told["pairs"][0] == {"methods": ["a", "b"], "preferred": [0, 1], "ties": 0}
    assert told["agreement"] == {"kendalls_w": None, "mean_spearman": None}


def test_what_is_not_finished_is_left_out_and_counted(tmp_path: Path) -> None:
    half = photo(1, (0, 1, 2), (4, None, 0))
    said = opinions(study_key(), [read(tmp_path, ratings("Ann", photo(0, (0, 1, 2), (5, 3, 1)), half))])
    assert (said.judgements, said.unfinished) == (1, 1)
    with pytest.raises(UsageError, match="nobody has finished a photograph"):
        opinions(study_key(), [read(tmp_path, ratings("Ann", half))])


def test_the_same_session_twice_is_refused(tmp_path: Path) -> None:
    one = read(tmp_path, ratings("Ann", photo(0, (0, 1, 2), (5, 3, 1))))
    with pytest.raises(UsageError, match=r"given twice \(rater 'Ann', seed 7\)"):
        opinions(study_key(), [one, one])


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (ratings("A", study="cd" * 16), "ratings of study cdcdcdcd, but the key is of abababab"),
        (ratings("A", version=2), "expected srzoo-ratings 1, got srzoo-ratings 2"),
        (ratings("A", photo(0, (0, 1, 2), (5, 3, 6))), "photo p0 has a score outside 0 to 5"),
        (ratings("A", photo(0, (0, 1, 2), None, (0, 1, 2))), "photo p0 has a rank outside 1 to 3"),
        (ratings("A", photo(0, (0, 1), (5, 3, 1))), "photo p0 shows other methods than the study"),
        (ratings("A", {**photo(0, (0, 1, 2), (5, 3, 1)), "scores": [1]}), "photo p0 has 1 scores of 3"),
        (ratings("A", *[photo(0, (0, 1, 2), (5, 3, 1))] * 2), "photo p0 is not in the study, or twice"),
        (ratings("A", more=1), "more: unknown key"),
    ],
)
def test_ratings_that_cannot_be_are_refused_in_one_line(table: dict[str, Any], problem: str, tmp_path: Path) -> None:
    with pytest.raises(DegradeError) as caught:
        read(tmp_path, table)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_another_kind_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text("[1]")
    with pytest.raises(UsageError, match=r"k\.json: not a JSON object - give the \.key\.json"):
        read_key(tmp_path / "k.json")
