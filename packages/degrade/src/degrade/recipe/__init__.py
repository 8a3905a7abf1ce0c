"""A recipe is data: `load_recipe` reads one, `recipes/README.md` describes the language."""

from degrade.recipe.load import (
    Recipe,
    WaitingRecipe,
    list_recipes,
    load_recipe,
    parse_recipe,
    recipe_text,
    waiting_recipes,
)

__all__ = [
    "Recipe",
    "WaitingRecipe",
    "list_recipes",
    "load_recipe",
    "parse_recipe",
    "recipe_text",
    "waiting_recipes",
]
