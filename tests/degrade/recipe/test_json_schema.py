"""The JSON schema against the reader itself: what one takes, the other takes; typical mistakes neither does."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from degrade.errors import UsageError
from degrade.recipe import parse_recipe
from degrade.recipe.json_schema import recipe_schema

RECIPES = sorted(path for path in Path(str(resources.files("degrade") / "recipes")).glob("*.toml"))
HEAD = 'name = "mine"\nsource = "ours"\n'
LAST = '[[lr]]\nop = "downsample"\nfilter = "area"\n'


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = recipe_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def faults(validator: Any, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(tomllib.loads(text))]


def step(text: str) -> str:
    return f"{HEAD}[[lr]]\n{text}\n{LAST}"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_packaged_recipe_is_valid(path: Path, validator: Any) -> None:
    assert faults(validator, path.read_text()) == []


GOOD = {
    "header": f'description = "x"\nscale = 2\nmargin = 0\nunit = "photo"\n{HEAD}{LAST}',
    "extends": 'extends = "generic"\n[set]\n"lr.0.sigma_range" = [1, 2]',
    "constant": step('op = "gaussian_blur"\nsigma = 2'),
    "log range": step('op = "gaussian_blur"\nsigma_log_range = [0.1, 2]'),
    "normal": step('op = "gaussian_noise"\nsigma_8bit_normal = [10, 0]'),
    "choice": step('op = "gaussian_blur"\nsigma_choice = [1, 2]\nsigma_weights = [0, 1]'),
    "id and chance": step('op = "gaussian_blur"\nsigma = 2\nid = "blur"\nprobability = 0.5'),
    "factor": step('op = "resize"\nfilter = "area"\nfactor_range = [0.5, 2]'),
    "no step": step('op = "one_of"\n[[lr.branches]]\nsteps = []'),
    "groups": step('op = "shuffled"\nkeep_order = [["a", "b"]]\n[[lr.groups]]\nname = "a"\n[[lr.groups]]\nname = "b"'),
    "field called scale": step('op = "scaled_poisson_noise"\nscale_range = [0.1, 3]'),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_the_reader_takes_the_schema_takes(name: str, validator: Any) -> None:
    parse_recipe(GOOD[name])
    assert faults(validator, GOOD[name]) == []


BAD = {
    "unknown op": step('op = "gausian_blur"\nsigma = 2'),
    "no op": step("sigma = 2"),
    "unknown key": step('op = "gaussian_blur"\nsigma = 2\nsiez = 3'),
    "field missing": step('op = "gaussian_blur"'),
    "two forms": step('op = "gaussian_blur"\nsigma = 2\nsigma_range = [1, 2]'),
    "weights alone": step('op = "gaussian_blur"\nsigma = 2\nsigma_weights = [1]'),
    "text for a number": step('op = "gaussian_blur"\nsigma = "2"'),
    "three ends": step('op = "gaussian_blur"\nsigma_range = [1, 2, 3]'),
    "out of range": step('op = "gaussian_noise"\nsigma_8bit = -1'),
    "end out of range": step('op = "gaussian_noise"\nsigma_8bit_range = [-1, 2]'),
    "unknown word": step('op = "gaussian_noise"\nsigma_8bit = 1\nmode = "color"'),
    "unknown word in a choice": step('op = "resize"\nfactor = 2\nfilter_choice = ["area", "bicubik"]'),
    "unknown literal": step('op = "resize"\nfilter = "area"\nfactor = 1\nof = "sr"'),
    "chance above 1": step('op = "gaussian_blur"\nsigma = 2\nprobability = 1.5'),
    "scale in a step": f'{HEAD}[[lr]]\nop = "downsample"\nfilter = "area"\nscale = 4',
    "key of another op": step('op = "gaussian_blur"\nsigma = 2\npeak = 100'),
    "mistake in a branch": step('op = "one_of"\n[[lr.branches]]\nsteps = [{ op = "gaussian_blur", sigm = 1 }]'),
    "one group": step('op = "shuffled"\n[[lr.groups]]\nsteps = []'),
    "key of a branch": step('op = "one_of"\n[[lr.branches]]\nwieght = 1'),
    "no steps": HEAD,
    "no source": f'name = "x"\n{LAST}',
    "unknown header key": f"scael = 4\n{HEAD}{LAST}",
    "scale too large": f"scale = 17\n{HEAD}{LAST}",
    "unknown unit": f'unit = "image"\n{HEAD}{LAST}',
}


@pytest.mark.parametrize("name", BAD)
def test_typical_mistakes_are_refused_by_both(name: str, validator: Any) -> None:
    with pytest.raises(UsageError):
        parse_recipe(BAD[name])
    assert faults(validator, BAD[name])


def test_one_mistake_gives_one_message(validator: Any) -> None:
    """The rules of an op apply by its name; a `oneOf` of all ops would only say that none of them fits."""
    (message,) = faults(validator, BAD["unknown key"])
    assert "siez" in message


def test_editors_can_complete_every_field() -> None:
    schema = recipe_schema()
    anywhere = schema["$defs"]["step"]["properties"]
    for definition in schema["$defs"].values():
        assert set(definition["properties"]) <= set(anywhere)
    sigma = schema["$defs"]["downsample"]["properties"]["cubic_a"]["description"]
    assert "OpenCV" in sigma
    assert "Default: -0.5" in sigma


def test_the_schema_is_plain_json_and_the_same_each_time() -> None:
    assert json.dumps(recipe_schema()) == json.dumps(recipe_schema())
    assert "Infinity" not in json.dumps(recipe_schema())
