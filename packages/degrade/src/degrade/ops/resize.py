"""Making an image smaller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from degrade.functional import resample
from degrade.functional.resample import AxisMap
from degrade.ops.protocol import Context, Draw, Image
from degrade.rng import StepStream

FilterName = Literal["nearest", "bilinear", "bicubic", "lanczos", "area"]

_FILTERS: dict[str, resample.Filter] = {
    "nearest": "nearest",
    "bilinear": "linear",
    "bicubic": "cubic",
    "lanczos": "lanczos",
    "area": "box",
}


@dataclass(frozen=True)
class Downsample:
    """From HR to LR size, by the run's scale.

    Attributes:
        filter: nearest, bilinear, bicubic, lanczos or area (the mean of each block).
        antialias: widen the filter by the scale, as MATLAB and Pillow do; without, the plain filter of OpenCV, which
            reads 1, 2, 4 or 8 samples per axis and leaves aliasing to be removed by a blur before.
        cubic_a: -0.5 (MATLAB, Pillow) or -0.75 (OpenCV, torch).
        lobes: of Lanczos: 3 (MATLAB, Pillow) or 4 (OpenCV).
        rounding: "none", or "matlab": clipped and rounded to 8 bits after each of the two passes, as MATLAB's
            imresize of a uint8 image is. That step is not linear and is never folded.
        scale: set by the run; a recipe never states it.
    """

    filter: FilterName
    scale: int
    antialias: bool = False
    cubic_a: float = -0.5
    lobes: int = 3
    rounding: Literal["none", "matlab"] = "none"

    def __post_init__(self) -> None:
        if self.rounding == "matlab" and (self.filter, self.antialias, self.cubic_a) != ("bicubic", True, -0.5):
            raise ValueError("expected filter 'bicubic', antialias and cubic_a -0.5 with rounding 'matlab'")
        if not 1 <= self.lobes <= 5:
            raise ValueError(f"expected 1 to 5 lobes, got {self.lobes}")
        if self.filter == "area" and not self.antialias:
            raise ValueError("expected antialias = true with filter 'area': it is the mean of each block")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        if self.rounding == "matlab":
            return (MatlabDownsampleDraw(id, self.scale),)
        if self.filter == "nearest":
            return (NearestDownsampleDraw(id, self.scale),)
        return (DownsampleDraw(id, self.filter, self.scale, self.antialias, self.cubic_a, self.lobes),)


@dataclass(frozen=True, slots=True)
class DownsampleDraw:
    op: ClassVar[str] = "downsample"
    reach: ClassVar[int | None] = None
    id: str
    filter: FilterName
    scale: int
    antialias: bool
    cubic_a: float
    lobes: int

    def axis_map(self, length: int) -> AxisMap:
        return resample.resize_axis(
            length,
            length // self.scale,
            _FILTERS[self.filter],
            antialias=self.antialias,
            a=self.cubic_a,
            lobes=self.lobes,
        )

    def apply(self, image: Image, context: Context) -> Image:
        return resample.apply_axes(image, self.axis_map(image.shape[0]), self.axis_map(image.shape[1]))


@dataclass(frozen=True, slots=True)
class NearestDownsampleDraw:
    """One sample per block. After a blur it is taken at the block's true centre. Alone it can only be a pixel: for even
    scales the one half a pixel right of and below the centre (`shift`, in HR pixels), as in Pillow.
    """

    op: ClassVar[str] = "nearest_downsample"
    reach: ClassVar[int | None] = None
    id: str
    scale: int

    def positions(self, length: int) -> NDArray[np.float64]:
        return resample.centres(length, length // self.scale)

    def axis_map(self, length: int) -> AxisMap:
        return resample.resize_axis(length, length // self.scale, "nearest")

    def apply(self, image: Image, context: Context) -> Image:
        return resample.apply_axes(image, self.axis_map(image.shape[0]), self.axis_map(image.shape[1]))


@dataclass(frozen=True, slots=True)
class MatlabDownsampleDraw:
    """MATLAB's imresize of a uint8 image, bicubic; the input is rounded to 8 bits first."""

    op: ClassVar[str] = "matlab_bicubic_downsample"
    reach: ClassVar[int | None] = None
    id: str
    scale: int

    def apply(self, image: Image, context: Context) -> Image:
        pixels = np.floor(image * np.float32(255) + np.float32(0.5)).clip(0, 255).astype(np.uint8)
        height, width = (side // self.scale for side in image.shape[:2])
        return resample.imresize_uint8(pixels, height, width).astype(np.float32) / np.float32(255)
