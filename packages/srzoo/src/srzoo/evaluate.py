"""A model over a folder of pictures whose truth is known: PSNR and SSIM of each, and their means."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from degrade.codecs import EXTENSIONS, read, rgb8
from degrade.functional.resample import imresize_uint8
from degrade.image import Pixels, crop_to_multiple
from srzoo.errors import ImageError, UsageError
from srzoo.metrics.protocol import Protocol, compared, published_bicubic
from srzoo.metrics.psnr import psnr
from srzoo.metrics.ssim import ssim

BICUBIC = "bicubic"
Upscale = Callable[[Pixels], Pixels]  # LR (h, w, 3) to SR (s*h, s*w, 3)

_ROLE = re.compile(r"[_-](hr|lr)$", re.IGNORECASE)
_SMALLEST = 11  # pixels inside the border: SSIM's window


@dataclass(frozen=True)
class Pair:
    """A picture to be reached, and what to start from; None: it is made from `hr` by MATLAB's bicubic."""

    name: str
    hr: Path
    lr: Path | None = None


@dataclass(frozen=True)
class Score:
    """One picture: PSNR in dB (infinite where nothing differs) and SSIM, of the model and of bicubic enlargement."""

    name: str
    psnr: float
    ssim: float
    psnr_bicubic: float
    ssim_bicubic: float


def mean(scores: Sequence[Score]) -> Score:
    """The mean of every figure, as tables report it."""
    figures = zip(*((s.psnr, s.ssim, s.psnr_bicubic, s.ssim_bicubic) for s in scores), strict=True)
    return Score("mean", *(fmean(column) for column in figures))


def evaluate(pairs: Sequence[Pair], upscale: Upscale | None, *, scale: int, protocol: Protocol) -> Iterator[Score]:
    """The score of each pair, one after another. `upscale` None is bicubic itself.

    HR is cropped to a multiple of `scale`, its top left kept; 8-bit sRGB as `degrade.codecs.rgb8` makes it. LR made
    here is MATLAB's uint8 bicubic (mirrored edges), and so is the enlargement that scores are compared with; under
    `published` both stay luma in double precision (see `metrics.protocol`), but for a network's own input.

    Raises:
        ImageError: a picture cannot be read, or is too small: no mean over the rest is given.
        UsageError: a pair's sizes do not fit.
    """
    for pair in pairs:
        hr, lr = _read(pair.hr), None if pair.lr is None else _read(pair.lr)
        colour, start = _fitted(pair, hr, lr, scale)
        height, width = colour.shape[:2]
        if protocol == "published":
            bicubic = published_bicubic(hr.own(colour), scale, lr=None if lr is None else lr.own(start))
        else:
            bicubic = compared(protocol, imresize_uint8(start, height, width), colour, scale)
        figures = psnr(*bicubic), ssim(*bicubic)
        own = figures
        if upscale is not None:
            planes = compared(protocol, upscale(start), colour, scale)
            own = psnr(*planes), ssim(*planes)
        yield Score(pair.name, *own, *figures)


def find_pairs(hr: Path, lr: Path | None = None, *, scale: int) -> list[Pair]:
    """The pictures in the folder `hr` and below (or the one file), in order, each with its partner in `lr`.

    Partners have the same path but for the suffix, a final `_HR` or `_LR`, and the scale that DIV2K adds to its LR
    (`0801x4`). Two single files are partners whatever their names are.

    Raises:
        UsageError: no pictures, a picture without partner, or two that claim the same one.
    """
    truths = _pictures("--hr", hr)
    if lr is None:
        return [Pair(name, path) for name, path in truths.values()]
    if hr.is_file() and lr.is_file():
        return [Pair(hr.name, hr, lr)]
    starts = _pictures("--lr", lr)
    pairs = []
    for key, (name, path) in truths.items():
        partner = starts.get(key) or starts.get(f"{key}x{scale}")
        if partner is None:
            raise UsageError(f"--lr {lr}", f"no partner for {name}", "give both folders the same names")
        pairs.append(Pair(name, path, partner[1]))
    return pairs


def _pictures(option: str, place: Path) -> dict[str, tuple[str, Path]]:
    """Name and path of each picture by what partners share."""
    if place.is_file():
        return {_shared(place.name): (place.name, place)}
    if not place.is_dir():
        raise UsageError(f"{option} {place}", "no such folder", "check the path")
    found: dict[str, tuple[str, Path]] = {}
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in sorted(Path(folder, name) for name in files if not name.startswith(".")):
            if path.suffix.lower() in EXTENSIONS:
                name = str(path.relative_to(place))
                other = found.setdefault(_shared(name), (name, path))[0]
                if other != name:
                    raise UsageError(
                        f"{option} {place}", f"{other} and {name} are the same by name", "keep one of them"
                    )
    if not found:
        raise UsageError(f"{option} {place}", "no pictures in this folder", "give the folder that holds them")
    return found


def _shared(name: str) -> str:
    return _ROLE.sub("", str(Path(name).with_suffix("")))


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
