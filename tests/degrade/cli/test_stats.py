"""`degrade stats`: text, JSON and page tell the same."""

from __future__ import annotations

import json

import numpy as np
import pytest

from degrade.measure.stats import figures_of
from degrade.shards.reader import open_shards

PAIRS = 18  # of the fixture


def test_json_holds_every_draw_and_every_pair(degrade, shards) -> None:
    ran = degrade("stats", shards, "--json")
    assert (ran.code, ran.err) == (0, "")
    found, pairs = json.loads(ran.out), open_shards(shards)
    sigmas = [pairs.trace(i)["steps"][0]["sigma"] for i in range(PAIRS)]
    sigma = found["steps"]["gaussian_blur0"]["values"]["sigma"]
    assert (sigma["least"], sigma["most"]) == (min(sigmas), max(sigmas))
    assert sigma["counts"] == np.histogram(sigmas, 20, (min(sigmas), max(sigmas)))[0].tolist()
    psnrs = [figures_of(*pairs.read(i))["psnr"] for i in range(PAIRS)]
    assert found["figures"]["psnr"]["median"] == pytest.approx(np.median(psnrs))
    assert (found["pairs"], found["pairs_measured"], found["recipe"]) == (PAIRS, PAIRS, "ren2020_generic")
    assert sum(step["ran"] for name, step in found["steps"].items() if name.startswith("downsample")) == PAIRS


def test_text_says_what_was_sampled(degrade, shards) -> None:
    text = degrade("stats", shards, "--limit", 4).out
    assert f"  pixels (4 of {PAIRS} pairs, evenly spread):" in text
    assert f"gaussian_blur0  (gaussian blur)  ran {PAIRS} times, 100.0 %" in text
    assert text.isascii()
    assert "every pair" in degrade("stats", shards).out


def test_a_single_shard_and_a_page(degrade, shards, tmp_path) -> None:
    shard, file = sorted(shards.glob("*.h5"))[0], tmp_path / "stats.html"
    assert degrade("stats", shard, "--html", file).code == 0
    html = file.read_text()
    assert html.count("<svg") >= 7
    assert "gaussian_blur0" in html
    again = degrade("stats", shard, "--html", file)
    assert (again.code, "is there already" in again.err) == (2, True)
    assert degrade("stats", shard, "--html", file, "--force").code == 0


def test_what_is_no_set_is_one_line(degrade, tmp_path) -> None:
    ran = degrade("stats", tmp_path)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
