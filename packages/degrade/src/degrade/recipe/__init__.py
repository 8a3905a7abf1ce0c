"""A recipe is data: `load_recipe` reads one, `recipes/README.md` describes the language."""

from degrade.recipe.load import Recipe, list_recipes, load_recipe, parse_recipe, waiting_recipes

__all__ = ["Recipe", "list_recipes", "load_recipe", "parse_recipe", "waiting_recipes"]
