"""What software does to a finished picture: sharpening, fewer levels, clipping. Gray images are treated alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import numpy as np

from degrade.functional import dither, sharpen
from degrade.ops.protocol import Context, Distribution, Draw, Image, Options, draw_odd
from degrade.rng import StepStream

MAX_MASK_SIZE = 51  # of the blur of an unsharp mask, pixels
MAX_HALO_SIGMA = 8.0
DITHERS = "none", "ordered", "noise", "floyd_steinberg", "atkinson"

Diffusion = Literal["floyd_steinberg", "atkinson"]

_PLAIN = Options("none")
_SIZE, _WEIGHT, _THRESHOLD = Distribution(51.0), Distribution(0.5), Distribution(10.0)


@dataclass(frozen=True)
class Quantise:
    """Fewer levels in each channel, plain or dithered. Clips to [0, 1].

    Attributes:
        levels: 2 to 256, evenly spaced from black to white; a drawn number is rounded.
        dither: "none" rounds; "ordered" is Bayer's 8 x 8 matrix, begun at the patch's first pixel; "noise" rounds up by
            chance; "floyd_steinberg" and "atkinson" hand each error to pixels that come later, so a result depends on
            every pixel before it and on where the window begins: they need the whole image.

    Source: Bayer 1973, Floyd and Steinberg 1976. Peers: wtp_dataset_destroyer's dithering, Albumentations' Posterize.
    """

    levels: Distribution
    dither: Options = _PLAIN

    def __post_init__(self) -> None:
        self.levels.require(2, 256, name="levels")
        self.dither.require(DITHERS, name="dither")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        levels, word = int(self.levels.draw(stream, "levels") + 0.5), self.dither.draw(stream, "dither")
        if word == "noise":
            return (NoiseDitherDraw(id, levels, f"{stream.key64('noise'):016x}"),)
        if word in ("none", "ordered"):
            return (QuantiseDraw(id, levels, word == "ordered"),)
        return (ErrorDiffusionDraw(id, levels, cast(Diffusion, word)),)


@dataclass(frozen=True, slots=True)
class QuantiseDraw:
    op: ClassVar[str] = "quantise"
    reach: ClassVar[int | None] = 0
    id: str
    levels: int
    is_ordered: bool

    def apply(self, image: Image, context: Context) -> Image:
        if self.is_ordered:
            return dither.dither_ordered(image, self.levels, context.origin)
        return dither.quantise(image, self.levels)


@dataclass(frozen=True, slots=True)
class NoiseDitherDraw:
    op: ClassVar[str] = "noise_dither"
    reach: ClassVar[int | None] = 0
    id: str
    levels: int
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        return dither.dither_noise(image, self.levels, int(self.key, 16), context.origin)


@dataclass(frozen=True, slots=True)
class ErrorDiffusionDraw:
    op: ClassVar[str] = "error_diffusion"
    reach: ClassVar[int | None] = None  # every pixel depends on all before it
    id: str
    levels: int
    method: Diffusion

    def apply(self, image: Image, context: Context) -> Image:
        return dither.diffuse_error(image, self.levels, self.method)


@dataclass(frozen=True)
class Clip:
    """To [0, 1], where a step in between would have lost what lies outside; at the end the pipeline clips by itself."""

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (ClipDraw(id),)


@dataclass(frozen=True, slots=True)
class ClipDraw:
    op: ClassVar[str] = "clip"
    reach: ClassVar[int | None] = 0
    id: str

    def apply(self, image: Image, context: Context) -> Image:
        return np.clip(image, 0, 1)


@dataclass(frozen=True)
class UnsharpMask:
    """Sharpening where the image differs from its blur by more than a threshold (USM).

    Attributes:
        size: odd width of the blur's kernel in pixels, 3 to 51.
        sigma: of the blur in pixels; if none is stated OpenCV's rule, 0.3 * ((size - 1) / 2 - 1) + 0.8: 8 for 51.
        weight: of the difference that is added.
        threshold_8bit: in grey levels of 255.

    The sharpened part is clipped to [0, 1]. Source and peers: Real-ESRGAN's sharpened ground truth and BSRGAN's
    `use_sharp`, both with these defaults; the edge of the image differs (`functional.sharpen`).
    """

    size: Distribution = _SIZE
    sigma: Distribution | None = None
    weight: Distribution = _WEIGHT
    threshold_8bit: Distribution = _THRESHOLD

    def __post_init__(self) -> None:
        self.size.require(3, MAX_MASK_SIZE, name="size")
        if self.sigma is not None:
            self.sigma.require(0, name="sigma", above=True)
        self.weight.require(0, 10, name="weight")
        self.threshold_8bit.require(0, 255, name="threshold_8bit")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        size = draw_odd(self.size, stream, "size")
        sigma = sharpen.opencv_sigma(size) if self.sigma is None else self.sigma.draw(stream, "sigma")
        weight, threshold = self.weight.draw(stream, "weight"), self.threshold_8bit.draw(stream, "threshold_8bit")
        return (UnsharpMaskDraw(id, size, sigma, weight, threshold),)


@dataclass(frozen=True, slots=True)
class UnsharpMaskDraw:
    op: ClassVar[str] = "unsharp_mask"
    reach: ClassVar[int | None] = MAX_MASK_SIZE - 1  # two blurs, one after the other
    id: str
    size: int
    sigma: float
    weight: float
    threshold_8bit: float

    def apply(self, image: Image, context: Context) -> Image:
        return sharpen.unsharp_mask(image, self.sigma, self.size, self.weight, self.threshold_8bit / 255)


@dataclass(frozen=True)
class Halo:
    """The over- and undershoot that a camera's sharpening leaves along edges. Not clipped: the pipeline's end does.

    Attributes:
        sigma: of the blur in pixels: the halo's width.
        amount: of the difference to the blur that is added; a step of height 1 overshoots by half of it.
        luma: sharpen BT.601 luma alone, as cameras do, and leave chroma.

    Peers: wtp_dataset_destroyer's halo, Albumentations' Sharpen.
    """

    sigma: Distribution
    amount: Distribution
    luma: bool = False

    def __post_init__(self) -> None:
        self.sigma.require(0, MAX_HALO_SIGMA, name="sigma", above=True)
        self.amount.require(0, 10, name="amount")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (HaloDraw(id, self.sigma.draw(stream, "sigma"), self.amount.draw(stream, "amount"), self.luma),)


@dataclass(frozen=True, slots=True)
class HaloDraw:
    op: ClassVar[str] = "halo"
    reach: ClassVar[int | None] = sharpen.halo_radius(MAX_HALO_SIGMA)
    id: str
    sigma: float
    amount: float
    luma: bool

    def apply(self, image: Image, context: Context) -> Image:
        return sharpen.overshoot(image, self.sigma, self.amount, luma_only=self.luma)
