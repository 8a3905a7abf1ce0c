"""Noise. Independent per channel; a gray image gets the field of the first channel. Nothing clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from degrade.functional import noise
from degrade.ops.protocol import Context, Distribution, Draw, Image
from degrade.rng import StepStream


@dataclass(frozen=True)
class GaussianNoise:
    """White Gaussian noise; `sigma_8bit` in grey levels of 255."""

    sigma_8bit: Distribution

    def __post_init__(self) -> None:
        self.sigma_8bit.require(0, name="sigma_8bit")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (GaussianNoiseDraw(id, self.sigma_8bit.draw(stream, "sigma_8bit"), _key(stream, "noise")),)


@dataclass(frozen=True)
class PoissonNoise:
    """Photon noise `P(x * peak) / peak`; `peak` is the expected count at white."""

    peak: Distribution

    def __post_init__(self) -> None:
        self.peak.require(0, name="peak", above=True)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (PoissonNoiseDraw(id, self.peak.draw(stream, "peak"), _key(stream, "noise")),)


@dataclass(frozen=True)
class PoissonGaussianNoise:
    """`alpha * p + n` (Ren et al. 2020, Eq. 2): p the photon noise above, n Gaussian.

    `sigma` is in grey levels of 255 (`sigma_unit = "grey"`) or in photon counts (`"counts"`, the other reading of the
    paper: then its standard deviation is sigma / peak in the image's unit).
    """

    peak: Distribution
    sigma: Distribution
    sigma_unit: Literal["grey", "counts"] = "grey"
    alpha: float = 1.0

    def __post_init__(self) -> None:
        self.peak.require(0, name="peak", above=True)
        self.sigma.require(0, name="sigma")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        peak, sigma = self.peak.draw(stream, "peak"), self.sigma.draw(stream, "sigma")
        keys = _key(stream, "noise"), _key(stream, "gaussian")
        return (PoissonGaussianNoiseDraw(id, peak, sigma, self.sigma_unit, self.alpha, *keys),)


@dataclass(frozen=True, slots=True)
class GaussianNoiseDraw:
    op: ClassVar[str] = "gaussian_noise"
    reach: ClassVar[int | None] = 0
    id: str
    sigma_8bit: float
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        return noise.add_gaussian(image, self.sigma_8bit / 255, int(self.key, 16), context.origin)


@dataclass(frozen=True, slots=True)
class PoissonNoiseDraw:
    op: ClassVar[str] = "poisson_noise"
    reach: ClassVar[int | None] = 0
    id: str
    peak: float
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        return noise.poisson(image, self.peak, int(self.key, 16), context.origin)


@dataclass(frozen=True, slots=True)
class PoissonGaussianNoiseDraw:
    op: ClassVar[str] = "poisson_gaussian_noise"
    reach: ClassVar[int | None] = 0
    id: str
    peak: float
    sigma: float
    sigma_unit: Literal["grey", "counts"]
    alpha: float
    key: str
    gaussian_key: str

    def apply(self, image: Image, context: Context) -> Image:
        sigma = self.sigma / 255 if self.sigma_unit == "grey" else self.sigma / self.peak
        keys = int(self.key, 16), int(self.gaussian_key, 16)
        return noise.poisson_gaussian(image, self.peak, sigma, keys, context.origin, gain=self.alpha)


def _key(stream: StepStream, field: str) -> str:
    return f"{stream.key64(field):016x}"
