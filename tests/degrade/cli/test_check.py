"""`degrade check`: verdict, list and exit code."""

from __future__ import annotations

import json

from degrade.synthesize import synthesize

PAIRS = 18  # of the fixture: 32 x 32 HR, 8 x 8 LR


def test_a_set_of_ours_is_fine(degrade, sr_data, tmp_path) -> None:
    """Real photographs, the two recipes with and without noise: not one remark, registered to 0.02 LR pixel."""
    photos = sorted((sr_data / "hr_train").glob("popos*"))[:4]
    for recipe in ("bicubic", "generic"):
        synthesize(photos, recipe, tmp_path / recipe, patch=192, per_image=8, workers=1)
        ran = degrade("check", tmp_path / recipe, "--json")
        found = json.loads(ran.out)
        assert (ran.code, found["is_fine"], found["remarks"]) == (0, True, [])
        registration = found["registration"]
        assert registration["length"] < 0.02 + 2 * registration["error"]
        assert registration["num_confident"] > 10
    assert degrade("check", tmp_path / recipe).out.endswith("  verdict: fine: 32 pairs\n")


def test_suspicious_pairs_are_listed_with_exit_code_3(degrade, shards, tmp_path) -> None:
    file = tmp_path / "check.html"
    ran = degrade("check", shards, "--min-deviation", 200, "--html", file)
    assert (ran.code, ran.err) == (3, "")
    assert f"verdict: {PAIRS} of {PAIRS} pairs are suspicious" in ran.out
    assert "pair 0: blank: HR's standard deviation is" in ran.out
    assert "a.png" in ran.out
    html = file.read_text()
    assert html.count("data:image/png") == 2 * PAIRS
    assert f"{PAIRS} of {PAIRS} pairs are suspicious." in html


def test_json_lists_every_remark(degrade, shards) -> None:
    found = json.loads(degrade("check", shards, "--min-deviation", 200, "--json").out)
    blank = [remark for remark in found["remarks"] if remark["reason"] == "blank"]
    assert [remark["index"] for remark in blank] == list(range(PAIRS))
    assert found["thresholds"]["min_deviation"] == 200
    assert found["reasons"]["blank"] == PAIRS


def test_a_page_that_is_there_is_not_overwritten(degrade, shards, tmp_path) -> None:
    (tmp_path / "check.html").write_text("mine")
    ran = degrade("check", shards, "--html", tmp_path / "check.html")
    assert (ran.code, "overwrite with --force" in ran.err) == (2, True)
    assert (tmp_path / "check.html").read_text() == "mine"


def test_the_exit_code_is_documented(degrade) -> None:
    assert "Exit code: 0 fine, 3" in degrade("check", "--help").out
