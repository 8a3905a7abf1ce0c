"""Figures of degraders as a table and as JSON that a study reads."""

from __future__ import annotations

import json
import math
from pathlib import Path

from srzoo.evaluate.degrader_table import JudgedSet, as_json, degraders_grid
from srzoo.evaluate.degraders import DegraderResults
from srzoo.evaluate.pairs import TestSet
from srzoo.metrics.noise_statistics import NoiseStatistics
from srzoo.report.study_files import StudyFiles

NOISE = NoiseStatistics(5.0, (4.0, 6.0, *[None] * 6), (0.5, 0.5, *[0.0] * 6), (1.0,) * 8, (0.1, 0.2, math.nan), 20)
PICTURES = tuple(
    (name, {"dml": {"psnr": psnr, "ssim": 0.9, "std": 5.0}, "real": {"std": 5.0}})
    for name, psnr in (("a.png", 30.0), ("b.png", 32.0))
)


def judged(name: str, noise: bool = True) -> JudgedSet:
    results = DegraderResults(PICTURES, {"real": NOISE, "dml": NOISE} if noise else {})
    return JudgedSet(
        TestSet(name, (), Path("hr"), Path("lr")), {"identity": "HR itself"}, "the pairs evaluated", results
    )


def test_the_table_has_a_part_for_each_set_and_a_dash_for_what_could_not_be_taken() -> None:
    grid = degraders_grid([judged("one"), judged("two")], "title")
    assert grid.headings[:4] == ("set", "degrader", "LR PSNR dB", "LR SSIM")
    assert [row[:4] for row in grid.rows] == [
        ("one (2 pictures)", "real", "", ""),
        ("", "dml", "31.000", "0.9000"),
        ("two (2 pictures)", "real", "", ""),
        ("", "dml", "31.000", "0.9000"),
    ]
    assert grid.rows[1][4:] == ("5.00", "0.000", "0.000", "0.00", "0.00", "-")
    assert grid.ends == {1, 3}


def test_without_noise_the_table_has_no_columns_of_it() -> None:
    assert degraders_grid([judged("one", noise=False)], "title").headings == (
        "set",
        "degrader",
        "LR PSNR dB",
        "LR SSIM",
    )


def test_a_study_finds_every_figure(tmp_path: Path) -> None:
    table = {"models": [{"name": "dml", "what": "a network"}], "sets": [as_json(judged("city"))]}
    (tmp_path / "d.json").write_text(json.dumps(table, allow_nan=False))
    files = StudyFiles(tmp_path, {})
    assert files.number("d.json#city/dml/psnr") == 31
    assert files.number("d.json#city/real/std_1") == 6
    assert math.isnan(files.number("d.json#city/dml/correlation_error"))
    assert math.isnan(files.number("d.json#city/real/std_7"))
    assert files.mean("d.json", "city", "real", "psnr") is None
    assert files.pictures("d.json", "city") == 2
    assert table["sets"][0]["blocks"] == {"real": 20, "dml": 20}
