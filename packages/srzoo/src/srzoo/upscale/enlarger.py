"""What makes photos larger: one network, two whose results are fused, or bicubic interpolation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from srzoo.upscale.alpha import Samples, bleed, enlarge_alpha
from srzoo.upscale.facts import Facts, FusedFacts

if TYPE_CHECKING:
    from degrade.codecs import Photo

OnTile = Callable[[int, int], None]


class Enlarger(Protocol):
    """`facts` are about the last picture, `scale` is that of results where none is asked for."""

    @property
    def scale(self) -> int: ...

    @property
    def facts(self) -> Facts | FusedFacts: ...

    def photo(self, photo: Photo, *, scale: float | None = None, on_tile: OnTile | None = None) -> Photo:
        """`photo` larger, as `enlarge_photo` says."""
        ...

    def image(self, pixels: Samples, *, scale: float | None = None, on_tile: OnTile | None = None) -> Samples:
        """`pixels` (H, W, 1 or 3) larger, an array of the caller's: same dtype, clipped and rounded.

        `on_tile` is called with (done, all).
        """
        ...


def enlarge_photo(photo: Photo, enlarge: Callable[[Samples], Samples]) -> Photo:
    """`photo` with its pixels made larger by `enlarge`; it keeps profile, EXIF, XMP, resolution and depth.

    Alpha is enlarged bicubically, which leaves opaque parts exactly opaque; the colours hidden under fully transparent
    pixels are replaced by their visible neighbours' first, so that no fringe appears.
    """
    if photo.alpha is None:
        return replace(photo, pixels=enlarge(photo.pixels))
    pixels = enlarge(bleed(photo.pixels, photo.alpha))
    return replace(photo, pixels=pixels, alpha=enlarge_alpha(photo.alpha, *pixels.shape[:2]))


def enlarged_size(pixels: Samples, scale: float) -> tuple[int, int]:
    """Height and width of `pixels` (H, W, C) made `scale` times as large: rounded half up, at least 1."""
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale: expected a number above 0, got {scale}")
    height, width = (max(1, math.floor(length * scale + 0.5)) for length in pixels.shape[:2])
    return height, width
