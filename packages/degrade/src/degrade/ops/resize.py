"""Other sizes: down to LR by the run's scale, or up and down by a drawn factor on the way there.

Every resize maps pixel centres by the exact ratio of the two sizes of each axis, so nothing moves. Gray images are
resized as colour ones are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from degrade.functional import resample
from degrade.functional.light import to_linear, to_srgb
from degrade.functional.resample import AxisMap
from degrade.image import to_pixels
from degrade.ops.protocol import Context, Distribution, Draw, Image, Options
from degrade.rng import StepStream

FILTERS: dict[str, tuple[resample.Filter, float | None]] = {  # name: filter, and cubic's parameter where it is settled
    "nearest": ("nearest", None),
    "area": ("area", None),
    "bilinear": ("linear", None),
    "bicubic": ("cubic", None),
    "catmull_rom": ("cubic", -0.5),
    "mitchell": ("mitchell", None),
    "hermite": ("hermite", None),
    "lanczos": ("lanczos", None),
    "gaussian": ("gaussian", None),
}
MAX_FACTOR = 8.0
Light = Literal["srgb", "linear"]


@dataclass(frozen=True)
class Downsample:
    """To LR size, by the run's scale, whatever the size before.

    Attributes:
        filter: nearest, area (the mean of each block), bilinear, bicubic, catmull_rom, mitchell, hermite, lanczos,
            gaussian.
        antialias: widen the filter by the scale, as MATLAB and Pillow do; without, the plain filter of OpenCV, which
            reads 1, 2, 4 or 8 samples per axis and leaves aliasing to be removed by a blur before.
        cubic_a: of bicubic: -0.5 (MATLAB, Pillow) or -0.75 (OpenCV, torch).
        lobes: of Lanczos: 3 (MATLAB, Pillow) or 4 (OpenCV).
        light: "srgb": on the stored values, as all the papers do; "linear": on light itself. The latter never folds.
        rounding: "none", or "matlab": clipped and rounded to 8 bits after each of the two passes, as MATLAB's
            imresize of a uint8 image is. That step is not linear and is never folded.
        scale: set by the run; a recipe never states it.
    """

    filter: Options
    scale: int
    antialias: bool = False
    cubic_a: float = -0.5
    lobes: int = 3
    light: Light = "srgb"
    rounding: Literal["none", "matlab"] = "none"

    def __post_init__(self) -> None:
        stated = self.filter.constant, self.antialias, self.cubic_a, self.light
        if self.rounding == "matlab" and stated != ("bicubic", True, -0.5, "srgb"):
            raise ValueError("expected filter 'bicubic', antialias and cubic_a -0.5 with rounding 'matlab'")
        _check_filter(self.filter, self.lobes)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        if self.rounding == "matlab":
            return (MatlabDownsampleDraw(id, self.scale),)
        filter = self.filter.draw(stream, "filter")
        if self.light == "linear":
            settings = filter, self.antialias, self.cubic_a, self.lobes
            return (LinearLightResizeDraw(id, settings[0], 1 / self.scale, "hr", *settings[1:]),)
        if filter == "nearest":
            return (NearestDownsampleDraw(id, self.scale),)
        return (DownsampleDraw(id, filter, self.scale, self.antialias, self.cubic_a, self.lobes),)


@dataclass(frozen=True)
class Resize:
    """To `factor` times a size, or that size over `divisor`: of the image as it is (`of = "current"`), of HR, or of LR.

    `of = "lr", factor = 1` is LR size itself, `of = "hr"` with the same factor always gives the same size. Sizes are
    rounded to whole pixels, at least one. The other fields are `Downsample`'s.

    Source: Wang et al. 2021 (Real-ESRGAN), section 3.2, and its code: bilinear, bicubic (a = -0.75) and area, without
    antialiasing. Departs from that code: it maps by the drawn factor and then cuts to a whole size, which moves the far
    edge by up to 6.6 HR pixels; this maps by the sizes themselves.
    """

    filter: Options
    scale: int
    factor: Distribution | None = None
    divisor: Distribution | None = None
    of: Literal["current", "hr", "lr"] = "current"
    antialias: bool = False
    cubic_a: float = -0.5
    lobes: int = 3
    light: Light = "srgb"

    def __post_init__(self) -> None:
        if (self.factor is None) == (self.divisor is None):
            raise ValueError("expected exactly one of factor and divisor")
        if self.factor is not None:
            self.factor.require(0, MAX_FACTOR, name="factor", above=True)
        if self.divisor is not None:
            self.divisor.require(1 / MAX_FACTOR, name="divisor")
        _check_filter(self.filter, self.lobes)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        filter, factor = self.filter.draw(stream, "filter"), self._factor(stream)
        of: Literal["current", "hr"] = "hr" if self.of == "lr" else self.of
        factor = factor / self.scale if self.of == "lr" else factor
        if self.light == "linear":
            return (LinearLightResizeDraw(id, filter, factor, of, self.antialias, self.cubic_a, self.lobes),)
        if filter == "nearest":
            return (NearestResizeDraw(id, factor, of),)
        return (ResizeDraw(id, filter, factor, of, self.antialias, self.cubic_a, self.lobes),)

    @property
    def is_unit(self) -> bool:
        """Whether the factor is 1, whatever is drawn."""
        return any(stated is not None and stated.bounds == (1, 1) for stated in (self.factor, self.divisor))

    def _factor(self, stream: StepStream) -> float:
        if self.factor is not None:
            return self.factor.draw(stream, "factor")
        assert self.divisor is not None
        return 1 / self.divisor.draw(stream, "divisor")


def _check_filter(filter: Options, lobes: int) -> None:
    filter.require(tuple(FILTERS), name="filter")
    if not 1 <= lobes <= 5:
        raise ValueError(f"expected 1 to 5 lobes, got {lobes}")


@dataclass(frozen=True, slots=True)
class DownsampleDraw:
    op: ClassVar[str] = "downsample"
    reach: ClassVar[int | None] = None
    id: str
    filter: str
    scale: int
    antialias: bool
    cubic_a: float
    lobes: int

    def axis_map(self, length: int, hr_length: int) -> AxisMap:
        return _axis(length, hr_length // self.scale, self.filter, self.antialias, self.cubic_a, self.lobes)

    def apply(self, image: Image, context: Context) -> Image:
        """Mirrored at the edges; not clipped."""
        return _applied(self, image, context)


@dataclass(frozen=True, slots=True)
class NearestDownsampleDraw:
    """One sample per block. After a blur it is taken at the block's true centre. Alone it can only be a pixel: for even
    scales the one half a pixel right of and below the centre (`shift`, in HR pixels), as in Pillow.
    """

    op: ClassVar[str] = "nearest_downsample"
    reach: ClassVar[int | None] = None
    id: str
    scale: int

    def positions(self, length: int, hr_length: int) -> NDArray[np.float64]:
        return resample.centres(length, hr_length // self.scale)

    def axis_map(self, length: int, hr_length: int) -> AxisMap:
        return resample.resize_axis(length, hr_length // self.scale, "nearest")

    def apply(self, image: Image, context: Context) -> Image:
        return _applied(self, image, context)


@dataclass(frozen=True, slots=True)
class ResizeDraw:
    op: ClassVar[str] = "resize"
    reach: ClassVar[int | None] = None
    id: str
    filter: str
    factor: float
    of: Literal["current", "hr"]
    antialias: bool
    cubic_a: float
    lobes: int

    def axis_map(self, length: int, hr_length: int) -> AxisMap:
        outputs = _outputs(self.factor, length if self.of == "current" else hr_length)
        return _axis(length, outputs, self.filter, self.antialias, self.cubic_a, self.lobes)

    def apply(self, image: Image, context: Context) -> Image:
        """Mirrored at the edges; not clipped."""
        return _applied(self, image, context)


@dataclass(frozen=True, slots=True)
class NearestResizeDraw:
    """The nearest pixel, or after a blur the value at the true centre where all samples lie alike between pixels."""

    op: ClassVar[str] = "nearest_resize"
    reach: ClassVar[int | None] = None
    id: str
    factor: float
    of: Literal["current", "hr"]

    def positions(self, length: int, hr_length: int) -> NDArray[np.float64]:
        return resample.centres(length, _outputs(self.factor, length if self.of == "current" else hr_length))

    def axis_map(self, length: int, hr_length: int) -> AxisMap:
        outputs = _outputs(self.factor, length if self.of == "current" else hr_length)
        return resample.resize_axis(length, outputs, "nearest")

    def apply(self, image: Image, context: Context) -> Image:
        return _applied(self, image, context)


@dataclass(frozen=True, slots=True)
class LinearLightResizeDraw:
    """A resize of light: decoded to linear, resized, encoded again; clipped to [0, 1] before the curve."""

    op: ClassVar[str] = "linear_light_resize"
    reach: ClassVar[int | None] = None
    id: str
    filter: str
    factor: float
    of: Literal["current", "hr"]
    antialias: bool
    cubic_a: float
    lobes: int

    def apply(self, image: Image, context: Context) -> Image:
        whole = context.hr_shape if self.of == "hr" and all(context.hr_shape) else image.shape[:2]
        rows, columns = (
            _axis(length, _outputs(self.factor, size), self.filter, self.antialias, self.cubic_a, self.lobes)
            for length, size in zip(image.shape[:2], whole, strict=True)
        )
        return to_srgb(np.clip(resample.apply_axes(to_linear(image), rows, columns), 0, 1))


@dataclass(frozen=True, slots=True)
class MatlabDownsampleDraw:
    """MATLAB's imresize of a uint8 image, bicubic; the input is rounded to 8 bits first."""

    op: ClassVar[str] = "matlab_bicubic_downsample"
    reach: ClassVar[int | None] = None
    id: str
    scale: int

    def apply(self, image: Image, context: Context) -> Image:
        pixels = to_pixels(image)
        whole = context.hr_shape if all(context.hr_shape) else image.shape[:2]
        height, width = (side // self.scale for side in whole)
        return resample.imresize_uint8(pixels, height, width).astype(np.float32) / np.float32(255)


def _axis(length: int, outputs: int, name: str, antialias: bool, cubic_a: float, lobes: int) -> AxisMap:
    filter, settled = FILTERS[name]
    a = cubic_a if settled is None else settled
    return resample.resize_axis(length, outputs, filter, antialias=antialias, a=a, lobes=lobes)


def _outputs(factor: float, size: int) -> int:
    return max(1, int(factor * size + 0.5))


def _applied(
    draw: DownsampleDraw | NearestDownsampleDraw | ResizeDraw | NearestResizeDraw, image: Image, context: Context
) -> Image:
    """Both passes; without an HR size the image is taken for HR itself."""
    whole = context.hr_shape if all(context.hr_shape) else image.shape[:2]
    rows, columns = (draw.axis_map(length, size) for length, size in zip(image.shape[:2], whole, strict=True))
    return resample.apply_axes(image, rows, columns)
