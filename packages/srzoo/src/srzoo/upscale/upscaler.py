"""A model as something that makes photos larger: any size, gray, alpha, 16 bits, other scales than its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from degrade.functional.resample import AxisMap, apply_axes, resize_axis
from srzoo.errors import ModelFileError, ResourceError
from srzoo.tensors import to_pixels, to_tensor
from srzoo.upscale.alpha import Samples, bleed, enlarge_alpha
from srzoo.upscale.engine import Engine, NotFiniteError, OutOfMemoryError, Precision
from srzoo.upscale.tiles import Span, fades, shifted, spans

if TYPE_CHECKING:
    from degrade.codecs import Photo
    from srzoo.checkpoint import Model

OnTile = Callable[[int, int], None]

# LR pixels on a side that are run at once. Larger ones cost more page faults than overlap saves (measured on CPU).
WINDOW = {"cpu": 384}
WINDOW_OF_POOLED = {"cpu": 512}  # every cut changes the result, so as large as a few GB allow
WINDOW_ELSEWHERE = 1024
POOLED_OVERLAP = 32
SMALLEST_TILE = 16
SAMPLE = 64  # LR pixels on a side, on which bf16 is compared with fp32
WORTH_SETTLING = 128**2  # smaller pictures are done in fp32 sooner than compared


@dataclass(frozen=True)
class Difference:
    """What tiles changed, in 8-bit levels, against `place` run at once."""

    mean: float
    largest: float
    place: str

    def __str__(self) -> str:
        return f"{self.mean:.2f} grey levels on average, {self.largest:.0f} at most, against {self.place} run at once"


@dataclass(frozen=True)
class Facts:
    """How the last picture was made."""

    tiles: int
    is_fast: bool
    difference: Difference | None = None


class Upscaler:
    """Runs `model` on pictures.

    Args:
        tile: LR pixels on a side of one piece, without overlap; None: as memory asks; 0: never cut.
        device: auto, cpu, cuda, cuda:N, mps.
        precision: fp32, bf16, or auto: bf16 where the hardware has it and a sample of the picture stays within one grey
            level of fp32 in 99.9 % of values; fp32 for 16-bit pictures.

    Attributes:
        facts: about the last picture.
    """

    def __init__(
        self, model: Model, tile: int | None = None, device: str = "auto", precision: Precision = "auto"
    ) -> None:
        if tile is not None and tile != 0 and tile < SMALLEST_TILE:
            raise ValueError(f"tile: expected 0 or at least {SMALLEST_TILE}, got {tile}")
        self.model, self.scale = model, model.scale
        self.engine = Engine(model.network, device=device, precision=precision)
        self.facts = Facts(0, False)
        self._tile = tile
        self._ceiling: int | None = None  # tiles that were too large for the memory are not tried again
        self._difference: Difference | None = None

    def photo(self, photo: Photo, *, scale: float | None = None, on_tile: OnTile | None = None) -> Photo:
        """`photo` larger, with its profile, EXIF, XMP, resolution and depth.

        Alpha is enlarged bicubically, which leaves opaque parts exactly opaque; the colours hidden under fully
        transparent pixels are replaced by their visible neighbours' first, so that no fringe appears.
        """
        if photo.alpha is None:
            return replace(photo, pixels=self.image(photo.pixels, scale=scale, on_tile=on_tile))
        pixels = self.image(bleed(photo.pixels, photo.alpha), scale=scale, on_tile=on_tile)
        return replace(photo, pixels=pixels, alpha=enlarge_alpha(photo.alpha, *pixels.shape[:2]))

    def image(self, pixels: Samples, *, scale: float | None = None, on_tile: OnTile | None = None) -> Samples:
        """`pixels` (H, W, C) larger: same dtype, clipped and rounded once.

        Gray (C = 1) goes through the network as three equal channels; the result is their mean. With a networks's own
        receptive radius known, tiles change nothing but the last bit of a float; otherwise see `facts.difference`.

        Args:
            scale: of the result; None: the model's own. Any other: the network's float output is resized (bicubic,
                antialiased) before it is rounded.
            on_tile: called with (done, all) after each tile.

        Raises:
            ResourceError: not even small tiles fit the memory.
            ModelFileError: the network gives NaN or infinity.
        """
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or 0 in pixels.shape:
            raise ValueError(f"expected (H, W, 1 or 3), got {pixels.shape}")
        self.engine.settle(_sample(pixels))
        while True:
            try:
                return self._attempt(pixels, self._resizes(pixels, scale), on_tile or (lambda done, of: None))
            except OutOfMemoryError:
                self._use_smaller_tiles(pixels)
            except NotFiniteError:
                problem = "its output is not finite, in float32 too"
                raise ModelFileError(self.model.name, problem, "train it again, or use another model") from None

    def _attempt(self, pixels: Samples, resizes: tuple[AxisMap | None, AxisMap | None], on_tile: OnTile) -> Samples:
        tile, overlap = self._tile_for(pixels), self.model.overlap
        if overlap is not None:
            grid = self._grid(pixels, tile, overlap, resizes)
            result = self._exactly(pixels, grid, resizes, on_tile)
        else:
            grid = self._grid(pixels, tile, POOLED_OVERLAP, (None, None))
            result = self._faded(pixels, grid, resizes, on_tile)
        count = len(grid[0]) * len(grid[1])
        self.facts = Facts(count, self.engine.is_fast, self._difference if overlap is None and count > 1 else None)
        return result

    def _exactly(
        self,
        pixels: Samples,
        grid: tuple[list[Span], list[Span]],
        resizes: tuple[AxisMap | None, AxisMap | None],
        on_tile: OnTile,
    ) -> Samples:
        """Each tile makes its own part of the result: memory holds the result and one tile."""
        rows, columns = grid
        result = np.empty((rows[-1].out[1], columns[-1].out[1], pixels.shape[2]), pixels.dtype)
        for number, (row, column) in enumerate(((r, c) for r in rows for c in columns), start=1):
            sr = self._run(pixels, row.lr, column.lr)
            top, left = row.hr[0] - row.lr[0] * self.scale, column.hr[0] - column.lr[0] * self.scale
            sr = sr[:, :, top : top + row.hr[1] - row.hr[0], left : left + column.hr[1] - column.hr[0]]
            if resizes[0] is not None and resizes[1] is not None:
                sr = _resized(sr, shifted(resizes[0], row), shifted(resizes[1], column))
            result[slice(*row.out), slice(*column.out)] = to_pixels(sr, _depth(pixels))
            on_tile(number, len(rows) * len(columns))
        return result

    def _faded(
        self,
        pixels: Samples,
        grid: tuple[list[Span], list[Span]],
        resizes: tuple[AxisMap | None, AxisMap | None],
        on_tile: OnTile,
    ) -> Samples:
        """Tiles of a network with global pooling, faded into each other; what that changes is measured once."""
        rows, columns = grid
        canvas = torch.zeros(1, pixels.shape[2], rows[-1].hr[1], columns[-1].hr[1])
        weights = [[torch.from_numpy(w) for w in fades(axis, self.scale, POOLED_OVERLAP)] for axis in grid]
        tiles = [(y, x) for y in range(len(rows)) for x in range(len(columns))]
        for number, (y, x) in enumerate(tiles, start=1):
            sr = self._run(pixels, rows[y].lr, columns[x].lr)
            sr = sr * weights[0][y][:, None] * weights[1][x]
            canvas[:, :, self._hr(rows[y].lr), self._hr(columns[x].lr)] += sr
            on_tile(number, len(tiles))
        if len(tiles) > 1 and self._difference is None:
            self._difference = self._measured(pixels, grid, canvas)
        if resizes[0] is not None and resizes[1] is not None:
            canvas = _resized(canvas, resizes[0], resizes[1])
        return to_pixels(canvas, _depth(pixels))

    def _measured(self, pixels: Samples, grid: tuple[list[Span], list[Span]], canvas: Tensor) -> Difference | None:
        """Tiles against one window over the cut nearest the middle, or against the whole picture where that fits."""
        limit = self._window()
        is_whole = pixels.shape[0] * pixels.shape[1] <= limit**2
        windows, inner = [], []
        for axis, length in zip(grid, pixels.shape[:2], strict=True):
            size = length if is_whole else min(length, max(span.lr[1] - span.lr[0] for span in axis))
            middle = axis[len(axis) // 2].hr[0] // self.scale if len(axis) > 1 else length // 2
            start = min(max(0, middle - size // 2), length - size)
            windows.append((start, start + size))
            borders = (POOLED_OVERLAP if start else 0, POOLED_OVERLAP if start + size < length else 0)
            inner.append((start + borders[0], start + size - borders[1]))
        try:
            alone = self._run(pixels, windows[0], windows[1])
        except OutOfMemoryError:
            return None
        tiled = canvas[:, :, self._hr(inner[0]), self._hr(inner[1])]
        rows, columns = (self._hr((i[0] - w[0], i[1] - w[0])) for i, w in zip(inner, windows, strict=True))
        levels = (tiled.clamp(0, 1) - alone[:, :, rows, columns].clamp(0, 1)).abs() * 255
        size = " x ".join(str(stop - start) for start, stop in reversed(windows))
        place = "the whole picture" if is_whole else f"{size} pixels around a cut"
        return Difference(levels.mean().item(), levels.max().item(), place)

    def _run(self, pixels: Samples, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
        lr = to_tensor(pixels[slice(*rows), slice(*columns)])
        if lr.shape[1] == 3:
            return self.engine.run(lr)
        return self.engine.run(lr.expand(-1, 3, -1, -1)).mean(1, keepdim=True)

    def _grid(
        self, pixels: Samples, tile: int, overlap: int, resizes: tuple[AxisMap | None, AxisMap | None]
    ) -> tuple[list[Span], list[Span]]:
        rows, columns = (
            spans(length, self.scale, tile=tile, overlap=overlap, resize=resize)
            for length, resize in zip(pixels.shape[:2], resizes, strict=True)
        )
        return rows, columns

    def _tile_for(self, pixels: Samples) -> int:
        height, width = pixels.shape[:2]
        whole = max(height, width)
        if self._tile is None:
            overlap = POOLED_OVERLAP if self.model.overlap is None else self.model.overlap
            fits = height * width <= self._window() ** 2
            tile = whole if fits else max(self._window() - 2 * overlap, 64)
        else:
            tile = self._tile or whole
        return min(tile, self._ceiling or tile)

    def _window(self) -> int:
        table = WINDOW_OF_POOLED if self.model.overlap is None else WINDOW
        return table.get(self.engine.device.type, WINDOW_ELSEWHERE)

    def _use_smaller_tiles(self, pixels: Samples) -> None:
        tile = min(self._tile_for(pixels), max(pixels.shape[:2]))
        if tile // 2 < SMALLEST_TILE:
            problem = f"not enough on {self.engine.device} for tiles of {tile} pixels"
            raise ResourceError("memory", problem, "close other programs, or use --device cpu") from None
        self._ceiling = tile // 2

    def _resizes(self, pixels: Samples, scale: float | None) -> tuple[AxisMap | None, AxisMap | None]:
        if scale is None or scale == self.scale:
            return None, None
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f"scale: expected a number above 0, got {scale}")
        rows, columns = (
            resize_axis(length * self.scale, max(1, math.floor(length * scale + 0.5)), "cubic", antialias=True)
            for length in pixels.shape[:2]
        )
        return rows, columns

    def _hr(self, lr: tuple[int, int]) -> slice:
        return slice(lr[0] * self.scale, lr[1] * self.scale)


def _sample(pixels: Samples) -> Tensor | None:
    """The middle of the picture, on which precisions are compared; None where that is not worth it."""
    height, width = pixels.shape[:2]
    if pixels.dtype != np.uint8 or height * width < WORTH_SETTLING:
        return None
    y, x = max(0, height // 2 - SAMPLE // 2), max(0, width // 2 - SAMPLE // 2)
    return to_tensor(pixels[y : y + SAMPLE, x : x + SAMPLE]).expand(-1, 3, -1, -1)


def _resized(sr: Tensor, rows: AxisMap, columns: AxisMap) -> Tensor:
    image = np.ascontiguousarray(sr[0].permute(1, 2, 0).numpy())  # (H, W, C)
    return torch.from_numpy(apply_axes(image, rows, columns)).permute(2, 0, 1)[None]


def _depth(pixels: Samples) -> int:
    return 8 * pixels.dtype.itemsize
