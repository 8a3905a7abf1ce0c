"""Blurs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from degrade.functional.kernels import gaussian_axis, gaussian_axis_at
from degrade.functional.resample import AxisMap, apply_axes
from degrade.ops.protocol import Context, Distribution, Draw, Image
from degrade.rng import StepStream

MAX_SIZE = 41


@dataclass(frozen=True)
class GaussianBlur:
    """Isotropic Gaussian blur. `size` odd, in pixels; `sigma` in pixels. Gray input is blurred the same way."""

    sigma: Distribution
    size: int = 15

    def __post_init__(self) -> None:
        if self.size % 2 == 0 or not 3 <= self.size <= MAX_SIZE:
            raise ValueError(f"expected an odd size from 3 to {MAX_SIZE}, got {self.size}")
        self.sigma.require(0, name="sigma", above=True)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (GaussianBlurDraw(id, self.sigma.draw(stream, "sigma"), self.size),)


@dataclass(frozen=True, slots=True)
class GaussianBlurDraw:
    op: ClassVar[str] = "gaussian_blur"
    reach: ClassVar[int | None] = MAX_SIZE // 2
    id: str
    sigma: float
    size: int

    def axis_map(self, length: int) -> AxisMap:
        return _axis(length, self.sigma, self.size)

    def axis_map_at(self, length: int, positions: NDArray[np.float64]) -> AxisMap:
        return gaussian_axis_at(length, positions, self.sigma, self.size)

    def apply(self, image: Image, context: Context) -> Image:
        """Mirrored at the edges; not clipped."""
        return apply_axes(image, self.axis_map(image.shape[0]), self.axis_map(image.shape[1]))


@lru_cache(maxsize=2)  # both axes of a square patch share it
def _axis(length: int, sigma: float, size: int) -> AxisMap:
    return gaussian_axis(length, sigma, size)
