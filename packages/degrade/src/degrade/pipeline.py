"""From a window of an HR photo to an LR-HR pair, and from a trace to the same pair again.

No files, no processes. Neighbouring linear steps are folded into one filter per LR row and column and evaluated only
where LR samples fall; a test proves that folding changes nothing beyond rounding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from degrade.errors import IntegrityError, RecipeError
from degrade.functional.convolve import filter_kernel
from degrade.functional.resample import AxisMap, apply_axes
from degrade.image import Image, Pixels, crop_to_multiple, to_float, to_pixels, window
from degrade.ops import DRAWS
from degrade.ops.gather import Run, finished
from degrade.ops.protocol import BatchDraw, Context, Draw, Step, Waiting
from degrade.recipe import Recipe, load_recipe
from degrade.recipe.sizes import MAX_REDUCTION
from degrade.rng import Stream

ENGINE = 1  # changes whenever the result of any `apply` changes


@dataclass(frozen=True, slots=True)
class PairKey:
    """Where a pair's random numbers come from: its photo (and seed), patch and variant."""

    source: int
    patch: int = 0
    variant: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair as it is stored.

    Attributes:
        lr, hr: (h, w, C) and (scale * h, scale * w, C) uint8.
        trace: one line of JSON: the key and every draw that ran, with its final values.
    """

    lr: Pixels
    hr: Pixels
    trace: str


def degrade_window(window: Pixels, recipe: Recipe, key: PairKey, margin: int | None = None) -> Pair:
    """The pair of a patch, from the patch and `margin` HR pixels of surroundings on every side.

    Args:
        window: (H + 2 margin, W + 2 margin, C) uint8, H and W multiples of the scale; `recipe.reduction` times as large
            along each axis where the recipe's [[hr]] steps shrink the photograph.
        margin: the recipe's own unless given; a multiple of the scale.
    """
    return degrade_windows([window], recipe, [key], margin)[0]


def degrade_windows(
    windows: Sequence[Pixels], recipe: Recipe, keys: Sequence[PairKey], margin: int | None = None
) -> list[Pair]:
    """The pairs of several patches, each to the bit what `degrade_window` gives.

    They are made together: those that come to the same learned model wait for each other, and run through it at once.
    """
    margin = recipe.margin if margin is None else margin
    hr_windows, runs, traces = [], [], []
    for around, key in zip(windows, keys, strict=True):
        _check_window(around, recipe.scale * recipe.reduction, margin * recipe.reduction)
        stream = Stream(key.source, key.patch, key.variant)
        hr_draws, lr_draws = _drawn(recipe.hr, stream), _drawn(recipe.lr, stream)
        hr_windows.append(_changed(around, hr_draws, margin * recipe.reduction))
        runs.append(_running(hr_windows[-1], lr_draws, scale=recipe.scale, margin=margin))
        traces.append(_trace(key, hr_draws, lr_draws, recipe.reduction))
    pairs = []
    for around, lr, trace in zip(hr_windows, finished(runs), traces, strict=True):
        hr = around[margin : around.shape[0] - margin, margin : around.shape[1] - margin]
        pairs.append(Pair(to_pixels(lr), np.ascontiguousarray(hr), trace))
    return pairs


def degrade_image(
    hr: Pixels, recipe: str | Recipe = "generic", *, key: int | PairKey = 0, scale: int | None = None
) -> Pair:
    """A whole photo degraded: LR, the HR it belongs to (of the photo cropped to whole LR pixels), and the trace.

    Args:
        hr: (H, W, 3) or (H, W, 1) uint8, sRGB.
        recipe: a recipe, its name or its file.
        key: which random numbers; the same key gives the same pair.

    Raises:
        TypeError, ValueError: not such an image, or smaller than one LR pixel.
    """
    if not isinstance(hr, np.ndarray) or hr.dtype != np.uint8:
        raise TypeError(f"expected a uint8 array, got {getattr(hr, 'dtype', type(hr).__name__)}")
    if hr.ndim != 3 or hr.shape[2] not in (1, 3):
        raise ValueError(f"expected (height, width, 1 or 3), got {hr.shape}")
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(recipe, scale=scale)
    cropped = crop_to_multiple(hr, loaded.scale * loaded.reduction)
    around = window(cropped, 0, 0, cropped.shape[0], cropped.shape[1], loaded.margin * loaded.reduction)
    return degrade_window(around, loaded, key if isinstance(key, PairKey) else PairKey(key))


def replay(window: Pixels, trace: str, *, scale: int, margin: int) -> Pixels:
    """The LR image that `trace` describes, made again from the same window of the same photo.

    Raises:
        IntegrityError: the trace names a step or a field that this version does not know.
    """
    table = json.loads(trace)
    reduction = stated_reduction(table)
    _check_window(window, scale * reduction, margin * reduction)
    hr_draws, lr_draws = ([_draw_from(entry) for entry in table.get(side, [])] for side in ("hr_steps", "steps"))
    return to_pixels(run(_changed(window, hr_draws, margin * reduction), lr_draws, scale=scale, margin=margin))


def stated_reduction(trace: Mapping[str, Any]) -> int:
    """Pixels of the photo for one of HR, along each axis: how much larger than patch and margin the window was.

    Raises:
        IntegrityError: not a number that a recipe can have.
    """
    reduction = trace.get("reduction", 1)
    if type(reduction) is not int or not 1 <= reduction <= MAX_REDUCTION:
        problem = f"reduction {reduction!r} is not a whole number from 1 to {MAX_REDUCTION}"
        raise IntegrityError("trace", problem, "make the set again")
    return reduction


def _drawn(steps: Sequence[Step], stream: Stream) -> list[Draw]:
    return [draw for step in steps for draw in step.draw(stream)]


def _changed(window: Pixels, draws: Sequence[Draw], margin: int) -> Pixels:
    """The HR window after its own steps; `margin` is that of the window before them."""
    if not draws:
        return window
    image, place = to_float(window), _Place(window.shape[:2], margin)
    for draw in draws:
        image = draw.apply(image, Context(place.origin, place.hr_shape))
        place.resized(image.shape)
    return to_pixels(image)


def run(window: Pixels, draws: Sequence[Draw], *, scale: int, margin: int, fold: bool = True) -> Image:
    """The LR patch before clipping and rounding, float32 with 0..255 as [0, 1].

    `fold=False` applies every draw by itself to the whole window: the slow reference.

    Raises:
        RecipeError: the draws do not end at LR size.
    """
    return finished([_running(window, draws, scale=scale, margin=margin, fold=fold)])[0]


def _running(window: Pixels, draws: Sequence[Draw], *, scale: int, margin: int, fold: bool = True) -> Run:
    """As `run`, but a draw that takes several images at once is given out, and its result taken in."""
    place = _Place(window.shape[:2], margin)
    patch = (window.shape[0] - 2 * margin) // scale, (window.shape[1] - 2 * margin) // scale
    image: Pixels | Image = window
    at = 0
    while at < len(draws):
        count = _foldable(draws, at) if fold else 0
        if count:
            image = _folded_pass(image, draws[at : at + count], place, patch, _reach(draws[at + count :]))
        else:
            draw, context = draws[at], Context(place.origin, place.hr_shape)
            if hasattr(draw, "batch_key"):
                image = yield Waiting(cast(BatchDraw, draw), _as_float(image), context)
            else:
                image = draw.apply(_as_float(image), context)
            place.resized(image.shape)
        at += max(count, 1)
    top, left = (-start for start in place.origin)
    if place.size != tuple(length // scale for length in place.hr_shape):
        sizes = f"{place.size[1]} x {place.size[0]} from {place.hr_shape[1]} x {place.hr_shape[0]}"
        raise RecipeError("lr", f"its steps do not end at LR size ({sizes}, scale {scale})", "end with `downsample`")
    return np.ascontiguousarray(_as_float(image)[top : top + patch[0], left : left + patch[1]])


class _Place:
    """Which part of the window, at which resolution, the image shows.

    `size` is that of the whole window at this resolution, `start` where the image begins in it, and `origin` its first
    pixel counted from the patch's, rounded down between pixels.
    """

    __slots__ = ("hr_shape", "margin", "origin", "size", "start")

    def __init__(self, hr_shape: tuple[int, int], margin: int) -> None:
        self.hr_shape, self.size, self.margin = hr_shape, hr_shape, margin
        self.start, self.origin = (0, 0), (-margin, -margin)

    def resized(self, shape: Sequence[int]) -> None:
        """A step gave this shape; one that changes the size takes and gives the whole window."""
        if self.start == (0, 0):
            (height, width), (hr_height, hr_width) = shape[:2], self.hr_shape
            self.size = height, width
            self.origin = -self.margin * height // hr_height, -self.margin * width // hr_width

    def crop(self, top: int, left: int) -> None:
        self.start = self.start[0] + top, self.start[1] + left
        self.origin = self.origin[0] + top, self.origin[1] + left


def _folded_pass(
    image: Pixels | Image, draws: Sequence[Any], place: _Place, patch: tuple[int, int], reach: int | None
) -> Image:
    """All of `draws` in one pass, evaluated only where the `reach` of what follows can bring it into the patch."""
    kernel: NDArray[np.float64] | None = None
    anchor = 0, 0
    if hasattr(draws[0], "kernel"):
        kernel, points = _kernel(draws, image.shape, place.hr_shape)
        anchor = (kernel.shape[0] - 1) // 2, (kernel.shape[1] - 1) // 2
        draws = draws[1:]
        if points is not None:
            rows, columns = (_followed(m, draws[1:], place.hr_shape[i]) for i, m in enumerate(points))
        else:
            rows, columns = (_folded(draws, image.shape[i], place.hr_shape[i]) for i in (0, 1))
    else:
        rows = _folded(draws, image.shape[0], place.hr_shape[0])
        is_square = image.shape[0] == image.shape[1] and place.hr_shape[0] == place.hr_shape[1]
        columns = rows if is_square else _folded(draws, image.shape[1], place.hr_shape[1])
    place.resized((len(rows.first), len(columns.first)))
    if reach is not None:
        (top, bottom), (left, right) = (
            _needed(place.origin[i], patch[i], reach, m) for i, m in ((0, rows), (1, columns))
        )
        rows, columns = rows.rows(top, bottom), columns.rows(left, right)
        place.crop(top, left)
    is_raw = image.dtype == np.uint8
    if kernel is not None:
        return filter_kernel(image, kernel * (1 / 255) if is_raw else kernel, anchor, rows, columns)
    return apply_axes(image, rows.scaled(1 / 255) if is_raw else rows, columns)


def _kernel(
    draws: Sequence[Any], shape: Sequence[int], hr_shape: tuple[int, int]
) -> tuple[NDArray[np.float64], tuple[AxisMap, AxisMap] | None]:
    """The first draw's kernel; and where samples are taken next at true centres between pixels, the pixels before them.

    That needs all samples to lie alike between pixels, as they do where the ratio of the sizes is whole.
    """
    if len(draws) > 1 and hasattr(draws[0], "kernel_at") and hasattr(draws[1], "positions"):
        positions = [draws[1].positions(shape[i], hr_shape[i]) for i in (0, 1)]
        floors = [np.floor(axis + 1e-9) for axis in positions]
        between = [axis - floor for axis, floor in zip(positions, floors, strict=True)]
        if all(np.ptp(axis) < 1e-9 for axis in between):
            y, x = (max(0.0, float(axis[0])) for axis in between)
            rows, columns = (
                AxisMap(floor.astype(np.int64), np.ones((floor.size, 1)), length)
                for floor, length in zip(floors, shape, strict=False)
            )
            return draws[0].kernel_at(y, x), (rows, columns)
    return draws[0].kernel(), None


def _as_float(image: Pixels | Image) -> Image:
    return to_float(cast(Pixels, image)) if image.dtype == np.uint8 else cast(Image, image)


def _foldable(draws: Sequence[Draw], start: int) -> int:
    """How many draws from `start` on fold into one pass: a kernel of two dimensions can only be the first of them."""
    count = 0
    while start + count < len(draws):
        draw = draws[start + count]
        if not (hasattr(draw, "axis_map") or (count == 0 and hasattr(draw, "kernel"))):
            break
        count += 1
    return count


def _folded(draws: Sequence[Any], length: int, hr_length: int) -> AxisMap:
    """One map for all of `draws`, in the order they run; of none, the identity."""
    total: AxisMap | None = None
    at = 0
    while at < len(draws):
        draw, following = draws[at], (draws[at + 1] if at + 1 < len(draws) else None)
        size = length if total is None else len(total.first)
        if following is not None and hasattr(draw, "axis_map_at") and hasattr(following, "positions"):
            axis = draw.axis_map_at(size, following.positions(size, hr_length))
            at += 2
        else:
            axis = draw.axis_map(size, hr_length)
            at += 1
        total = axis if total is None else axis.after(total)
    return AxisMap(np.arange(length), np.ones((length, 1)), length) if total is None else total


def _followed(axis: AxisMap, draws: Sequence[Any], hr_length: int) -> AxisMap:
    """`axis`, and then `draws`."""
    return _folded(draws, len(axis.first), hr_length).after(axis) if draws else axis


def _reach(rest: Sequence[Draw]) -> int | None:
    """How far beyond the patch the remaining draws look; None: as far as there is."""
    reach = 0
    for draw in rest:
        if draw.reach is None:
            return None
        reach += draw.reach
    return reach


def _needed(origin: int, size: int, reach: int, axis: AxisMap) -> tuple[int, int]:
    """Which outputs of `axis` the remaining draws can still bring into the patch."""
    return max(0, -origin - reach), min(len(axis.first), -origin + size + reach)


def _trace(key: PairKey, hr_draws: Sequence[Draw], lr_draws: Sequence[Draw], reduction: int) -> str:
    table: dict[str, Any] = {"key": f"{key.source:016x}", "patch": key.patch, "variant": key.variant}
    if reduction > 1:
        table["reduction"] = reduction
    if hr_draws:
        table["hr_steps"] = [_entry(draw) for draw in hr_draws]
    table["steps"] = [_entry(draw) for draw in lr_draws]
    return json.dumps(table, separators=(",", ":"))


def _entry(draw: Any) -> dict[str, Any]:
    return {"op": draw.op, **{name: getattr(draw, name) for name in draw.__slots__}}


def _draw_from(entry: dict[str, Any]) -> Draw:
    values = dict(entry)
    kind = values.pop("op", None)
    try:
        return DRAWS[kind](**values)
    except (KeyError, TypeError) as error:
        cure = "use the version of degrade that made the shard"
        raise IntegrityError(f"trace step '{kind}'", f"not known here: {error}", cure) from None


def _check_window(window: Pixels, scale: int, margin: int) -> None:
    height, width = (side - 2 * margin for side in window.shape[:2])
    if margin % scale or height <= 0 or width <= 0 or height % scale or width % scale:
        raise ValueError(f"expected a patch and margin of multiples of {scale}, got {window.shape}, margin {margin}")
