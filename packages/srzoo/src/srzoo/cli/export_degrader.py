"""`srzoo export-degrader`: a trained degrader as a file that recipes run."""

from __future__ import annotations

from pathlib import Path

import click

from degrade.errors import printable


@click.command(
    "export-degrader",
    epilog="""\b
Examples:
  srzoo export-degrader runs/srdgan-h2l-small -o h2l.pt
  srzoo export-degrader runs/dml -o dml.pt --name dml-city100 --licence CC-BY-4.0
  srzoo export-degrader runs/srdgan-joint -o h2l.pt     its h2l
  degrade inspect h2l.pt                     its card, the gate, trust
""",
)
@click.argument("run", metavar="RUN")
@click.option(
    "-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help="The file, NAME.pt."
)
@click.option("--name", default="", help="What the card calls it.  [default: the run's name]")
@click.option("--description", default="", help="One sentence for the card.  [default: the preset's]")
@click.option("--licence", "--license", default="", help="Of the weights.  [default: not stated]")
@click.option("--force", is_flag=True, help="Overwrite the file if it is there already.")
def command(run: str, output: Path, name: str, description: str, licence: str, force: bool) -> None:
    """Export the degrader of RUN (a run folder, its name under ./runs, RUN:role, or a model file).

    The file is TorchScript with a card in it; it passes degrade's gate and is put on your list of trusted files.
    """
    from srzoo.upscale.resolve import LR_ROLES, resolve_model

    path, _ = resolve_model(run, option="srzoo export-degrader", roles=LR_ROLES)
    from srzoo.export import Words, export_degrader

    admitted = export_degrader(path, output, Words(name, description, licence), overwrite=force)
    card = admitted.card
    size = f"{len(admitted.data) / 1e6:.2f} MB"
    click.echo(printable(f"{output}: {card.name} ({card.system}), x{card.scale}, {size}, SHA-256 {admitted.sha256}"))
