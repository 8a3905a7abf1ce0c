"""`degrade recipes`: list, show, validate."""

from __future__ import annotations

import json
import tomllib

import pytest

from degrade.recipe import load_recipe


def test_list_names_every_recipe_with_scale_source_and_a_line(degrade) -> None:
    ran = degrade("recipes", "list")
    assert ran.code == 0
    for name in ("generic", "bicubic"):
        recipe = load_recipe(name)
        (line,) = [line for line in ran.out.splitlines() if line.startswith(name)]
        assert f"x{recipe.scale} per {recipe.unit}" in line
        assert recipe.description in line
        assert f"{recipe.name}: {recipe.source}" in ran.out


def test_list_as_json(degrade) -> None:
    told = {entry["short_name"]: entry for entry in json.loads(degrade("recipes", "list", "--json").out)}
    assert told["generic"]["name"] == "ren2020_generic"
    assert told["generic"]["digest"] == load_recipe("generic").digest


def test_show_prints_a_file_that_is_the_same_recipe(degrade, tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(degrade("recipes", "show", "ren2020_generic").out)
    assert load_recipe(file).digest == load_recipe("generic").digest
    file.write_text(degrade("recipes", "show", file, "--set", "lr.0.sigma_range=[1.0, 2.0]").out)
    assert tomllib.loads(file.read_text())["lr"][0]["sigma_range"] == [1.0, 2.0]


def test_show_as_json_fills_the_defaults_in(degrade) -> None:
    told = json.loads(degrade("recipes", "show", "generic", "--scale", "2", "--json").out)
    assert (told["scale"], told["lr"][0]["probability"]) == (2, 1.0)
    assert told["lr"][0]["sigma"] == {"range": [0.2, 3.0]}


MISTAKES = {
    "op": ('[[lr]]\nop = "gausian_blur"', "lr[0].op: unknown op 'gausian_blur' - did you mean 'gaussian_blur'?"),
    "key": ('[[lr]]\nop = "gaussian_blur"\nsigma = 1\nsiez = 3', "lr[0].siez: unknown key - did you mean 'size'?"),
    "toml": ("[[lr]", "not valid TOML"),
    "range": ('[[lr]]\nop = "gaussian_blur"\nsigma_range = [3.0, 0.2]', "expected low <= high"),
    "none": ("", "lr: no steps"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_validate_names_place_and_cure(kind, degrade, tmp_path) -> None:
    text, line = MISTAKES[kind]
    file = tmp_path / "mine.toml"
    file.write_text(f'name = "mine"\nsource = "ours"\n{text}')
    ran = degrade("recipes", "validate", file)
    assert ran.code == 2
    assert ran.err.startswith(f"degrade: error: {file}: ")
    assert line in ran.err
    assert ran.err.count("\n") == 1


def test_validate_looks_at_every_file(degrade, tmp_path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text('name = "x"')
    ran = degrade("recipes", "validate", tmp_path / "one.toml", "generic", tmp_path / "two.toml", tmp_path / "no.toml")
    assert ran.code == 2
    assert ran.out == "generic: fine\n"
    assert len(ran.err.splitlines()) == 3
    assert degrade("recipes", "validate", "generic", "bicubic").code == 0


def test_an_unknown_name_gives_the_nearest(degrade) -> None:
    ran = degrade("recipes", "show", "genric")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "did you mean 'generic'?" in ran.err


@pytest.mark.parametrize("words", [["list"], ["show", "generic"], ["validate", "generic"]])
def test_debug_may_stand_last(words, degrade) -> None:
    assert degrade("recipes", *words, "--debug").code == 0
