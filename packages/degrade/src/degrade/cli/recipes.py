"""`degrade recipes`: what recipes there are, what they say, and whether a file says what it must."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from degrade.errors import UsageError, printable

_debug_option = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of a failure.")


def faults_of(names: Iterable[str]) -> dict[str, UsageError | None]:
    """For each recipe name or file what is wrong with it; None for nothing."""
    from degrade.recipe import load_recipe

    found: dict[str, UsageError | None] = {}
    for name in names:
        try:
            load_recipe(name)
            found[name] = None
        except UsageError as error:
            found[name] = error
    return found


@click.group(
    epilog="""\b
Examples:
  degrade recipes list
  degrade recipes show generic > mine.toml     start from a published one
  degrade recipes validate mine.toml
"""
)
def command() -> None:
    """List, show and check recipes.

    A recipe says in TOML how images are spoiled: its steps, and the range each parameter is drawn from. `--recipe`
    of the other commands takes the name of one that `list` shows, or a .toml file.
    """


@command.command("list", epilog="\b\nExample:\n  degrade recipes list --json")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@_debug_option
def list_command(as_json: bool) -> None:
    """Show the recipes that come with degrade."""
    from degrade.recipe import list_recipes

    recipes = list_recipes()
    if as_json:
        keys = ("short_name", "name", "scale", "unit", "source", "description", "digest")
        click.echo(json.dumps([{key: getattr(recipe, key) for key in keys} for recipe in recipes], indent=1))
        return
    width = max(len(recipe.short_name) for recipe in recipes)
    for recipe in recipes:
        click.echo(f"{recipe.short_name:{width}}  x{recipe.scale} per {recipe.unit}  {recipe.description}")
        click.echo(f"{'':{width}}  {recipe.name}: {recipe.source}")


@command.command(
    "show",
    epilog="""\b
Examples:
  degrade recipes show generic
  degrade recipes show generic --set lr.0.sigma=2.5 --json
""",
)
@click.argument("name")
@click.option("--scale", type=click.IntRange(1, 16), help="Instead of the recipe's.")
@click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Change a setting first.")
@click.option("--json", "as_json", is_flag=True, help="Print what it comes to, with every default filled in.")
@_debug_option
def show_command(name: str, scale: int | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Print the recipe NAME (or file) as TOML."""
    from degrade.recipe import load_recipe

    recipe = load_recipe(name, overrides=overrides, scale=scale)
    if as_json:
        about = {"name": recipe.name, "source": recipe.source, "digest": recipe.digest}
        click.echo(json.dumps({**about, **recipe.as_table()}, indent=1))
    else:
        click.echo(recipe.text.rstrip("\n"))


@command.command(
    "validate", short_help="Check recipe files.", epilog="\b\nExample:\n  degrade recipes validate mine.toml other.toml"
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@_debug_option
def validate_command(files: tuple[str, ...]) -> None:
    """Check recipe files: one line for each, with the place of the first mistake and the nearest name that would do."""
    faults = faults_of(files)
    for name, fault in faults.items():
        if fault is None:
            click.echo(printable(f"{name}: fine"))
        else:
            click.echo(f"degrade: error: {fault}", err=True)
    if any(faults.values()):
        raise click.exceptions.Exit(UsageError.exit_code)
