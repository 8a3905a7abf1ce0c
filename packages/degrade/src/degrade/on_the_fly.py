"""Pairs made as they are asked for: an indexable that any loader takes, of the pairs that `synthesize` would store."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from itertools import accumulate
from operator import index as as_index
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from degrade.errors import UsageError
from degrade.image import Pixels
from degrade.pipeline import PairKey
from degrade.recipe import Recipe
from degrade.sources.folder import Skipped
from degrade.synthesize.cutter import Cutter
from degrade.synthesize.inputs import gather
from degrade.synthesize.picture import read
from degrade.synthesize.plan import Plan, check_sizes, parse_plan
from degrade.synthesize.planning import loaded, make_plan
from degrade.synthesize.stored_recipe import stored_recipe

CACHE_BYTES = 256 << 20  # of decoded photos, in each process

T = TypeVar("T")


class LoaderPair(NamedTuple):
    """A pair as a tuple, which torch's default collation turns into a batch.

    lr, hr: (h, w, 3) and (scale * h, scale * w, 3) uint8. trace: one line of JSON.
    """

    lr: Pixels
    hr: Pixels
    trace: str


class OnTheFly:
    """LR-HR pairs of photographs, made when they are read; no files, no torch.

        pairs = OnTheFly("photos/", "realesrgan", per_image=100)
        loader = torch.utils.data.DataLoader(pairs, batch_size=16, shuffle=True, num_workers=8)
        for epoch in range(100):
            pairs.set_epoch(epoch)
            for lr, hr, trace in loader:      # uint8 (B, h, w, 3) and (B, H, W, 3)

    Pair i of epoch 0 is pair i of the set that `synthesize` makes with the same settings, to the bit; a pair depends
    on (photo, recipe, seed, i, epoch) alone, not on the loader's workers or the order of reading. An epoch draws the
    recipe anew for the same patches (variant number = epoch * variants + variant). Patches cost nothing until they are
    read: for other patches in every epoch ask for many (`per_image=10_000`) and let a sampler take some.

    A copy of it in a persistent worker does not hear of `set_epoch`: without `persistent_workers` (the default) each
    epoch starts from the present state, and with them let the sampler give `(epoch, i)`.

    With `unit = "photo"` a whole photo is degraded for a patch and kept while the cache has room.
    """

    def __init__(
        self,
        hr: Sequence[Path | str] | Path | str,
        recipe: str | Path | Recipe,
        seed: int = 0,
        *,
        patch: int = 192,
        scale: int | None = None,
        pairs: int | None = None,
        per_image: int | None = None,
        variants: int = 1,
        min_detail: float = 0.0,
        overrides: Sequence[str] = (),
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """As `synthesize`, whose arguments these are.

        Args:
            cache_bytes: decoded photos kept in each process, the last used ones.

        Raises:
            UsageError: settings that do not go together, or no usable photo.
        """
        chosen = loaded(recipe, overrides, scale)
        check_sizes(patch=patch, scale=chosen.scale, variants=variants, pairs=pairs, per_image=per_image, seed=seed)
        named = [hr] if isinstance(hr, str | Path) else hr
        if not named:
            raise UsageError("hr", "no photos given", "name files or folders")
        inputs = gather(named, least_side=patch * chosen.reduction)
        plan = make_plan(
            inputs.sources,
            chosen,
            patch=patch,
            pairs=pairs,
            per_image=per_image,
            variants=variants,
            seed=seed,
            min_detail=min_detail,
        )
        self.skipped: tuple[Skipped, ...] = tuple(inputs.skipped)
        self._begin(plan, chosen, epoch=0, cache_bytes=cache_bytes)

    def __len__(self) -> int:
        return self.plan.num_pairs

    def __getitem__(self, index: int | tuple[int, int]) -> LoaderPair:
        """Pair `index` of the present epoch, or of the epoch in `(epoch, index)`.

        Raises:
            IndexError: there is no such pair.
            ImageError: its photo cannot be read, or changed since it was listed.
        """
        epoch, number = index if isinstance(index, tuple) else (self.epoch, index)
        number = as_index(number)
        if not -len(self) <= number < len(self):
            raise IndexError(f"pair {number} of {len(self)}")
        patch, variant = divmod(number % len(self), self.plan.variants)
        source = bisect_right(self._ends, patch)
        patch -= self._ends[source] - self.plan.sources[source].quota
        return self._made(source, patch, epoch * self.plan.variants + variant)

    def set_epoch(self, epoch: int) -> None:
        """From now on read the pairs of `epoch` (from 0)."""
        if epoch < 0:
            raise ValueError(f"expected an epoch from 0, got {epoch}")
        self.epoch = epoch

    def __getstate__(self) -> dict[str, Any]:
        """The plan as text: the process that gets it reads the recipe anew, and opens its pools itself."""
        cache_bytes, plan = self._cache.most_bytes, self.plan.text()
        return {"plan": plan, "epoch": self.epoch, "cache_bytes": cache_bytes, "skipped": self.skipped}

    def __setstate__(self, state: dict[str, Any]) -> None:
        plan = parse_plan(state["plan"], origin="plan")
        recipe = stored_recipe(plan)
        assert recipe is not None
        self.skipped = state["skipped"]
        self._begin(plan, recipe, epoch=state["epoch"], cache_bytes=state["cache_bytes"])

    def _begin(self, plan: Plan, recipe: Recipe, *, epoch: int, cache_bytes: int) -> None:
        self.plan, self.recipe, self.epoch = plan, recipe, epoch
        self._cutter = Cutter.of(plan, recipe)
        self._ends = list(accumulate(source.quota for source in plan.sources))
        self._cache = ByteCache[Any](cache_bytes)

    def _made(self, number: int, patch: int, variant: int) -> LoaderPair:
        planned, cutter = self.plan.sources[number], self._cutter
        key = int(planned.key, 16)
        picture = self._cache.get(number, lambda: read(planned.source, self.plan), lambda found: found.hr.nbytes)
        origin = cutter.origin(picture, key, patch)
        if cutter.is_whole:
            whole = self._cache.get(
                (number, variant),
                lambda: cutter.whole(picture, key, variant),
                lambda found: found.lr.nbytes + found.hr.nbytes,
            )
            pair = cutter.cut(whole, origin)
        else:
            pair = cutter.at(picture, origin, PairKey(key, patch, variant))
        return LoaderPair(pair.lr, pair.hr, pair.trace)


class ByteCache(Generic[T]):
    """The values last used, as many as fit; one that does not fit alone is not kept."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes, self.num_bytes = most_bytes, 0
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """The value of `key`, made if it is not there."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key][0]
        value = make()
        num_bytes = size(value)
        if num_bytes <= self.most_bytes:
            self._values[key] = value, num_bytes
            self.num_bytes += num_bytes
        while self.num_bytes > self.most_bytes:
            _, (_, dropped) = self._values.popitem(last=False)
            self.num_bytes -= dropped
        return value
