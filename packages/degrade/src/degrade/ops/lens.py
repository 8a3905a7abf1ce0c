"""Lens faults that depend on where a pixel lies from the optical axis.

A patch shows a part of a photo, so the axis is drawn relative to it: `centre_distance` pixels from the patch's first
pixel in the direction `centre_angle` (radians, from right towards down; any by default). If no distance is stated the
axis is the middle of the image, for recipes with `unit = "photo"`. Pixels are those of the resolution at which the step
runs; the fields stay in place whichever window they are evaluated on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import ClassVar

from degrade.elementary import cos_pi, sin_pi
from degrade.functional import lens
from degrade.ops.protocol import Context, Distribution, Draw, Image
from degrade.rng import StepStream

MAX_DISTANCE = 1e5  # pixels
MAX_STRENGTH = 20.0  # pixels per 1000
_ZERO = Distribution(0.0)
_ANY_ANGLE = Distribution(range=(0.0, 2 * pi))

Centre = tuple[float, float]


@dataclass(frozen=True)
class ChromaticAberration:
    """Lateral: red and blue images of another size than green's, so edges far from the axis get coloured fringes.

    Attributes:
        strength_red, strength_blue: outward displacement in pixels for every 1000 pixels from the axis (the permille of
            magnification); real lenses stay within about 1.
        centre_distance, centre_angle: where the axis is; see the module.

    Green stays; the trace records the rest. Catmull-Rom between pixels, mirrored at the edges. Not clipped. Gray:
    unchanged. Source: the first-order model, displacement in proportion to distance. Peer: Albumentations'
    ChromaticAberration.
    """

    strength_red: Distribution = _ZERO
    strength_blue: Distribution = _ZERO
    centre_distance: Distribution | None = None
    centre_angle: Distribution = _ANY_ANGLE

    def __post_init__(self) -> None:
        self.strength_red.require(-MAX_STRENGTH, MAX_STRENGTH, name="strength_red")
        self.strength_blue.require(-MAX_STRENGTH, MAX_STRENGTH, name="strength_blue")
        _check_centre(self.centre_distance, self.centre_angle)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        red, blue = self.strength_red.draw(stream, "strength_red"), self.strength_blue.draw(stream, "strength_blue")
        return (ChromaticAberrationDraw(id, red, blue, *_centre(stream, self.centre_distance, self.centre_angle)),)


@dataclass(frozen=True, slots=True)
class ChromaticAberrationDraw:
    """`centre_y` and `centre_x` count from the patch's first pixel; None: the middle of the image."""

    op: ClassVar[str] = "chromatic_aberration"
    reach: ClassVar[int | None] = None  # the displacement grows with the distance
    id: str
    strength_red: float
    strength_blue: float
    centre_y: float | None
    centre_x: float | None

    def apply(self, image: Image, context: Context) -> Image:
        red, blue = 1 + self.strength_red / 1000, 1 + self.strength_blue / 1000
        centre = _placed(self.centre_y, self.centre_x, image, context)
        return lens.magnify_channels(image, red, blue, centre, context.origin)


@dataclass(frozen=True)
class Vignetting:
    """Less light away from the axis, by the fourth power of a cosine, in linear light. Gray: alike.

    Attributes:
        strength: the part of the light that is lost at `radius`, 0 to 0.95.
        radius: in pixels, from the axis to the photo's corner. If none is stated, from the middle of the image to the
            patch's corner.
        centre_distance, centre_angle: where the axis is; see the module.

    Not clipped: values in [0, 1] stay there. Source: the cosine-fourth law (`functional.lens`). Peers: none.
    """

    strength: Distribution
    radius: Distribution | None = None
    centre_distance: Distribution | None = None
    centre_angle: Distribution = _ANY_ANGLE

    def __post_init__(self) -> None:
        self.strength.require(0, 0.95, name="strength")
        if self.radius is not None:
            self.radius.require(1, MAX_DISTANCE, name="radius")
        elif self.centre_distance is not None:
            raise ValueError("expected a radius with centre_distance: pixels from the axis to the photo's corner")
        _check_centre(self.centre_distance, self.centre_angle)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        radius = None if self.radius is None else self.radius.draw(stream, "radius")
        centre = _centre(stream, self.centre_distance, self.centre_angle)
        return (VignettingDraw(id, self.strength.draw(stream, "strength"), radius, *centre),)


@dataclass(frozen=True, slots=True)
class VignettingDraw:
    """`centre_y` and `centre_x` count from the patch's first pixel; None: the middle of the image."""

    op: ClassVar[str] = "vignetting"
    reach: ClassVar[int | None] = 0
    id: str
    strength: float
    radius: float | None
    centre_y: float | None
    centre_x: float | None

    def apply(self, image: Image, context: Context) -> Image:
        radius = self.radius
        if radius is None:  # margins are alike on both sides
            height, width = (side + 2 * start for side, start in zip(image.shape[:2], context.origin, strict=True))
            radius = 0.5 * sqrt(height * height + width * width)
        centre = _placed(self.centre_y, self.centre_x, image, context)
        return lens.vignette(image, self.strength, radius, centre, context.origin)


def _check_centre(distance: Distribution | None, angle: Distribution) -> None:
    if distance is not None:
        distance.require(0, MAX_DISTANCE, name="centre_distance")
    angle.require(-2 * pi, 2 * pi, name="centre_angle")


def _centre(stream: StepStream, distance: Distribution | None, angle: Distribution) -> Centre | tuple[None, None]:
    """Row and column of the axis, counted from the patch's first pixel."""
    if distance is None:
        return None, None
    far, turn = distance.draw(stream, "centre_distance"), angle.draw(stream, "centre_angle") / pi
    return far * sin_pi(turn), far * cos_pi(turn)


def _placed(y: float | None, x: float | None, image: Image, context: Context) -> Centre:
    if y is not None and x is not None:
        return y, x
    middle = (start + 0.5 * (side - 1) for side, start in zip(image.shape[:2], context.origin, strict=True))
    return next(middle), next(middle)
