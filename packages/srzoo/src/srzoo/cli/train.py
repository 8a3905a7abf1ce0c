"""`srzoo train`: a preset, shards in, a run folder out."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path

import click

_FILES = (path.name for path in resources.files("srzoo").joinpath("presets").iterdir())
_PRESETS = sorted(name.removesuffix(".toml") for name in _FILES if name.endswith(".toml"))
_EXAMPLES = f"""\b
Presets: {", ".join(_PRESETS)}

\b
Examples:
  srzoo train                                     ./shards -> ./runs/compact-x4; again to go on
  srzoo train demo --shards shards/               three minutes on two cores
  srzoo train rcan-psnr --device cuda --steps 300000
  srzoo train --shards photos/ --shards scenes/   several sets together
  srzoo train my.toml --set optimisers.generator.learning_rate=5e-4
  srzoo train compact-x4 --set stages.0.steps=5000 --out runs/short
  torchrun --nproc-per-node 4 -m srzoo train rcan-psnr
"""


@click.command(epilog=_EXAMPLES)
@click.argument("preset", required=False)
@click.option("-opt", "preset_option", metavar="PRESET", hidden=True, help="The preset, as BasicSR's users write it.")
@click.option(
    "--shards",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of shards from `degrade synth`; repeatable.  [default: shards]",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Run folder; an unfinished run in it goes on.  [default: runs/NAME]",
)
@click.option("--steps", type=click.IntRange(min=1), help="Steps of each stage, instead of the preset's.")
@click.option("--batch", type=click.IntRange(min=1), help="Pairs per step, over all processes together.")
@click.option("--patch", type=click.IntRange(min=1), help="Side of the HR crop in pixels.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change any value of the preset.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of weights, order and crops.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads of the network.  [default: all cores]")
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Threads that make batches ahead; their number changes no batch.",
)
@click.option(
    "--vgg-weights",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="VGG19 weights for a perceptual term, instead of those in timm's cache.",
)
@click.option("--deterministic", is_flag=True, help="The same bits on a GPU, too; slower.")
@click.option("--override", is_flag=True, help="Go on although settings or shards have changed.")
@click.option("--overwrite", is_flag=True, help="Start over: remove the run in the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one line of JSON.")
def command(
    preset: str | None,
    preset_option: str | None,
    shards: tuple[Path, ...],
    out: Path | None,
    steps: int | None,
    batch: int | None,
    patch: int | None,
    overrides: tuple[str, ...],
    as_json: bool,
    **machine: object,
) -> int:
    """Train PRESET (a name or a TOML file; default compact-x4) on shards.

    Ctrl-C or SIGTERM saves after the running step; the same command goes on from there, to the same bits.
    """
    from srzoo.cli.watching import watching
    from srzoo.errors import UsageError
    from srzoo.preset import load_preset
    from srzoo.trainer import RunOptions, train

    if preset and preset_option:
        raise UsageError("srzoo train", f"two presets, {preset} and {preset_option}", "give one")
    short = [("steps", steps), ("data.batch", batch), ("data.patch", patch)]
    stated = [f"{path}={value}" for path, value in short if value is not None]
    loaded = load_preset(preset or preset_option or "compact-x4", overrides=[*stated, *overrides])
    out = out or Path("runs", loaded.name)
    options = RunOptions(shards=shards or (Path("shards"),), out=out, **machine)  # type: ignore[reportArgumentType]
    with watching() as watcher:
        outcome = train(loaded, options, watcher)
    if as_json:
        click.echo(json.dumps({"run": str(outcome.folder), "step": outcome.step, "steps": outcome.steps}))
    if outcome.kind == "stopped":
        _say(f"stopped at step {outcome.step} of {outcome.steps}, saved; the same command goes on from there")
        return 128 + (outcome.signal or 15)
    if outcome.left_out:
        _say(outcome.left_out)
        _say("the same command runs that stage once they are there")
    _say(f"done: {outcome.folder}  (next: srzoo upscale --model {outcome.folder} photo.jpg)")
    return 0


def _say(text: str) -> None:
    if os.environ.get("RANK", "0") == "0":  # one of torchrun's processes speaks for all
        click.echo(text, err=True)
