"""`srzoo train`: a preset, shards in, a run folder out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from srzoo.cli.presets import first_rank, listing

if TYPE_CHECKING:
    from srzoo.preset import Preset
    from srzoo.trainer import RunOptions

_EXAMPLES = f"""\b
Presets (variants of them, and what each is: srzoo train --list):
{first_rank()}

\b
Examples:
  srzoo train                                     ./shards -> ./runs/compact-x4; again to go on
  srzoo train demo --shards shards/               three minutes on two cores
  srzoo train rcan-psnr --device cuda --steps 300000
  srzoo train --shards photos/ --shards scenes/   several sets together, every pair alike
  srzoo train --shards photos/:3 --shards scenes/ three samples of photos/ for each one of scenes/
  srzoo train --where "jpeg.quality < 60"         only the pairs whose trace says so
  srzoo train --check                             what would be wrong, without a step
  srzoo train my.toml --set optimisers.generator.learning_rate=5e-4
  srzoo train compact-x4 --set stages.0.steps=5000 --out runs/short
  torchrun --nproc-per-node 4 -m srzoo train rcan-psnr
"""


def _print_list(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        click.echo(listing())
        context.exit()


@click.command(epilog=_EXAMPLES)
@click.argument("preset", required=False)
@click.option("-opt", "preset_option", metavar="PRESET", hidden=True, help="The preset, as BasicSR's users write it.")
@click.option(
    "--shards",
    multiple=True,
    metavar="DIR[:WEIGHT]",
    type=click.Path(path_type=Path),
    help="Folder of shards from `degrade synth`; repeatable. With weights: its share of the samples."
    "  [default: the preset's, else shards]",
)
@click.option(
    "--validate",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of shards that validate; repeatable.  [default: some sources of --shards are held out]",
)
@click.option(
    "--real-lr",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Photographs or shards of a real camera's LR without HR, for a degrader's critic; repeatable.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Train on the pairs whose trace fulfils it: `jpeg.quality < 60`; several must all hold.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Run folder; an unfinished run in it goes on.  [default: runs/NAME]",
)
@click.option("--steps", type=click.IntRange(min=1), help="Steps of each stage, instead of the preset's.")
@click.option("--batch", type=click.IntRange(min=1), help="Pairs per step, over all processes together.")
@click.option("--accumulate", type=click.IntRange(min=1), help="Parts of a batch, one after the other: less memory.")
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
@click.option("--compile", is_flag=True, help="Compile the networks: slow to start, then often faster.")
@click.option("--deterministic", is_flag=True, help="The same bits on a GPU, too; slower.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_list,
    help="Print what presets there are, and end.",
)
@click.option("--check", "only_check", is_flag=True, help="Check preset and shards, say what is wrong, and end.")
@click.option("--override", is_flag=True, help="Go on although settings or shards have changed.")
@click.option("--overwrite", is_flag=True, help="Start over: remove the run in the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one line of JSON.")
def command(
    preset: str | None,
    preset_option: str | None,
    shards: tuple[Path, ...],
    out: Path | None,
    where: tuple[str, ...],
    steps: int | None,
    batch: int | None,
    accumulate: int | None,
    patch: int | None,
    overrides: tuple[str, ...],
    only_check: bool,
    as_json: bool,
    **machine: object,
) -> int:
    """Train PRESET (a name or a TOML file; default compact-x4) on shards.

    Ctrl-C or SIGTERM saves after the running step; the same command goes on from there, to the same bits.
    """
    from srzoo.errors import UsageError
    from srzoo.preset import load_preset
    from srzoo.trainer import FaultsError, RunOptions

    if preset and preset_option:
        raise UsageError("srzoo train", f"two presets, {preset} and {preset_option}", "give one")
    numbers = {"steps": steps, "data.batch": batch, "data.patch": patch, "data.accumulate": accumulate}
    stated = [f"{path}={value}" for path, value in numbers.items() if value is not None]
    if where:
        condition = where[0] if len(where) == 1 else " and ".join(f"({one})" for one in where)
        stated.append(f"data.where={json.dumps(condition)}")
    loaded = load_preset(preset or preset_option or "compact-x4", overrides=[*stated, *overrides])
    out = out or Path("runs", loaded.name)
    options = RunOptions(shards=shards, out=out, **machine)  # type: ignore[reportArgumentType]  as click has read them
    try:
        return _checked(loaded, options, as_json) if only_check else _trained(loaded, options, as_json)
    except FaultsError as error:
        for fault in error.faults[:-1]:
            _say(f"srzoo: error: {fault}")
        raise error.faults[-1] from None


def _checked(preset: Preset, options: RunOptions, as_json: bool) -> int:
    from srzoo.trainer import check

    for sentence in check(preset, options):
        _say(sentence)
    if as_json:
        click.echo(json.dumps({"check": "passed"}))
    _say("nothing is wrong")
    return 0


def _trained(preset: Preset, options: RunOptions, as_json: bool) -> int:
    from srzoo.cli.watching import watching
    from srzoo.trainer import train
    from srzoo.upscale.resolve import SR_ROLES

    with watching() as watcher:
        outcome = train(preset, options, watcher)
    if as_json:
        click.echo(json.dumps({"run": str(outcome.folder), "step": outcome.step, "steps": outcome.steps}))
    if outcome.kind == "stopped":
        _say(f"stopped at step {outcome.step} of {outcome.steps}, saved; the same command goes on from there")
        return 128 + (outcome.signal or 15)
    if outcome.left_out:
        _say(outcome.left_out)
        _say("the same command runs that stage once they are there")
    makes_sr = any(role in preset.stages[-1].networks for role in SR_ROLES)
    command = f"upscale --model {outcome.folder} photo.jpg" if makes_sr else f"export-degrader {outcome.folder} -o x.pt"
    _say(f"done: {outcome.folder}  (next: srzoo {command})")
    return 0


def _say(text: str) -> None:
    if os.environ.get("RANK", "0") == "0":  # one of torchrun's processes speaks for all
        click.echo(text, err=True)
