"""Which steps run, and in which order: chances, permutations, and orders that are kept."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest
from scipy import stats

from degrade.errors import RecipeError
from degrade.ops.choice import Group, OneOf, Shuffled
from degrade.recipe import parse_recipe
from degrade.rng import Stream

HEAD = 'name = "x"\nsource = "test"\nscale = 1\n'


def noise(id: str, sigma: float = 1.0) -> str:
    return f'{{ op = "gaussian_noise", id = "{id}", sigma_8bit = {sigma} }}'


def shuffled(*groups: str, keep: str = "[]") -> str:
    tables = ", ".join(f'{{ name = "{name}", steps = [{noise(name)}, {noise(name + "2")}] }}' for name in groups)
    return f'{HEAD}[[lr]]\nop = "shuffled"\nkeep_order = {keep}\ngroups = [{tables}]\n'


def order(text: str, patch: int) -> tuple[str, ...]:
    return tuple(draw.id for step in parse_recipe(text).lr for draw in step.draw(Stream(5, patch, 0)))


def test_every_order_of_groups_is_as_likely_and_a_group_stays_together() -> None:
    counts = Counter(order(shuffled("a", "b", "c"), patch) for patch in range(1200))
    whole = {tuple(name for g in groups for name in (g, g + "2")) for groups in permutations("abc")}
    assert set(counts) == whole
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_a_kept_order_holds_whatever_is_shuffled_around_it() -> None:
    counts = Counter(order(shuffled("a", "b", "c", keep='[["c", "a"]]'), patch)[::2] for patch in range(900))
    assert set(counts) == {groups for groups in permutations("abc") if groups.index("c") < groups.index("a")}
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_groups_may_hold_choices_and_choices_groups() -> None:
    inner = f'{{ op = "one_of", branches = [{{ steps = [{noise("x")}] }}, {{ weight = 3, steps = [] }}] }}'
    text = f'{HEAD}[[lr]]\nop = "shuffled"\ngroups = [{{ steps = [{inner}] }}, {{ steps = [{noise("y")}] }}]\n'
    counts = Counter(order(text, patch) for patch in range(800))
    assert set(counts) == {("x", "y"), ("y", "x"), ("y",)}
    assert counts["y",] == pytest.approx(600, abs=56)  # 4.5 standard deviations


def test_an_op_draws_the_same_wherever_it_stands() -> None:
    """Shuffling, or another branch beside it, changes no other draw."""
    alone = parse_recipe(f'{HEAD}lr = [{{ op = "gaussian_noise", id = "a", sigma_8bit_range = [0, 9] }}]\n')
    moved = shuffled("a", "b").replace('id = "a", sigma_8bit = 1.0', 'id = "a", sigma_8bit_range = [0, 9]')
    for patch in range(5):
        first = alone.lr[0].draw(Stream(5, patch, 0))[0]
        draws = [draw for step in parse_recipe(moved).lr for draw in step.draw(Stream(5, patch, 0))]
        assert first in draws


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (shuffled("a"), "at least two groups"),
        (shuffled("a", "a"), "a name of its own"),
        (shuffled("a", "b", keep='[["a", "z"]]'), "got 'z'"),
        (shuffled("a", "b", keep='["a"]'), "lists of group names"),
        (shuffled("a", "b").replace("groups", "gruops"), "gruops.*groups"),
        (f'{HEAD}[[lr]]\nop = "one_of"\nbranches = []\n', "at least one branch"),
    ],
)
def test_mistakes_name_their_place(text: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        parse_recipe(text, origin="mine.toml")
    assert str(caught.value).startswith("mine.toml: lr[0]")


def test_one_of_refuses_weights_that_mean_nothing() -> None:
    with pytest.raises(ValueError, match="weights"):
        OneOf(())
    with pytest.raises(ValueError, match="two groups"):
        Shuffled((Group(()),))
