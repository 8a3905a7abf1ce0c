"""Held-out pairs by what was done to them: on which degradations the network gains how much over bicubic."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import imresize_uint8
from degrade.shards.reader import ShardSet, open_shards
from srzoo.data import hold_out
from srzoo.errors import UsageError
from srzoo.metrics.protocol import compared
from srzoo.metrics.psnr import psnr
from srzoo.upscale.upscaler import Upscaler

LARGEST_PSNR = 100.0  # dB, of equal pictures, so that means stay finite


@dataclass(frozen=True)
class Row:
    """The pairs of one kind; means of PSNR (Y) in dB."""

    kind: str
    count: int
    bicubic: float
    ours: float

    @property
    def gain(self) -> float:
        return self.ours - self.bicubic


@dataclass(frozen=True)
class Table:
    """The same pairs, grouped in one way."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Kinds:
    """All tables over one set of pairs, and which pairs those are."""

    sentence: str
    total: Row
    tables: tuple[Table, ...]


def by_kind(folders: Sequence[Path], upscaler: Upscaler, *, most: int = 200) -> Kinds:
    """Measure up to `most` pairs of `folders`, spread evenly.

    Of shards that the model trained on, only the pairs that were held out of training count.

    Raises:
        UsageError: no shards, or of another scale. IntegrityError: damaged ones.
    """
    pairs = open_shards(list(folders))
    if pairs.scale != upscaler.scale:
        problem = f"shards of scale {pairs.scale}, but the model is of scale {upscaler.scale}"
        raise UsageError(folders[0], problem, "give shards of the model's scale")
    candidates, sentence = _candidates(pairs, upscaler.model.metadata)
    chosen = candidates[np.linspace(0, len(candidates) - 1, min(most, len(candidates))).round().astype(int)]
    found = [(pairs[index].trace, *_measured(pairs, index, upscaler)) for index in chosen.tolist()]
    count = f"{len(found)} of them, spread evenly" if len(found) < len(candidates) else "all of them"
    ways = (("Noise", noise_of), ("Downsampling", filter_of), ("Blur before it", blur_of))
    tables = (_table(title, key, found) for title, key in ways)
    return Kinds(f"{sentence}; {count}.", _row("all", found), tuple(table for table in tables if len(table.rows) > 1))


def noise_of(trace: Mapping[str, Any]) -> str:
    """The noise of a trace, in words."""
    kinds = [step["op"].removesuffix("_noise") for step in trace["steps"] if step["op"].endswith("_noise")]
    return " + ".join(kind.replace("_", "-") for kind in kinds) or "none"


def filter_of(trace: Mapping[str, Any]) -> str:
    """The filters that made the picture smaller."""
    names = []
    for step in trace["steps"]:
        if "downsample" in step["op"] or "resize" in step["op"]:
            names.append(str(step.get("filter") or step["op"].removesuffix("_downsample").replace("_", " ")))
    return " + ".join(names) or "none"


def blur_of(trace: Mapping[str, Any]) -> str:
    """The widest Gaussian blur, in HR pixels."""
    sigmas = [s["sigma"] for s in trace["steps"] if s["op"].endswith("blur") and isinstance(s.get("sigma"), float)]
    if not sigmas:
        return "none"
    whole = math.floor(max(sigmas))
    return f"sigma {whole} to {whole + 1}"


def _candidates(pairs: ShardSet, metadata: Mapping[str, str]) -> tuple[NDArray[np.int64], str]:
    if pairs.digest not in metadata.get("shards", ""):
        return np.arange(len(pairs)), f"{len(pairs):,} pairs of shards that the model has not seen"
    held_out = hold_out(pairs).held_out
    return held_out, f"{len(held_out):,} pairs whose photographs were held out of training"


def _measured(pairs: ShardSet, index: int, upscaler: Upscaler) -> tuple[float, float]:
    lr, hr = (_eight_bits(pixels) for pixels in pairs.read(index))
    results = imresize_uint8(lr, *hr.shape[:2]), _eight_bits(upscaler.image(lr))
    bicubic, ours = (psnr(*compared("network", made, hr, upscaler.scale)) for made in results)
    return min(bicubic, LARGEST_PSNR), min(ours, LARGEST_PSNR)


def _eight_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8) if pixels.dtype == np.uint16 else pixels


def _table(
    title: str, key: Callable[[Mapping[str, Any]], str], found: Sequence[tuple[dict[str, Any], float, float]]
) -> Table:
    groups: dict[str, list[tuple[dict[str, Any], float, float]]] = defaultdict(list)
    for one in found:
        groups[key(one[0])].append(one)
    return Table(title, tuple(_row(kind, groups[kind]) for kind in sorted(groups)))


def _row(kind: str, found: Sequence[tuple[dict[str, Any], float, float]]) -> Row:
    return Row(kind, len(found), fmean(bicubic for _, bicubic, _ in found), fmean(ours for _, _, ours in found))
