"""Sentences that figures decide."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from srzoo.report.study_claims import number, verdict
from srzoo.report.study_files import StudyFiles
from srzoo.report.study_spec import Claim


@pytest.fixture
def files(tmp_path: Path) -> StudyFiles:
    means = {"a": {"psnr": 27.5, "lpips": 0.2, "niqe": None}, "b": {"psnr": 26.0, "lpips": 0.25, "zero": 0}}
    (tmp_path / "e.json").write_text(json.dumps({"sets": [{"name": "S", "mean": means}]}))
    return StudyFiles(tmp_path, {})


def bounded(key: str, **bounds: float) -> Claim:
    return Claim("C.", f"e.json#S/a/{key}", f"e.json#S/b/{key}", **bounds)  # pyright: ignore[reportArgumentType]  bounds


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (bounded("psnr", difference_at_least=1.5), True),  # the bound itself counts
        (bounded("psnr", difference_at_least=1.51), False),
        (bounded("psnr", difference_at_most=1.5), True),
        (bounded("psnr", difference_at_most=1.49), False),
        (bounded("lpips", ratio_at_most=0.8), True),
        (bounded("lpips", ratio_at_most=0.79), False),
        (bounded("lpips", ratio_at_least=0.8), True),
        (bounded("lpips", ratio_at_least=0.81), False),
        (bounded("lpips", ratio_at_least=0.75, ratio_at_most=1.25), True),
        (bounded("lpips", ratio_at_least=0.75, ratio_at_most=0.79), False),
        (Claim("C.", "e.json#S/a/psnr", difference_at_least=27.5), True),  # right is 0
        (Claim("C.", "e.json#S/a/psnr", "e.json#S/b/zero", ratio_at_least=1.0), False),  # nothing is a ratio to 0
        (Claim("C.", "e.json#S/a/niqe", 4.0, difference_at_most=1.0), False),
        (Claim("C.", "e.json#S/a/niqe", 4.0, ratio_at_least=1.0), False),
        (Claim("C.", order="x > y > z", values={"x": 3, "y": 2.5, "z": "e.json#S/a/lpips"}), True),
        (Claim("C.", order="x > y > z", values={"x": 3, "y": 2.5, "z": 2.5}), False),
        (Claim("C.", order="x < y", values={"x": "e.json#S/a/lpips", "y": "e.json#S/b/lpips"}), True),
        (Claim("C.", order="x < y", values={"x": 1, "y": "e.json#S/a/niqe"}), False),
    ],
)
def test_a_claim_holds_when_every_figure_says_so(files: StudyFiles, claim: Claim, holds: bool) -> None:
    assert verdict(claim, files).holds == holds


def test_a_verdict_tells_figures_and_bound(files: StudyFiles) -> None:
    told = verdict(bounded("psnr", difference_at_least=2, ratio_at_most=1.1), files).line()
    measured = "27.5 - 26 = 1.5, 27.5 / 26 = 1.0577"
    assert told == f"does not hold: C. {measured}; asked: difference at least 2 and ratio at most 1.1"
    values = {"big T": 3, "y": "e.json#S/a/niqe"}
    told = verdict(Claim("C.", order="big T > y", values=values), files).line()  # pyright: ignore[reportArgumentType]
    assert told == "does not hold: C. big T 3, y not measured; asked: big T > y"


def test_a_figure_alone_is_bounded_as_it_is(files: StudyFiles) -> None:
    told = verdict(Claim("C.", "e.json#S/a/psnr", difference_at_least=28), files).line()
    assert told == "does not hold: C. 27.5; asked: at least 28"


def test_a_narrow_failure_is_not_printed_as_the_bound() -> None:
    assert number(1.4996) == "1.4996"
    assert number(math.nan) == "not measured"
