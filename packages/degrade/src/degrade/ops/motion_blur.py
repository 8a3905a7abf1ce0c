"""Blur by a camera that moved during the exposure.

Every kernel is a correlation with the sum 1, mirrored at the edges and centred, so nothing moves. Lengths are in pixels
of the image as it is, angles in radians from x towards y (downward). Gray images are blurred as colour ones are, and
nothing clips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from degrade.functional.convolve import correlate
from degrade.functional.kernels import MAX_SIZE, Kernel
from degrade.functional.motion import motion_kernel, motion_size, shake_kernel
from degrade.ops.blur_fields import HALF_SIZE, NO_ANGLE, SIZE, reach_from, require_odd
from degrade.ops.protocol import Context, Distribution, Draw, Image, draw_odd
from degrade.rng import StepStream

MAX_LENGTH = MAX_SIZE - 1
MAX_CURVATURE = 1.0

_STRAIGHT = Distribution(0.0)


@dataclass(frozen=True)
class MotionBlur:
    """Motion at even speed along a line or an arc.

    Attributes:
        length: of the path, in pixels; may be a fraction, 0 changes nothing.
        angle: direction halfway, from x towards y.
        curvature: radians per pixel of path, the inverse of the arc's radius; 0 is a straight line.
    """

    length: Distribution
    angle: Distribution = NO_ANGLE
    curvature: Distribution = _STRAIGHT

    def __post_init__(self) -> None:
        self.length.require(0, MAX_LENGTH, name="length")
        self.curvature.require(-MAX_CURVATURE, MAX_CURVATURE, name="curvature")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        values = (getattr(self, name).draw(stream, name) for name in ("length", "angle", "curvature"))
        return (MotionBlurDraw(id, *values),)


@dataclass(frozen=True)
class ShakeBlur:
    """The shake of a hand: a random path whose velocity is a random walk with inertia; every pair has its own.

    Attributes:
        length: of the path, in pixels.
        size: odd, in pixels; a path that would leave the kernel is shrunk to fit.
    """

    length: Distribution
    size: Distribution = SIZE

    def __post_init__(self) -> None:
        self.length.require(0, 4 * MAX_LENGTH, name="length")
        require_odd(self.size)

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        length, size = self.length.draw(stream, "length"), draw_odd(self.size, stream, "size")
        return (ShakeBlurDraw(id, length, size, f"{stream.key64('path'):016x}"),)


@dataclass(frozen=True, slots=True)
class MotionBlurDraw:
    op: ClassVar[str] = "motion_blur"
    reach: ClassVar[int | None] = reach_from(lambda draw: motion_size(draw.length) // 2)
    id: str
    length: float
    angle: float
    curvature: float

    def kernel(self) -> Kernel:
        return motion_kernel(self.length, self.angle, self.curvature)

    def apply(self, image: Image, context: Context) -> Image:
        return correlate(image, self.kernel())


@dataclass(frozen=True, slots=True)
class ShakeBlurDraw:
    op: ClassVar[str] = "shake_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    length: float
    size: int
    key: str

    def kernel(self) -> Kernel:
        return shake_kernel(self.length, self.size, int(self.key, 16))

    def apply(self, image: Image, context: Context) -> Image:
        return correlate(image, self.kernel())
