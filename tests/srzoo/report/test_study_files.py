"""Figures by reference, and files that are not there."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from degrade.errors import DegradeError
from srzoo.errors import IntegrityError, UsageError
from srzoo.evaluate import COLUMNS
from srzoo.evaluate.degrader_table import DEGRADER_COLUMNS
from srzoo.report.study_files import MEASURES, Measure, StudyFiles, measures
from srzoo.report.study_spec import MeasureSpec

EVALUATION = {
    "scale": 4,
    "models": [
        {"name": "bicubic", "what": "", "parameters": None},
        {"name": "runs/a", "parameters": 7, "seconds": 2.5},
    ],
    "sets": [
        {"name": "S", "mean": {"bicubic": {"psnr": 20.0}}},
        {"name": "S/dark", "mean": {"bicubic": {"psnr": 21.0}, "runs/a": {"psnr": 22.5, "gain": 1.5, "niqe": None}}},
    ],
}


@pytest.fixture
def files(tmp_path: Path) -> StudyFiles:
    (tmp_path / "e.json").write_text(json.dumps(EVALUATION))
    (tmp_path / "other.json").write_text(json.dumps({"kernels": [{"psnr": 41.5}, {"psnr": 43}], "word": "x"}))
    (tmp_path / "bad.json").write_text('{"sets": [')
    return StudyFiles(tmp_path, {"results/*": "run `make results`", "*.png": "run `make pictures`"})


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        (3, 3.0),
        ("e.json#S/bicubic/psnr", 20.0),
        ("e.json#S/dark/bicubic/psnr", 21.0),
        ("e.json#S/dark/runs/a/gain", 1.5),
        ("e.json#S/dark/runs/a/parameters", 7.0),
        ("e.json#S/dark/runs/a/seconds", 2.5),
        ("other.json#kernels/1/psnr", 43.0),
    ],
)
def test_a_reference_is_the_figure_it_names(files: StudyFiles, reference: float | str, value: float) -> None:
    assert files.number(reference) == value


def test_null_is_nan(files: StudyFiles) -> None:
    assert math.isnan(files.number("e.json#S/dark/runs/a/niqe"))


def test_a_figure_that_only_other_models_have_is_none(files: StudyFiles) -> None:
    assert files.mean("e.json", "S/dark", "bicubic", "gain") is None
    with pytest.raises(UsageError):
        files.mean("e.json", "S", "bicubic", "gain")


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("27.4", "27.4: is no reference - write it as FILE#SET/MODEL/MEASURE"),
        ("e.json#T/bicubic/psnr", "e.json#T/bicubic/psnr: no set 'T' there - known: S, S/dark"),
        ("e.json#S/bicubix/psnr", "no model 'bicubix' there - did you mean 'bicubic'?"),
        ("e.json#S/dark/runs/a/psnrr", "no measure 'psnrr' there - did you mean 'psnr'?"),
        ("other.json#kernels/2/psnr", "no entry '2' there"),
        ("other.json#word", "is no number"),
        ("bad.json#S/a/psnr", "bad.json: is no JSON"),
        ("results/x.json#S/a/psnr", "results/x.json: is not there - run `make results`"),
    ],
)
def test_a_reference_that_leads_nowhere_says_where_it_ends(files: StudyFiles, reference: str, problem: str) -> None:
    with pytest.raises(DegradeError) as caught:
        files.number(reference)
    assert problem in str(caught.value)
    assert isinstance(caught.value, IntegrityError) == reference.startswith("bad")


def test_all_missing_files_are_one_line_with_the_cure_of_the_first(files: StudyFiles) -> None:
    files.require(["e.json"])
    with pytest.raises(UsageError) as caught:
        files.require(["e.json", "a.png", "results/x.json", "runs/a"])
    line = "a.png: is not there, nor are results/x.json, runs/a - run `make pictures`"
    assert str(caught.value).endswith(line)
    with pytest.raises(UsageError, match="make it, or take it out of the study"):
        files.require(["runs/a"])


def test_the_measures_are_those_of_evaluate() -> None:
    own = {key: measure.sign for key, measure in MEASURES.items() if key != "parameters"}
    columns = {key: column.sign for key, column in {**COLUMNS, **DEGRADER_COLUMNS}.items()}
    without_pairs = {"accuracy": -1, "auc": -1, "correlation": 1, "slope": 0}  # of tell-apart and follow-noise
    assert own == columns | without_pairs


def test_a_study_changes_measures_and_adds_its_own() -> None:
    specs = {"psnr": MeasureSpec(digits=3), "critic": MeasureSpec("accuracy", 1, "neither")}
    known = measures(specs, origin="s")
    assert known["psnr"] == Measure("PSNR dB", 3, 1)
    assert known["critic"] == Measure("accuracy", 1, 0)
    assert known["psnr"].printed(1234.56789) == "1,234.568"
    assert [known["psnr"].printed(value) for value in (math.nan, math.inf)] == ["-", "∞"]
    with pytest.raises(UsageError, match=r"s: measures\.new: digits and better are missing"):
        measures({"new": MeasureSpec("New")}, origin="s")
