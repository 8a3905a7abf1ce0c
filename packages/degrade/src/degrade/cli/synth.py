"""`degrade synth`: photographs in, shards of LR-HR pairs out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from degrade.synthesize import Summary
    from degrade.synthesize.run import Progress

_EXAMPLES = """\b
Examples:
  degrade synth                                     2,000 pairs from sample pictures, into shards/
  degrade synth photos/ --pairs 20000               from your own photos, searched through
  degrade synth a.jpg b/ --per-image 50 --out set/  50 patches from each
  degrade synth photos/ --variants 4 --scale 2      four LR versions of every HR patch
  degrade synth photos/ dead-leaves:64@512x768      photos and 64 scenes (or 512x512 each)
  degrade synth photos/ --recipe generic --set lr.0.sigma_range=[0.2,1.5]
  degrade synth photos/ --dry-run                   say what would be made

Run the same command again after Ctrl-C, a crash or a full disk: it goes on where
it stopped, and the shards come out the same to the last byte.
"""


@click.command("synth", epilog=_EXAMPLES)
@click.argument("hr", nargs=-1, metavar="[HR]...")
@click.option("--recipe", default="generic", show_default=True, help="A recipe's name or a TOML file.")
@click.option("--out", default="shards", show_default=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--scale", type=click.IntRange(1, 16), help="HR size over LR size.  [default: the recipe's]")
@click.option("--patch", default=192, show_default=True, help="Side of an HR patch in pixels.")
@click.option("--pairs", type=int, help="Pairs in all.  [default: tile each photo once; 2000 without HR]")
@click.option("--per-image", type=int, help="Patches from each photo, instead of --pairs.")
@click.option("--variants", default=1, show_default=True, help="Pairs made from each HR patch.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws everything anew.")
@click.option("--workers", type=click.IntRange(1), help="Processes.  [default: all cores]")
@click.option(
    "--min-detail",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 255),
    help="Of 8 places take the first with a mean absolute Laplacian of this many grey levels (sky about 1,"
    " texture 20), else the most detailed.",
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a value of the recipe.")
@click.option("--overwrite", is_flag=True, help="Start over where --out holds another run.")
@click.option("--dry-run", is_flag=True, help="Plan only; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--allow-skips", is_flag=True, help="Exit with 0 although photos were left out.")
def command(
    hr: tuple[str, ...],
    recipe: str,
    out: Path,
    scale: int | None,
    patch: int,
    pairs: int | None,
    per_image: int | None,
    variants: int,
    seed: int,
    workers: int | None,
    min_detail: float,
    overrides: tuple[str, ...],
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    allow_skips: bool,
) -> None:
    """Make LR-HR training pairs from photographs.

    HR is any mix of photos, folders (searched through) and generated scenes (see the examples). Without HR, the
    photographs that come with scikit-image and generated scenes are used.
    """
    from degrade.cli.made import make_and_tell
    from degrade.synthesize import synthesize

    def make(progress: Progress) -> Summary:
        return synthesize(
            hr,
            recipe,
            out,
            scale=scale,
            patch=patch,
            pairs=pairs,
            per_image=per_image,
            variants=variants,
            seed=seed,
            workers=workers,
            min_detail=min_detail,
            overrides=overrides,
            overwrite=overwrite,
            dry_run=dry_run,
            progress=progress,
            notice=lambda line: click.echo(f"degrade: {line}", err=True),
        )

    make_and_tell(make, source="picture", as_json=as_json, allow_skips=allow_skips)
