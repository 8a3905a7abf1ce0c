"""Blurs without a direction: Gaussian, box, disk, low-pass, and the median.

Every kernel is a correlation with the sum 1, mirrored at the edges and centred, so nothing moves. Lengths are in pixels
of the image as it is, angles in radians from x towards y (downward). Gray images are blurred as colour ones are, and
nothing clips.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from degrade.functional import kernels
from degrade.functional.convolve import correlate
from degrade.functional.kernels import MAX_SIZE, Kernel, gaussian_axis, gaussian_axis_at
from degrade.functional.median import SIZES, median_filter
from degrade.functional.resample import AxisMap, apply_axes
from degrade.ops.blur_fields import HALF_SIZE, SIZE, reach_from, require_odd
from degrade.ops.protocol import Context, Distribution, Draw, Image, draw_odd
from degrade.rng import StepStream


@dataclass(frozen=True)
class GaussianBlur:
    """Isotropic Gaussian blur.

    Attributes:
        sigma: standard deviation in pixels.
        size: odd, in pixels; weights beyond it are dropped.
    """

    sigma: Distribution
    size: Distribution = SIZE

    def __post_init__(self) -> None:
        self.sigma.require(0, name="sigma", above=True)
        require_odd(self.size)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (GaussianBlurDraw(id, self.sigma.draw(stream, "sigma"), draw_odd(self.size, stream, "size")),)


@dataclass(frozen=True)
class BoxBlur:
    """The mean of a square of `size` pixels, odd."""

    size: Distribution

    def __post_init__(self) -> None:
        require_odd(self.size)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (BoxBlurDraw(id, draw_odd(self.size, stream, "size")),)


@dataclass(frozen=True)
class DiskBlur:
    """Defocus: the mean over a disk of `radius` pixels, each pixel weighed by the share of it that the disk covers."""

    radius: Distribution

    def __post_init__(self) -> None:
        self.radius.require(0, MAX_SIZE / 2, name="radius")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (DiskBlurDraw(id, self.radius.draw(stream, "radius")),)


@dataclass(frozen=True)
class SincBlur:
    """The ideal circular low-pass, cut off to a square: it rings and overshoots, as sharpened or compressed images do.

    Source: Wang et al. 2021 (Real-ESRGAN), section 3.3 and Eq. 6.

    Attributes:
        cutoff: in radians per pixel; pi is the highest frequency there is along an axis.
        size: odd, in pixels.
    """

    cutoff: Distribution
    size: Distribution = SIZE

    def __post_init__(self) -> None:
        self.cutoff.require(0.1, 3.1416, name="cutoff")
        require_odd(self.size)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (SincBlurDraw(id, self.cutoff.draw(stream, "cutoff"), draw_odd(self.size, stream, "size")),)


@dataclass(frozen=True)
class MedianBlur:
    """The median of a square of `size` pixels (3, 5, 7, 9), channel by channel: what simple denoising leaves."""

    size: Distribution

    def __post_init__(self) -> None:
        require_odd(self.size, high=SIZES[-1])

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (MedianBlurDraw(id, draw_odd(self.size, stream, "size")),)


@dataclass(frozen=True, slots=True)
class GaussianBlurDraw:
    op: ClassVar[str] = "gaussian_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    sigma: float
    size: int

    def axis_map(self, length: int, hr_length: int) -> AxisMap:
        return _gaussian_axis(length, self.sigma, self.size)

    def axis_map_at(self, length: int, positions: NDArray[np.float64]) -> AxisMap:
        return gaussian_axis_at(length, positions, self.sigma, self.size)

    def apply(self, image: Image, context: Context) -> Image:
        rows, columns = (_gaussian_axis(length, self.sigma, self.size) for length in image.shape[:2])
        return apply_axes(image, rows, columns)


@dataclass(frozen=True, slots=True)
class BoxBlurDraw:
    op: ClassVar[str] = "box_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    size: int

    def axis_map(self, length: int, hr_length: int) -> AxisMap:
        return AxisMap(np.arange(length) - self.size // 2, np.full((length, self.size), 1 / self.size), length)

    def apply(self, image: Image, context: Context) -> Image:
        return apply_axes(image, self.axis_map(image.shape[0], 0), self.axis_map(image.shape[1], 0))


@dataclass(frozen=True, slots=True)
class DiskBlurDraw:
    op: ClassVar[str] = "disk_blur"
    reach: ClassVar[int | None] = reach_from(lambda draw: kernels.disk_size(draw.radius) // 2)
    id: str
    radius: float

    def kernel(self) -> Kernel:
        return kernels.disk_kernel(self.radius)

    def apply(self, image: Image, context: Context) -> Image:
        return correlate(image, self.kernel())


@dataclass(frozen=True, slots=True)
class SincBlurDraw:
    op: ClassVar[str] = "sinc_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    cutoff: float
    size: int

    def kernel(self) -> Kernel:
        return kernels.sinc_kernel(self.size, self.cutoff)

    def apply(self, image: Image, context: Context) -> Image:
        """Overshoots beyond [0, 1]."""
        return correlate(image, self.kernel())


@dataclass(frozen=True, slots=True)
class MedianBlurDraw:
    op: ClassVar[str] = "median_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    size: int

    def apply(self, image: Image, context: Context) -> Image:
        return median_filter(image, self.size)


@lru_cache(maxsize=2)  # both axes of a square patch share it
def _gaussian_axis(length: int, sigma: float, size: int) -> AxisMap:
    return gaussian_axis(length, sigma, size)
