"""Colour faults and colour choices of cameras and files. Gray images have no colour: only tone_curve changes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

from degrade.functional import chroma, color, lens
from degrade.ops.protocol import Context, Distribution, Draw, Image, Options
from degrade.rng import StepStream

MAX_SHIFT = 16.0  # pixels
Up = Literal["nearest", "bilinear"]

_ZERO, _ONE = Distribution(0.0), Distribution(1.0)
_HALVED, _SMOOTH = Options("4:2:0"), Options("bilinear")


@dataclass(frozen=True)
class ChromaSubsampling:
    """Chroma at a lower resolution than luma, as JPEG and video keep it, without their rounding. Gray: unchanged.

    BT.601 full-range luma and chroma (JFIF); chroma is the mean of each block, its samples lie at the blocks' centres,
    so nothing moves. Blocks begin at the patch's first pixel. Not clipped.

    Attributes:
        subsampling: "4:4:0", "4:2:2", "4:2:0", "4:1:1" or "4:1:0": blocks of 2 x 1, 1 x 2, 2 x 2, 1 x 4 and 2 x 4
            (height x width). FFmpeg's yuv410p has 4 x 4, which is not this.
        up: how chroma comes back: "nearest" repeats it, "bilinear" interpolates.

    Source: JFIF 1.02 (the matrix and the centred samples). Peers: wtp_dataset_destroyer's subsampling;
    inside JPEG everywhere.
    """

    subsampling: Options = _HALVED
    up: Options = _SMOOTH

    def __post_init__(self) -> None:
        self.subsampling.require(tuple(chroma.CHROMA_BLOCKS), name="subsampling")
        self.up.require(("nearest", "bilinear"), name="up")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        words = self.subsampling.draw(stream, "subsampling"), cast(Up, self.up.draw(stream, "up"))
        return (ChromaSubsamplingDraw(id, *words),)


@dataclass(frozen=True, slots=True)
class ChromaSubsamplingDraw:
    op: ClassVar[str] = "chroma_subsampling"
    reach: ClassVar[int | None] = 7  # the rest of a block of 4 and the whole next one
    id: str
    subsampling: str
    up: Up

    def apply(self, image: Image, context: Context) -> Image:
        return chroma.subsample_chroma(image, chroma.CHROMA_BLOCKS[self.subsampling], self.up, context.origin)


@dataclass(frozen=True)
class ChannelShift:
    """Red and blue moved against green by fractions of a pixel: planes that were scanned or exposed apart.

    `red_y`, `red_x`, `blue_y`, `blue_x` in pixels, down and right where positive; each is drawn by itself. Green stays;
    the trace records the shifts. Catmull-Rom between pixels. Gray: unchanged. Not clipped.

    Peer: wtp_dataset_destroyer's channel shift.
    """

    red_y: Distribution = _ZERO
    red_x: Distribution = _ZERO
    blue_y: Distribution = _ZERO
    blue_x: Distribution = _ZERO

    def __post_init__(self) -> None:
        for name in ("red_y", "red_x", "blue_y", "blue_x"):
            getattr(self, name).require(-MAX_SHIFT, MAX_SHIFT, name=name)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        names = "red_y", "red_x", "blue_y", "blue_x"
        return (ChannelShiftDraw(id, *(getattr(self, name).draw(stream, name) for name in names)),)


@dataclass(frozen=True, slots=True)
class ChannelShiftDraw:
    op: ClassVar[str] = "channel_shift"
    reach: ClassVar[int | None] = int(MAX_SHIFT) + 2
    id: str
    red_y: float
    red_x: float
    blue_y: float
    blue_x: float

    def apply(self, image: Image, context: Context) -> Image:
        return lens.shift_channels(image, (self.red_y, self.red_x), (self.blue_y, self.blue_x))


@dataclass(frozen=True)
class WhiteBalance:
    """A camera's wrong guess of the light: red and blue light times a gain each, green times 1. Gray: unchanged.

    Gains are factors of linear light, as cameras apply them; 1 changes nothing. Not clipped: the pipeline's end does.

    Source: gains relative to green, as in DNG's AsShotNeutral. Peers: Albumentations' colour jitter.
    """

    red_gain: Distribution = _ONE
    blue_gain: Distribution = _ONE

    def __post_init__(self) -> None:
        self.red_gain.require(0.1, 10, name="red_gain")
        self.blue_gain.require(0.1, 10, name="blue_gain")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        gains = self.red_gain.draw(stream, "red_gain"), self.blue_gain.draw(stream, "blue_gain")
        return (WhiteBalanceDraw(id, *gains),)


@dataclass(frozen=True, slots=True)
class WhiteBalanceDraw:
    op: ClassVar[str] = "white_balance"
    reach: ClassVar[int | None] = 0
    id: str
    red_gain: float
    blue_gain: float

    def apply(self, image: Image, context: Context) -> Image:
        return color.balance_white(image, self.red_gain, self.blue_gain)


@dataclass(frozen=True)
class Saturation:
    """Chroma times `factor` about BT.601 luma, on sRGB values: 0 gives gray, 1 changes nothing. Gray: unchanged.

    Not clipped: the pipeline's end does. Peers: wtp_dataset_destroyer's saturation; Pillow's
    ImageEnhance.Color.
    """

    factor: Distribution

    def __post_init__(self) -> None:
        self.factor.require(0, 4, name="factor")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (SaturationDraw(id, self.factor.draw(stream, "factor")),)


@dataclass(frozen=True, slots=True)
class SaturationDraw:
    op: ClassVar[str] = "saturation"
    reach: ClassVar[int | None] = 0
    id: str
    factor: float

    def apply(self, image: Image, context: Context) -> Image:
        return color.saturate(image, self.factor)


@dataclass(frozen=True)
class ToneCurve:
    """One curve for all channels that keeps black, white and the order of tones. Gray: the same curve.

    `gamma` is the exponent on sRGB values: above 1 darkens. `contrast` is the slope the S-curve then has at mid-grey:
    below 1 flattens. Both 1 change nothing. Values outside [0, 1] stay as they are.

    Source: the curve is our own: contrast multiplies the log-odds of a value. Peer:
    wtp_dataset_destroyer's levels.
    """

    gamma: Distribution = _ONE
    contrast: Distribution = _ONE

    def __post_init__(self) -> None:
        self.gamma.require(0.25, 4, name="gamma")
        self.contrast.require(0.25, 4, name="contrast")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        return (ToneCurveDraw(id, self.gamma.draw(stream, "gamma"), self.contrast.draw(stream, "contrast")),)


@dataclass(frozen=True, slots=True)
class ToneCurveDraw:
    op: ClassVar[str] = "tone_curve"
    reach: ClassVar[int | None] = 0
    id: str
    gamma: float
    contrast: float

    def apply(self, image: Image, context: Context) -> Image:
        return color.curve_tones(image, self.gamma, self.contrast)
