"""`degrade harvest`: a pool of real noise and of real blur kernels, for recipes that draw from one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import DegradeError, InputsSkippedError, UsageError, printable

if TYPE_CHECKING:
    from degrade.measure.harvest import NoiseHarvest, NoiseRule, PairKernel


@click.command(
    epilog="""\b
Examples:
  degrade harvest photos/ -o pool.npz                         noise, by Impressionism's rule
  degrade harvest photos/ -o pool.npz --patch 64 --min-mean 50
  degrade harvest --pairs lr/ hr/ -o pool.npz                 blur kernels of aligned pairs
  degrade harvest photos/ --pairs lr/ hr/ --scale 4 -o pool.npz
Exit code: 3 if files were left out.
"""
)
@click.argument("photos", metavar="[PHOTOS]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The pool, .npz.")
@click.option("--patch", type=click.IntRange(8, 4096), default=256, show_default=True, help="Side of a noise patch.")
@click.option(
    "--max-variance",
    type=click.FloatRange(0, min_open=True),
    default=20.0,
    show_default=True,
    help="A patch is noise if the variance of its luma is below this, grey levels squared.",
)
@click.option(
    "--min-mean", type=click.FloatRange(0, 255), default=0.0, show_default=True, help="... and its mean above this."
)
@click.option(
    "--max-patches", type=click.IntRange(1), default=1000, show_default=True, help="Of more, an even choice is kept."
)
@click.option(
    "--published",
    is_flag=True,
    help="The rule alone: keep flat patches that are clipped, shaded, show a thing or JPEG's blocks, too.",
)
@click.option(
    "--detrend",
    is_flag=True,
    help="Take a quadratic surface off each channel instead of its mean: smooth skies become usable.",
)
@click.option(
    "--pairs",
    nargs=2,
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="LR_DIR HR_DIR",
    help="Folders of aligned pairs, the same names in both: a kernel of each. May be given again.",
)
@click.option("--scale", type=click.IntRange(1, 16), default=1, show_default=True, help="HR size over LR size of them.")
@click.option("--kernel-size", type=click.IntRange(3, 41), default=21, show_default=True, help="Odd, HR pixels.")
@click.option(
    "--min-fit",
    type=click.FloatRange(0, 1),
    default=0.7,
    show_default=True,
    help="Least share of LR's gradient energy that a kernel must explain to be kept.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.option("--force", is_flag=True, help="Overwrite the pool of an earlier run.")
def command(
    photos: tuple[Path, ...],
    out: Path,
    patch: int,
    max_variance: float,
    min_mean: float,
    max_patches: int,
    published: bool,
    detrend: bool,
    pairs: tuple[tuple[Path, Path], ...],
    scale: int,
    kernel_size: int,
    min_fit: float,
    as_json: bool,
    force: bool,
) -> None:
    """Collect real noise from flat places of PHOTOS, and real blur from aligned pairs, into a pool.

    The rule is Impressionism's (Ji et al. 2020): patches of 256 x 256 on a grid, luma variance below 20, mean above 0
    (DF2K) or 50 (DPED). Of these, patches are left out that are clipped, that a gradient fills, that show a thing, or
    whose 8 x 8 JPEG blocks show; --published keeps them. A recipe names the pool in its noise or kernel step.
    """
    from degrade.assets import SUFFIX, write_pool
    from degrade.measure.harvest import NoiseRule, pool_card

    if not photos and not pairs:
        raise UsageError("degrade harvest", "nothing to collect from", "give PHOTOS, or --pairs LR_DIR HR_DIR")
    if kernel_size % 2 == 0:
        raise UsageError("--kernel-size", f"{kernel_size} is even", f"use {kernel_size + 1}")
    if out.suffix != SUFFIX:
        raise UsageError(out, "not a name for a pool", f"end it in {SUFFIX}")
    if out.exists() and not force:
        raise UsageError(out, "is there already", "overwrite with --force")
    rule = NoiseRule(patch, max_variance, min_mean, max_patches, published_only=published, detrend=detrend)
    noise = _noise(photos, rule) if photos else None
    tried, skipped = _kernels(pairs, kernel_size, scale)
    kernels = [one for one in tried if one.found.fit >= min_fit]
    skipped = [*(noise.skipped if noise else ()), *skipped]
    if not kernels and (noise is None or not len(noise.patches)):
        raise _nothing(noise, rule, tried, min_fit)

    import numpy as np

    write_pool(
        out,
        kernels=np.stack([one.found.kernel for one in kernels]) if kernels else None,
        noise=noise.patches if noise is not None else None,
        card=pool_card(rule, noise, kernels, min_fit=min_fit),
        overwrite=force,
    )
    table = _table(out, noise, rule, tried, kernels)
    table["skipped"] = [str(error) for error in skipped]
    click.echo(json.dumps(table, indent=1) if as_json else "\n".join(_lines(table, min_fit)))
    for error in skipped:
        click.echo(f"degrade: skipped: {error}", err=True)
    if skipped:
        raise InputsSkippedError(f"{len(skipped)} files", "left out, see above", "mend or remove them")


def _noise(photos: Sequence[Path], rule: NoiseRule) -> NoiseHarvest:
    from degrade.cli.progress import progress
    from degrade.measure.harvest import harvest_noise

    with progress("looking for noise", None) as advance:
        return harvest_noise(photos, rule, advance=advance)


def _kernels(pairs: Sequence[tuple[Path, Path]], size: int, scale: int) -> tuple[list[PairKernel], list[DegradeError]]:
    from degrade.cli.progress import progress
    from degrade.measure.harvest import count_files, harvest_kernels

    found: list[PairKernel] = []
    skipped: list[DegradeError] = []
    with progress("estimating kernels", sum(count_files(lr) for lr, _ in pairs)) as advance:
        for lr, hr in pairs:
            more, without = harvest_kernels(lr, hr, size=size, scale=scale, advance=advance)
            found, skipped = found + more, skipped + without
    return found, skipped


def _nothing(noise: NoiseHarvest | None, rule: NoiseRule, tried: Sequence[PairKernel], min_fit: float) -> UsageError:
    """Why the pool would be empty."""
    if noise is None:
        best = max((one.found.fit for one in tried), default=0.0)
        problem = f"none of {len(tried)} pairs gives a kernel that explains {min_fit:g} of LR, the best {best:.2f}"
        return UsageError("--pairs", problem, "align them, or lower --min-fit")
    if not noise.num_tried:
        problem = f"all {noise.num_photos} photos are smaller than a patch of {rule.patch} x {rule.patch}"
        return UsageError("--patch", problem, "use --patch 64")
    problem = f"none of {noise.num_tried:,} patches of {rule.patch} x {rule.patch} is flat enough"
    return UsageError("photos", problem, f"use --patch {max(rule.patch // 4, 8)}, or raise --max-variance")


def _table(
    out: Path,
    noise: NoiseHarvest | None,
    rule: NoiseRule,
    tried: Sequence[PairKernel],
    kernels: Sequence[PairKernel],
) -> dict[str, Any]:
    from degrade.measure.harvest import UNITS

    table: dict[str, Any] = {"kind": "pool", "path": str(out), "bytes": out.stat().st_size}
    if noise is not None:
        sigmas = [float(patch.std(dtype=float)) / UNITS for patch in noise.patches]
        table["noise"] = {
            "patches": len(noise.patches),
            "side": rule.patch,
            "found": noise.num_found,
            "tried": noise.num_tried,
            "photos": noise.num_photos,
            "photos_used": len(noise.names),
            "photos_too_small": noise.num_small,
            "sigma": [round(value, 3) for value in sigmas],
        }
    if tried:
        kept = {id(one) for one in kernels}
        table["kernels"] = [
            {
                "name": one.name,
                "kept": id(one) in kept,
                "fit": round(one.found.fit, 3),
                "sigma": [round(value, 2) for value in one.found.sigma],
                "offset": [round(value, 2) for value in one.found.offset],
                "border": round(one.found.border, 4),
            }
            for one in tried
        ]
    return table


def _lines(table: dict[str, Any], min_fit: float) -> list[str]:
    lines = []
    if "noise" in table:
        noise = table["noise"]
        side, sigmas = noise["side"], sorted(noise["sigma"])
        text = f"  noise    {noise['patches']:,} patches of {side} x {side} from {noise['photos_used']:,} of"
        text += f" {noise['photos']:,} photos; {noise['found']:,} of {noise['tried']:,} patches were flat"
        lines.append(text)
        if sigmas:
            median = sigmas[len(sigmas) // 2]
            lines.append(f"           sigma {sigmas[0]:.2f} to {sigmas[-1]:.2f} grey levels, median {median:.2f}")
        if noise["photos_too_small"]:
            cure = f"use --patch {max(side // 4, 8)} to have their noise"
            lines.append(f"           {noise['photos_too_small']:,} photos are smaller than a patch - {cure}")
    if "kernels" in table:
        kept = sum(one["kept"] for one in table["kernels"])
        lines.append(f"  kernels  {kept:,} of {len(table['kernels']):,} pairs fit ({min_fit:g} or more)")
        for one in table["kernels"]:
            (sigma_y, sigma_x), (y, x) = one["sigma"], one["offset"]
            verdict = "" if one["kept"] else "  left out"
            facts = f"fit {one['fit']:.3f}  sigma {sigma_y:.2f}, {sigma_x:.2f}  LR was off by {y:+.2f}, {x:+.2f} pixels"
            lines.append(printable(f"           {one['name']}  {facts}{verdict}"))
    return [printable(f"pool: {table['path']} ({table['bytes'] / 1e6:.2f} MB)"), *lines]
