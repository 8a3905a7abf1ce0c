"""A sheet of the kernels that a degrader mixes: the basis, their weights over a photo, what comes of them at pixels.

Laid out after Figures 2 to 4 of Xiao et al., "Degradation model learning for real-world single image
super-resolution".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from degrade.ops.learned.mixture import Mixture
from degrade.report.sheet import ACCENT, BACKGROUND, Cell, Pixels, contact_sheet

SIDE = 360  # of a picture, at most; 15 x 15 taps become 24 pixels each
_COLUMNS = 9
_SEQUENCE = ("#000000", "#57106e", "#bc3754", "#f98e09", "#fcffa4")  # 0 to 1: lightness grows, in print too
_NEGATIVE = ("#000000", "#1b4f8f", "#6fb7ff")  # 0 to -1

Position = tuple[int, int]  # y, x


def kernel_sheet(
    mixture: Mixture,
    photo: Pixels,
    positions: Sequence[Position],
    *,
    title: str,
    photo_name: str = "the photo",
    origin: Position = (0, 0),
) -> Pixels:
    """One picture (H, W, 3): N basis kernels, N weight maps of `photo`, and the kernels at `positions` of it.

    Args:
        photo: (H, W, 3), uint8, of the size of the maps; at most `SIDE` x `SIDE`.
        positions: pixels of `photo`.
        origin: where it lies in a larger one; positions are named there.
    """
    (top, left), (height, width) = origin, photo.shape[:2]
    place = photo_name, f"{width} x {height} pixels at y {top}, x {left}"
    basis = [_kernel_cell(mixture.mean_kernel(), "mean over the photo", is_reference=True)]
    basis += [_kernel_cell(kernel, f"basis {number}") for number, kernel in enumerate(mixture.basis, 1)]
    maps = [Cell(photo, place, is_reference=True)]
    maps += [_map_cell(weights, f"weight of basis {number}") for number, weights in enumerate(mixture.maps, 1)]
    composed = [Cell(marked(photo, positions, mixture.basis.shape[1]), place, is_reference=True)]
    composed += [
        _kernel_cell(mixture.kernel(y, x), f"{number}: y {top + y}, x {left + x}")
        for number, (y, x) in enumerate(positions, 1)
    ]
    parts = [
        contact_sheet(
            basis,
            title=f"{title}: {len(mixture.basis)} basis kernels",
            subtitle=["black is 0, violet to white positive, blue negative; each scaled to its largest tap"],
            columns=_COLUMNS,
        ),
        contact_sheet(
            maps,
            title="Weight of each basis kernel at every pixel",
            subtitle=["each scaled from its least to its most"],
            columns=_COLUMNS,
        ),
        contact_sheet(
            composed,
            title="Kernels at the marked pixels",
            subtitle=["the weighed sum of the basis there; a mark is as large as a kernel"],
            columns=_COLUMNS,
        ),
    ]
    widest = max(part.shape[1] for part in parts)
    return np.concatenate([_widened(part, widest) for part in parts])


def telling_positions(mixture: Mixture) -> list[Position]:
    """A pixel for each basis kernel: where its share of all weights exceeds its mean share most.

    Pixels keep two kernels' width from each other and half of one from the edge, where the photo has room for that.
    """
    shares = mixture.maps / np.maximum(mixture.maps.sum(0), np.finfo(np.float32).tiny)
    size = mixture.basis.shape[1]
    height, width = shares.shape[1:]
    is_free = np.zeros((height, width), bool)
    is_free[_inner(height, size // 2), _inner(width, size // 2)] = True
    found: list[Position] = []
    for share in shares:
        score = np.where(is_free, share / share.mean(), -np.inf)
        if not is_free.any():
            break
        y, x = divmod(int(score.argmax()), width)
        is_free[max(y - 2 * size, 0) : y + 2 * size + 1, max(x - 2 * size, 0) : x + 2 * size + 1] = False
        found.append((y, x))
    return found


def marked(photo: Pixels, positions: Sequence[Position], size: int) -> Pixels:
    """`photo` (H, W, 3) with a numbered frame around the `size` x `size` pixels that are blurred into each position."""
    picture = Image.fromarray(photo)
    pen, half = ImageDraw.Draw(picture), size // 2
    for number, (y, x) in enumerate(positions, 1):
        for reach, colour in ((half + 1, ACCENT), (half + 2, "black")):
            pen.rectangle((x - reach, y - reach, x + reach, y + reach), outline=colour)
        left = x + half + 4 if x + half + 20 < picture.width else x - half - 14
        top = min(max(y - half - 3, 0), picture.height - 16)
        pen.text((left, top), str(number), fill=ACCENT, font_size=15, stroke_width=2, stroke_fill="black")
    return np.asarray(picture)


def _kernel_cell(kernel: NDArray[np.float32], name: str, *, is_reference: bool = False) -> Cell:
    peak = float(np.abs(kernel).max())
    picture = _coloured(kernel / max(peak, 1e-30))
    factor = max(SIDE // len(kernel), 1)
    text = f"sum {kernel.sum():.3f}  taps {kernel.min():.4f} to {kernel.max():.4f}"
    return Cell(picture.repeat(factor, 0).repeat(factor, 1), (name, text), is_reference=is_reference)


def _map_cell(weights: NDArray[np.float32], name: str) -> Cell:
    low, high = float(weights.min()), float(weights.max())
    picture = _coloured((weights - low) / max(high - low, 1e-30))
    return Cell(picture, (name, f"{low:.3f} to {high:.3f}  mean {weights.mean():.3f}"))


def _coloured(values: NDArray[np.float32]) -> Pixels:
    """(H, W) in [-1, 1] to (H, W, 3)."""
    sides = [np.array([_channels(colour) for colour in colours]) for colours in (_SEQUENCE, _NEGATIVE)]
    made = [_between(np.clip(side * values, 0, 1), table) for side, table in zip((1, -1), sides, strict=True)]
    return np.where((values < 0)[..., None], made[1], made[0]).round().astype(np.uint8)


def _between(values: NDArray[np.float32], table: NDArray[np.int64]) -> NDArray[np.float64]:
    """(H, W) in [0, 1] to the colours between the rows of `table` (n, 3)."""
    places = np.linspace(0, 1, len(table))
    return np.stack([np.interp(values, places, table[:, channel]) for channel in range(3)], -1)


def _channels(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _inner(length: int, margin: int) -> slice:
    return slice(margin, length - margin) if length > 2 * margin else slice(0, length)


def _widened(sheet: Pixels, width: int) -> Pixels:
    wide = np.empty((sheet.shape[0], width, 3), np.uint8)
    wide[:] = _channels(BACKGROUND)
    wide[:, : sheet.shape[1]] = sheet
    return wide
