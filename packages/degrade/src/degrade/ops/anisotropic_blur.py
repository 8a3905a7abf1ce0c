"""Blurs of two widths: the Gaussian and two relatives with an exponent.

Every kernel is a correlation with the sum 1, mirrored at the edges and centred, so nothing moves. Lengths are in pixels
of the image as it is, angles in radians from x towards y (downward). Gray images are blurred as colour ones are, and
nothing clips.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, Literal

from degrade.functional import kernels
from degrade.functional.convolve import correlate
from degrade.functional.kernels import Kernel
from degrade.ops.blur_fields import HALF_SIZE, MAX_BETA, NO_ANGLE, SIZE, require_odd
from degrade.ops.protocol import Context, Distribution, Draw, Image, draw_odd
from degrade.rng import StepStream


@dataclass(frozen=True)
class AnisotropicGaussianBlur:
    """Gaussian blur of two widths. Source: Zhang et al. 2018 (SRMD) and 2021 (BSRGAN); BasicSR's `bivariate_Gaussian`.

    Attributes:
        sigma_x, sigma_y: widths along `angle` and across it, in pixels.
        angle: from x towards y.
        size: odd, in pixels; weights beyond it are dropped.
        spread: "sigma": the widths are standard deviations; "variance": what is drawn are variances, in square pixels
            (SRMD, BSRGAN).
    """

    sigma_x: Distribution
    sigma_y: Distribution
    angle: Distribution = NO_ANGLE
    size: Distribution = SIZE
    spread: Literal["sigma", "variance"] = "sigma"

    def __post_init__(self) -> None:
        self.sigma_x.require(0, name="sigma_x", above=True)
        self.sigma_y.require(0, name="sigma_y", above=True)
        require_odd(self.size)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        sigma_x, sigma_y = self.sigma_x.draw(stream, "sigma_x"), self.sigma_y.draw(stream, "sigma_y")
        if self.spread == "variance":
            sigma_x, sigma_y = sqrt(sigma_x), sqrt(sigma_y)
        angle, size = self.angle.draw(stream, "angle"), draw_odd(self.size, stream, "size")
        return (AnisotropicGaussianBlurDraw(id, sigma_x, sigma_y, angle, size),)


@dataclass(frozen=True)
class GeneralizedGaussianBlur:
    """Blur with exp(-q**beta / 2), q the squared distance in widths: flatter than a Gaussian for beta above 1.

    Source: Wang et al. 2021 (Real-ESRGAN), section 3.1, and BasicSR's `bivariate_generalized_Gaussian`.

    Attributes:
        sigma_x, sigma_y: widths along `angle` and across it, in pixels; without `sigma_y` the blur is isotropic.
        beta: the exponent; 1 is the Gaussian.
        angle: from x towards y.
        size: odd, in pixels; weights beyond it are dropped.
    """

    sigma_x: Distribution
    beta: Distribution
    sigma_y: Distribution | None = None
    angle: Distribution = NO_ANGLE
    size: Distribution = SIZE

    def __post_init__(self) -> None:
        _require_bell(self)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (GeneralizedGaussianBlurDraw(id, *_drawn_bell(self, stream)),)


@dataclass(frozen=True)
class PlateauBlur:
    """Blur with 1 / (q**beta + 1), q the squared distance in widths: flat in the middle, long tails.

    Source: Wang et al. 2021 (Real-ESRGAN), section 3.1, and BasicSR's `bivariate_plateau`.

    Attributes:
        sigma_x, sigma_y: widths along `angle` and across it, in pixels; without `sigma_y` the blur is isotropic.
        beta: the exponent; the larger, the sharper the edge of the plateau.
        angle: from x towards y.
        size: odd, in pixels; weights beyond it are dropped.
    """

    sigma_x: Distribution
    beta: Distribution
    sigma_y: Distribution | None = None
    angle: Distribution = NO_ANGLE
    size: Distribution = SIZE

    def __post_init__(self) -> None:
        _require_bell(self)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (PlateauBlurDraw(id, *_drawn_bell(self, stream)),)


@dataclass(frozen=True, slots=True)
class AnisotropicGaussianBlurDraw:
    """`sigma_x` and `sigma_y` are standard deviations, whatever the recipe states."""

    op: ClassVar[str] = "anisotropic_gaussian_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    sigma_x: float
    sigma_y: float
    angle: float
    size: int

    def kernel(self) -> Kernel:
        return kernels.gaussian_kernel(self.size, self.sigma_x, self.sigma_y, self.angle)

    def kernel_at(self, y: float, x: float) -> Kernel:
        return kernels.gaussian_kernel(self.size, self.sigma_x, self.sigma_y, self.angle, at=(y, x))

    def apply(self, image: Image, context: Context) -> Image:
        return correlate(image, self.kernel())


@dataclass(frozen=True, slots=True)
class GeneralizedGaussianBlurDraw:
    op: ClassVar[str] = "generalized_gaussian_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    sigma_x: float
    sigma_y: float
    angle: float
    beta: float
    size: int

    def kernel(self) -> Kernel:
        return kernels.generalized_gaussian_kernel(self.size, self.sigma_x, self.sigma_y, self.angle, self.beta)

    def kernel_at(self, y: float, x: float) -> Kernel:
        shape = self.size, self.sigma_x, self.sigma_y, self.angle, self.beta
        return kernels.generalized_gaussian_kernel(*shape, at=(y, x))

    def apply(self, image: Image, context: Context) -> Image:
        return correlate(image, self.kernel())


@dataclass(frozen=True, slots=True)
class PlateauBlurDraw:
    op: ClassVar[str] = "plateau_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    sigma_x: float
    sigma_y: float
    angle: float
    beta: float
    size: int

    def kernel(self) -> Kernel:
        return kernels.plateau_kernel(self.size, self.sigma_x, self.sigma_y, self.angle, self.beta)

    def kernel_at(self, y: float, x: float) -> Kernel:
        return kernels.plateau_kernel(self.size, self.sigma_x, self.sigma_y, self.angle, self.beta, at=(y, x))

    def apply(self, image: Image, context: Context) -> Image:
        return correlate(image, self.kernel())


def _require_bell(op: GeneralizedGaussianBlur | PlateauBlur) -> None:
    op.sigma_x.require(0, name="sigma_x", above=True)
    if op.sigma_y is not None:
        op.sigma_y.require(0, name="sigma_y", above=True)
    op.beta.require(0, MAX_BETA, name="beta", above=True)
    require_odd(op.size)


def _drawn_bell(
    op: GeneralizedGaussianBlur | PlateauBlur, stream: StepStream
) -> tuple[float, float, float, float, int]:
    sigma_x = op.sigma_x.draw(stream, "sigma_x")
    sigma_y = sigma_x if op.sigma_y is None else op.sigma_y.draw(stream, "sigma_y")
    angle, beta = op.angle.draw(stream, "angle"), op.beta.draw(stream, "beta")
    return sigma_x, sigma_y, angle, beta, draw_odd(op.size, stream, "size")
