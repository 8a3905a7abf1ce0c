"""A camera's sensor: the photograph taken again with the noise and the mosaic of a raw image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from degrade.elementary import exp, log
from degrade.functional.bayer import REACH, RED_SITES, WEIGHTS
from degrade.functional.camera_matrix import CAMERAS, IDENTITY, camera_from_srgb
from degrade.functional.sensor import Camera, photograph
from degrade.ops.protocol import Context, Distribution, Draw, Image, Options
from degrade.rng import StepStream

CCMS = ("mixed", *CAMERAS, "identity")
MIN_BITS, MAX_BITS = 8, 16
MAX_EXPOSURE = 8.0  # EV, either way

# What a recipe leaves out.
_SHOT = Distribution(log_range=(1e-4, 0.012))
_RED_GAIN, _BLUE_GAIN = Distribution(range=(1.9, 2.4)), Distribution(range=(1.5, 1.9))
_EXPOSURE, _BITS = Distribution(0.0), Distribution(12.0)
_CCM, _PATTERN, _DEMOSAIC = Options("mixed"), Options(choice=tuple(RED_SITES)), Options("malvar")

_READ_SLOPE, _READ_OFFSET, _READ_SCATTER = 2.18, 1.20, 0.26  # log(read) over log(shot), of the Darmstadt Noise Dataset


@dataclass(frozen=True)
class Sensor:
    """The image unprocessed to raw light, given shot and read noise on a Bayer mosaic, and developed again.

    All variances are those of raw values in [0, 1]: `shot * x + read`. Clips to [0, 1]. A gray image has no mosaic, no
    white balance and no matrix: noise in linear light alone.

    Source: Brooks et al., "Unprocessing images for learned raw denoising", CVPR 2019; the defaults are its numbers
    (section 3 and its code), but for exposure (0 EV; the paper draws a digital gain), bits, pattern and demosaicing.

    Attributes:
        shot: variance at white. Photon noise is approximated by a normal law, as there.
        read: variance at black; unless given, log(read) = 2.18 log(shot) + 1.20 with a scatter of 0.26.
        red_gain, blue_gain: white balance.
        exposure: EV; below 0 the sensor gets less light, which development makes up for.
        ccm: the camera's colours: "mixed" (the four cameras' matrices with random weights), one of them, or "identity".
        pattern: of the mosaic, at the patch's first pixel.
        bits: of a raw value, 8 to 16; fractions are dropped.
        demosaic: "malvar" or "bilinear".
    """

    shot: Distribution = _SHOT
    read: Distribution | None = None
    red_gain: Distribution = _RED_GAIN
    blue_gain: Distribution = _BLUE_GAIN
    exposure: Distribution = _EXPOSURE
    ccm: Options = _CCM
    pattern: Options = _PATTERN
    bits: Distribution = _BITS
    demosaic: Options = _DEMOSAIC

    def __post_init__(self) -> None:
        self.shot.require(0, 1, name="shot", above=True)
        if self.read is not None:
            self.read.require(0, 1, name="read")
        self.red_gain.require(1, 8, name="red_gain")
        self.blue_gain.require(1, 8, name="blue_gain")
        self.exposure.require(-MAX_EXPOSURE, MAX_EXPOSURE, name="exposure")
        self.ccm.require(CCMS, name="ccm")
        self.pattern.require(RED_SITES, name="pattern")
        self.bits.require(MIN_BITS, MAX_BITS, name="bits")
        self.demosaic.require(WEIGHTS, name="demosaic")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        shot, ccm = self.shot.draw(stream, "shot"), self.ccm.draw(stream, "ccm")
        return (
            SensorDraw(
                id,
                shot=shot,
                read=self._drawn_read(stream, shot),
                red_gain=self.red_gain.draw(stream, "red_gain"),
                blue_gain=self.blue_gain.draw(stream, "blue_gain"),
                exposure=self.exposure.draw(stream, "exposure"),
                ccm=ccm,
                to_camera=_drawn_matrix(stream, ccm),
                pattern=self.pattern.draw(stream, "pattern"),
                bits=int(self.bits.draw(stream, "bits")),
                demosaic=self.demosaic.draw(stream, "demosaic"),
                key=f"{stream.key64('noise'):016x}",
            ),
        )

    def _drawn_read(self, stream: StepStream, shot: float) -> float:
        if self.read is not None:
            return self.read.draw(stream, "read")
        scatter = _READ_SCATTER * stream.normal("read")
        return float(exp(_READ_SLOPE * log(shot) + _READ_OFFSET + scatter))


@dataclass(frozen=True, slots=True)
class SensorDraw:
    """`to_camera` is the matrix that `ccm` gave: camera colours from linear sRGB."""

    op: ClassVar[str] = "sensor"
    reach: ClassVar[int | None] = REACH
    id: str
    shot: float
    read: float
    red_gain: float
    blue_gain: float
    exposure: float
    ccm: str
    to_camera: Sequence[Sequence[float]]
    pattern: str
    bits: int
    demosaic: str
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        camera = Camera(
            self.red_gain, self.blue_gain, self.exposure, self.to_camera, self.pattern, self.bits, self.demosaic
        )
        return photograph(image, camera, self.shot, self.read, int(self.key, 16), context.origin)


def _drawn_matrix(stream: StepStream, ccm: str) -> Sequence[Sequence[float]]:
    if ccm == "identity":
        return IDENTITY
    if ccm == "mixed":
        return camera_from_srgb([1e-8 + stream.uniform(f"weight_{name}") for name in CAMERAS])
    return camera_from_srgb([float(name == ccm) for name in CAMERAS])
