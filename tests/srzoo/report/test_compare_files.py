"""Pictures of one photograph are found by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from srzoo.errors import UsageError
from srzoo.report.compare_files import photo_name, photos_of, read_folder


@pytest.mark.parametrize(
    ("stem", "name"),
    [("0801x4", "0801"), ("0801_x4", "0801"), ("a_x2.5", "a"), ("a_HR", "a"), ("a_LR_x4", "a"), ("hr", "hr")],
)
def test_what_programs_add_to_a_name_does_not_count(stem: str, name: str) -> None:
    assert photo_name(stem) == name


def test_the_same_name_goes_before_a_like_one(tmp_path: Path) -> None:
    for name in ("b_x4.png", "sub/a.jpg", "notes.txt", ".hidden.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    folder = read_folder("--pictures A", tmp_path)
    assert photos_of([folder]) == ["b", "a"]
    assert folder.of("b") == folder.of("b_x4") == tmp_path / "b_x4.png"
    assert folder.of("a_LR") == tmp_path / "sub" / "a.jpg"
    with pytest.raises(UsageError, match=r"--pictures A: no picture of c - "):
        folder.of("c")
    single = read_folder("--hr", tmp_path / "b_x4.png")
    assert single.of("b") == tmp_path / "b_x4.png"


def test_two_pictures_of_one_photo_are_refused(tmp_path: Path) -> None:
    for name in ("a.png", "a_x4.png"):
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match=r"a\.png and a_x4\.png are of one photo"):
        read_folder("--hr", tmp_path)
