"""Noise of independent pixels: Gaussian and photon noise. Nothing clips.

`mode` says how the channels go together: "colour", each has a field of its own; "gray", one field is added to all;
"correlated" (Gaussian laws only), a random covariance between them. A gray image has one channel: in "colour" and
"correlated" it gets what the first of three would, in "gray" the field itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from degrade.functional import noise, poisson
from degrade.functional.channel_covariance import random_mixing
from degrade.ops.protocol import Context, Distribution, Draw, Image, Options
from degrade.rng import StepStream

MODES = ("colour", "gray", "correlated")

_COLOUR = Options("colour")


@dataclass(frozen=True)
class GaussianNoise:
    """White Gaussian noise; `sigma_8bit` in grey levels of 255.

    "correlated": the covariance of the channels is |sigma**2 U.T D U|, as in BSRGAN (Zhang et al. 2021, section 3.3),
    D three uniform numbers and U a random rotation. BSRGAN's code takes the largest level of its range for sigma there,
    whatever it drew; here it is the drawn one.
    """

    sigma_8bit: Distribution
    mode: Options = _COLOUR

    def __post_init__(self) -> None:
        self.sigma_8bit.require(0, name="sigma_8bit")
        self.mode.require(MODES, name="mode")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        sigma, key = self.sigma_8bit.draw(stream, "sigma_8bit"), _key(stream, "noise")
        mode = self.mode.draw(stream, "mode")
        if mode == "gray":
            return (GrayGaussianNoiseDraw(id, sigma, key),)
        if mode == "correlated":
            return (CorrelatedGaussianNoiseDraw(id, sigma, _drawn_mixing(stream), key),)
        return (GaussianNoiseDraw(id, sigma, key),)


@dataclass(frozen=True)
class PoissonNoise:
    """Photon noise `P(x * peak) / peak`; `peak` is the expected count at white.

    "gray": the photon noise of the BT.601 luma, added to every channel, as in Real-ESRGAN and BSRGAN+.
    """

    peak: Distribution
    mode: Options = _COLOUR

    def __post_init__(self) -> None:
        self.peak.require(0, name="peak", above=True)
        self.mode.require(MODES[:2], name="mode")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        kind = GrayPoissonNoiseDraw if self.mode.draw(stream, "mode") == "gray" else PoissonNoiseDraw
        return (kind(id, self.peak.draw(stream, "peak"), _key(stream, "noise")),)


@dataclass(frozen=True)
class ScaledPoissonNoise:
    """Real-ESRGAN's photon noise: `x + scale * (P(q * peak) / peak - q)`, q the image rounded to 8 bits and clipped.

    `peak` is the number of distinct values in q (in its luma if "gray") rounded up to a power of two, 1 to 256: the one
    parameter of any noise that depends on the picture. It is counted over the window that the step is applied to, the
    patch and what lies around it within the reach of later steps, so another margin may count another power of two.

    Source: Wang et al. 2021 and BasicSR's `random_generate_poisson_noise`.
    """

    scale: Distribution
    mode: Options = _COLOUR

    def __post_init__(self) -> None:
        self.scale.require(0, name="scale")
        self.mode.require(MODES[:2], name="mode")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        scale, mode = self.scale.draw(stream, "scale"), self.mode.draw(stream, "mode")
        return (ScaledPoissonNoiseDraw(id, scale, mode, _key(stream, "noise")),)


@dataclass(frozen=True)
class PoissonGaussianNoise:
    """`alpha * p + n` (Ren et al. 2020, Eq. 2): p the photon noise above, n Gaussian; independent per channel.

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


@dataclass(frozen=True)
class SpeckleNoise:
    """Multiplicative noise `x + x * n`, n Gaussian of `sigma_8bit` / 255; modes as in `gaussian_noise`.

    Source: BSRGAN+ in KAIR, whose three modes these are; scikit-image's `random_noise(mode="speckle")`.
    """

    sigma_8bit: Distribution
    mode: Options = _COLOUR

    def __post_init__(self) -> None:
        self.sigma_8bit.require(0, name="sigma_8bit")
        self.mode.require(MODES, name="mode")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        sigma, mode = self.sigma_8bit.draw(stream, "sigma_8bit"), self.mode.draw(stream, "mode")
        fixed = noise.GRAY if mode == "gray" else noise.COLOUR
        mixing = _drawn_mixing(stream) if mode == "correlated" else fixed
        return (SpeckleNoiseDraw(id, sigma, mode, mixing, _key(stream, "noise")),)


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
class GrayGaussianNoiseDraw:
    op: ClassVar[str] = "gray_gaussian_noise"
    reach: ClassVar[int | None] = 0
    id: str
    sigma_8bit: float
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        return noise.add_mixed_gaussian(image, self.sigma_8bit / 255, noise.GRAY, int(self.key, 16), context.origin)


@dataclass(frozen=True, slots=True)
class CorrelatedGaussianNoiseDraw:
    """The covariance of the channels, in squared grey levels, is `sigma_8bit**2 * mixing @ mixing.T`."""

    op: ClassVar[str] = "correlated_gaussian_noise"
    reach: ClassVar[int | None] = 0
    id: str
    sigma_8bit: float
    mixing: Sequence[Sequence[float]]
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        return noise.add_mixed_gaussian(image, self.sigma_8bit / 255, self.mixing, int(self.key, 16), context.origin)


@dataclass(frozen=True, slots=True)
class PoissonNoiseDraw:
    op: ClassVar[str] = "poisson_noise"
    reach: ClassVar[int | None] = 0
    id: str
    peak: float
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        return poisson.poisson(image, self.peak, int(self.key, 16), context.origin)


@dataclass(frozen=True, slots=True)
class GrayPoissonNoiseDraw:
    op: ClassVar[str] = "gray_poisson_noise"
    reach: ClassVar[int | None] = 0
    id: str
    peak: float
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        return poisson.gray_poisson(image, self.peak, int(self.key, 16), context.origin)


@dataclass(frozen=True, slots=True)
class ScaledPoissonNoiseDraw:
    op: ClassVar[str] = "scaled_poisson_noise"
    reach: ClassVar[int | None] = 0
    id: str
    scale: float
    mode: str
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        return poisson.scaled_poisson(image, self.scale, int(self.key, 16), context.origin, gray=self.mode == "gray")


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


@dataclass(frozen=True, slots=True)
class SpeckleNoiseDraw:
    """The covariance of the channels of n is `(sigma_8bit / 255)**2 * mixing @ mixing.T`."""

    op: ClassVar[str] = "speckle_noise"
    reach: ClassVar[int | None] = 0
    id: str
    sigma_8bit: float
    mode: str
    mixing: Sequence[Sequence[float]]
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        return noise.speckle(image, self.sigma_8bit / 255, self.mixing, int(self.key, 16), context.origin)


def _drawn_mixing(stream: StepStream) -> Sequence[Sequence[float]]:
    variances = [stream.uniform(f"variance{i}") for i in range(3)]
    return random_mixing(variances, [stream.uniform(f"rotation{i}") for i in range(9)])


def _key(stream: StepStream, field: str) -> str:
    return f"{stream.key64(field):016x}"
