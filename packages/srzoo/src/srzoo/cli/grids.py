"""A table of figures on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from degrade.errors import printable

if TYPE_CHECKING:
    from srzoo.evaluate import Grid

_WIDTH = 140  # where nobody says how wide


def print_grid(grid: Grid) -> None:
    """`grid` on stdout, as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(printable(grid.title)))
    for column, heading in enumerate(grid.headings):
        is_text = column in grid.words
        table.add_column(heading, justify="left" if is_text else "right", overflow="fold", no_wrap=not is_text)
    for number, row in enumerate(grid.rows):
        table.add_row(*(Text(printable(cell)) for cell in row), end_section=number in grid.ends)
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table)
