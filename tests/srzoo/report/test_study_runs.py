"""Training curves of a study."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from srzoo.errors import UsageError
from srzoo.report.study_files import StudyFiles
from srzoo.report.study_runs import run_view
from srzoo.report.study_spec import RunSpec


def write_log(folder: Path, steps: int) -> None:
    folder.mkdir()
    records = [
        {"step": step, "stage": "a", "seconds": 2.0 * step, "losses": {"pixel": 1.0 / step, "gan": 1.0}}
        | ({"psnr": 25 + step / steps, "psnr_bicubic": 24.5} if step % 100 == 0 else {})
        for step in range(1, steps + 1)
    ]
    (folder / "log.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))


def test_a_run_tells_time_and_psnr_and_draws_each_curve(tmp_path: Path) -> None:
    write_log(tmp_path / "run", 3000)
    view = run_view(RunSpec("R", "run"), StudyFiles(tmp_path, {}))
    assert view.facts == "3,000 steps in 1 h 40 min, held-out PSNR (Y) 26.00 dB, +1.50 dB over bicubic."
    names = [re.findall(r'aria-label="(.*?)"', chart) for chart in view.charts]
    assert names == [["PSNR (Y) of held-out pairs"], ["Training loss: pixel"], ["Training loss: gan"]]
    assert max(chart.count("L") for chart in view.charts) < 1000  # two lines of at most 400 points


def test_losses_can_be_left_out(tmp_path: Path) -> None:
    write_log(tmp_path / "run", 300)
    assert len(run_view(RunSpec("R", "run", losses=False), StudyFiles(tmp_path, {})).charts) == 1


def test_a_folder_without_a_diary_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"log\.jsonl: holds no steps of a training"):
        run_view(RunSpec("R", "."), StudyFiles(tmp_path, {}))
