"""The evaluation itself: every picture through every method, one after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from degrade.codecs import read, rgb8
from degrade.functional.resample import imresize_uint8
from degrade.image import Pixels, crop_to_multiple
from srzoo.errors import ImageError, UsageError
from srzoo.evaluate.measures import COLUMNS, Figures, Measures
from srzoo.evaluate.pairs import Pair
from srzoo.metrics.protocol import compared, published_bicubic

Upscale = Callable[..., Pixels]  # (h, w, 3) to (s*h, s*w, 3); or several of that size to one

_SMALLEST = 11  # pixels inside the border: SSIM's window


@dataclass(frozen=True)
class Method:
    """What enlarges. `upscale` None is MATLAB's bicubic.

    Attributes:
        keeps_size: it is given that enlargement.
        parts: names of earlier methods: it is given what they made, one argument each.
    """

    name: str
    upscale: Upscale | None = None
    keeps_size: bool = False
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """One picture: what it was made from, what each method made of it, and the figures of that; 8-bit RGB."""

    name: str
    hr: Pixels
    lr: Pixels
    sr: Mapping[str, Pixels]
    figures: Mapping[str, Figures]


def evaluate(pairs: Sequence[Pair], methods: Sequence[Method], measures: Measures, *, scale: int) -> Iterator[Judged]:
    """Each pair in turn, judged by `measures`.

    HR is cropped to a multiple of `scale`, its top left kept; 8-bit sRGB as `degrade.codecs.rgb8` makes it. LR made
    here is MATLAB's uint8 bicubic (mirrored edges), and so is the enlargement that `bicubic` stands for; under
    `published` its PSNR and SSIM are of luma in double precision throughout (see `metrics.protocol`).

    Raises:
        ImageError: a picture cannot be read, or is too small: no mean over the rest is given.
        UsageError: a pair's sizes do not fit.
    """
    for pair in pairs:
        hr, lr = _read(pair.hr), None if pair.lr is None else _read(pair.lr)
        truth, start = _fitted(pair, hr, lr, scale)
        height, width = truth.shape[:2]
        made = made_by(methods, start, height, width)
        figures: dict[str, Figures] = {}
        for method in methods:
            sr = made[method.name]
            if method.upscale is None and measures.protocol == "published":
                planes = published_bicubic(hr.own(truth), scale, lr=None if lr is None else lr.own(start))
            else:
                planes = compared(measures.protocol, sr, truth, scale)
            figures[method.name] = measures.of(planes, sr, truth, start)
        yield Judged(pair.name, truth, start, made, figures)


def made_by(methods: Sequence[Method], start: Pixels, height: int, width: int) -> dict[str, Pixels]:
    """What each of `methods`, in order, makes of `start` (h, w, 3): (`height`, `width`, 3) by its name."""
    enlarged = imresize_uint8(start, height, width)
    made: dict[str, Pixels] = {}
    for method in methods:
        if method.upscale is None:
            made[method.name] = enlarged
        elif method.parts:
            made[method.name] = method.upscale(*(made[part] for part in method.parts))
        else:
            made[method.name] = method.upscale(enlarged if method.keeps_size else start)
    return made


def mean(figures: Sequence[Figures]) -> Figures:
    """The mean over pictures of every figure, as tables report it.

    Nan where one picture has none; a figure that is `partial` is averaged over the pictures that have it.
    """
    return {key: _mean([one[key] for one in figures], is_partial=COLUMNS[key].is_partial) for key in figures[0]}


def _mean(values: Sequence[float], *, is_partial: bool) -> float:
    there = [value for value in values if not math.isnan(value)] if is_partial else values
    return fmean(there) if there else math.nan


@dataclass(frozen=True)
class _Picture:
    colour: Pixels  # (H, W, 3)
    is_grey: bool

    def own(self, colour: Pixels) -> Pixels:
        """`colour`, of this picture, with the channels of its file."""
        return colour[..., :1] if self.is_grey else colour


def _read(path: Path) -> _Picture:
    photo = read(path)
    return _Picture(rgb8(photo), photo.pixels.shape[2] == 1)


def _fitted(pair: Pair, hr: _Picture, lr: _Picture | None, scale: int) -> tuple[Pixels, Pixels]:
    """HR cropped to a multiple of `scale`, and the LR to start from."""
    size = f"{hr.colour.shape[1]} x {hr.colour.shape[0]}"
    if min(hr.colour.shape[:2]) < _SMALLEST + 3 * scale:
        raise ImageError(pair.hr, f"{size} is too small for x{scale} and SSIM's window", "leave it out")
    cropped = np.ascontiguousarray(crop_to_multiple(hr.colour, scale))
    height, width = cropped.shape[0] // scale, cropped.shape[1] // scale
    if lr is None:
        return cropped, imresize_uint8(cropped, height, width)
    if lr.colour.shape[:2] != (height, width):
        problem = f"{lr.colour.shape[1]} x {lr.colour.shape[0]}, but its HR is {size}: that is not x{scale}"
        raise UsageError(pair.lr, problem, "state the --scale these pictures have")
    return cropped, lr.colour
