"""Rows of zoomed crops: the same place of every picture, its pixels as squares."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from degrade import codecs
from degrade.image import Pixels
from srzoo.errors import UsageError
from srzoo.metrics.protocol import luma
from srzoo.metrics.psnr import psnr
from srzoo.report.evaluation import Box, most_different
from srzoo.report.pictures import choose_crops, embedded, fitted
from srzoo.report.study_files import MEASURES, StudyFiles
from srzoo.report.study_spec import Item, PicturesSpec

_LARGEST_OVERVIEW = 480  # pixels
_PSNR = MEASURES["psnr"]

Place = tuple[int, int, int, int]  # y, x, height, width in HR pixels


@dataclass(frozen=True)
class CropView:
    """A crop on the page, `zoom` times its size; `lines` are its caption under the label."""

    label: str
    uri: str
    height: int
    width: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class PicturesView:
    """Rows of crops. `overview` ("" for none) shows where they lie: `boxes`, in the order of `rows`."""

    title: str
    note: str
    overview: str
    boxes: tuple[Box, ...]
    rows: tuple[tuple[CropView, ...], ...]
    has_truth: bool
    brighten: float


@dataclass(frozen=True)
class _Picture:
    item: Item
    pixels: Pixels  # (H, W, 3); of LR (h, w, 3)
    factor: int  # HR pixels for one of its own


def pictures_view(spec: PicturesSpec, files: StudyFiles) -> PicturesView:
    """`spec` with its crops embedded as PNG.

    PSNR is of the crop's luma against the truth's, before any brightening. Pictures start at the same top left corner;
    HR may have up to `scale - 1` rows and columns more than the others explain.

    Raises:
        UsageError: sizes that do not fit each other, or a box outside. ImageError: a file that cannot be read.
    """
    pictures = _fitting(spec, [(item, codecs.rgb8(codecs.read(files.path(item.file)))) for item in spec.items])
    height, width = (min(p.pixels.shape[axis] * p.factor for p in pictures) for axis in (0, 1))
    places = _places(spec, pictures, height, width)
    reference = _reference(pictures).pixels
    return PicturesView(
        spec.title,
        spec.note,
        embedded(brightened(fitted(reference, _LARGEST_OVERVIEW), spec.brighten), 88) if spec.overview else "",
        tuple(_box(place, reference) for place in places),
        tuple(tuple(_crop_view(p, place, pictures, spec, files) for p in pictures) for place in places),
        any(item.truth for item in spec.items),
        spec.brighten,
    )


def zoomed(pixels: Pixels, place: Place, factor: int, zoom: int) -> Pixels:
    """The window `place` of a picture, each HR pixel as `zoom` x `zoom` equal ones.

    Args:
        pixels: (H, W, C); its pixels are `factor` HR pixels wide and high.
    """
    return np.ascontiguousarray(_window(pixels, place, factor).repeat(zoom, 0).repeat(zoom, 1))


def brightened(pixels: Pixels, gain: float) -> Pixels:
    """8-bit values times `gain`, rounded, clipped to 255."""
    return np.minimum(np.floor(pixels * gain + 0.5), 255).astype(np.uint8)


def as_png(pixels: Pixels) -> str:
    """`pixels` as a data URI."""
    data = codecs.encode(codecs.Photo(pixels), "PNG")
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def _window(pixels: Pixels, place: Place, factor: int) -> Pixels:
    y, x, height, width = place
    rows, columns = np.arange(y, y + height) // factor, np.arange(x, x + width) // factor
    return pixels[np.ix_(rows, columns)]


def _fitting(spec: PicturesSpec, read: Sequence[tuple[Item, Pixels]]) -> list[_Picture]:
    """Which of them are HR and which LR: the truth is HR, or else the largest."""
    truth = next((pixels for item, pixels in read if item.truth), None)
    largest = truth if truth is not None else max((pixels for _, pixels in read), key=lambda pixels: pixels.size)
    height, width = largest.shape[:2]
    pictures = []
    for item, pixels in read:
        sizes = {factor: (pixels.shape[0] * factor, pixels.shape[1] * factor) for factor in (1, spec.scale)}
        factor = next(
            (f for f, (h, w) in sizes.items() if 0 <= height - h < spec.scale and 0 <= width - w < spec.scale), None
        )
        if factor is None:
            problem = f"{pixels.shape[1]} x {pixels.shape[0]} pixels, which fits neither {width} x {height} nor its LR"
            raise UsageError(item.file, f"{problem} at x{spec.scale}", "state `scale`, or leave it out")
        pictures.append(_Picture(item, pixels, factor))
    return pictures


def _reference(pictures: Sequence[_Picture]) -> _Picture:
    """The truth, or else the first at HR size."""
    return next((p for p in pictures if p.item.truth), next(p for p in pictures if p.factor == 1))


def _places(spec: PicturesSpec, pictures: Sequence[_Picture], height: int, width: int) -> list[Place]:
    if not isinstance(spec.box, str):
        y, x, rows, columns = spec.box
        if y + rows > height or x + columns > width:
            problem = f"box {list(spec.box)} leaves the {height} rows and {width} columns that all pictures share"
            raise UsageError(spec.title, problem, "write it as y, x, height, width")
        return [spec.box]
    if spec.box == "whole":
        return [(0, 0, height, width)]
    step = spec.scale if min(height, width) >= spec.scale else 1
    side = min(spec.side, height, width) // step * step
    results = [p.pixels[:height, :width] for p in pictures if p.factor == 1 and not p.item.truth]
    if spec.box == "auto" and len(results) > 1:
        found = [(y, x) for _, y, x in most_different(results, side, step=step, count=spec.count)]
    else:
        crops = choose_crops(_reference(pictures).pixels[:height, :width], side, step=step)
        found = [(y, x) for name, y, x, _ in crops if name != "Smoothest"][: spec.count]
    return [(y, x, side, side) for y, x in found]


def _box(place: Place, whole: Pixels) -> Box:
    (y, x, rows, columns), (height, width) = place, whole.shape[:2]
    return Box(100 * x / width, 100 * y / height, 100 * columns / width, 100 * rows / height)


def _crop_view(
    picture: _Picture, place: Place, pictures: Sequence[_Picture], spec: PicturesSpec, files: StudyFiles
) -> CropView:
    item, (_, _, height, width) = picture.item, place
    truth = next((p for p in pictures if p.item.truth), None)
    lines = []
    if truth is not None and picture.factor == 1 and not item.truth:
        pair = [luma(_window(p.pixels, place, 1)) for p in (picture, truth)]
        lines.append(f"{_PSNR.printed(psnr(*pair))} dB")
    if item.figure:
        measure = files.measure(item.figure.rpartition("/")[2])
        lines.append(f"{measure.heading} {measure.printed(files.number(item.figure))}")
    lines += [item.note] if item.note else []
    if spec.brighten != 1:
        lines.append(f"values x{spec.brighten:g}")
    crop = brightened(zoomed(picture.pixels, place, picture.factor, spec.zoom), spec.brighten)
    return CropView(item.label, as_png(crop), height * spec.zoom, width * spec.zoom, tuple(lines))
