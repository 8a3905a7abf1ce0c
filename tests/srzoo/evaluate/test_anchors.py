"""What was published, and ours beside it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from srzoo.errors import UsageError
from srzoo.evaluate import BICUBIC, Measures, Method, Results, TestSet, evaluate, find_set
from srzoo.evaluate.anchors import Conditions, beside, find_anchors, read_paper

FILE = Path(__file__).resolve().parents[3] / "benchmarks" / "anchors.toml"
PAPERS = tomllib.loads(FILE.read_text(encoding="utf-8"))

# A sample of reference 4 and 7, and of systems.md, typed again: (paper, set, scale, method, column) -> figure.
SAMPLE = {
    ("bicubic", "Urban100", 4, "bicubic", "psnr"): 23.14,
    ("rcan", "BSD100", 4, "VDSR", "ssim"): 0.7260,
    ("rcan", "Set5", 3, "RCAN+", "ssim"): 0.9305,
    ("srgan", "Set14", 4, "SRGAN", "psnr"): 26.02,
    ("lornatang", "Set5", 4, "SRResNet", "ssim"): 0.8938,
    ("basicsr", "Set5", 4, "MSRResNet", "psnr"): 30.2468,
    ("vdsr_pytorch", "Set5", 4, "VDSR", "psnr"): 31.45,
    ("realsr", "RealSR v2 x4", 1, "LP-KPN", "ssim"): 0.834,
    ("ren2020", "NTIRE-2020 track 1 validation", 4, "two GANs on generic, fused", "lpips"): 0.2482,
    ("ntire2020", "NTIRE-2020 track 2", 4, "RRDB", "pi"): 6.48,
    ("srdgan", "I_pair test", 4, "SRDGAN", "ssim"): 0.9782,
    ("csrgan", "DIV2K unknown", 4, "CSRGAN", "psnr"): 21.36,
    ("dml", "RealSR v2 x4", 1, "RCAN on RealSR+DML", "lpips"): 0.242,
    ("dml", "RealSR v2 x2, LR", 1, "DML N=8", "psnr"): 37.93,
    ("ddnsr", "NTIRE-2020 track 1 validation", 4, "DDNSR-L2", "lpips"): 0.352,
}


@pytest.mark.parametrize("name", PAPERS)
def test_every_table_states_its_protocol_and_source(name: str) -> None:
    paper = read_paper(name, FILE)
    assert paper.title
    for table in paper.tables:
        assert table.source
        assert table.rows


@pytest.mark.parametrize(("place", "figure"), SAMPLE.items())
def test_figures_are_those_of_the_reference(place: tuple[str, str, int, str, str], figure: float) -> None:
    name, set_name, scale, method, column = place
    found = [
        table.rows[method][table.columns.index(column)]
        for table in read_paper(name, FILE).tables
        if (table.set, table.scale) == (set_name, scale) and method in table.rows and column in table.columns
    ]
    assert found == [figure]


def test_our_bicubic_stands_beside_srdgans(sr_data: Path) -> None:
    one = find_set(sr_data / "test" / "Set5" / "x4" / "HR", scale=4)
    judged = evaluate(one.pairs, [Method(BICUBIC)], Measures("published"), scale=4)
    results = Results(one, tuple((picture.name, picture.figures) for picture in judged))
    grid = beside(read_paper("srdgan", FILE), [results], Conditions(4, "published", "gaussian"))
    rows = {row[:2]: row[2:] for row in grid.rows}
    assert rows["Set5 x4", "bicubic"][:2] == ("28.42", "0.8104")
    assert rows["", "ours: bicubic"] == ("28.4211", "0.810402", "the same")


def test_sets_that_are_not_here_say_so_and_other_protocols_are_named() -> None:
    results = Results(TestSet("set5", (), Path("hr")), (("a", {"net": {"psnr": 30.0, "ssim": 0.9}}),))
    srgan = read_paper("srgan", FILE)
    grid = beside(srgan, [results], Conditions(4, "published", "gaussian"))
    ours = [row for row in grid.rows if row[1].startswith("ours")]
    assert ours[0] == ("", "ours: net", "30.0000", "0.900000", "other: protocol published, SSIM gaussian")
    assert ours[1] == ("", "ours: data not here", "", "", "")
    assert {row[1] for row in beside(srgan, [results], Conditions(2, "network", "daala")).rows if "ours" in row[1]} == {
        "ours: data not here"
    }


def test_the_file_is_found_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_anchors() == FILE  # of the checkout
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "anchors.toml").write_text("")
    assert find_anchors() == tmp_path / "benchmarks" / "anchors.toml"


def test_what_cannot_be_meant_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--against ren2021: no such paper in .* did you mean 'ren2020'"):
        read_paper("ren2021", FILE)
    file = tmp_path / "mine.toml"
    table = '[a]\ntitle = "A"\n[[a.tables]]\nset = "S"\nscale = 4\nsource = "T"\nrows.x = [1.0]\n'
    table += 'protocol = "{}"\ncolumns = {}\n'
    for protocol, columns, message in (
        ("luma", '["psnr"]', "protocol: expected one of"),
        ("rgb", '["psnr", "ssim"]', "rows of another length"),
        ("rgb", '["psrn"]', "unknown"),
    ):
        file.write_text(table.format(protocol, columns))
        with pytest.raises(UsageError, match=message):
            read_paper("a", file)
