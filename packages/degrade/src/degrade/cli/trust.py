"""`degrade trust`: put degrader files on the list of those that may be loaded."""

from __future__ import annotations

from pathlib import Path

import click

from degrade.errors import printable


@click.command(
    epilog="""\b
Examples:
  degrade inspect mine.pt         look at it first: card, gate, trust
  degrade trust mine.pt
"""
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(files: tuple[Path, ...]) -> None:
    """Trust learned degraders: recipes may run them from now on.

    FILE is what `srzoo export-degrader` wrote; files it wrote for you are on the list already. A file that is changed
    later is not trusted any more. Whatever the gate refuses cannot be trusted. The list is degrade/trusted in your
    folder of settings; DEGRADE_TRUST names another.
    """
    from degrade.trust import trust, trust_list

    for file in files:
        admitted = trust(file)
        card = admitted.card
        click.echo(printable(f"{file}: {card.name} ({card.system}), x{card.scale}: {card.description}"))
        click.echo(printable(f"  trained on {', '.join(card.trained_on) or 'nothing stated'}; licence: {card.licence}"))
        click.echo(printable(f"  SHA-256 {admitted.sha256} is in {trust_list()}"))
