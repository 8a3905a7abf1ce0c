"""The pairs of a picture: where its patches lie, and what the recipe makes of each.

A recipe works on patches with their surroundings, or (`unit = "photo"`) on the whole picture, of which patches are cut
then: all of one variant share its draws. A captured pair has its LR picture already; a recipe, if any, works on that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from degrade.image import Pixels, window
from degrade.pipeline import Pair, PairKey, degrade_image, degrade_windows
from degrade.recipe import Recipe
from degrade.rng import Stream
from degrade.synthesize.detail import detail
from degrade.synthesize.picture import Picture
from degrade.synthesize.plan import CANDIDATES, Plan

POSITION = "@position"  # the step that draws where a patch lies; no recipe can name it by accident
PHOTO = "photo"
TOGETHER = 16  # pairs at most that wait for each other at a learned step

Origin = tuple[int, int]  # y, x


class Placed(NamedTuple):
    """A pair, and the place of its HR patch in the picture."""

    pair: Pair
    origin: Origin
    variant: int


class _Wanted(NamedTuple):
    """A pair to be made, and the window of the picture that it is made from."""

    around: Pixels
    origin: Origin
    key: PairKey


@dataclass(frozen=True)
class Cutter:
    """Cuts pairs with HR patches of `patch` x `patch` pixels.

    Where the recipe's [[hr]] steps shrink the picture, a patch covers `side` x `side` pixels of it.

    Attributes:
        recipe: makes LR; None: LR is the captured one.
        min_detail: see `position`.
        captured_scale: HR size over LR size of captured pictures; 1 where there are none.
    """

    recipe: Recipe | None
    patch: int
    min_detail: float = 0.0
    captured_scale: int = 1

    @classmethod
    def of(cls, plan: Plan, recipe: Recipe | None) -> Cutter:
        return cls(recipe, plan.patch, plan.min_detail, plan.captured_scale or 1)

    @property
    def scale(self) -> int:
        """HR patch over LR patch."""
        return self.captured_scale * (self.recipe.scale if self.recipe else 1)

    @property
    def reduction(self) -> int:
        """Pixels of the picture for one of HR."""
        return self.recipe.reduction if self.recipe else 1

    @property
    def side(self) -> int:
        return self.patch * self.reduction

    @property
    def is_whole(self) -> bool:
        """Whether the recipe degrades whole pictures."""
        return self.recipe is not None and self.recipe.unit == PHOTO

    @property
    def together(self) -> int:
        """How many pairs are made at a time: more than one only where a learned step takes several images at once."""
        steps = self.recipe.learned if self.recipe else ()
        return min(max((step.batch for step in steps), default=1), TOGETHER)

    def origin(self, picture: Picture, key: int, patch: int) -> Origin:
        """Where patch number `patch` lies: on whole HR pixels, and on LR pixels where LR is cut out of a picture."""
        grid = self.reduction * (self.scale if self.is_whole else self.captured_scale)
        return position(picture.hr, Stream(key, patch), self.side, self.min_detail, grid)

    def pairs(
        self,
        picture: Picture,
        key: int,
        patches: Sequence[int],
        variants: Sequence[int],
        after_whole: Callable[[], None] = lambda: None,
    ) -> Iterator[Placed]:
        """All variants of the first patch, then those of the next.

        Args:
            key: the source's.
            after_whole: called when a whole picture was degraded, which may take long.
        """
        if self.is_whole:
            yield from self._from_wholes(picture, key, patches, variants, after_whole)
            return
        wanted = self._wanted(picture, key, patches, variants)
        while group := list(islice(wanted, self.together)):
            for one, pair in zip(group, self._made(picture, group), strict=True):
                yield Placed(pair, one.origin, one.key.variant)

    def at(self, picture: Picture, origin: Origin, key: PairKey) -> Pair:
        """The pair at `origin`, made from the patch and its surroundings alone."""
        return self._made(picture, [_Wanted(self._around(picture, origin), origin, key)])[0]

    def whole(self, picture: Picture, key: int, variant: int) -> Pair:
        """The whole picture and its LR, with the draws of patch 0; both cropped to a multiple of the scale."""
        assert self.recipe is not None
        pair_key = PairKey(key, 0, variant)
        if picture.lr is None:
            made = degrade_image(picture.hr, self.recipe, key=pair_key)
            return Pair(made.lr, made.hr, _trace(made.trace, unit=PHOTO))
        made = degrade_image(picture.lr, self.recipe, key=pair_key)
        return Pair(made.lr, picture.hr, _trace(made.trace, picture.captured, unit=PHOTO))

    def cut(self, whole: Pair, origin: Origin) -> Pair:
        """The pair at `origin`, in arrays of its own."""
        y, x = (start // self.reduction for start in origin)
        lr = _square(whole.lr, y // self.scale, x // self.scale, self.patch // self.scale)
        return Pair(lr, _square(whole.hr, y, x, self.patch), whole.trace)

    def _from_wholes(
        self,
        picture: Picture,
        key: int,
        patches: Sequence[int],
        variants: Sequence[int],
        after_whole: Callable[[], None],
    ) -> Iterator[Placed]:
        origins = [self.origin(picture, key, patch) for patch in patches]
        cut: list[list[Pair]] = []
        for variant in variants:
            whole = self.whole(picture, key, variant)
            cut.append([self.cut(whole, origin) for origin in origins])
            del whole  # before the next one is made
            after_whole()
        for number, origin in enumerate(origins):
            for variant, pairs in zip(variants, cut, strict=True):
                yield Placed(pairs[number], origin, variant)

    def _around(self, picture: Picture, origin: Origin) -> Pixels:
        """What a patch is made from: the window of the picture that the recipe works on."""
        (y, x), scale = origin, self.captured_scale
        margin = self.recipe.margin * self.reduction if self.recipe else 0
        pixels, side = (picture.hr, self.side) if picture.lr is None else (picture.lr, self.patch // scale)
        return window(pixels, y // scale, x // scale, side, side, margin)

    def _wanted(self, picture: Picture, key: int, patches: Sequence[int], variants: Sequence[int]) -> Iterator[_Wanted]:
        for patch in patches:
            origin = self.origin(picture, key, patch)
            around = self._around(picture, origin)
            for variant in variants:
                yield _Wanted(around, origin, PairKey(key, patch, variant))

    def _made(self, picture: Picture, group: Sequence[_Wanted]) -> list[Pair]:
        if self.recipe is None:
            return [
                Pair(one.around, self._hr(picture, one), _trace(_no_steps(one.key), picture.captured)) for one in group
            ]
        made = degrade_windows([one.around for one in group], self.recipe, [one.key for one in group])
        if picture.lr is None:
            return made
        return [
            Pair(pair.lr, self._hr(picture, one), _trace(pair.trace, picture.captured))
            for one, pair in zip(group, made, strict=True)
        ]

    def _hr(self, picture: Picture, wanted: _Wanted) -> Pixels:
        return _square(picture.hr, *wanted.origin, self.patch)


def position(pixels: Pixels, stream: Stream, patch: int, min_detail: float, grid: int = 1) -> Origin:
    """Where patch number `stream.patch` lies: uniform over all multiples of `grid` that fit.

    With a least detail, the first of 8 positions that reaches it, else the most detailed of them.
    """
    rows, columns = ((length - patch) // grid + 1 for length in pixels.shape[:2])
    draws = stream.step(POSITION)
    best, best_at = -1.0, (0, 0)
    for candidate in range(CANDIDATES):
        for_y, for_x = draws.bits(f"candidate{candidate}")
        y, x = ((for_y * rows) >> 64) * grid, ((for_x * columns) >> 64) * grid
        if min_detail <= 0:
            return y, x
        found = detail(pixels, y, x, patch)
        if found >= min_detail:
            return y, x
        if found > best:
            best, best_at = found, (y, x)
    return best_at


def _square(pixels: Pixels, y: int, x: int, side: int) -> Pixels:
    return pixels[y : y + side, x : x + side].copy()


def _no_steps(key: PairKey) -> str:
    return json.dumps({"key": f"{key.source:016x}", "patch": key.patch, "variant": key.variant, "steps": []})


def _trace(trace: str, captured: dict[str, Any] | None = None, **facts: str) -> str:
    """`trace` with further facts, and the captured LR before all steps."""
    table: dict[str, Any] = {**json.loads(trace), **facts}
    if captured is not None:
        table["steps"] = [captured, *table["steps"]]
    return json.dumps(table, separators=(",", ":"))
