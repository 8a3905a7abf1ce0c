"""Blur that changes from place to place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from degrade.functional.kernels import gaussian_kernel
from degrade.functional.mixture import MAX_KERNELS, mix_kernels, mixture_weights
from degrade.ops.blur_fields import HALF_SIZE, NO_ANGLE, SIZE, require_odd
from degrade.ops.protocol import Context, Distribution, Draw, Image, draw_odd
from degrade.rng import StepStream

_FOUR, _SLOW = Distribution(4), Distribution(128)


@dataclass(frozen=True)
class MixtureBlur:
    """Spatially varying blur: a few anisotropic Gaussians, mixed by weights that vary smoothly over the image.

    The weights at a pixel depend on its place in the patch alone, not on what surrounds it. Gray images are blurred as
    colour ones are; mirrored at the edges, not clipped. Ours; real lenses and moving scenes vary like this.

    Attributes:
        sigma_x, sigma_y: standard deviations along `angle` and across it, in pixels, drawn for each kernel.
        angle: from x towards y, in radians, drawn for each kernel.
        count: of kernels; a fraction is dropped.
        size: of each kernel: odd, in pixels.
        period: pixels over which the mixture changes; a fraction is dropped.
    """

    sigma_x: Distribution
    sigma_y: Distribution
    angle: Distribution = NO_ANGLE
    count: Distribution = _FOUR
    size: Distribution = SIZE
    period: Distribution = _SLOW

    def __post_init__(self) -> None:
        self.sigma_x.require(0, name="sigma_x", above=True)
        self.sigma_y.require(0, name="sigma_y", above=True)
        self.count.require(2, MAX_KERNELS, name="count")
        self.period.require(4, 4096, name="period")
        require_odd(self.size)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        count, size = int(self.count.draw(stream, "count")), draw_odd(self.size, stream, "size")
        sigmas_x, sigmas_y, angles = (
            tuple(distribution.draw(stream, f"{name}{k}") for k in range(count))
            for name, distribution in (("sigma_x", self.sigma_x), ("sigma_y", self.sigma_y), ("angle", self.angle))
        )
        period, key = int(self.period.draw(stream, "period")), f"{stream.key64('weights'):016x}"
        return (MixtureBlurDraw(id, sigmas_x, sigmas_y, angles, size, period, key),)


@dataclass(frozen=True, slots=True)
class MixtureBlurDraw:
    """`sigma_x`, `sigma_y` and `angle` have an entry for each kernel."""

    op: ClassVar[str] = "mixture_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    sigma_x: tuple[float, ...]
    sigma_y: tuple[float, ...]
    angle: tuple[float, ...]
    size: int
    period: int
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        shapes = zip(self.sigma_x, self.sigma_y, self.angle, strict=True)
        kernels = [gaussian_kernel(self.size, *shape) for shape in shapes]
        key = int(self.key, 16)
        weights = mixture_weights(len(kernels), image.shape[0], image.shape[1], self.period, key, context.origin)
        return mix_kernels(image, kernels, weights)
