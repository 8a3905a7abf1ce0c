"""All mistakes of a file at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from degrade.recipe.check import mistakes

FAULTY = """
name = "mine"
source = "ours"
scale = 40

[[hr]]
op = "gaussian_blur"
sigma_range = [3, 0.2]

[[lr]]
op = "gausian_blur"

[[lr]]
op = "one_of"
[[lr.branches]]
steps = [{ op = "downsample", filter = "bicubik" }, { op = "gaussian_noise" }]
[[lr.branches]]
steps = [{ op = "resize", filter = "area", factor = 2, fo = "lr" }]

[[lr]]
op = "shuffled"
[[lr.groups]]
steps = [{ op = "gaussian_noise", sigma_8bit = -1 }]

[[lr]]
op = "downsample"
filter = "area"
"""


def of(path: Path, text: str) -> list[str]:
    path.write_text(text)
    return [str(error).removeprefix(f"{path}: ") for error in mistakes(path)]


def test_every_step_has_its_mistake_named_also_inside_branches(tmp_path: Path) -> None:
    found = of(tmp_path / "mine.toml", FAULTY)
    expected = [
        "expected a scale from 1 to 16, got 40",
        "hr[0]: sigma: expected low <= high",
        "lr[0].op: unknown op 'gausian_blur'",
        "lr[1].branches[0].steps[0]: expected filter to be one of",
        "lr[1].branches[0].steps[1]: sigma_8bit: missing",
        "lr[1].branches[1].steps[0].fo: unknown key",
        "lr[2].groups[0].steps[0]: expected sigma_8bit at least 0",
        "lr[2]: expected at least two groups",
    ]
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start)


def test_a_sound_recipe_has_none(tmp_path: Path) -> None:
    assert mistakes("generic") == []
    assert of(tmp_path / "mine.toml", 'extends = "generic"\nname = "mild"\n') == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[lr]", "not valid TOML"),
        ('extends = "generic"\n[[lr]]\nop = "x"\n[[lr]]\nop = "y"', "lr[0].op: unknown op 'x'"),
        ('name = "a"\nsource = "b"\nlr = 3', "lr: expected a list of steps"),
        ('name = "a"\nsource = "b"\nlr = [{ op = "resize", filter = "area", factor = 2 }]', "end at another size"),
    ],
)
def test_what_makes_the_rest_unreadable_is_named_alone(text: str, problem: str, tmp_path: Path) -> None:
    (found,) = of(tmp_path / "mine.toml", text)
    assert problem in found


def test_a_missing_file_is_one_mistake(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path / "no.toml")
    assert "cannot be read" in str(found)
