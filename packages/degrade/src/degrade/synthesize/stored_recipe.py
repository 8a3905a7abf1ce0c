"""The recipe of a plan, in whatever process: the text that the plan holds, with its files where the plan says."""

from __future__ import annotations

import hashlib

from degrade.errors import IntegrityError
from degrade.recipe import Recipe, parse_recipe
from degrade.synthesize.plan import Plan

NO_RECIPE = hashlib.sha256(b"null").hexdigest()  # the digest of none, as JSON, where captured pairs stay as they are


def stored_recipe(plan: Plan) -> Recipe | None:
    """The recipe, its pools, models and references registered in this process; None where the plan has none.

    Raises:
        IntegrityError: it is no longer what was planned: a file of it changed.
        RecipeError: a file of it is not where the plan says.
    """
    if not plan.recipe_text:
        return None
    scale = plan.scale // (plan.captured_scale or 1)
    recipe = parse_recipe(plan.recipe_text, origin=plan.recipe_name, scale=scale, assets=dict(plan.assets))
    if recipe.digest != plan.recipe_digest:
        what = "a file of it changed" if recipe.assets else "its text does not say what it does"
        raise IntegrityError(f"recipe {plan.recipe_name}", what, "run the same command again with --overwrite")
    return recipe
