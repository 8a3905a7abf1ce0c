"""A burst of shots of one still scene, fused to one clean picture.

SRDGAN photographs some 20 noisy frames from a tripod for every clean HR picture and fuses them by a method it does not
give. Here they are aligned (`functional.alignment`), laid on the reference (`functional.warp`), averaged without what
moved (`functional.fusion`), and given back the detail that interpolation costs (`functional.interpolation_loss`). All
in the values that the files store, sRGB as a rule.

Measured (`benchmarks/burst.py`: 24 simulated bursts of 20 hand-held shots with real camera noise) against the plain
mean of 20 shots that did not move: +0.3 dB in the mean, because the noise is not everywhere the same, and within 0.4 dB
but for one photograph of the finest texture (-0.9). In the track of a moving disc 0.1 to 0.3 dB are lost, as many as
fewer shots must cost.

Memory: every frame as it was decoded, and 0.6 GB for strips: 20 frames of 12 megapixels took 1.3 GB in 8 bits, and take
0.7 GB more in 16. Time: 130 seconds of one core for those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from math import degrees
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from degrade import codecs
from degrade.codecs import Photo
from degrade.errors import ImageError, UsageError
from degrade.functional import fusion, interpolation_loss
from degrade.functional.alignment import Aligned, Pyramid, align, pyramid
from degrade.functional.fusion import Noise
from degrade.functional.warp import Motion, coefficients, source_rows, warp
from degrade.image import Image, to_float

FEWEST = 2  # frames
LEAST_AGREEMENT = 0.5  # correlation after alignment; a noisy shot of the same scene has 0.9

_STRIP_BYTES = 150_000_000  # of aligned samples at a time; about four times as much is needed around them
_HALO = fusion.REACH + interpolation_loss.REACH  # rows
_SAMPLES, _SAMPLE_ROWS = 8, 64  # strips, on which the noise is measured
_SAMPLE_COLUMNS = 1024

Levels = NDArray[np.uint8] | NDArray[np.uint16]
Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
Choice = Literal["first", "sharpest"]


@dataclass(frozen=True)
class Frame:
    """What became of one shot. `y`, `x` in pixels, `angle` in degrees: `functional.warp.Motion` states their sense."""

    name: str
    y: float
    x: float
    angle: float
    scale: float
    agreement: float  # correlation with the reference after alignment
    covered: float  # share of the reference's pixels that it shows
    rejected: float  # share of those that were left out of the mean


@dataclass(frozen=True)
class Report:
    """Of a fusion: which frame stood still, what became of each, and what was left out and why."""

    reference: str
    noise_8bit: float  # of one aligned frame at middle brightness, standard deviation in levels of 255
    frames: tuple[Frame, ...]
    left_out: tuple[ImageError, ...]


@dataclass(frozen=True, eq=False)
class Burst:
    """The clean picture (H, W, C), uint8 or uint16, on the grid of the reference; its profile; and the report."""

    pixels: Levels
    icc: bytes | None
    report: Report


def find_frames(folder: Path) -> list[Path]:
    """The images in `folder` itself, in the order of their names; hidden files are passed over.

    Raises:
        UsageError: not a folder, or fewer than two images in it.
    """
    if not folder.is_dir():
        raise UsageError(folder, "not a folder", "name the folder that holds the shots of one burst")
    found = sorted(
        (path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda path: bytes(path.name, "utf8")
    )
    frames = [path for path in found if path.suffix.lower() in codecs.EXTENSIONS and not path.is_dir()]
    if len(frames) < FEWEST:
        raise UsageError(folder, f"{len(frames)} images in there", f"a burst has {FEWEST} shots or more, 20 are good")
    return frames


@contextmanager
def _unwatched(what: str, total: int) -> Iterator[Callable[[], None]]:
    yield lambda: None


def fuse(
    frames: Sequence[Path | Photo],
    *,
    reference: Choice | str = "first",
    rotation: bool = True,
    scale: bool = False,
    depth: Literal[8, 16] = 8,
    progress: Progress = _unwatched,
) -> Burst:
    """The clean picture of a burst.

    Args:
        frames: files or decoded photos of one size and number of channels, at least two. Alpha is not used.
        reference: on whose grid the result lies: "first", "sharpest", or a file's name.
        rotation: whether the camera may have turned; else only shifts are sought.
        scale: whether it may have come nearer, too.
        depth: bits of the result; frames of 8 and 16 bits may be mixed.
        progress: opened with what is done and in how many steps, gives what is called at each.

    A file that cannot be read and a frame that shows something else are left out, and stand in the report.

    Raises:
        ImageError: a frame of another size or number of channels, named.
        UsageError: fewer than two frames are left, or no frame has the reference's name.
    """
    with progress("reading", len(frames)) as advance:
        named, left_out = _read(frames, advance)
    if len(named) < FEWEST:
        raise UsageError("burst", f"{len(named)} of {len(frames)} shots can be read", f"give {FEWEST} or more")
    names, photos = [name for name, _ in named], [photo for _, photo in named]
    _check_alike(names, photos)
    with progress("aligning", len(photos)) as advance:
        chosen, aligned = _aligned(names, photos, reference, rotation, scale, advance)
    kept = [k for k in range(len(photos)) if aligned[k].agreement >= LEAST_AGREEMENT]
    for k in sorted(set(range(len(photos))) - set(kept)):
        problem = f"it agrees with {names[chosen]} by {aligned[k].agreement:.2f}, less than {LEAST_AGREEMENT}"
        left_out.append(ImageError(names[k], problem, "remove it if it shows something else"))
    if len(kept) < FEWEST:
        raise UsageError("burst", f"no shot agrees with {names[chosen]}", "name another with --reference")
    kept.sort(key=lambda k: k != chosen)  # the fusion falls back on the first
    used = _Aligned([_levels(photos[k]) for k in kept], [aligned[k].motion for k in kept])
    pixels, noise, covered, rejected = _fused(used, depth, progress)
    rows = {
        k: Frame(names[k], motion.y, motion.x, degrees(motion.angle), motion.scale, aligned[k].agreement, here, lost)
        for k, motion, here, lost in zip(kept, used.motions, covered, rejected, strict=True)
    }
    level = 255 * float(np.sqrt(noise.variance[len(noise.variance) // 2].mean()))
    report = Report(names[chosen], level, tuple(rows[k] for k in sorted(rows)), tuple(left_out))
    return Burst(pixels, photos[chosen].icc, report)


@dataclass(frozen=True, eq=False)
class _Aligned:
    """Decoded frames and their motions against the first of them."""

    frames: list[Levels]
    motions: list[Motion]

    @property
    def centre(self) -> tuple[float, float]:
        return (self.frames[0].shape[0] - 1) / 2, (self.frames[0].shape[1] - 1) / 2

    def stack(self, start: int, stop: int) -> fusion.Stack:
        """Rows `start` to `stop - 1` of every frame, laid on the reference."""
        height, width, channels = self.frames[0].shape
        stack = np.empty((len(self.frames), stop - start, width, channels), np.float32)
        for frame, motion, out in zip(self.frames, self.motions, stack, strict=True):
            if motion == Motion():
                out[:] = to_float(frame[start:stop])
                continue
            first, last = source_rows(motion, self.centre, (start, stop), height, width)
            spline = coefficients(to_float(frame[first:last]))
            out[:] = warp(spline, motion, self.centre, (start, stop), height, first=first)
        return stack


def _read(frames: Sequence[Path | Photo], advance: Callable[[], None]) -> tuple[list[tuple[str, Photo]], list]:
    """Names and photos, and the errors of those that cannot be read."""
    named: list[tuple[str, Photo]] = []
    left_out: list[ImageError] = []
    for number, frame in enumerate(frames):
        if isinstance(frame, Photo):
            named.append((f"frame {number}", frame))
        else:
            try:
                named.append((str(frame), codecs.read(frame)))
            except ImageError as error:
                left_out.append(error)
        advance()
    return named, left_out


def _check_alike(names: list[str], photos: list[Photo]) -> None:
    height, width, channels = photos[0].pixels.shape
    for name, photo in zip(names, photos, strict=True):
        if photo.pixels.shape != (height, width, channels):
            found = f"{photo.pixels.shape[1]} x {photo.pixels.shape[0]} pixels, {photo.pixels.shape[2]} channels"
            wanted = f"{Path(names[0]).name} has {width} x {height}, {channels}"
            raise ImageError(name, f"{found}; {wanted}", "the shots of a burst are of one size; remove it")


def _aligned(
    names: list[str],
    photos: list[Photo],
    reference: str,
    rotation: bool,
    scale: bool,
    advance: Callable[[], None],
) -> tuple[int, list[Aligned]]:
    """Which frame is the reference, and how each lies on it."""
    chosen = _sharpest(photos) if reference == "sharpest" else _named(names, reference)
    still = _pyramid(photos[chosen])
    aligned = []
    for k, photo in enumerate(photos):
        is_reference = k == chosen
        aligned.append(
            Aligned(Motion(), 1.0) if is_reference else align(_pyramid(photo), still, rotation=rotation, scale=scale)
        )
        advance()
    return chosen, aligned


def _named(names: list[str], reference: str) -> int:
    if reference == "first":
        return 0
    matching = [k for k, name in enumerate(names) if reference in (name, Path(name).name)]
    if not matching:
        raise UsageError(reference, "no shot that can be read has this name", f"one is {Path(names[0]).name}")
    return matching[0]


def _pyramid(photo: Photo) -> Pyramid:
    return pyramid(to_float(_levels(photo)).mean(axis=2))


def _levels(photo: Photo) -> Levels:
    pixels = photo.pixels
    return pixels.astype(np.uint8, copy=False) if photo.depth == 8 else pixels.astype(np.uint16, copy=False)


def _sharpest(photos: list[Photo]) -> int:
    """The frame with most detail at half its size, where noise counts less."""
    energies = []
    for photo in photos:
        levels = _pyramid(photo).levels
        plane = levels[min(1, len(levels) - 1)]
        energies.append(float(sum(np.square(slope).mean(dtype=np.float64) for slope in np.gradient(plane))))
    return int(np.argmax(energies))


def _fused(used: _Aligned, depth: Literal[8, 16], progress: Progress) -> tuple[Levels, Noise, list[float], list[float]]:
    """Pixels, noise, and of every frame the share of pixels it covers and that of those which were left out."""
    height, width, channels = used.frames[0].shape
    count = len(used.frames)
    samples = [_middle(used.stack(start, stop)) for start, stop in _sample_rows(height)]
    noise = fusion.measure_noise(samples)
    where = np.concatenate([interpolation_loss.phases(motion, used.centre) for motion in used.motions], axis=1)
    taps = interpolation_loss.mean_response(where[0]), interpolation_loss.mean_response(where[1])
    noise_in_loss = interpolation_loss.loss_noise(samples, noise, taps) / count
    del samples

    white = np.float32((1 << depth) - 1)
    shape = height, width, channels
    pixels: Levels = np.empty(shape, np.uint8) if depth == 8 else np.empty(shape, np.uint16)
    seen, lost = np.zeros(count), np.zeros(count)
    rows = max(_STRIP_BYTES // (4 * count * width * channels) - 2 * _HALO, 16)
    with progress("fusing", -(-height // rows)) as advance:
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            start, stop = max(top - _HALO, 0), min(bottom + _HALO, height)
            stack = used.stack(start, stop)
            mean, weights = fusion.robust_mean(stack, noise)
            strip = interpolation_loss.give_back(mean, noise, taps, noise_in_loss)[top - start : bottom - start]
            pixels[top:bottom] = np.rint(np.clip(strip, 0, 1) * white)
            is_covered = np.isfinite(stack[:, top - start : bottom - start, :, 0])
            seen += is_covered.sum(axis=(1, 2))
            lost += (is_covered & (weights[:, top - start : bottom - start] < 0.5)).sum(axis=(1, 2))
            advance()
    return pixels, noise, list(seen / (height * width)), list(lost / np.maximum(seen, 1))


def _sample_rows(height: int) -> list[tuple[int, int]]:
    """Strips spread evenly over the picture; all of it where it is small."""
    if height <= _SAMPLES * _SAMPLE_ROWS:
        return [(top, min(top + _SAMPLE_ROWS, height)) for top in range(0, max(height - 16, 1), _SAMPLE_ROWS)]
    tops = np.linspace(0, height - _SAMPLE_ROWS, _SAMPLES).astype(int)
    return [(int(top), int(top) + _SAMPLE_ROWS) for top in tops]


def _middle(stack: Image) -> Image:
    """No more columns than it takes to measure noise."""
    spare = max(stack.shape[2] - _SAMPLE_COLUMNS, 0) // 2
    return np.ascontiguousarray(stack[:, :, spare : spare + _SAMPLE_COLUMNS])
