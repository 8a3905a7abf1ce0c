"""Recipes: the published numbers, and every mistake one line with the path and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from degrade.errors import RecipeError, UsageError
from degrade.ops.blur import GaussianBlur
from degrade.ops.choice import OneOf
from degrade.ops.noise import GaussianNoise, PoissonGaussianNoise, PoissonNoise
from degrade.ops.protocol import Distribution, Options
from degrade.ops.resize import Downsample
from degrade.recipe import Recipe, list_recipes, load_recipe, parse_recipe

MINIMAL = 'name = "x"\nsource = "test"\n[[lr]]\nop = "downsample"\nfilter = "bilinear"\n'


def test_generic_has_ren_2020_s_numbers() -> None:
    recipe = load_recipe("generic")
    assert (recipe.name, recipe.scale, recipe.margin) == ("ren2020_generic", 4, 32)
    blur, down, noise = (step.op for step in recipe.lr)
    assert blur == GaussianBlur(Distribution(range=(0.2, 3.0)), Distribution(15.0))
    assert isinstance(down, OneOf)
    assert [b.steps[0].op for b in down.branches] == [
        Downsample(Options("nearest"), 4),
        Downsample(Options("bilinear"), 4),
        Downsample(Options("bicubic"), 4, cubic_a=-0.75),
        Downsample(Options("lanczos"), 4, lobes=4),
    ]
    assert isinstance(noise, OneOf)
    assert [b.steps[0].op for b in noise.branches] == [
        GaussianNoise(Distribution(range=(0, 25))),
        PoissonNoise(Distribution(range=(50, 150))),
        PoissonGaussianNoise(Distribution(range=(50, 150)), Distribution(range=(0, 5)), "grey", 1.0),
    ]
    assert {b.weight for b in (*down.branches, *noise.branches)} == {1.0}


def test_a_recipe_is_found_by_short_name_full_name_and_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(load_recipe("generic").text)
    digests = {load_recipe(name).digest for name in ("generic", "ren2020_generic", file)}
    assert len(digests) == 1
    assert "generic" in [recipe.short_name for recipe in list_recipes()]


def test_the_digest_says_what_is_done_not_what_it_is_called() -> None:
    plain = parse_recipe(MINIMAL)
    assert parse_recipe(MINIMAL.replace('"x"', '"y"') + "# a comment\n").digest == plain.digest
    assert parse_recipe(MINIMAL + "antialias = false\n").digest == plain.digest  # the default, stated
    assert parse_recipe(MINIMAL + "antialias = true\n").digest != plain.digest
    assert parse_recipe(MINIMAL, scale=2).digest != plain.digest


def test_the_margin_is_rounded_up_to_the_scale() -> None:
    assert load_recipe("generic", scale=3).margin == 33


def test_overrides_reach_into_steps_and_are_kept_in_the_text() -> None:
    recipe = load_recipe("generic", overrides=["lr.0.sigma_range=[1, 2]"])
    assert recipe.lr[0].op == GaussianBlur(Distribution(range=(1.0, 2.0)), Distribution(15.0))
    assert parse_recipe(recipe.text).digest == recipe.digest


def test_extends_lays_keys_over_and_set_reaches_into_steps() -> None:
    text = 'extends = "generic"\nname = "mild"\nsource = "test"\n[set]\n"lr.0.sigma_range" = [0.2, 1.0]\n'
    recipe = parse_recipe(text)
    assert recipe.name == "mild"
    assert recipe.lr[0].op == GaussianBlur(Distribution(range=(0.2, 1.0)), Distribution(15.0))
    assert recipe.lr[1:] == load_recipe("generic").lr[1:]


def test_default_ids_count_within_their_kind() -> None:
    recipe = load_recipe("generic")
    assert [step.id for step in recipe.lr] == ["gaussian_blur0", "downsample", "noise"]
    inner = [branch.steps[0].id for branch in recipe.lr[1].op.branches]  # type: ignore[union-attr]
    assert inner == ["downsample0", "downsample1", "downsample2", "downsample3"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("filter", "fliter"), ["lr[0].fliter", "unknown key", "'filter'"]),
        (('"downsample"', '"downsampel"'), ["lr[0].op", "downsampel", "'downsample'"]),
        (("bilinear", "bilinaer"), ["lr[0]", "filter", "bilinaer"]),
        (('name = "x"', 'nmae = "x"'), ["nmae", "'name'"]),
        (('name = "x"', ""), ["name", "missing"]),
        (("[[lr]]", "[[hr]]"), ["lr", "no steps"]),
        (('"bilinear"', '"bilinear"\nscale = 2'), ["lr[0].scale", "never states"]),
        (('"bilinear"', '"bilinear"\nprobability = 1.5'), ["lr[0].probability", "1.5"]),
        (('"bilinear"', '"bilinear"\nlobes = "three"'), ["lr[0]", "lobes", "three"]),
        (('source = "test"', 'source = "test"\nscale = 99'), ["99"]),
        (('source = "test"', 'source = "test"\nsource = "again"'), ["line 3", "overwrite"]),
    ],
)
def test_every_mistake_is_one_line_with_path_and_cure(change: tuple[str, str], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_recipe(MINIMAL.replace(*change), origin="mine.toml")
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("mine.toml: ")
    assert all(word in line for word in words), line
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("field", "word"),
    [
        ("sigma_range = [3.0, 0.2]", "low <= high"),
        ("sigma_range = [0.0, 1.0]", "above 0"),
        ("sigma = 1.0\nsigma_range = [1.0, 2.0]", "exactly one"),
        ("sigma_choice = [1.0, 2.0]\nsigma_weights = [1.0]", "weight"),
        ("sigma_log_range = [0.0, 2.0]", "low > 0"),
        ("sgima = 1.0", "'sigma'"),
        ("sigma = 1.0\nsize = 8", "odd"),
        ("sigma = true", "sigma"),
    ],
)
def test_impossible_distributions_are_refused(field: str, word: str) -> None:
    text = MINIMAL + f'[[lr]]\nop = "gaussian_blur"\n{field}\n'
    with pytest.raises(RecipeError, match=word):
        parse_recipe(text)


def test_an_id_used_twice_and_one_with_the_same_crc_are_refused() -> None:
    twice = MINIMAL + '[[lr]]\nop = "gaussian_noise"\nid = "downsample0"\nsigma_8bit = 1.0\n'
    with pytest.raises(RecipeError, match="used twice"):
        parse_recipe(twice)
    clash = (  # two words with one CRC-32
        MINIMAL.replace('op = "downsample"', 'op = "downsample"\nid = "plumless"')
        + '[[lr]]\nop = "gaussian_noise"\nid = "buckeroo"\nsigma_8bit = 1.0\n'
    )
    with pytest.raises(RecipeError, match="CRC-32"):
        parse_recipe(clash)


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="generic"):
        load_recipe("genric")


def test_a_circle_of_extends_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(f'extends = "{file.as_posix()}"\n')
    with pytest.raises(RecipeError, match="circle"):
        load_recipe(file)


def test_filled_in_form_states_every_default() -> None:
    recipe: Recipe = load_recipe("generic")
    table = recipe.as_table()
    assert table["lr"][0] == {
        "op": "gaussian_blur",
        "id": "gaussian_blur0",
        "probability": 1.0,
        "sigma": {"range": [0.2, 3.0]},
        "size": {"constant": 15.0},
    }
