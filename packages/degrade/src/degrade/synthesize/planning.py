"""From settings and sources to the plan of a run."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from degrade import __version__
from degrade.assets import is_packaged
from degrade.codecs.versions import codec_versions
from degrade.errors import UsageError
from degrade.pipeline import ENGINE
from degrade.recipe import Recipe, load_recipe
from degrade.rng import source_key
from degrade.sources.source import Source
from degrade.synthesize.plan import Plan, PlannedSource, quotas, safe_name, shard_patches
from degrade.synthesize.stored_recipe import NO_RECIPE

TORCH = "torch"
_PACKAGES = ("opencv-python-headless", "opencv-python", "pillow", "h5py")


def make_plan(
    sources: Sequence[Source],
    recipe: Recipe | None,
    *,
    patch: int,
    pairs: int | None = None,
    per_image: int | None = None,
    variants: int = 1,
    seed: int = 0,
    min_detail: float = 0.0,
    captured_scale: int | None = None,
    zoom: int = 1,
) -> Plan:
    """The plan for `sources`, which are in the order of their SHA-256; sizes were checked (`plan.check_sizes`)."""
    sizes = [(source.height, source.width) for source in sources]
    reduction = recipe.reduction if recipe else 1
    shares = quotas(sizes, patch=patch * reduction, pairs=pairs, per_image=per_image, variants=variants)
    ratio = captured_scale or 1
    scale = ratio * (recipe.scale if recipe else 1)
    return Plan(
        recipe_name=safe_name(recipe.short_name) if recipe else "captured",
        recipe_text=recipe.text if recipe else "",
        recipe_digest=recipe.digest if recipe else NO_RECIPE,
        seed=seed,
        scale=scale,
        patch=patch,
        variants=variants,
        margin=ratio * recipe.margin if recipe else 0,
        min_detail=float(min_detail),
        engine=ENGINE,
        libraries=libraries(is_learned=bool(recipe and recipe.learned)),
        tool=f"degrade {__version__}",
        patches_per_shard=shard_patches(sum(shares), patch=patch, scale=scale, variants=variants),
        sources=tuple(
            PlannedSource(source, f"{source_key(seed, source.sha256):016x}", share)
            for source, share in zip(sources, shares, strict=True)
        ),
        assets=_files(recipe) if recipe else (),
        captured_scale=captured_scale,
        zoom=max(zoom, recipe.zoom) if recipe and scale == 1 else zoom,
        reduction=reduction,
    )


def loaded(recipe: str | Path | Recipe, overrides: Sequence[str], scale: int | None) -> Recipe:
    """A recipe as `synthesize` is given one."""
    if not isinstance(recipe, Recipe):
        return load_recipe(recipe, overrides=overrides, scale=scale)
    if overrides or scale not in (None, recipe.scale):
        raise UsageError(recipe.name, "overrides and scale belong to loading it", "give them to load_recipe")
    return recipe


@lru_cache(maxsize=2)
def libraries(*, is_learned: bool = False) -> str:
    """Versions of what decides bytes beside our own code: codecs, the writer of shards, of learned steps torch."""
    found = []
    for name in (*_PACKAGES, *([TORCH] if is_learned else [])):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return ", ".join([*found, *codec_versions()])


def _files(recipe: Recipe) -> tuple[tuple[str, str], ...]:
    """The user's own files; what comes with degrade is found by its name, wherever degrade is installed."""
    return tuple((name, path) for name, path in recipe.assets if not is_packaged(Path(path)))
