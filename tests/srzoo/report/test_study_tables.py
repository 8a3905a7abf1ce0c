"""Which figure stands where, which is bold, and what was published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from srzoo.errors import UsageError
from srzoo.evaluate.anchors import PublishedTable
from srzoo.report.study_files import StudyFiles
from srzoo.report.study_spec import Group, PaperRows, Quoted, Row, TableSpec
from srzoo.report.study_tables import TableView, table_view

MEANS = {
    "bicubic": {"psnr": 26.004, "lpips": 0.41},
    "one": {"psnr": 28.117, "lpips": 0.31, "gain": 2.1},
    "two": {"psnr": 28.121, "lpips": None, "gain": 2.2},
    "truth": {"psnr": 99.0, "lpips": 0.0, "gain": 3.0},
}


@pytest.fixture
def files(tmp_path: Path) -> StudyFiles:
    head = {"scale": 4, "protocol": "published", "ssim": "gaussian", "lpips": "squeeze, version 0.1"}
    for name, count in (("a", 5), ("b", 1)):
        table = {**head, "sets": [{"name": "Set5", "images": [{}] * count, "mean": MEANS}]}
        (tmp_path / f"{name}.json").write_text(json.dumps(table))
    return StudyFiles(tmp_path, {})


GROUPS = (Group("a.json", "Set5", ("psnr", "lpips"), "A"), Group("b.json", "Set5", ("psnr", "gain"), "B"))
ROWS = (Row("Bicubic", "bicubic"), Row("One", "one"), Row("Two", "two"))
PAPER = {
    "p": (
        PublishedTable("Set5", 4, "network", "Table 1", ("psnr", "ssim"), {"X": (30.0, 0.9), "Y": (31.5, 0.8)}),
        PublishedTable("set14", 4, "unknown", "Table 2", ("lpips",), {"Y": (0.25,)}),
        PublishedTable("Set5", 2, "network", "Table 3", ("psnr",), {"Z": (38.0,)}),
    )
}


def texts(view: TableView) -> list[list[str]]:
    return [[line.label, *(cell.text for cell in line.cells)] for line in view.lines]


def bold(view: TableView) -> list[tuple[int, int]]:
    return [(y, x) for y, line in enumerate(view.lines) for x, cell in enumerate(line.cells) if cell.is_best]


def test_models_are_rows_and_sets_are_column_groups(files: StudyFiles) -> None:
    view = table_view(TableSpec("T", GROUPS, ROWS), files, {})
    assert view.groups == (("A", 2), ("B", 2))
    assert view.starts == {0, 2}
    assert view.headings == ("PSNR dB ↑", "LPIPS ↓", "PSNR dB ↑", "gain dB ↑")
    assert texts(view) == [
        ["Bicubic", "26.00", "0.4100", "26.00", ""],
        ["One", "28.12", "0.3100", "28.12", "2.10"],
        ["Two", "28.12", "-", "28.12", "2.20"],
    ]
    assert view.conditions == (
        "A (5 pictures): x4, protocol published, LPIPS squeeze, version 0.1.",
        "B (1 picture): x4, protocol published.",
    )


def test_the_best_is_bold_by_direction_and_what_prints_alike_shares_it(files: StudyFiles) -> None:
    view = table_view(TableSpec("T", GROUPS, ROWS), files, {})
    assert bold(view) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 2), (2, 3)]


def test_what_does_not_compete_is_never_bold_and_one_alone_is_not_best(files: StudyFiles) -> None:
    rows = (Row("One", "one"), Row("Truth", "truth", competes=False))
    assert bold(table_view(TableSpec("T", GROUPS, rows), files, {})) == []


def test_a_row_can_keep_out_of_a_group(files: StudyFiles) -> None:
    rows = (*ROWS[:2], Row("Absent from A", "two", only=("B",)))
    view = table_view(TableSpec("T", GROUPS, rows), files, {})
    assert texts(view)[2] == ["Absent from A", "", "", "28.12", "2.20"]
    assert not any(cell.is_best for cell in view.lines[2].cells[:2])


def test_published_rows_stand_under_the_same_set_and_scale_and_are_never_bold(files: StudyFiles) -> None:
    groups = (GROUPS[0], Group("b.json", "Set5", ("psnr", "lpips"), "B", published="Set14"))
    view = table_view(TableSpec("T", groups, ROWS, papers=(PaperRows("p"),)), files, PAPER)
    assert texts(view)[3:] == [["X", "30.00", "", "", ""], ["Y", "31.50", "", "", "0.25"]]
    assert [line.source for line in view.lines] == ["", "", "", "p", "p"]
    assert all(y < 3 for y, _ in bold(view))
    assert view.sources == ("p, Set5: Table 1, protocol network; set14: Table 2.",)


def test_methods_of_a_paper_are_chosen_in_order(files: StudyFiles) -> None:
    view = table_view(TableSpec("T", GROUPS, (), papers=(PaperRows("p", ("Y", "X")),)), files, PAPER)
    assert [line.label for line in view.lines] == ["Y", "X"]


def test_quoted_rows_hold_numbers_words_and_references(files: StudyFiles) -> None:
    quoted = Quoted("Q", "its Table 9", (27.5, "n/a", "a.json#Set5/one/psnr", ""))
    view = table_view(TableSpec("T", GROUPS, ROWS, quoted=(quoted,)), files, {})
    assert texts(view)[3] == ["Q", "27.50", "n/a", "28.12", ""]
    assert view.lines[3].source == "its Table 9"
    assert view.has_published


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (TableSpec("T", GROUPS, (Row("r", "on"),)), "a.json#Set5/on/psnr: no model 'on' there - did you mean 'one'?"),
        (TableSpec("T", (Group("a.json", "Set6", ("psnr",)),), ()), "a.json#Set6: no set 'Set6' there"),
        (TableSpec("T", (Group("a.json", "Set5", ("psn",)),), ROWS), "measure psn: unknown - did you mean 'psnr'?; or"),
        (TableSpec("T", GROUPS, ROWS, papers=(PaperRows("p", ("W",)),)), "paper p: no method 'W' on these sets"),
        (
            TableSpec("T", (Group("a.json", "Set5", ("psnr",), published="X"),), ROWS, papers=(PaperRows("p"),)),
            "paper p: has no table of any set here - set `published` to one of Set5 x4, set14 x4, Set5 x2",
        ),
    ],
)
def test_what_is_not_there_is_said(files: StudyFiles, spec: TableSpec, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        table_view(spec, files, PAPER)
    assert problem in str(caught.value)
