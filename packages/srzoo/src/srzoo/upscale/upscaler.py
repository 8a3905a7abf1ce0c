"""A model as something that makes photos larger: any size, gray, alpha, 16 bits, other scales than its own."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from degrade.functional.resample import AxisMap, apply_axes, resize_axis
from srzoo.errors import ModelFileError, ResourceError
from srzoo.tensors import to_pixels, to_tensor
from srzoo.upscale.alpha import Samples
from srzoo.upscale.blend import crossfade, shown
from srzoo.upscale.difference import Difference, Window, between, window_over_a_cut
from srzoo.upscale.engine import Engine, NotFiniteError, OutOfMemoryError, Precision
from srzoo.upscale.enlarger import OnTile, enlarge_photo, enlarged_size
from srzoo.upscale.facts import Facts
from srzoo.upscale.layout import Layout, choose
from srzoo.upscale.tiles import Span, shifted, spans

if TYPE_CHECKING:
    from degrade.codecs import Photo
    from srzoo.checkpoint import Model

Grid = tuple[list[Span], list[Span]]
Resizes = tuple[AxisMap | None, AxisMap | None]

# LR pixels on a side that are run at once. Larger ones cost more page faults than overlap saves (measured on CPU).
WINDOW = {"cpu": 384}
WINDOW_ELSEWHERE = 1024
SMALLEST_TILE = 16
PHASE = 16  # blended windows begin at multiples of it, as the windows of attention and unshuffled pixels do
COMPARED = 256  # LR pixels on a side, at least, on which blended tiles are compared with one window
SAMPLE = 64  # LR pixels on a side, on which bf16 is compared with fp32
WORTH_SETTLING = 128**2  # smaller pictures are done in fp32 sooner than compared


class Upscaler:
    """Runs `model` on pictures.

    Args:
        tile: LR pixels on a side of one piece, without overlap; None: as memory asks; 0: never cut.
        overlap: LR pixels around each tile; None: as many as the network sees where that is worth its cost, else 64
            (`layout.choose`). With fewer than the network sees tiles are blended.
        device: auto, cpu, cuda, cuda:N, mps.
        precision: fp32, bf16, or auto: bf16 where the hardware has it and a sample of the picture stays within one grey
            level of fp32 in 99.9 % of values; fp32 for 16-bit pictures.

    Attributes:
        facts: about the last picture.
    """

    def __init__(
        self,
        model: Model,
        tile: int | None = None,
        device: str = "auto",
        precision: Precision = "auto",
        *,
        overlap: int | None = None,
    ) -> None:
        if tile is not None and tile != 0 and tile < SMALLEST_TILE:
            raise ValueError(f"tile: expected 0 or at least {SMALLEST_TILE}, got {tile}")
        if overlap is not None and overlap < 0:
            raise ValueError(f"overlap: expected 0 or more, got {overlap}")
        self.model, self.scale = model, model.scale
        self.engine = Engine(model.network, device=device, precision=precision)
        self.facts = Facts(0, False)
        self._tile, self._overlap = tile, overlap
        self._ceiling: int | None = None  # tiles that were too large for the memory are not tried again
        self._difference: Difference | None = None

    def photo(self, photo: Photo, *, scale: float | None = None, on_tile: OnTile | None = None) -> Photo:
        """`photo` larger, as `enlarge_photo` says."""
        return enlarge_photo(photo, lambda pixels: self.image(pixels, scale=scale, on_tile=on_tile))

    def image(self, pixels: Samples, *, scale: float | None = None, on_tile: OnTile | None = None) -> Samples:
        """`pixels` (H, W, C) larger: same dtype, clipped and rounded once.

        Gray (C = 1) goes through the network as three equal channels; the result is their mean. Where
        `facts.is_exact`, tiles change nothing but the last bit of a float; otherwise see `facts.difference`.

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

    def _attempt(self, pixels: Samples, resizes: Resizes, on_tile: OnTile) -> Samples:
        layout = self._layout(pixels)
        if layout.is_exact:
            grid = self._grid(pixels, layout, resizes)
            result = self._exactly(pixels, grid, resizes, on_tile)
        else:
            grid = self._grid(pixels, layout, (None, None))
            result = self._blended(pixels, grid, layout.overlap, resizes, on_tile)
        difference = None if layout.is_exact else self._difference
        tiles = len(grid[0]) * len(grid[1])
        self.facts = Facts(tiles, self.engine.is_fast, layout.overlap, layout.is_exact, difference)
        return result

    def _exactly(self, pixels: Samples, grid: Grid, resizes: Resizes, on_tile: OnTile) -> Samples:
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

    def _blended(self, pixels: Samples, grid: Grid, overlap: int, resizes: Resizes, on_tile: OnTile) -> Samples:
        """Tiles faded into each other; what that changes is measured once. Memory holds the result and a row of tiles.

        Where the result is resized, the network's whole float output is held.
        """
        (rows, columns), numbers = grid, count(1)
        (down, common_rows), (across, common_columns) = (shown(axis, self.scale, overlap) for axis in grid)

        def piece(row: int, column: int) -> Tensor:
            sr = self._run(pixels, rows[row].lr, columns[column].lr)[:, :, down[row], across[column]]
            on_tile(next(numbers), len(rows) * len(columns))
            return sr

        def strip(row: int) -> Tensor:
            pieces = (piece(row, column) for column in range(len(columns)))
            return torch.cat(tuple(crossfade(pieces, common_columns, 3)), 3)

        height, width = rows[-1].hr[1], columns[-1].hr[1]
        is_resized = resizes[0] is not None and resizes[1] is not None
        window = self._compared(grid, overlap) if self._difference is None else None
        result = np.empty((0 if is_resized else height, width, pixels.shape[2]), pixels.dtype)
        parts, compared, top = [], [], 0
        for part in crossfade(map(strip, range(len(rows))), common_rows, 2):
            if is_resized:
                parts.append(part)
            else:
                result[top : top + part.shape[2]] = to_pixels(part, _depth(pixels))
            if window is not None:
                inner = self._hr(window.inner[0])
                compared.append(part[:, :, max(0, inner.start - top) : max(0, inner.stop - top)])
            top += part.shape[2]
        if window is not None:
            self._difference = self._measured(pixels, torch.cat(compared, 2)[..., self._hr(window.inner[1])], window)
        if resizes[0] is None or resizes[1] is None:
            return result
        return to_pixels(_resized(torch.cat(parts, 2), resizes[0], resizes[1]), _depth(pixels))

    def _compared(self, grid: Grid, overlap: int) -> Window:
        """Where tiles are compared with one window: a cut with what surrounds it, or all where that means something."""
        if self.model.overlap is not None:
            side = max(COMPARED, 4 * overlap)
        elif grid[0][-1].lr[1] * grid[1][-1].lr[1] <= self.engine.capacity():
            side = None
        else:
            side = max(span.lr[1] - span.lr[0] for axis in grid for span in axis)
        return window_over_a_cut(grid, overlap, side, PHASE)

    def _measured(self, pixels: Samples, tiled: Tensor, window: Window) -> Difference | None:
        try:
            alone = self._run(pixels, *window.lr)
        except OutOfMemoryError:
            return None
        rows, columns = (
            self._hr((inner[0] - lr[0], inner[1] - lr[0])) for inner, lr in zip(window.inner, window.lr, strict=True)
        )
        return between(tiled, alone[:, :, rows, columns], window.place)

    def _run(self, pixels: Samples, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
        lr = to_tensor(pixels[slice(*rows), slice(*columns)])
        if lr.shape[1] == 3:
            return self.engine.run(lr)
        return self.engine.run(lr.expand(-1, 3, -1, -1)).mean(1, keepdim=True)

    def _grid(self, pixels: Samples, layout: Layout, resizes: Resizes) -> Grid:
        align = 1 if layout.is_exact else PHASE
        rows, columns = (
            spans(length, self.scale, tile=layout.tile, overlap=layout.overlap, align=align, resize=resize)
            for length, resize in zip(pixels.shape[:2], resizes, strict=True)
        )
        return rows, columns

    def _layout(self, pixels: Samples) -> Layout:
        return choose(
            *pixels.shape[:2],
            radius=self.model.overlap,
            window=WINDOW.get(self.engine.device.type, WINDOW_ELSEWHERE),
            capacity=self.engine.capacity,
            tile=self._tile,
            overlap=self._overlap,
            ceiling=self._ceiling,
        )

    def _use_smaller_tiles(self, pixels: Samples) -> None:
        tile = min(self._layout(pixels).tile, max(pixels.shape[:2]))
        if tile // 2 < SMALLEST_TILE:
            problem = f"not enough on {self.engine.device} for tiles of {tile} pixels"
            raise ResourceError("memory", problem, "close other programs, or use --device cpu") from None
        self._ceiling = tile // 2

    def _resizes(self, pixels: Samples, scale: float | None) -> Resizes:
        if scale is None or scale == self.scale:
            return None, None
        rows, columns = (
            resize_axis(length * self.scale, outputs, "cubic", antialias=True)
            for length, outputs in zip(pixels.shape[:2], enlarged_size(pixels, scale), strict=True)
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
