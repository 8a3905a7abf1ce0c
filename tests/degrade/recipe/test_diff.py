"""What two recipes do differently, and what does not count as a difference."""

from __future__ import annotations

import pytest

from degrade.recipe import Recipe, load_recipe, parse_recipe
from degrade.recipe.diff import Difference, differences

BASE = """
name = "a"
source = "ours"
[[lr]]
op = "gaussian_blur"
sigma_range = [0.2, 3]
[[lr]]
op = "one_of"
id = "noise"
[[lr.branches]]
steps = [{ op = "gaussian_noise", sigma_8bit_range = [0, 25] }]
[[lr.branches]]
steps = [{ op = "poisson_noise", peak_range = [50, 150] }]
[[lr.branches]]
steps = []
[[lr]]
op = "downsample"
filter_choice = ["bicubic", "area"]
"""


def recipe(*changes: tuple[str, str]) -> Recipe:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse_recipe(text)


def told(*changes: tuple[str, str]) -> list[str]:
    return [str(difference) for difference in differences(recipe(), recipe(*changes))]


def test_a_recipe_equals_itself() -> None:
    assert told() == []
    generic = load_recipe("generic")
    assert differences(generic, generic) == []


SIGMA, FILTER = "sigma_range = [0.2, 3]", 'filter_choice = ["bicubic", "area"]'
GAUSSIAN, NOTHING = '[[lr.branches]]\nsteps = [{ op = "gaussian_noise"', "[[lr.branches]]\nsteps = []\n"

SAME = {
    "names": [('name = "a"', 'name = "b"\ndescription = "another"')],
    "defaults": [(SIGMA, "sigma_range = [0.2, 3.0]\nsize = 15\nprobability = 1")],
    "weights": [("[[lr.branches]]", "[[lr.branches]]\nweight = 0.1")],
    "order of a choice": [(FILTER, 'filter_choice = ["area", "bicubic"]\nfilter_weights = [2, 2]')],
    "entries of a choice": [
        (FILTER, 'filter_choice = ["bicubic", "area", "area", "mitchell"]\nfilter_weights = [2, 1, 1, 0]')
    ],
    "order of branches": [(NOTHING, ""), (GAUSSIAN, NOTHING + GAUSSIAN)],
}


@pytest.mark.parametrize("name", SAME)
def test_what_does_the_same_is_equal(name: str) -> None:
    assert told(*SAME[name]) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (SIGMA, "sigma_range = [0.2, 1.5]", "sigma: 0.2 to 3 -> 0.2 to 1.5"),
        (SIGMA, "sigma_log_range = [0.2, 3]", "sigma: 0.2 to 3 -> 0.2 to 3 (logarithmic)"),
        (SIGMA, "sigma_range = [2, 2]", "sigma: 0.2 to 3 -> 2"),
        (SIGMA, "sigma_normal = [2, 0]", "sigma: 0.2 to 3 -> 2"),
        (SIGMA, "sigma_choice = [1, 2]\nsigma_weights = [1, 3]", "sigma: 0.2 to 3 -> one of 1 25 %, 2 75 %"),
        (SIGMA, f"probability = 0.5\n{SIGMA}", "probability: 1 -> 0.5"),
        (SIGMA, f"size = 21\n{SIGMA}", "size: 15 -> 21"),
        (SIGMA, f'id = "blur"\n{SIGMA}', "id: gaussian_blur0 -> blur"),
    ],
)
def test_a_changed_field_is_named_with_both_distributions(old: str, new: str, line: str) -> None:
    assert told((old, new)) == [f"lr, gaussian_blur0: {line}"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("[0, 25]", "[0, 30]", "lr, noise, gaussian_noise0: sigma_8bit: 0 to 25 -> 0 to 30"),
        (FILTER, 'filter = "area"', "lr, downsample0: filter: one of bicubic, area -> area"),
        ('source = "ours"', 'source = "ours"\nscale = 2', "scale: 4 -> 2"),
        ('source = "ours"', 'source = "ours"\nunit = "photo"', "unit: patch -> photo"),
    ],
)
def test_the_place_of_a_difference_is_its_steps_from_outside_in(old: str, new: str, line: str) -> None:
    assert told((old, new)) == [line]


def test_numbers_that_six_digits_do_not_tell_apart_are_written_out() -> None:
    (line,) = told(("[0.2, 3]", "[0.2, 3.0000001]"))
    assert "3.0000001" in line
    one, two = line.removeprefix("lr, gaussian_blur0: sigma: ").split(" -> ")
    assert one != two


def test_steps_branches_and_chances_on_one_side_only() -> None:
    more = 'filter_choice = ["bicubic", "area"]\n[[lr]]\nop = "gaussian_noise"\nid = "last"\nsigma_8bit = 5'
    assert told(('filter_choice = ["bicubic", "area"]', more)) == [
        "lr: step 'last' only in B: gaussian_noise: sigma_8bit 5, mode colour"
    ]
    assert told(("[[lr.branches]]\nsteps = []\n", "")) == [
        "lr, noise: branch 'nothing' only in A: 33.33 %: nothing",
        "lr, noise: chance of 'gaussian_noise0': 33.33 % -> 50 %",
        "lr, noise: chance of 'poisson_noise0': 33.33 % -> 50 %",
    ]
    swapped = differences(recipe(("[[lr.branches]]\nsteps = []\n", "")), recipe())
    assert swapped[0] == Difference("lr, noise", "branch 'nothing'", None, "33.33 %: nothing")


def test_another_order_of_steps_is_named_once() -> None:
    blur = '[[lr]]\nop = "gaussian_blur"\nsigma_range = [0.2, 3]\n'
    assert told((blur, ""), ('[[lr]]\nop = "downsample"', f'{blur}[[lr]]\nop = "downsample"')) == [
        "lr: order: gaussian_blur0, noise, downsample0 -> noise, gaussian_blur0, downsample0"
    ]


def test_steps_on_the_other_side_are_both_told() -> None:
    assert told(('[[lr]]\nop = "gaussian_blur"', '[[hr]]\nop = "gaussian_blur"')) == [
        "hr: step 'gaussian_blur0' only in B: gaussian_blur: sigma 0.2 to 3, size 15",
        "lr: step 'gaussian_blur0' only in A: gaussian_blur: sigma 0.2 to 3, size 15",
    ]


SHUFFLED = """
name = "a"
source = "ours"
[[lr]]
op = "shuffled"
keep_order = [["one", "two"]]
[[lr.groups]]
name = "one"
steps = [{ op = "gaussian_noise", sigma_8bit = 1 }]
[[lr.groups]]
name = "two"
steps = [{ op = "downsample", filter = "area" }]
[[lr.groups]]
steps = [{ op = "poisson_noise", peak = 100 }]
"""


def test_groups_are_paired_by_name_and_their_order_does_not_count() -> None:
    one = parse_recipe(SHUFFLED)
    start, first, second, third = SHUFFLED.split("[[lr.groups]]\n")
    moved = parse_recipe("[[lr.groups]]\n".join([start, third, second, first]))
    assert differences(one, moved) == []
    changed = parse_recipe(SHUFFLED.replace("sigma_8bit = 1", "sigma_8bit = 2").replace('[["one", "two"]]', "[]"))
    assert [str(difference) for difference in differences(one, changed)] == [
        "lr, shuffled0, gaussian_noise0: sigma_8bit: 1 -> 2",
        "lr, shuffled0: keep_order: ((one, two)) -> ()",
    ]
