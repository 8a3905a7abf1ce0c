"""Real pairs as a judge of degraders sees them: HR, the LR a camera made of it, and what that is without its noise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from degrade.codecs import read, rgb8
from degrade.functional.resample import imresize_uint8, resize
from degrade.image import Pixels, crop_to_multiple
from srzoo.errors import ImageError, UsageError
from srzoo.evaluate.pairs import Pair
from srzoo.metrics.noise_statistics import SIDE

_WINDOW = 11  # pixels of SSIM's window


@dataclass(frozen=True)
class Scene:
    """One real pair, uint8 RGB.

    Attributes:
        hr: (H, W, 3).
        real: (H/s, W/s, 3) the LR of the camera.
        clean: alike, the LR without noise, from HR alone.
        example: real LR of another picture, for degraders that imitate one; of any size.
        key: of the noise that a degrader takes; from the seed and the name alone.
    """

    name: str
    hr: Pixels
    real: Pixels
    clean: Pixels
    example: Pixels
    key: int

    @property
    def scale(self) -> int:
        return self.hr.shape[0] // self.real.shape[0]


@dataclass(frozen=True)
class Degrader:
    """What makes LR (H/s, W/s, 3) of a scene, uint8 RGB; `what` says it in words."""

    name: str
    what: str
    make: Callable[[Scene], Pixels]
    multiple: int = 1


@dataclass(frozen=True)
class Framing:
    """How pictures become scenes.

    Attributes:
        multiple: HR is cropped to a multiple of it, LR alike, both top left; itself a multiple of the scale.
        nearest: LR has the size of HR, and of it one pixel a block is taken, as the recipe `nearest` does.
        border: LR pixels that will be left off.
        seed: of the noise keys.
    """

    scale: int
    multiple: int
    nearest: bool = False
    border: int = 7
    seed: int = 0

    def __post_init__(self) -> None:
        if self.scale < 1 or self.multiple % self.scale or self.border < 0:
            raise ValueError(
                f"expected a scale >= 1, a multiple of it and a border >= 0, got {self.scale}, {self.multiple}, "
                f"{self.border}"
            )


def scenes(pairs: Sequence[Pair], framing: Framing) -> Iterator[Scene]:
    """Each pair in turn; the example of each is the real LR of the one before, of the first that of the last.

    `clean` is HR itself at scale 1; else the pixels of HR at the same places where LR is taken `nearest`, else MATLAB's
    bicubic.

    Raises:
        ImageError: a picture cannot be read, or is too small. UsageError: sizes that do not fit.
    """
    if not pairs:
        return
    example = _read(pairs[-1], framing)[1]
    for pair in pairs:
        hr, real = _read(pair, framing)
        height, width = real.shape[:2]
        if framing.scale == 1:
            clean = hr
        else:
            clean = taken_nearest(hr, framing.scale) if framing.nearest else imresize_uint8(hr, height, width)
        yield Scene(pair.name, hr, real, clean, example, _key(framing.seed, pair.name))
        example = real


def taken_nearest(pixels: Pixels, scale: int) -> Pixels:
    """One pixel of each block of `scale` x `scale`: for even scales the one right of and below its middle."""
    height, width = pixels.shape[0] // scale, pixels.shape[1] // scale
    return resize(pixels, height, width, "nearest").astype(np.uint8)


def _read(pair: Pair, framing: Framing) -> tuple[Pixels, Pixels]:
    """HR and real LR, cropped alike."""
    assert pair.lr is not None
    hr, lr, scale = _pixels(pair.hr), _pixels(pair.lr), framing.scale
    size, fits = hr.shape[:2], hr.shape[:2] if framing.nearest else (hr.shape[0] // scale, hr.shape[1] // scale)
    if lr.shape[:2] != fits:
        problem = f"{_sized(lr)}, but its HR is {_sized(hr)}: that is not x{1 if framing.nearest else scale}"
        if framing.nearest:
            cure = "leave out --nearest"
        else:
            cure = "add --nearest to take every pixel on the way" if lr.shape[:2] == size else "state another --scale"
        raise UsageError(pair.lr, problem, cure)
    smallest = max(SIDE, _WINDOW + 2 * framing.border)
    if min(size) // framing.multiple * framing.multiple < smallest * scale:
        problem = f"{_sized(hr)} is too small for x{scale} and a border of {framing.border}"
        raise ImageError(pair.hr, problem, "leave it out, or state a smaller --border")
    hr = np.ascontiguousarray(crop_to_multiple(hr, framing.multiple))
    height, width = hr.shape[0] // scale, hr.shape[1] // scale
    if framing.nearest and scale > 1:
        return hr, taken_nearest(np.ascontiguousarray(lr[: hr.shape[0], : hr.shape[1]]), scale)
    return hr, np.ascontiguousarray(lr[:height, :width])


def _pixels(path: Path) -> Pixels:
    return rgb8(read(path))


def _sized(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"


def _key(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=7).digest())
