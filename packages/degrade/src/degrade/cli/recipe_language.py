"""`degrade recipes ops`, `schema`, `import`: the recipe language for people, for editors, and from other programs."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from degrade.errors import UsageError, printable

_debug_option = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of a failure.")

_WIDTH = 100
_FORMS = """A number x that is drawn is stated as x, x_range, x_log_range, x_normal, or x_choice with x_weights; a word
x as x, or x_choice with x_weights. Every step also takes id and probability."""


@click.command(
    "ops",
    short_help="List what a step may say.",
    epilog="\b\nExamples:\n  degrade recipes ops\n  degrade recipes ops jpeg",
)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print fields, defaults and limits as JSON.")
@_debug_option
def ops_command(name: str | None, as_json: bool) -> None:
    """Show what a step of a recipe may say: every op in one line, or one op NAME with its fields."""
    from degrade.ops import OPS
    from degrade.recipe.fields import summary
    from degrade.schema import nearest

    if name is not None and name not in OPS:
        raise UsageError(f"op '{name}'", "not known", nearest(name, OPS))
    kinds = [name] if name is not None else list(OPS)
    if as_json:
        click.echo(json.dumps({kind: _op_table(kind) for kind in kinds}, indent=1))
    elif name is not None:
        click.echo("\n".join(op_lines(name)))
    else:
        width = max(map(len, kinds))
        for kind in kinds:
            click.echo(f"{kind:{width}}  {_shortened(summary(kind), _WIDTH - width - 2)}")
        click.echo(f"\n{_FORMS}\n`degrade recipes ops NAME` shows the fields of one.")


@click.command(
    "schema",
    short_help="Print a JSON schema for editors.",
    epilog="""\b
Example:
  degrade recipes schema -o recipe.schema.json
  and as the first line of a recipe, for editors with taplo (Even Better TOML):
  #:schema ./recipe.schema.json
""",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there; replaces the file.")
@_debug_option
def schema_command(out: Path | None) -> None:
    """Print the recipe language as a JSON schema (draft 2020-12), so that an editor completes and checks recipes."""
    from degrade.atomic import write_bytes
    from degrade.recipe.json_schema import recipe_schema

    text = json.dumps(recipe_schema(), indent=1)
    if out is None:
        click.echo(text)
    else:
        write_bytes(out, f"{text}\n".encode())
        click.echo(printable(f"{out}: write '#:schema {out}' into the first line of a recipe"))


@click.command(
    "import",
    short_help="Make a recipe of a Real-ESRGAN option file.",
    epilog="""\b
Examples:
  degrade recipes import train_realesrgan_x4plus.yml -o mine.toml
  degrade recipes import train_realesrgan_x4plus.yml | less
""",
)
@click.argument("file", metavar="FILE.yml", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE.toml", help="Instead of printing it.")
@click.option("--force", is_flag=True, help="Overwrite the recipe of an earlier import.")
@_debug_option
def import_command(file: Path, out: Path | None, force: bool) -> None:
    """Make a recipe of the degradation in an option file of Real-ESRGAN, BasicSR or traiNNer-redux.

    The recipe names behind each number the option it comes from. Networks, losses and paths are ignored; options about
    degradation that a recipe does not follow are named on stderr.
    """
    from degrade.atomic import write_bytes
    from degrade.recipe import parse_recipe
    from degrade.recipe_import import import_recipe

    if out is not None and out.suffix != ".toml":
        raise UsageError(out, "a recipe's name ends in .toml", f"use -o {out.stem}.toml")
    imported = import_recipe(file)
    recipe = parse_recipe(imported.text, origin=f"{file}, as a recipe")
    for notice in imported.notices:
        click.echo(printable(f"degrade: note: {file}: {notice}"), err=True)
    if out is None:
        click.echo(imported.text.rstrip("\n"))
        return
    if out.exists() and not force:
        raise UsageError(out, "is there already", "overwrite with --force, or choose another -o")
    write_bytes(out, imported.text.encode(), overwrite=force)
    click.echo(printable(f"{out}: x{recipe.scale}, {len(recipe.hr) + len(recipe.lr)} steps"))


def op_lines(kind: str) -> Iterator[str]:
    """An op for a reader: what it does, then its fields with defaults, limits and meaning."""
    from degrade.recipe.fields import description, op_fields

    yield kind
    yield ""
    yield from (f"  {line}".rstrip() for line in description(kind).splitlines())
    rows = op_fields(kind)
    width = max((len(row.name) for row in rows), default=0)
    if rows:
        yield ""
    for row in rows:
        stated = "must be stated" if row.default is None else f"default {row.default}"
        limits = f"; {'one of ' if row.limits.words else ''}{row.limits}" if str(row.limits) else ""
        drawn = " (drawn)" if row.kind in ("number", "word") else ""
        facts = f"{stated}{limits}{drawn}" + (f". {row.about}" if row.about else "")
        yield from textwrap.wrap(
            facts, _WIDTH, initial_indent=f"  {row.name:{width}}  ", subsequent_indent=" " * (width + 4)
        )


def _shortened(text: str, width: int) -> str:
    """The first sentence of `text`, its clauses that fit, or its first words."""
    sentence = re.split(r"\. (?=[A-Z`])|\.$", text)[0]
    if len(sentence) <= width:
        return sentence
    clauses = [sentence[: end.start()] for end in re.finditer(r"[:;] ", sentence)]
    fitting = [clause for clause in clauses if 20 <= len(clause) <= width]
    return fitting[-1] if fitting else textwrap.shorten(sentence, width, placeholder=" ...")


def _op_table(kind: str) -> dict[str, object]:
    from degrade.recipe.fields import description, op_fields

    fields = {
        row.name: {"kind": row.kind, "default": row.default, "limits": str(row.limits), "about": row.about}
        for row in op_fields(kind)
    }
    return {"about": description(kind), "fields": fields}
