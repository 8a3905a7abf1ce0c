"""What a study can say, and how it says that it cannot."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from srzoo.errors import UsageError
from srzoo.report import study_spec
from srzoo.report.study_spec import Study, read_study


def read(tmp_path: Path, text: str) -> Study:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return read_study(path)


def section(text: str) -> str:
    return f'title = "T"\n[[sections]]\nheading = "H"\n{text}'


def documented() -> str:
    return "\n".join(line for line in str(study_spec.__doc__).splitlines() if line.startswith("    "))


def test_the_study_of_the_documentation_is_one(tmp_path: Path) -> None:
    """All keys are shown there, each with a value that it takes."""
    study = read(tmp_path, documented())
    one = study.sections[0]
    assert [len(part) for part in (one.tables, one.claims, one.pictures, one.runs)] == [1, 2, 1, 1]
    table = tomllib.loads(documented())
    for shown, cls in (
        (table, study_spec.Study),
        (table["measures"]["flat_std"], study_spec.MeasureSpec),
        (table["sections"][0], study_spec.Section),
        (table["sections"][0]["tables"][0], study_spec.TableSpec),
        (table["sections"][0]["pictures"][0], study_spec.PicturesSpec),
        (table["sections"][0]["runs"][0], study_spec.RunSpec),
    ):
        assert set(shown) == set(cls.__dataclass_fields__), cls


def test_every_file_is_known_before_any_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, documented()).files() == [
        "results/a.json", "results/b.json", "c.json", "results/phone.json",
        "lr/night.png", "r/night.png", "hr/night.png", "results/dark.json", "runs/gan-r",
    ]  # fmt: skip
    assert read(tmp_path, documented()).papers() == ["ren2020"]


PICTURES = '[[sections.pictures]]\ntitle = "P"\nitems = [{ label = "a", file = "a.png" }]\n'
CLAIM = '[[sections.claims]]\ntext = "C"\n'
TABLE = '[[sections.tables]]\ntitle = "T"\ngroups = [{ heading = "g", file = "f", set = "s", measures = ["psnr"] }]\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (section('txt = "x"'), "study.toml: sections.0.txt: unknown key - did you mean 'text'?"),
        ('title = "T"', "study.toml: sections: missing"),
        (section(f"{PICTURES}zom = 2"), "sections.0.pictures.0.zom: unknown key - did you mean 'zoom'?"),
        (section(f"{PICTURES}zoom = 0"), "sections.0.pictures.0: zoom: expected 1 to 16, got 0"),
        (section(f"{PICTURES}box = [0, 0, 0, 9]"), "box: expected y, x >= 0 and height, width >= 1, got [0, 0, 0, 9]"),
        (section(f'{PICTURES}box = "everywhere"'), "sections.0.pictures.0.box"),
        (section(f"{PICTURES}scale = 16\nside = 12"), "side: expected 16 to 512, got 12"),
        (section(f"{CLAIM}left = 1.0"), "expected either left, right and one of difference_at_least, "),
        (section(f'{CLAIM}difference_at_least = 1.0\norder = "a > b"'), "expected either left, right and one of "),
        (section(f"{CLAIM}left = 1.0\nratio_at_most = 1.0"), "right: expected another number than 0 for a ratio"),
        (section(f'{CLAIM}order = "a > b"\nvalues.a = 1'), "order: 'a > b', but values are given for ['a']"),
        (section(f'{CLAIM}order = "a > b < c"'), "order: expected names with > between them, or <"),
        (
            section(f'{TABLE}rows = [{{ label = "r", model = "m", only = ["h"] }}]'),
            "rows: only = ['h'], but the groups are headed ['g']",
        ),
        (
            section(f'{TABLE}rows = []\nquoted = [{{ label = "q", source = "s", values = [1, 2] }}]'),
            "quoted: q: 2 values for 1 columns",
        ),
    ],
)
def test_a_wrong_study_is_one_line_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
