"""`degrade pack`: captured, aligned pairs in, shards of patches out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from degrade.synthesize import Summary
    from degrade.synthesize.run import Progress

_EXAMPLES = """\b
Examples:
  degrade pack lr/ hr/ --out set/                    tile each pair once
  degrade pack phone/ dslr/ --patch 100 --zoom 2     pictures of the same size
  degrade pack noisy/ clean/ --recipe nearest        x4: every fourth noisy pixel, HR stays
  degrade pack lr/ hr/ --pairs 20000 --min-detail 5  pass over skies and walls
  degrade pack DIV2K_train_LR_bicubic/X4 DIV2K_train_HR
  degrade pack lr/ hr/ --dry-run                     say what would be made

The two pictures of a pair have the same name (the suffix may differ, and 0001x4.png
belongs to 0001.png, a_LR4.png to a_HR.png), and HR is exactly 1, 2, 3 ... times as
large; alignment is not checked here: degrade check SET. Run the same command again
to go on after an interruption; the bytes come out the same.
"""


@click.command("pack", epilog=_EXAMPLES)
@click.argument("lr", metavar="LR_DIR", type=click.Path(path_type=Path))
@click.argument("hr", metavar="HR_DIR", type=click.Path(path_type=Path))
@click.option("--out", default="shards", show_default=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--recipe", help="Run a recipe on the LR side: its name or a TOML file.  [default: LR as captured]")
@click.option("--scale", type=click.IntRange(1, 16), help="Of the recipe, instead of its own.")
@click.option("--zoom", type=click.IntRange(1), default=1, show_default=True, help="Optical zoom of same-size pairs.")
@click.option("--patch", default=192, show_default=True, help="Side of an HR patch in pixels.")
@click.option("--pairs", type=int, help="Pairs in all.  [default: tile each picture once]")
@click.option("--per-image", type=int, help="Patches from each picture, instead of --pairs.")
@click.option("--variants", default=1, show_default=True, help="Draws of the recipe for each patch.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws everything anew.")
@click.option("--workers", type=click.IntRange(1), help="Processes.  [default: all cores]")
@click.option(
    "--min-detail",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 255),
    help="As of `synth`, of the HR: where a patch may lie (sky has about 1, texture 20).",
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a value of the recipe.")
@click.option("--overwrite", is_flag=True, help="Start over where --out holds another run.")
@click.option("--dry-run", is_flag=True, help="Plan only; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option("--allow-skips", is_flag=True, help="Exit with 0 although pictures were left out.")
def command(
    lr: Path,
    hr: Path,
    out: Path,
    recipe: str | None,
    scale: int | None,
    zoom: int,
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
    """Cut training pairs from captured, aligned pairs of pictures.

    LR_DIR and HR_DIR are searched through for pictures of the same name. With a recipe, it makes LR from the picture in
    LR_DIR (its noise and blur are the camera's) and its scale comes on top of the pictures' own.
    """
    from degrade.cli.made import make_and_tell
    from degrade.synthesize.pack import pack

    def make(progress: Progress) -> Summary:
        return pack(
            lr,
            hr,
            out,
            recipe,
            scale=scale,
            zoom=zoom,
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
        )

    make_and_tell(make, source="captured pair", as_json=as_json, allow_skips=allow_skips)
