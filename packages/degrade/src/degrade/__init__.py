"""HR photographs in, LR-HR training pairs out: degradations that look like those of real cameras.

The tour, from one picture to a training set:

    import degrade

    recipe = degrade.load_recipe("generic", scale=4)           # a recipe is data; see `degrade recipes list`
    pair = degrade.degrade_image(hr, recipe, key=7)            # uint8 (H, W, 3) in; pair.lr, pair.hr, pair.trace out

    degrade.synthesize(["photos/"], "generic", "shards/", scale=4, pairs=10_000)   # all cores; run again to resume

    pairs = degrade.open_shards("shards/")                     # indexable; every row is checked as it is read
    lr, hr = pairs.read(0)
    pairs = degrade.OnTheFly("photos/", "generic")             # the same pairs, made as they are asked for: no shards
    degrade.replay(window, pairs[0].trace, scale=4, margin=0)  # the same LR again, from what was drawn

The same bytes come out whatever the number of workers, the order of the files, or the times a run was killed.
Where things live is drawn in `ARCHITECTURE.md`; the file formats are described in `FORMATS.md`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from degrade.on_the_fly import OnTheFly
    from degrade.pipeline import Pair, PairKey, degrade_image, replay
    from degrade.recipe import Recipe, list_recipes, load_recipe
    from degrade.shards.reader import open_shards
    from degrade.synthesize.run import Summary, synthesize

__version__ = "0.1.0"

__all__ = [
    "OnTheFly",
    "Pair",
    "PairKey",
    "Recipe",
    "Summary",
    "degrade_image",
    "list_recipes",
    "load_recipe",
    "open_shards",
    "replay",
    "synthesize",
]

_PLACES = {
    "OnTheFly": "degrade.on_the_fly",
    "Pair": "degrade.pipeline",
    "PairKey": "degrade.pipeline",
    "degrade_image": "degrade.pipeline",
    "replay": "degrade.pipeline",
    "Recipe": "degrade.recipe",
    "list_recipes": "degrade.recipe",
    "load_recipe": "degrade.recipe",
    "open_shards": "degrade.shards.reader",
    "Summary": "degrade.synthesize.run",
}


def __getattr__(name: str) -> object:
    """Import a public name at its first use: `import degrade` alone costs nothing."""
    if name == "synthesize":  # the folder of that name; calling it makes a set of shards
        return importlib.import_module("degrade.synthesize")
    if name not in _PLACES:
        raise AttributeError(f"module 'degrade' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
