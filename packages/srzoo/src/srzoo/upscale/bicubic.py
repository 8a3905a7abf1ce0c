"""Bicubic interpolation in the place of a network: what every model is compared with, and a target of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from degrade.functional.resample import imresize_uint8, resize
from srzoo.upscale.alpha import Samples
from srzoo.upscale.enlarger import OnTile, enlarge_photo, enlarged_size
from srzoo.upscale.facts import Facts

if TYPE_CHECKING:
    from degrade.codecs import Photo

BICUBIC = "bicubic"  # what commands call it


class BicubicUpscaler:
    """MATLAB's `imresize`: bicubic, antialiased where it shrinks, edges mirrored. `scale` where none is asked for."""

    def __init__(self, scale: int = 4) -> None:
        self.scale = scale
        self.facts = Facts(1, False)

    def photo(self, photo: Photo, *, scale: float | None = None, on_tile: OnTile | None = None) -> Photo:
        return enlarge_photo(photo, lambda pixels: self.image(pixels, scale=scale, on_tile=on_tile))

    def image(self, pixels: Samples, *, scale: float | None = None, on_tile: OnTile | None = None) -> Samples:
        """`pixels` (H, W, C) larger, same dtype. 8 bits: MATLAB's to the bit, rounded after each of its two passes.

        16 bits are clipped and rounded once, half up. `scale` may be any number above 0.
        """
        height, width = enlarged_size(pixels, self.scale if scale is None else scale)
        if pixels.dtype == np.uint8:
            result = imresize_uint8(pixels.astype(np.uint8, copy=False), height, width)
        else:
            white = np.iinfo(pixels.dtype).max
            result = (resize(pixels.astype(np.float32), height, width).clip(0, white) + 0.5).astype(pixels.dtype)
        if on_tile is not None:
            on_tile(1, 1)
        return result
