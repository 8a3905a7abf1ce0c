"""Recipes from other programs' option files: Real-ESRGAN's, BasicSR's and traiNNer-redux's."""

from degrade.recipe_import.realesrgan import Imported, import_recipe

__all__ = ["Imported", "import_recipe"]
