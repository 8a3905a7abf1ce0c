"""Pools that a recipe names: where they lie stands in the plan, and one that changed is not taken."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from degrade import assets
from degrade.errors import IntegrityError, PlanChangedError, RecipeError
from degrade.synthesize import Summary
from degrade.synthesize.plan import parse_plan
from degrade.synthesize.stored_recipe import stored_recipe

Make = Callable[..., Summary]

RECIPE = """
name = "mine"
source = "a test"
scale = 2
margin = 8
[[lr]]
op = "kernel_blur"
pool = "kernels.npz"
[[lr]]
op = "downsample"
filter = "bicubic"
"""


def write_pool(path: Path, seed: int = 0) -> None:
    kernels = np.random.default_rng(seed).random((3, 5, 5), np.float32)
    kernels /= kernels.sum((1, 2), keepdims=True)
    assets.write_pool(path, kernels=kernels, card={"origin": []}, overwrite=True)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe with its pool beside it."""
    (tmp_path / "recipes").mkdir()
    write_pool(tmp_path / "recipes" / "kernels.npz")
    path = tmp_path / "recipes" / "mine.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pool is known from another test."""
    monkeypatch.setattr(assets.places, "_places", {})
    assets.pools._opened.cache_clear()


def stored(folder: Path) -> Any:
    return parse_plan((folder / "plan.json").read_text(), origin="plan")


def test_the_plan_says_where_pools_lie(make: Make, recipe: Path, tmp_path: Path) -> None:
    make(recipe=str(recipe))
    plan = stored(tmp_path / "out")
    assert plan.assets == (("kernels.npz", str(recipe.with_name("kernels.npz"))),)
    assets.places._places.clear()  # as in a process that has just begun
    loaded = stored_recipe(plan)
    assert loaded is not None
    assert loaded.digest == plan.recipe_digest
    assert len(assets.places._places) == 1


@pytest.mark.slow
def test_worker_processes_find_pools(
    make: Make, recipe: Path, tmp_path: Path, files: Callable[[Path], dict[str, bytes]]
) -> None:
    make("one", recipe=str(recipe))
    make("two", recipe=str(recipe), workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_pool_that_comes_with_degrade_is_found_by_name_alone(make: Make, tmp_path: Path) -> None:
    make(recipe="realsr", per_image=1)
    plan = stored(tmp_path / "out")
    assert plan.assets == ()
    assert "assets" not in json.loads(plan.text())
    loaded = stored_recipe(plan)
    assert loaded is not None
    assert [name for name, _ in loaded.assets] == ["realsr"]


def test_a_pool_that_changed_is_not_taken(make: Make, recipe: Path, tmp_path: Path) -> None:
    make(recipe=str(recipe))
    plan = stored(tmp_path / "out")
    write_pool(recipe.with_name("kernels.npz"), seed=1)
    with pytest.raises(
        IntegrityError, match="recipe mine: a file of it changed - run the same command again with --ov"
    ):
        stored_recipe(plan)
    with pytest.raises(PlanChangedError, match="the recipe changed"):
        make(recipe=str(recipe))
    recipe.with_name("kernels.npz").unlink()
    with pytest.raises(RecipeError, match="kernels"):
        stored_recipe(plan)


def test_a_pool_that_moved_is_another_run(make: Make, recipe: Path, tmp_path: Path) -> None:
    make(recipe=str(recipe))
    recipe.parent.rename(tmp_path / "elsewhere")
    with pytest.raises(PlanChangedError, match="the recipe's files lie elsewhere"):
        make(recipe=str(tmp_path / "elsewhere" / "mine.toml"))


def test_a_recipe_whose_text_says_something_else_is_refused(make: Make, tmp_path: Path) -> None:
    make(per_image=1)
    plan = dataclasses.replace(stored(tmp_path / "out"), recipe_digest="0" * 64)
    with pytest.raises(IntegrityError, match="its text does not say what it does"):
        stored_recipe(plan)
