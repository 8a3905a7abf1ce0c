"""All mistakes of a recipe file, not the first alone."""

from __future__ import annotations

from pathlib import Path

from degrade import schema
from degrade.errors import UsageError
from degrade.ops.protocol import Step
from degrade.recipe.load import load_recipe
from degrade.recipe.steps import Reader


def mistakes(name_or_path: str | Path) -> list[UsageError]:
    """What is wrong with a recipe: of its header the first mistake, and the first of every step.

    Where a mistake makes the rest unreadable, as in a file that is not TOML, and in a recipe that extends another one,
    only that mistake.
    """
    try:
        load_recipe(name_or_path)
    except UsageError as first:
        path = Path(name_or_path)
        found = _of_steps(path) if path.suffix == ".toml" else []
        is_among_them = any(str(error) == str(first) for error in found)
        return found if is_among_them else [first, *found]
    return []


def _of_steps(path: Path) -> list[UsageError]:
    try:
        table = schema.read_toml(path.read_text(encoding="utf-8"), origin=str(path))
    except (UsageError, OSError, UnicodeDecodeError):
        return []
    if "extends" in table:
        return []
    scale = table.get("scale", 4)
    reader = _PatientReader(scale if type(scale) is int and scale > 0 else 4, str(path), path.parent)
    for side in ("hr", "lr"):
        try:
            reader.steps(table.get(side, []), side)
        except UsageError as error:
            reader.found.append(error)
    return reader.found


class _PatientReader(Reader):
    """A reader that notes a mistake and goes on with the next step, also inside branches and groups."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.found: list[UsageError] = []

    def _step(self, table: object, path: str, depth: int) -> Step:
        try:
            return super()._step(table, path, depth)  # pyright: ignore[reportArgumentType]  # `steps` has checked it
        except UsageError as error:
            self.found.append(error)
            return _UNREADABLE


_UNREADABLE = Step("", None)  # pyright: ignore[reportArgumentType]  # never drawn: the file has a mistake
