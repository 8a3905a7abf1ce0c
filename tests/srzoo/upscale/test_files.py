"""Which file each picture becomes, and what is never overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from srzoo.errors import UsageError
from srzoo.upscale.files import Plan, plan

EXTENSIONS = {".png", ".jpg", ".tif", ".webp"}


@pytest.fixture(autouse=True)
def _work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def planned(*inputs: str, output: str | None = None, scale: float = 4, force: bool = False) -> Plan:
    out = None if output is None else Path(output)
    return plan([Path(name) for name in inputs], out, scale=scale, extensions=EXTENSIONS, force=force)


def targets(*inputs: str, output: str | None = None, scale: float = 4, force: bool = False) -> dict[str, str]:
    made = planned(*inputs, output=output, scale=scale, force=force)
    assert not made.refused
    return {str(job.source): str(job.target) for job in made.jobs}


def problems(*inputs: str, output: str | None = None, force: bool = False) -> list[str]:
    return [str(error) for error in planned(*inputs, output=output, force=force).refused]


def test_beside_the_input_by_default() -> None:
    touch("a.jpg", "deep/b.v2.png")
    assert targets("a.jpg", "deep/b.v2.png") == {"a.jpg": "a_x4.png", "deep/b.v2.png": "deep/b.v2_x4.png"}
    assert targets("a.jpg", scale=1.5) == {"a.jpg": "a_x1.5.png"}


def test_folders_are_searched_and_mirrored() -> None:
    touch("in/a.jpg", "in/deep/b.PNG", "in/.hidden/c.png", "in/.d.png", "in/notes.txt", "e.tif")
    assert targets("in", "e.tif", output="out") == {
        "in/a.jpg": "out/a_x4.png",
        "in/deep/b.PNG": "out/deep/b_x4.png",
        "e.tif": "out/e_x4.png",
    }
    assert targets("in")["in/deep/b.PNG"] == "in/deep/b_x4.png"


def test_one_picture_into_one_file() -> None:
    touch("a.jpg", "b.jpg", "in/c.jpg")
    assert targets("a.jpg", output="new/large.webp") == {"a.jpg": "new/large.webp"}
    for inputs in (("a.jpg", "b.jpg"), ("in",)):
        with pytest.raises(UsageError, match="one file, but"):
            planned(*inputs, output="large.webp")


def test_an_output_that_cannot_be_meant() -> None:
    touch("a.jpg", "report")
    with pytest.raises(UsageError, match=r"\.gif is not written"):
        planned("a.jpg", output="large.gif")
    with pytest.raises(UsageError, match="is a file that is there already"):
        planned("a.jpg", output="report")


def test_a_folder_with_an_image_suffix_is_still_a_folder() -> None:
    touch("a.jpg", "odd.png/x")
    assert targets("a.jpg", output="odd.png") == {"a.jpg": "odd.png/a_x4.png"}


def test_names_that_differ_in_their_suffix_alone_are_told_apart() -> None:
    touch("a.jpg", "a.png", "b.png")
    assert targets("a.jpg", "a.png", "b.png") == {
        "a.jpg": "a_jpg_x4.png",
        "a.png": "a_png_x4.png",
        "b.png": "b_x4.png",
    }


def test_equal_names_from_two_folders_are_not_laid_over_each_other() -> None:
    touch("one/a.png", "two/a.png")
    made = planned("one", "two", output="out")
    assert [(str(job.source), str(job.target)) for job in made.jobs] == [("one/a.png", "out/a_x4.png")]
    assert [str(error) for error in made.refused] == [
        "two/a.png: would become out/a_x4.png, as one/a.png does - give it another -o"
    ]


def test_a_told_apart_name_may_clash_in_turn() -> None:
    touch("a.jpg", "a.png", "a_jpg.png")
    made = planned("a.jpg", "a.png", "a_jpg.png")
    assert len({job.target for job in made.jobs}) == len(made.jobs)
    assert len(made.jobs) + len(made.refused) == 3


def test_what_is_there_is_kept_without_force() -> None:
    touch("a.jpg", "b.jpg", "a_x4.png")
    made = planned("a.jpg", "b.jpg")
    assert [str(job.source) for job in made.jobs] == ["b.jpg"]
    assert "is there already" in str(made.refused[0])
    assert targets("a.jpg", force=True) == {"a.jpg": "a_x4.png"}


def test_a_dangling_link_counts_as_there() -> None:
    touch("a.jpg")
    Path("a_x4.png").symlink_to("nowhere")
    assert "is there already" in problems("a.jpg")[0]


@pytest.mark.parametrize("output", ["a.png", "./a.png", "link.png"])
def test_no_input_is_overwritten_even_with_force(output: str) -> None:
    touch("a.png")
    Path("link.png").symlink_to("a.png")
    assert "is one of the pictures to be read" in problems("a.png", output=output, force=True)[0]


def test_another_input_is_not_overwritten_either() -> None:
    touch("a.jpg", "a_x4.png")
    assert "is one of the pictures to be read" in problems("a.jpg", "a_x4.png", force=True)[0]


def test_results_of_an_earlier_run_are_not_enlarged_again() -> None:
    touch("in/a.jpg", "in/a_x4.png", "in/b_jpg_x2.png", "in/b.jpg", "in/c_x4.png", "in/d[1].jpg", "in/d[1]_x4.png")
    made = planned("in", force=True)
    assert sorted(job.source.name for job in made.jobs) == ["a.jpg", "b.jpg", "c_x4.png", "d[1].jpg"]
    assert made.own == 3
    assert targets("in/c_x4.png") == {"in/c_x4.png": "in/c_x4_x4.png"}  # named itself, so it is meant


def test_the_output_folder_is_not_an_input() -> None:
    touch("in/a.jpg", "in/out/z.png")
    assert list(targets("in", output="in/out")) == ["in/a.jpg"]


def test_a_picture_named_twice_is_done_once() -> None:
    touch("in/a.jpg")
    assert list(targets("in/a.jpg", "in", "./in/a.jpg")) == ["in/a.jpg"]


def test_an_empty_folder_is_said() -> None:
    touch("in/notes.txt")
    assert problems("in") == ["in: no pictures in there - name files, or folders of them"]


def test_links_to_folders_are_not_followed() -> None:
    touch("in/a.jpg")
    Path("in/loop").symlink_to(Path("in").resolve())
    assert list(targets("in")) == ["in/a.jpg"]


def test_names_leave_no_folder() -> None:
    touch("deep/a.jpg")
    assert targets("deep/../deep/a.jpg", output="out") == {"deep/../deep/a.jpg": "out/a_x4.png"}
