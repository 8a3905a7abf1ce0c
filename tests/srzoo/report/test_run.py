"""What is read from a run folder, whole or damaged."""

from __future__ import annotations

import json
from pathlib import Path

from srzoo.report.run import Diary, duration, facts, read_diary


def write_log(folder: Path, *records: object, tail: str = "") -> None:
    (folder / "log.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records) + tail)


def test_losses_scores_and_stages_are_collected(tmp_path: Path) -> None:
    write_log(
        tmp_path,
        {"step": 10, "stage": "psnr", "seconds": 5.0, "losses": {"pixel": 0.5}},
        {"step": 20, "stage": "psnr", "seconds": 9.0, "losses": {"pixel": 0.4}, "psnr": 25.0, "psnr_bicubic": 24.0},
        {"step": 30, "stage": "gan", "seconds": 7.0, "losses": {"pixel": 0.3, "adversarial": 0.7}, "psnr": 24.5},
    )
    diary = read_diary(tmp_path)
    assert {curve.name: curve.points for curve in diary.losses} == {
        "pixel": ((10, 0.5), (20, 0.4), (30, 0.3)),
        "adversarial": ((30, 0.7),),
    }
    assert diary.psnr is not None
    assert diary.psnr.points == ((20, 25.0), (30, 24.5))
    assert diary.psnr_bicubic == 24.0
    assert diary.stages == (("psnr", 20), ("gan", 30))
    assert (diary.steps, diary.seconds) == (30, 16.0)


def test_half_a_line_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    write_log(
        tmp_path, {"step": 1, "losses": {"pixel": 1.0, "odd": "x"}}, [1], "text", {"no": 1}, tail='{"step": 2, "lo'
    )
    diary = read_diary(tmp_path)
    assert diary.steps == 1
    assert [curve.name for curve in diary.losses] == ["pixel"]


def test_values_that_are_not_finite_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1, "losses": {"pixel": NaN}, "psnr": Infinity}\n')
    diary = read_diary(tmp_path)
    assert diary.losses == ()
    assert diary.psnr is None


def test_no_log_is_an_empty_diary(tmp_path: Path) -> None:
    assert read_diary(tmp_path) == Diary()
    write_log(tmp_path)
    assert read_diary(tmp_path) == Diary()


def test_facts_name_what_is_known_and_nothing_else() -> None:
    metadata = {"scale": "4", "config": '{"scale": 4, "blocks": 8}', "preset": 'name = "demo"\n', "steps": "3000"}
    assert facts("skipres", 162736, metadata, Diary(seconds=192), 18) == [
        ("Network", "skipres, x4 (blocks 8)"),
        ("Parameters", "162,736"),
        ("Sees", "18 input pixels on every side"),
        ("Preset", "demo"),
        ("Steps", "3,000"),
        ("Trained for", "3 min 12 s"),
    ]
    labels = [label for label, _ in facts("rcan", 1, {"config": "broken"}, Diary(), None)]
    assert labels == ["Network", "Parameters", "Sees"]


def test_durations_read_like_speech() -> None:
    assert [duration(s) for s in (0.4, 48, 59.6, 192, 3600, 7512)] == [
        "0 s", "48 s", "1 min 00 s", "3 min 12 s", "1 h 00 min", "2 h 05 min",
    ]  # fmt: skip
