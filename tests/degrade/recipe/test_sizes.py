"""Where a learned step may stand: the size it takes, what it needs around a patch, and which zoom comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.errors import RecipeError
from degrade.recipe import Recipe, parse_recipe

LAST = '[[lr]]\nop = "downsample"\nfilter = "area"\n'


class Halves(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return F.avg_pool2d(image, 2)


class Keeps(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return 0.5 * image


@pytest.fixture(scope="module")
def models(degraders: Callable[..., Path]) -> dict[str, Path]:
    same: dict[str, Any] = {"scale": 1, "multiple": 2, "inputs": ()}
    return {
        "halves": degraders(Halves(), inputs=(), receptive_field=6),
        "keeps": degraders(Keeps(), receptive_field=6, zoom=3, **same),
        "other zoom": degraders(Keeps(), receptive_field=6, zoom=2, **same),
        "whole": degraders(Keeps(), receptive_field="whole", **same),
    }


def made(models: dict[str, Path], *steps: str, header: str = "scale = 2\nmargin = 12", hr: str = "") -> Recipe:
    text = "".join(_table("lr", models, step) for step in steps) + (_table("hr", models, hr) if hr else "")
    return parse_recipe(f'name = "mine"\nsource = "a test"\n{header}\n{text}')


def _table(side: str, models: dict[str, Path], step: str) -> str:
    if step in models:
        return f'[[{side}]]\nop = "learned"\nmodel = "{models[step]}"\n'
    return step.replace("[[lr]]", f"[[{side}]]")


def test_a_model_that_makes_lr_is_the_reduction(models: dict[str, Path]) -> None:
    assert made(models, "halves").learned[0].card.scale == 2
    made(models, "keeps", "halves")
    made(models, "halves", "keeps")
    made(models, "keeps", LAST)


@pytest.mark.parametrize(
    ("steps", "header", "problem"),
    [
        (["keeps"], "scale = 2", "end at another size than LR's"),
        ([LAST, "halves"], "scale = 2", "makes LR of HR - put it under .*lr.*, before what changes the size"),
        (["halves", "halves"], "scale = 2", "makes LR of HR"),
        (["halves"], "scale = 4", "expected a model of scale 4 or 1, 'tiny-x2' makes 1/2"),
        (["halves"], "scale = 1", "expected a model of scale 1 or 1"),
        (["halves"], "scale = 2\nmargin = 5", None),  # rounded up to whole LR pixels
        (["halves"], "scale = 2\nmargin = 4", "looks 6 HR pixels around, the margin is 4 - state margin = 6"),
        ([LAST, "keeps"], "scale = 2\nmargin = 10", "looks 12 HR pixels around, the margin is 10"),
        (["whole", LAST], "scale = 2", 'sees the whole picture at once - state unit = "photo"'),
        (["whole", LAST], 'scale = 2\nunit = "photo"', None),
        (["keeps"], 'scale = 1\nunit = "photo"\nmargin = 0', None),
        (["keeps", "other zoom"], "scale = 1", "models of the zooms 2, 3"),
    ],
)
def test_what_cannot_come_out_right_is_refused_with_its_cure(
    steps: list[str], header: str, problem: str | None, models: dict[str, Path]
) -> None:
    if problem is None:
        made(models, *steps, header=header)
        return
    with pytest.raises(RecipeError, match=problem):
        made(models, *steps, header=header)


def test_branches_and_groups_are_looked_into(models: dict[str, Path]) -> None:
    keeps, halves = (f'{{ op = "learned", model = "{models[name]}" }}' for name in ("keeps", "halves"))
    branch = '[[lr]]\nop = "one_of"\n' + "".join(
        f"[[lr.branches]]\nsteps = [{steps}]\n" for steps in (halves, '{ op = "downsample", filter = "area" }')
    )
    made(models, branch)
    with pytest.raises(RecipeError, match="looks 12 HR pixels"):
        made(
            models,
            branch,
            f'[[lr]]\nop = "one_of"\n[[lr.branches]]\nsteps = [{keeps}]\n',
            header="scale = 2\nmargin = 8",
        )
    shuffled = '[[lr]]\nop = "shuffled"\n' + "".join(
        f"[[lr.groups]]\nsteps = [{steps}]\n" for steps in (keeps, '{ op = "downsample", filter = "area" }')
    )
    made(models, shuffled)
    with pytest.raises(RecipeError, match="looks 12 HR pixels"):
        made(models, shuffled, header="scale = 2\nmargin = 8")


def test_the_target_keeps_its_size(models: dict[str, Path]) -> None:
    made(models, "halves", hr="keeps")
    with pytest.raises(RecipeError, match="makes LR of HR"):
        made(models, LAST, hr="halves")


def resized(**stated: object) -> str:
    values = {"op": "resize", "filter": "area"} | stated
    return "[[hr]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


@pytest.mark.parametrize(
    ("hr", "expected"),
    [
        (resized(divisor=2), 2),
        (resized(factor=0.25), 4),
        (resized(divisor=2) + resized(divisor=3), 6),
        (resized(factor=0.7) + resized(factor=1, of="hr"), 1),  # there and back
        (resized(divisor_range=[1, 3]) + resized(divisor=2, of="hr"), 2),
        (resized(divisor=2, probability=0), 1),
        ('[[hr]]\nop = "unsharp_mask"\n', 1),
    ],
)
def test_the_target_is_a_whole_part_of_the_photograph(hr: str, expected: int) -> None:
    assert made({}, LAST, hr=hr).reduction == expected


@pytest.mark.parametrize(
    "hr",
    [
        resized(divisor=1.5),
        resized(factor=2),
        resized(factor=0.3),
        resized(divisor_range=[1, 2]),
        resized(divisor=2, probability=0.5),
        resized(divisor=2) + resized(factor=1, of="hr", probability=0.5),
        resized(factor=1, of="lr"),
        LAST,
        '[[hr]]\nop = "one_of"\n[[hr.branches]]\n[[hr.branches]]\n'
        'steps = [{ op = "resize", filter = "area", divisor = 2 }]\n',
        resized(divisor=8) + resized(divisor=8),
    ],
)
def test_a_target_whose_size_is_not_known_or_no_part_is_refused(hr: str) -> None:
    with pytest.raises(RecipeError, match="hr: its steps"):
        made({}, LAST, hr=hr)


def test_a_model_under_hr_needs_no_more_around_than_it_sees(models: dict[str, Path]) -> None:
    for hr in (
        f"{resized(divisor=2)}{_table('hr', models, 'keeps')}",
        f"{_table('hr', models, 'keeps')}{resized(divisor=2)}",
    ):
        assert made(models, LAST, header="scale = 2\nmargin = 6", hr=hr).reduction == 2
        with pytest.raises(RecipeError, match="looks 6 HR pixels"):
            made(models, LAST, header="scale = 2\nmargin = 4", hr=hr)


def test_the_zoom_is_the_model_s_where_the_size_stays(models: dict[str, Path]) -> None:
    assert made(models, "keeps", header="scale = 1").zoom == 3
    assert made(models, "keeps", LAST).zoom == 1
    assert made(models, LAST).zoom == 1
