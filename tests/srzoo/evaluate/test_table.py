"""Means, gains and what a table shows of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from srzoo.evaluate import Figures, Results, TestSet, markdown, means_grid, pictures_grid
from srzoo.evaluate.table import as_json


def results(name: str = "Set5", niqe: float = 5.0) -> Results:
    def figures(k: int) -> dict[str, Figures]:
        net = {"psnr": 22.0 + 2 * k, "ssim": 0.75, "niqe": niqe}
        return {"bicubic": {"psnr": 20.0 + k, "ssim": 0.5}, "net|1": net}

    return Results(TestSet(name, (), Path("hr")), tuple((f"{k}.png", figures(k)) for k in range(2)))


def test_means_are_over_pictures_and_gain_is_over_bicubic() -> None:
    means = results().means()
    assert means["bicubic"] == {"psnr": 20.5, "ssim": 0.5}
    assert means["net|1"] == {"psnr": 23.0, "ssim": 0.75, "niqe": 5.0, "gain": 2.5}


def test_all_sets_and_methods_make_one_table_with_what_they_cost() -> None:
    grid = means_grid([results(), results("Set14")], "x4", {"net|1": {"seconds": 1.5}})
    assert grid.headings == ("set", "model", "PSNR dB", "SSIM", "NIQE", "gain dB", "s/MP")
    assert grid.rows[:2] == (
        ("Set5 (2 pictures)", "bicubic", "20.5000", "0.500000", "", "", ""),
        ("", "net|1", "23.0000", "0.750000", "5.0000", "+2.5000", "1.50"),
    )
    assert grid.rows[2][0] == "Set14 (2 pictures)"
    assert grid.ends == {1, 3}


def test_a_table_of_every_picture() -> None:
    grid = pictures_grid(results())
    assert [row[:3] for row in grid.rows] == [
        ("0.png", "bicubic", "20.0000"),
        ("", "net|1", "22.0000"),
        ("1.png", "bicubic", "21.0000"),
        ("", "net|1", "24.0000"),
    ]


def test_markdown_aligns_numbers_and_escapes_its_own_sign() -> None:
    lines = markdown(means_grid([results()], "x4")).splitlines()
    assert lines[0] == "**x4**"
    assert lines[2] == "| set | model | PSNR dB | SSIM | NIQE | gain dB |"
    assert lines[3] == "| --- | --- | ---: | ---: | ---: | ---: |"
    assert r"| net\|1 |" in lines[5]


def test_what_is_not_finite_is_null_in_json_and_a_dash_in_a_table() -> None:
    odd = results(niqe=math.nan)
    odd.pictures[0][1]["net|1"]["psnr"] = math.inf
    table = json.loads(json.dumps(as_json(odd), allow_nan=False))
    assert table["mean"]["net|1"] == {"psnr": None, "ssim": 0.75, "niqe": None, "gain": None}
    assert table["images"][1]["figures"]["net|1"]["psnr"] == 24
    assert means_grid([odd], "x4").rows[1][4] == "-"


def test_a_set_without_bicubic_has_no_gain() -> None:
    one = Results(TestSet("Set5", (), Path("hr")), (("a", {"net": {"psnr": 20.0, "ssim": 0.5}}),))
    assert math.isnan(one.means()["net"]["gain"])
    assert pytest.approx(20) == one.means()["net"]["psnr"]
