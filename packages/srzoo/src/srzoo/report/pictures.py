"""A photograph on the page: input, bicubic, ours and the truth, whole and in crops chosen by detail alone."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from degrade import codecs
from degrade.errors import UsageError
from degrade.functional.resample import imresize_uint8, resize
from degrade.image import Pixels, crop_to_multiple, to_float, to_pixels
from srzoo.metrics.protocol import compared, luma
from srzoo.metrics.psnr import psnr
from srzoo.metrics.ssim import ssim
from srzoo.upscale.upscaler import Upscaler

CROP = 96  # HR pixels on a side
LARGEST_LR = 512  # pixels on a side that are shown of a photo
LARGEST_VIEW = 1280  # pixels on a side of a whole picture on the page
_SMALLEST = 11  # SSIM's window
_SHOWN_FIELDS = {"sigma": "pixels", "sigma_8bit": "grey levels", "peak": "", "quality": ""}  # of a step: unit
_STATED_UNITS = {"grey": "grey levels", "counts": "counts"}


@dataclass(frozen=True)
class Case:
    """What is to be shown: an input, the truth where it is known, and how the input came about."""

    name: str
    lr: Pixels  # (h, w, 3)
    hr: Pixels | None = None  # (s*h, s*w, 3)
    made_by: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class View:
    """One embedded picture. `is_input` ones are small and enlarged by the browser, pixel by pixel."""

    label: str
    uri: str
    is_input: bool = False
    score: str = ""


@dataclass(frozen=True)
class Score:
    """Against the truth, on luma with `scale` pixels of border off; PSNR in dB."""

    psnr: float
    ssim: float


@dataclass(frozen=True)
class Shown:
    """A case, ready for the page. `crops` are rows of views under a heading."""

    case: Case
    whole: tuple[View, ...]
    crops: tuple[tuple[str, tuple[View, ...]], ...]
    size: tuple[int, int]  # height, width of the result
    view_size: tuple[int, int]
    seconds: float
    bicubic: Score | None = None
    ours: Score | None = None

    @property
    def ours_view(self) -> View:
        return next(view for view in self.whole if view.label == "Ours")

    @property
    def others(self) -> list[View]:
        """What ours can be compared with."""
        return [view for view in self.whole if view.label != "Ours"]

    @property
    def shown_width(self) -> int:
        """Pixels on the page: small pictures are enlarged, but not without end."""
        return max(self.view_size[1], min(2 * self.view_size[1], 720))

    @property
    def gain(self) -> float | None:
        return self.ours.psnr - self.bicubic.psnr if self.ours and self.bicubic else None


def pair_case(lr: Path, hr: Path, scale: int) -> Case:
    """An input and its truth; the truth may have up to `scale - 1` rows and columns more than the input explains.

    Beside an input that `degrade apply` made lies what it drew: that goes onto the page.

    Raises:
        ImageError: one of them cannot be read. UsageError: they do not fit.
    """
    small, truth = codecs.rgb8(codecs.read(lr)), codecs.rgb8(codecs.read(hr))
    height, width = (side // scale for side in truth.shape[:2])
    if small.shape[:2] != (height, width):
        problem = f"{_size(small)}, but {hr.name} is {_size(truth)}: that is not x{scale}"
        raise UsageError(lr, problem, "give --lr and --hr in the same order")
    return _limited(Case(hr.stem, small, crop_to_multiple(truth, scale), _made_by(lr)), scale)


def photo_case(path: Path, scale: int) -> Case:
    """A photo whose truth nobody knows."""
    return _limited(Case(path.stem, codecs.rgb8(codecs.read(path))), scale)


def show(case: Case, upscaler: Upscaler) -> Shown:
    """Enlarge `case` and embed it."""
    scale, height, width = upscaler.scale, *case.lr.shape[:2]
    size = (height * scale, width * scale)
    bicubic = imresize_uint8(case.lr, *size)
    began = time.perf_counter()
    ours = np.asarray(upscaler.image(case.lr), np.uint8)
    seconds = time.perf_counter() - began
    scores = [None, None] if case.hr is None else [_score(made, case.hr, scale) for made in (bicubic, ours)]
    reference = bicubic if case.hr is None else case.hr
    places = choose_crops(reference, min(CROP, *(side // scale * scale for side in size)), step=scale)
    pictures = [("Bicubic", bicubic), ("Ours", ours)] + ([("Truth", case.hr)] if case.hr is not None else [])
    shown = [View("Input", embedded(case.lr, 95), is_input=True)]
    shown += [View(label, embedded(fitted(picture), 92)) for label, picture in pictures]
    return Shown(
        case,
        tuple(shown),
        tuple((name, _crop(case.lr, pictures, y, x, side, scale)) for name, y, x, side in places),
        size,
        fitted(bicubic).shape[:2],
        seconds,
        *scores,
    )


def choose_crops(reference: Pixels, side: int, *, step: int = 1) -> list[tuple[str, int, int, int]]:
    """(heading, y, x, side) of the two places with most detail and the smoothest, apart from each other.

    Detail is the mean step between neighbouring pixels of the luma of `reference`: no result decides what is shown.
    Places are multiples of `step`. Smooth places are neither black nor white.
    """
    plane = luma(reference)[..., 0]
    steps = np.abs(np.diff(plane, axis=0, append=plane[-1:])) + np.abs(np.diff(plane, axis=1, append=plane[:, -1:]))
    stride = max(step, side // 4 // step * step)
    ys, xs = (range(0, length - side + 1, stride) for length in plane.shape)
    places = np.array([(y, x) for y in ys for x in xs])
    detail, mean = (window_means(values, places, side) for values in (steps, plane))
    wanted: list[tuple[str, NDArray[np.float64]]] = [
        ("Most detail", detail),
        ("Second most detail", detail),
        ("Smoothest", np.where((mean > 40) & (mean < 215), -detail, -np.inf)),
    ]
    chosen: list[tuple[str, int, int, int]] = []
    for name, value in wanted:
        taken = [np.abs(places - (y, x)).max(1) < side for _, y, x, _ in chosen]
        free = np.where(np.any(taken, axis=0), -np.inf, value) if taken else value
        best = int(free.argmax())
        if np.isfinite(free[best]):
            chosen.append((name, int(places[best][0]), int(places[best][1]), side))
    return chosen


def embedded(pixels: Pixels, quality: int) -> str:
    """`pixels` as a data URI (WebP; lossless for a `quality` of 100)."""
    data = codecs.encode(codecs.Photo(np.ascontiguousarray(pixels)), "WebP", quality)
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"


def _crop(
    lr: Pixels, pictures: Sequence[tuple[str, Pixels]], y: int, x: int, side: int, scale: int
) -> tuple[View, ...]:
    small = lr[y // scale : (y + side) // scale, x // scale : (x + side) // scale]
    views = [View("Input", embedded(small, 100), is_input=True)]
    return (*views, *(View(name, embedded(p[y : y + side, x : x + side], 100)) for name, p in pictures))


def _score(made: Pixels, truth: Pixels, scale: int) -> Score | None:
    if min(truth.shape[:2]) < _SMALLEST + 2 * scale:
        return None
    planes = compared("network", made, truth, scale)
    return Score(psnr(*planes), ssim(*planes))


def _limited(case: Case, scale: int) -> Case:
    """The middle of `case` where it is larger than a page can show."""
    height, width = case.lr.shape[:2]
    if min(height, width) < 1 or max(height, width) <= LARGEST_LR:
        return case
    rows, columns = min(height, LARGEST_LR), min(width, LARGEST_LR)
    y, x = (height - rows) // 2, (width - columns) // 2
    lr = case.lr[y : y + rows, x : x + columns]
    hr = None
    if case.hr is not None:
        hr = case.hr[y * scale : (y + rows) * scale, x * scale : (x + columns) * scale]
    note = f"the middle {columns} x {rows} pixels of {width} x {height}"
    return Case(
        case.name, np.ascontiguousarray(lr), None if hr is None else np.ascontiguousarray(hr), case.made_by, note
    )


def fitted(pixels: Pixels, largest: int = LARGEST_VIEW) -> Pixels:
    """`pixels`, made smaller where a side is longer than `largest`."""
    height, width = pixels.shape[:2]
    factor = largest / max(height, width)
    if factor >= 1:
        return pixels
    small = resize(to_float(pixels), max(1, round(height * factor)), max(1, round(width * factor)))
    return to_pixels(small)


def window_means(values: NDArray[np.float64], places: NDArray[np.int64], side: int) -> NDArray[np.float64]:
    """The mean of `values` (H, W) in the window of `side` pixels at each of `places` (n, 2), top left y and x."""
    sums = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    y, x = places[:, 0], places[:, 1]
    total = sums[y + side, x + side] - sums[y, x + side] - sums[y + side, x] + sums[y, x]
    return total / side**2


def _made_by(lr: Path) -> tuple[str, ...]:
    """What `degrade apply` drew for this input, in words; nothing where no such record lies beside it."""
    try:
        record = json.loads(lr.with_suffix(".json").read_text("utf-8"))
        steps = record["trace"]["steps"] if record.get("format") == "degrade-trace" else []
        return tuple(step_in_words(step) for step in steps)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ()


def step_in_words(step: dict[str, object]) -> str:
    """`gaussian blur, sigma 1.84` of one step of a trace: what was drawn, no keys, no settings."""
    words = [str(step["op"]).replace("_", " ")]
    if isinstance(step.get("filter"), str):
        words[0] += f" ({step['filter']})"
    for name, unit in _SHOWN_FIELDS.items():
        value = step.get(name)
        if isinstance(value, int | float):
            unit = _STATED_UNITS.get(str(step.get(f"{name}_unit")), unit)
            words.append(f"{name.split('_')[0]} {value:.3g} {unit}".rstrip())
    return ", ".join(words)


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"
