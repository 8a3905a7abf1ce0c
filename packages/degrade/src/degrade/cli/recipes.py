"""`degrade recipes`: what recipes there are, what they say, how two differ, and whether a file says what it must."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

import click

from degrade.cli.recipe_language import import_command, ops_command, schema_command
from degrade.errors import MissingModelError, UsageError, printable

_debug_option = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of a failure.")


def faults_of(names: Iterable[str]) -> dict[str, list[UsageError]]:
    """For each recipe name or file what is wrong with it; an empty list for nothing."""
    from degrade.recipe.check import mistakes

    return {name: mistakes(name) for name in names}


@click.group(
    epilog="""\b
Examples:
  degrade recipes list
  degrade recipes show generic > mine.toml     start from a published one
  degrade recipes ops                          what a step may say
  degrade recipes validate mine.toml
  degrade recipes diff generic mine.toml
"""
)
def command() -> None:
    """List, show, check and compare recipes.

    A recipe says in TOML how images are spoiled: its steps, and the range each parameter is drawn from. `--recipe`
    of the other commands takes the name of one that `list` shows, or a .toml file.
    """


@command.command("list", epilog="\b\nExample:\n  degrade recipes list --json")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@_debug_option
def list_command(as_json: bool) -> None:
    """Show the recipes that come with degrade. Some need a model that you train: it is said which, and how."""
    from degrade.recipe import WaitingRecipe, list_recipes, waiting_recipes

    recipes = sorted([*list_recipes(), *waiting_recipes()], key=lambda recipe: recipe.short_name)
    if as_json:
        keys = ("short_name", "name", "scale", "unit", "source", "description", "digest")
        told = [{key: getattr(recipe, key, None) for key in keys} for recipe in recipes]
        lacks = [str(recipe.lack) if isinstance(recipe, WaitingRecipe) else None for recipe in recipes]
        click.echo(json.dumps([{**one, "lacks": lack} for one, lack in zip(told, lacks, strict=True)], indent=1))
        return
    width = max(len(recipe.short_name) for recipe in recipes)
    digits = max(len(str(recipe.scale)) for recipe in recipes)
    for recipe in recipes:
        click.echo(f"{recipe.short_name:{width}}  x{recipe.scale:<{digits}} per {recipe.unit}  {recipe.description}")
        click.echo(f"{'':{width}}  {recipe.name}: {recipe.source}")
        if isinstance(recipe, WaitingRecipe):
            click.echo(printable(f"{'':{width}}  needs a model: {recipe.lack.cure}"))


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
    """Print the recipe NAME (or file) as TOML. One that needs a model is printed, too, and what it lacks is said."""
    from degrade.recipe import load_recipe, recipe_text

    try:
        recipe = load_recipe(name, overrides=overrides, scale=scale)
    except MissingModelError as lack:
        if as_json:
            raise
        click.echo(recipe_text(name, overrides=overrides).rstrip("\n"))
        click.echo(f"degrade: note: {lack}", err=True)
        return
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
    """Check recipe files: a line for each mistake, with its place and the nearest name that would do.

    One mistake of each step is named; mend it and run this again.
    """
    faults = faults_of(files)
    for name, found in faults.items():
        if not found:
            click.echo(printable(f"{name}: fine"))
        for fault in found:
            click.echo(f"degrade: error: {fault}", err=True)
    if any(faults.values()):
        raise click.exceptions.Exit(UsageError.exit_code)


@command.command(
    "diff",
    short_help="Compare what two recipes do.",
    epilog="""\b
Examples:
  degrade recipes diff realesrgan mine.toml
  degrade recipes diff generic mine.toml --json
""",
)
@click.argument("a")
@click.argument("b")
@click.option("--scale", type=click.IntRange(1, 16), help="Instead of the recipes'.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@_debug_option
def diff_command(a: str, b: str, scale: int | None, as_json: bool) -> None:
    """Say what the recipe B (name or file) does differently from A: steps by their ids, fields, order.

    Defaults are filled in; names, comments and the order of branches do not count. The exit code is 0 either way.
    """
    from degrade.recipe import load_recipe
    from degrade.recipe.diff import differences

    one, two = load_recipe(a, scale=scale), load_recipe(b, scale=scale)
    found = differences(one, two)
    if as_json:
        same = {"equal": not found, "same_digest": one.digest == two.digest}
        click.echo(json.dumps({"a": a, "b": b, **same, "differences": [asdict(entry) for entry in found]}, indent=1))
    elif found:
        click.echo("\n".join(printable(str(difference)) for difference in found))
    else:
        click.echo("equal" if one.digest == two.digest else "equal, but written otherwise: a seed may give other draws")


for _language_command in (ops_command, schema_command, import_command):
    command.add_command(_language_command)
