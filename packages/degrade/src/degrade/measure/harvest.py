"""Real noise out of flat places of photographs, and real blur kernels out of aligned pairs, for a pool."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade import codecs
from degrade.errors import DegradeError, ImageError, UsageError
from degrade.functional.statistics import levels, luma
from degrade.measure.kernels import KernelFit, estimate_kernel
from degrade.measure.pairs import evenly
from degrade.sources.folder import scan
from degrade.sources.source import Source

_MAD_TO_SIGMA = 1.4826
UNITS = 256  # of a pool's noise in a grey level
_SCALE_SUFFIX = re.compile(r"[_-]?x[0-9]+$", re.IGNORECASE)  # `0001x4` belongs to `0001`


@dataclass(frozen=True)
class NoiseRule:
    """Which patches count as noise on a flat ground; variance and mean of luma in 8-bit levels.

    Impressionism's rule (Ji et al., "Real-World Super-Resolution via Kernel Estimation and Noise Injection", CVPRW
    2020, its code): patches of 256 x 256 on a grid of that stride, variance below 20, mean above 0 (DF2K) or 50 (DPED).

    What is flat is not always noise, so four checks of our own follow unless `published_only`:
    max_clipped: share of the pixels that are black or white in some channel: the scale's end cuts their noise off.
    max_shading: share of any channel's variance that lies between the means of 16 parts: a gradient or a thing.
    max_peak: largest deviation in a channel, over 1.48 times the median absolute one: a thing, however small.
    max_blocking: mean squared step across an 8 x 8 grid over that of the other steps: JPEG's blocks.

    detrend: take a quadratic surface off each channel instead of its mean, so that skies can be used.
    """

    patch: int = 256
    max_variance: float = 20.0
    min_mean: float = 0.0
    max_patches: int = 1000
    max_clipped: float = 0.01
    max_shading: float = 0.25
    max_peak: float = 7.0
    max_blocking: float = 3.0
    published_only: bool = False
    detrend: bool = False

    def __post_init__(self) -> None:
        if self.patch < 8 or self.max_patches < 1 or self.max_variance <= 0 or not 0 <= self.max_clipped <= 1:
            raise ValueError(f"expected patch >= 8, max_patches >= 1, max_variance > 0, a share, got {self}")


@dataclass(frozen=True, eq=False)
class NoiseHarvest:
    """(P, p, p, 3) int16 mean-free noise in 1/256 level, and where it is from: (SHA-256, y, x) of each."""

    patches: NDArray[np.int16]
    places: tuple[tuple[str, int, int], ...]
    num_found: int  # that fit the rule, before `max_patches`
    num_tried: int
    num_photos: int
    num_small: int  # photos that hold no patch
    names: dict[str, str]  # SHA-256: file name
    skipped: tuple[DegradeError, ...]


@dataclass(frozen=True, eq=False)
class PairKernel:
    """The kernel of one pair of files."""

    name: str
    lr_sha256: str
    hr_sha256: str
    found: KernelFit


def harvest_noise(
    photos: Sequence[Path | str], rule: NoiseRule, *, advance: Callable[[], None] = lambda: None
) -> NoiseHarvest:
    """The patches of `photos` (files and folders) that fit `rule`; more than `max_patches` are thinned out evenly.

    They are in the order of the photos' SHA-256 and of their places, so names and listings decide nothing. A gray photo
    gives its noise to all three channels. `advance` is called for each photo.
    """
    scanned = scan(photos)
    skipped: list[DegradeError] = [ImageError(one.path, *_parts(one.message)) for one in scanned.skipped]
    found: list[tuple[Source, int, int]] = []
    num_tried = num_small = num_read = 0
    for source in scanned.sources:
        try:
            pixels = _pixels(source)
        except ImageError as error:
            skipped.append(error)
            continue
        finally:
            advance()
        places = list(_grid(pixels, rule.patch))
        num_read, num_tried, num_small = num_read + 1, num_tried + len(places), num_small + (not places)
        found += [(source, y, x) for y, x in places if is_noise(pixels[y : y + rule.patch, x : x + rule.patch], rule)]
    chosen = [found[i] for i in evenly(len(found), rule.max_patches)]
    patches = np.empty((len(chosen), rule.patch, rule.patch, 3), np.int16)
    by_source: dict[Source, list[int]] = defaultdict(list)
    for number, (source, _, _) in enumerate(chosen):
        by_source[source].append(number)
    for source, numbers in by_source.items():
        pixels = _pixels(source)
        for number in numbers:
            _, y, x = chosen[number]
            patches[number] = stored(noise_of(pixels[y : y + rule.patch, x : x + rule.patch], detrend=rule.detrend))
    places = tuple((source.sha256, y, x) for source, y, x in chosen)
    names = {source.sha256: Path(source.path).name for source in by_source}
    return NoiseHarvest(patches, places, len(found), num_tried, num_read, num_small, names, tuple(skipped))


def is_noise(patch: NDArray[np.uint8], rule: NoiseRule) -> bool:
    """Whether (p, p, C) fits `rule`; one without any variance does not."""
    grey = luma(levels(patch))
    variance = float(np.var(grey, dtype=np.float64))
    if not 0 < variance < rule.max_variance or float(np.mean(grey, dtype=np.float64)) <= rule.min_mean:
        return False
    if rule.published_only:
        return True
    clipped = float(((patch == 0) | (patch == 255)).any(axis=2).mean())
    if clipped > rule.max_clipped or blocking(grey) > rule.max_blocking:
        return False
    noise = noise_of(patch, detrend=rule.detrend)
    channels = [noise[..., channel] for channel in range(noise.shape[2])]
    return max(map(shading, channels)) <= rule.max_shading and max(map(peak, channels)) <= rule.max_peak


def shading(grey: NDArray[np.floating]) -> float:
    """Share of the variance of (p, p), p >= 8, that the means of its 4 x 4 parts hold; white noise: 16 / p^2."""
    part = grey.shape[0] // 4
    cut = np.asarray(grey[: 4 * part, : 4 * part], np.float64)
    variance = float(np.var(cut))
    return float(np.var(cut.reshape(4, part, 4, part).mean(axis=(1, 3)))) / variance if variance else 0.0


def peak(noise: NDArray[np.floating]) -> float:
    """Largest absolute value of mean-free noise in standard deviations told by its median; 4 is usual in 64 x 64."""
    size = np.abs(noise)
    middle = float(np.median(size)) * _MAD_TO_SIGMA
    return float(size.max()) / middle if middle else float("inf")


def blocking(grey: NDArray[np.floating]) -> float:
    """Mean squared step of (p, p) across the lines of a grid of 8 over that of all other steps, for the worst of the
    grid's 8 phases, rows and columns apart; noise: little above 1, JPEG of low quality: 3 to 100. 0 where all is even.
    """
    worst = 0.0
    for axis in (0, 1):
        steps = np.square(np.diff(np.asarray(grey, np.float64), axis=axis)).mean(axis=1 - axis)
        for phase in range(8):
            is_line = np.arange(len(steps)) % 8 == phase
            rest = float(steps[~is_line].mean()) if not is_line.all() else 0.0
            worst = max(worst, float(steps[is_line].mean()) / rest if is_line.any() and rest else 0.0)
    return worst


def noise_of(patch: NDArray[np.uint8], *, detrend: bool = False) -> NDArray[np.float64]:
    """(p, p, C) in grey levels: `patch` minus the mean of each channel, or minus the nearest quadratic surface."""
    height, width, channels = patch.shape
    values = patch.astype(np.float64)
    if not detrend:
        return values - values.mean(axis=(0, 1))
    y, x = (part / max(height, width) for part in np.mgrid[:height, :width])
    surface = np.stack([np.ones_like(y), y, x, y * y, y * x, x * x]).reshape(6, -1).T
    flat = values.reshape(-1, channels)
    return (flat - surface @ np.linalg.lstsq(surface, flat, rcond=None)[0]).reshape(patch.shape)


def stored(noise: NDArray[np.floating]) -> NDArray[np.int16]:
    """(p, p, 1 or 3) in grey levels as a pool holds it: (p, p, 3) in 1/256 level."""
    rounded = np.clip(np.rint(noise * UNITS), -32768, 32767).astype(np.int16)
    return np.broadcast_to(rounded, (*noise.shape[:2], 3))


def harvest_kernels(
    lr: Path, hr: Path, *, size: int = 21, scale: int = 1, advance: Callable[[], None] = lambda: None
) -> tuple[list[PairKernel], list[DegradeError]]:
    """The kernel of every pair of files of the two folders, and the files that gave none.

    Files belong together by their name without suffix and without a scale such as `x4`. `advance` is called for each.

    Raises:
        UsageError: no two files belong together.
    """
    lr_files, hr_files, skipped = *(_by_stem(folder) for folder in (lr, hr)), []
    names = sorted(lr_files.keys() & hr_files.keys())
    if not names:
        raise UsageError(lr, f"no file belongs to one in {hr}", "give both the same names")
    for name in sorted(lr_files.keys() ^ hr_files.keys()):
        skipped.append(ImageError(lr_files.get(name) or hr_files[name], "has no partner", "give both the same name"))
    found = []
    for name in names:
        try:
            found.append(_pair_kernel(name, lr_files[name], hr_files[name], size, scale))
        except DegradeError as error:
            skipped.append(error)
        advance()
    return found, skipped


def count_files(folder: Path) -> int:
    """How many image files lie in a folder."""
    return len(_by_stem(folder))


def pool_card(
    rule: NoiseRule | None,
    noise: NoiseHarvest | None,
    kernels: Sequence[PairKernel],
    *,
    min_fit: float,
    origin: str = "",
) -> dict[str, Any]:
    """What the pool says of itself: rule, thresholds, photos by SHA-256, each patch's place, each kernel's fit."""
    card: dict[str, Any] = {"origin": origin} if origin else {}
    if noise is not None and rule is not None and len(noise.patches):
        photos = list(noise.names)
        card["noise"] = {
            "rule": "Ji et al. 2020: on a grid, luma variance below and mean above, minus the channel means",
            **asdict(rule),
            "unit": f"1/{UNITS} of an 8-bit level",
            "photos": noise.names,
            "patches": [[photos.index(sha256), y, x] for sha256, y, x in noise.places],
        }
    if kernels:
        card["kernels"] = {
            "rule": "least squares on gradients, non-negative, smooth, sum 1, centred",
            "min_fit": min_fit,
            "pairs": [
                {"name": one.name, "lr": one.lr_sha256, "hr": one.hr_sha256, **_rounded(one.found)} for one in kernels
            ],
        }
    return card


def _rounded(found: KernelFit) -> dict[str, Any]:
    return {
        "fit": round(found.fit, 4),
        "gain": round(found.gain, 4),
        "offset": [round(value, 3) for value in found.offset],
        "sigma": [round(value, 3) for value in found.sigma],
    }


def _pair_kernel(name: str, lr: Path, hr: Path, size: int, scale: int) -> PairKernel:
    planes, digests = [], []
    for path in (lr, hr):
        data = codecs.read_bytes(path)
        digests.append(codecs.sha256(data))
        planes.append(luma(levels(codecs.rgb8(codecs.decode(data, path)))))
    small, large = planes
    if all(0 < a - b * scale < scale or a == b * scale for a, b in zip(large.shape, small.shape, strict=True)):
        large = large[: small.shape[0] * scale, : small.shape[1] * scale]
    if large.shape != (small.shape[0] * scale, small.shape[1] * scale):
        problem = f"{small.shape[1]} x {small.shape[0]}, but {hr.name} is {planes[1].shape[1]} x {planes[1].shape[0]}"
        raise ImageError(lr, problem, f"state by how much LR is smaller; now --scale {scale}")
    try:
        return PairKernel(name, digests[0], digests[1], estimate_kernel(small, large, size=size, scale=scale))
    except ValueError as error:
        raise ImageError(lr, str(error), "give larger pairs, or a smaller --kernel-size") from None


def _by_stem(folder: Path) -> dict[str, Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in codecs.EXTENSIONS)
    except OSError as error:
        raise UsageError(folder, f"not a folder that can be read: {error.strerror}", "check the path") from None
    return {_SCALE_SUFFIX.sub("", path.stem): path for path in files}


def _pixels(source: Source) -> NDArray[np.uint8]:
    return codecs.rgb8(codecs.read(Path(source.root) / source.path))


def _grid(pixels: NDArray[np.uint8], side: int) -> Iterator[tuple[int, int]]:
    height, width = pixels.shape[:2]
    for y in range(0, height - side + 1, side):
        for x in range(0, width - side + 1, side):
            yield y, x


def _parts(message: str) -> tuple[str, str]:
    """Problem and cure of a skipped source's message."""
    problem, _, cure = message.rpartition(" - ")
    return (problem, cure) if problem else (message, "check the file")
