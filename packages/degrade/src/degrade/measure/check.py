"""Whether a set can be trusted: registration, colour, blank, clipped and duplicate patches, pair by pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from degrade.functional.registration import SMALLEST, Shift, shift
from degrade.functional.resample import resize
from degrade.functional.statistics import levels, luma, noise_level
from degrade.measure.duplicates import (
    Fingerprint,
    correlation,
    detail_of,
    exact_duplicates,
    fingerprint,
    near_duplicates,
)
from degrade.measure.pairs import Pairs, in_order

_BORDER = 2  # LR pixels next to the edge are not compared: HR's surroundings are not stored
_LEAST_PIXELS = 64  # for a statement about colour
_LEAST_BLOCKS = 25  # for a statement about likeness
_SURROUNDINGS = 4  # LR pixels
_MAD_TO_SIGMA = 1.4826
_MEDIAN_ERROR = 1.2533  # standard error of a median over that of a mean, normal values


@dataclass(frozen=True)
class Thresholds:
    """What is suspicious. Shifts in LR pixels, colours and deviations in 8-bit levels.

    max_bias: length of the median shift of the set; it must also exceed three standard errors.
    max_shift: distance of a pair's shift from that median, counted where the confidence is `min_confidence` or more.
    max_colour: mean of LR minus downsampled HR in any channel, beyond three of its standard errors.
    min_deviation: standard deviation of HR's luma; below it a patch is blank.
    max_clipped: share of HR pixels that are black or white in all channels.
    min_likeness: correlation of the 4 x 4 means of LR and of downsampled HR, where their contrast outweighs noise.
    """

    max_bias: float = 0.05
    max_shift: float = 0.2
    min_confidence: float = 0.5
    max_colour: float = 3.0
    min_deviation: float = 1.0
    max_clipped: float = 0.5
    min_likeness: float = 0.5


@dataclass(frozen=True)
class Remark:
    """A suspicious pair: why, by how much, in words; `other` is the pair it duplicates."""

    index: int
    reason: str
    figure: float
    text: str
    source: str
    other: int | None = None


@dataclass(frozen=True)
class Registration:
    """The median shift of the confident pairs in LR pixels, its standard error, and how many pairs that is."""

    y: float
    x: float
    error: float
    num_confident: int
    num_measured: int
    is_suspicious: bool

    @property
    def length(self) -> float:
        return float(np.hypot(self.y, self.x))


@dataclass(frozen=True)
class Verdict:
    """What was found in a set of `num_pairs`."""

    num_pairs: int
    num_patches: int
    registration: Registration
    colour: tuple[float, ...]  # median over the pairs of LR minus HR, per channel, 8-bit levels
    remarks: tuple[Remark, ...]
    thresholds: Thresholds

    @property
    def num_suspicious(self) -> int:
        return len({remark.index for remark in self.remarks})

    @property
    def is_fine(self) -> bool:
        return not self.remarks and not self.registration.is_suspicious

    @property
    def counts(self) -> dict[str, int]:
        """Reason -> pairs, most frequent first."""
        return dict(Counter(remark.reason for remark in self.remarks).most_common())

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "is_fine": self.is_fine,
            "pairs": self.num_pairs,
            "hr_patches": self.num_patches,
            "suspicious": self.num_suspicious,
            "reasons": self.counts,
            "registration": {**asdict(self.registration), "length": self.registration.length},
            "colour": list(self.colour),
            "thresholds": asdict(self.thresholds),
            "remarks": [asdict(remark) for remark in self.remarks],
        }


@dataclass(frozen=True)
class Judged:
    """The figures of one pair; None where a patch is too small, flat, noisy or clipped for one."""

    place: tuple[str, int, int]  # photo, y, x: variants of one HR patch share it
    shift: Shift | None
    colour: tuple[float, ...] | None
    colour_error: float
    deviation: float
    clipped: float
    likeness: float | None
    fingerprint: Fingerprint


def check_set(
    pairs: Pairs, *, thresholds: Thresholds | None = None, advance: Callable[[], None] = lambda: None
) -> Verdict:
    """Judge every pair of a set; `advance` is called for each."""
    limits = thresholds or Thresholds()

    def judged(index: int) -> Judged:
        (y, x), sha256 = pairs.origin(index), pairs.source_row(index)["sha256"]
        return judge(*pairs.read(index), place=(sha256, y, x))

    found = list(in_order(judged, range(len(pairs)), advance=advance))
    registration = _registration([one.shift for one in found], limits)
    remarks = [
        Remark(index, reason, figure, text, _source(pairs, index))
        for index, one in enumerate(found)
        for reason, figure, text in _faults(one, registration, limits)
    ]
    patches = _patches(found)
    remarks += _duplicates(pairs, found, patches)
    known = [one.colour for one in found if one.colour is not None]
    colour = tuple(float(value) for value in np.median(known, axis=0)) if known else ()
    ordered = tuple(sorted(remarks, key=lambda remark: (remark.index, remark.reason)))
    return Verdict(len(pairs), len(patches), registration, colour, ordered, limits)


def judge(lr: NDArray[Any], hr: NDArray[Any], *, place: tuple[str, int, int] = ("", 0, 0)) -> Judged:
    """The figures of a pair (h, w, C) and (H, W, C), uint8 or uint16.

    LR is compared with HR downsampled by MATLAB's bicubic: on 200 pairs of the `bicubic` recipe that reads shifts
    5 times more precisely than HR with enlarged LR does, on aliased pairs (`generic`) 1.5 times less, and costs a
    sixth. LR patches of less than 16 pixels a side are enlarged instead.
    """
    small, large = levels(lr), levels(hr)
    reduced = resize(large, *small.shape[:2])
    fine = luma(large)
    noise = noise_level(small) if min(small.shape[:2]) >= 3 else 0.0
    colour, error = _colour_shift(small, reduced, noise)
    white, black = (np.all(large == end, axis=2).mean() for end in (255, 0))
    return Judged(
        place,
        _shift(small, large, reduced),
        colour,
        error,
        float(np.std(fine, dtype=np.float64)),
        float(max(white, black)),
        _likeness(luma(small), luma(reduced), noise),
        fingerprint(hr, fine),
    )


def _shift(small: NDArray[np.float32], large: NDArray[np.float32], reduced: NDArray[np.float32]) -> Shift | None:
    """Of LR against HR, in LR pixels."""
    inner = [_without_border(plane, _BORDER) for plane in (luma(small), luma(reduced))]
    if min(inner[0].shape, default=0) >= SMALLEST:
        return shift(*inner)
    if min(large.shape[:2]) < SMALLEST:
        return None
    y, x, confidence = shift(luma(resize(small, *large.shape[:2])), luma(large))
    return Shift(y * small.shape[0] / large.shape[0], x * small.shape[1] / large.shape[1], confidence)


def _without_border(plane: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    return plane[width:-width, width:-width] if min(plane.shape) > 2 * width else plane


def _colour_shift(
    small: NDArray[np.float32], reduced: NDArray[np.float32], noise: float
) -> tuple[tuple[float, ...] | None, float]:
    """Mean of LR minus HR per channel and its standard error, where noise and blur do not push LR off the scale.

    A pixel counts if HR is off both ends in all of its surroundings: to choose pixels one by one would favour those
    that HR happens to show brighter than a blurred LR does.
    """
    room, size = 3 * noise + 2, (2 * _SURROUNDINGS + 1, 2 * _SURROUNDINGS + 1, 1)
    lowest, highest = ndimage.minimum_filter(reduced, size), ndimage.maximum_filter(reduced, size)
    is_inside = ((lowest > room) & (highest < 255 - room)).all(axis=2)
    count = int(np.count_nonzero(is_inside))
    if count < _LEAST_PIXELS:
        return None, 0.0
    differences = (small - reduced)[is_inside].astype(np.float64)
    error = float(differences.std(axis=0).max()) / count**0.5
    return tuple(float(value) for value in differences.mean(axis=0)), error


def _likeness(small: NDArray[np.float32], reduced: NDArray[np.float32], noise: float) -> float | None:
    """Correlation of the means of 4 x 4 pixels; None where there are few or noise could explain a low one."""
    sides = small.shape[0] // 4, small.shape[1] // 4
    if sides[0] * sides[1] < _LEAST_BLOCKS:
        return None
    one, other = (
        plane[: 4 * sides[0], : 4 * sides[1]].reshape(sides[0], 4, sides[1], 4).mean(axis=(1, 3))
        for plane in (small, reduced)
    )
    return correlation(one, other) if other.std() > noise / 2 + 2 else None  # a mean of 16 has a quarter of the noise


def _registration(shifts: list[Shift | None], limits: Thresholds) -> Registration:
    measured = [one for one in shifts if one is not None]
    sure = np.array([(one.y, one.x) for one in measured if one.confidence >= limits.min_confidence])
    if not len(sure):
        return Registration(0.0, 0.0, 0.0, 0, len(measured), is_suspicious=False)
    y, x = (float(value) for value in np.median(sure, axis=0))
    spread = float(np.median(np.abs(sure - (y, x)), axis=0).max()) * _MAD_TO_SIGMA
    error, length = _MEDIAN_ERROR * spread / len(sure) ** 0.5, float(np.hypot(y, x))
    return Registration(
        y, x, error, len(sure), len(measured), is_suspicious=length > limits.max_bias and length > 3 * error
    )


def _faults(one: Judged, registration: Registration, limits: Thresholds) -> list[tuple[str, float, str]]:
    """Reason, figure, text of everything wrong with a pair."""
    found: list[tuple[str, float, str]] = []
    if one.shift is not None and one.shift.confidence >= limits.min_confidence:
        away = float(np.hypot(one.shift.y - registration.y, one.shift.x - registration.x))
        if away > limits.max_shift:
            text = f"LR lies {one.shift.y:+.2f}, {one.shift.x:+.2f} LR pixels (y, x) from HR"
            found.append(("shifted", away, text))
    if one.likeness is not None and one.likeness < limits.min_likeness:
        found.append(("unlike", one.likeness, f"LR does not show what HR shows: correlation {one.likeness:.2f}"))
    elif one.colour is not None:
        worst = max(one.colour, key=abs)
        if abs(worst) > limits.max_colour + 3 * one.colour_error:
            text = "LR minus HR is " + ", ".join(f"{value:+.1f}" for value in one.colour) + " levels"
            found.append(("colour", abs(worst), text))
    if one.deviation < limits.min_deviation:
        found.append(("blank", one.deviation, f"HR's standard deviation is {one.deviation:.2f} levels"))
    if one.clipped > limits.max_clipped:
        found.append(("clipped", one.clipped, f"{100 * one.clipped:.0f} % of HR is black or white"))
    return found


def _patches(found: list[Judged]) -> list[int]:
    """The first pair of every HR patch: variants of it are no duplicates."""
    first: dict[tuple[str, int, int], int] = {}
    for index, one in enumerate(found):
        first.setdefault(one.place, index)
    return list(first.values())


def _duplicates(pairs: Pairs, found: list[Judged], patches: list[int]) -> list[Remark]:
    """Equal HR patches of different places, then nearly equal ones; flat patches are not compared."""
    prints = [found[index].fingerprint for index in patches]
    remarks = []
    exact = exact_duplicates([one.digest for one in prints])
    for later, earlier in exact:
        index, other = patches[later], patches[earlier]
        text = f"the same HR patch as pair {other}"
        remarks.append(Remark(index, "duplicate", 1.0, text, _source(pairs, index), other))
    doubled = {later for later, _ in exact}
    rest = [k for k in range(len(patches)) if k not in doubled and found[patches[k]].deviation > 4]

    @lru_cache(maxsize=256)
    def detail(position: int) -> NDArray[np.float32]:
        return detail_of(luma(levels(pairs.read(patches[rest[position]])[1])))

    for later, earlier, likeness in near_duplicates([prints[k].gradient_hash for k in rest], detail):
        index, other = patches[rest[later]], patches[rest[earlier]]
        text = f"nearly the HR patch of pair {other}: detail correlates {likeness:.2f}"
        remarks.append(Remark(index, "near duplicate", likeness, text, _source(pairs, index), other))
    return remarks


def _source(pairs: Pairs, index: int) -> str:
    row = pairs.source_row(index)
    return f"{row['root']}/{row['path']}" if row["root"] else row["path"]
