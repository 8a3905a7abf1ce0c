"""Captured, aligned pairs of pictures as a set of shards: as they are, or with a recipe run on the LR side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from degrade.errors import UsageError
from degrade.recipe import Recipe
from degrade.sources.pairs import scan_pairs
from degrade.synthesize.inputs import large_enough, nothing_usable
from degrade.synthesize.plan import check_sizes
from degrade.synthesize.planning import loaded, make_plan
from degrade.synthesize.run import How, Progress, Summary, carry_out


def pack(
    lr: Path | str,
    hr: Path | str,
    out: Path | str,
    recipe: str | Path | Recipe | None = None,
    *,
    scale: int | None = None,
    zoom: int = 1,
    patch: int = 192,
    pairs: int | None = None,
    per_image: int | None = None,
    variants: int = 1,
    seed: int = 0,
    workers: int | Executor | None = None,
    min_detail: float = 0.0,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Cut patches from pairs of pictures, the files of one name in the folders `lr` and `hr`, into shards in `out`.

    Args:
        recipe: run on the LR side, with surroundings as in `synthesize`; its scale comes on top of the pictures' own.
            Without one the LR patches are the pictures' pixels.
        scale: of the recipe, instead of its own.
        zoom: optical zoom of pictures of the same size.
        patch: side of an HR patch. Patches lie on whole LR pixels.

    The rest as in `synthesize`; `min_detail` is of the HR.

    Raises:
        UsageError: settings that do not go together, or pictures that are no pairs of one scale.
        ResourceError: disk full, no permission, or another process at work in `out`.
    """
    began = time.monotonic()
    if recipe is None and (overrides or scale is not None or variants != 1):
        raise UsageError("--recipe", "none given, so nothing is drawn", "drop --variants, --scale, --set, or name one")
    chosen = None if recipe is None else loaded(recipe, overrides, scale)
    if chosen is not None and chosen.hr:
        raise UsageError(chosen.name, "changes HR, which is captured here", "use a recipe without [[hr]] steps")
    found = scan_pairs(Path(lr), Path(hr))
    total = found.scale * (chosen.scale if chosen else 1)
    if zoom < 1 or (zoom > 1 and total > 1):
        raise UsageError("--zoom", f"{zoom}, but LR and HR patches differ in size (scale {total})", "leave it out")
    check_sizes(patch=patch, scale=total, variants=variants, pairs=pairs, per_image=per_image, seed=seed)
    sources, small = large_enough(found.pairs, patch)
    skipped = sorted([*found.skipped, *small], key=lambda entry: (entry.path, entry.sha256, entry.kind))
    if not sources:
        raise UsageError(lr, *nothing_usable(skipped))
    plan = make_plan(
        sources,
        chosen,
        patch=patch,
        pairs=pairs,
        per_image=per_image,
        variants=variants,
        seed=seed,
        min_detail=min_detail,
        captured_scale=found.scale,
        zoom=zoom,
    )
    how = How(workers=workers, overwrite=overwrite, dry_run=dry_run, progress=progress)
    return carry_out(plan, chosen, Path(out), skipped, how, began=began)
