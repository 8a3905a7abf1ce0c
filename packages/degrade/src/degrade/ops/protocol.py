"""What an op and a draw are. An op is a distribution; a draw is one point of it.

Neither has a base class: anything with these methods is one. Draws are frozen dataclasses of plain values,
so a list of them is the trace of a pair and the program that makes it, both at once.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from degrade.elementary import exp, log
from degrade.functional.resample import AxisMap
from degrade.rng import StepStream, Stream

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Context:
    """What a draw may know of its surroundings.

    Attributes:
        origin: row and column of the image's first pixel, counted from the patch's at this resolution (rounded down
            where it falls between pixels); negative inside the margin. It addresses noise fields and block grids.
        hr_shape: height and width of the HR window that the image is made from; what is forced to LR size needs it.
    """

    origin: tuple[int, int] = (0, 0)
    hr_shape: tuple[int, int] = (0, 0)


class Draw(Protocol):
    """One sampled step. `apply` is deterministic; `id` is the step's."""

    op: ClassVar[str]
    reach: ClassVar[int | None]  # pixels of surroundings a result needs; None: the whole image

    @property
    def id(self) -> str: ...

    def apply(self, image: Image, context: Context) -> Image: ...


SomeDraw = TypeVar("SomeDraw")


class Waiting(NamedTuple, Generic[SomeDraw]):
    """A draw, and the image that it is about to be applied to."""

    draw: SomeDraw
    image: Image
    context: Context


class BatchDraw(Draw, Protocol):
    """A draw that is faster on several images at once: those of one `batch_key`, shape and origin, of several pairs."""

    @property
    def batch_key(self) -> Hashable: ...

    @staticmethod
    def apply_batch(waiting: Sequence[Waiting[Any]]) -> list[Image]:
        """In their order what `apply` gives for each, to the bit."""
        ...


class AxisDraw(Protocol):
    """A separable linear draw: it may be folded with its neighbours into one pass."""

    def axis_map(self, length: int, hr_length: int) -> AxisMap:
        """The filter along an axis of `length` samples, of a window with `hr_length` HR pixels on that axis."""
        ...


class ContinuousDraw(AxisDraw, Protocol):
    """A separable linear draw whose kernel is known between pixels too."""

    def axis_map_at(self, length: int, positions: NDArray[np.float64]) -> AxisMap: ...


class KernelDraw(Protocol):
    """A linear draw with a kernel of two dimensions: evaluated only where the resize after it takes samples."""

    def kernel(self) -> NDArray[np.float64]:
        """(K, K), K odd, summing to 1: the weight of the pixel at row a - K // 2, column b - K // 2 (a correlation)."""
        ...


class ContinuousKernelDraw(KernelDraw, Protocol):
    """A `KernelDraw` whose kernel is known between pixels too."""

    def kernel_at(self, y: float, x: float) -> NDArray[np.float64]:
        """(K + 1, K + 1): the weights for a sample that lies (y, x), each in [0, 1), beyond a pixel's centre.

        Entry (a, b) belongs to the pixel a - K // 2 rows and b - K // 2 columns from that pixel.
        """
        ...


class PointDraw(AxisDraw, Protocol):
    """A linear draw that only takes samples; after a continuous draw they are taken at the true centres."""

    def positions(self, length: int, hr_length: int) -> NDArray[np.float64]: ...


class Op(Protocol):
    """A step of a recipe."""

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        """The draws of one pair, in the order they run; branches and shuffles are resolved here."""
        ...


@dataclass(frozen=True)
class Step:
    """An op where it stands in a recipe."""

    id: str
    op: Op
    probability: float = 1.0

    def draw(self, stream: Stream) -> tuple[Draw, ...]:
        own = stream.step(self.id)
        if self.probability < 1.0 and own.uniform("probability") >= self.probability:
            return ()
        return self.op.draw(own, self.id)


@dataclass(frozen=True)
class Distribution:
    """What a field of a recipe is drawn from; exactly one of the forms of `languages`.

    In TOML: `sigma = 2.0`, `sigma_range = [0.2, 3.0]` (uniform), `sigma_log_range` (uniform in the logarithm),
    `sigma_choice = [1, 2]` with `sigma_weights`, `sigma_normal = [mean, standard_deviation]`.
    """

    constant: float | None = None
    range: tuple[float, float] | None = None
    log_range: tuple[float, float] | None = None
    choice: tuple[float, ...] | None = None
    weights: tuple[float, ...] | None = None
    normal: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        given = [self.constant, self.range, self.log_range, self.choice, self.normal]
        if sum(form is not None for form in given) != 1:
            raise ValueError("expected exactly one of a value, _range, _log_range, _choice, _normal")
        for name in ("range", "log_range"):
            bounds = getattr(self, name)
            if bounds and not bounds[0] <= bounds[1]:
                raise ValueError(f"expected low <= high in _{name}")
        if self.log_range and self.log_range[0] <= 0:
            raise ValueError("expected low > 0 in _log_range")
        if self.weights is not None and (
            self.choice is None
            or len(self.weights) != len(self.choice)
            or min(self.weights) < 0
            or sum(self.weights) <= 0
        ):
            raise ValueError("expected one weight >= 0 for each entry of _choice, and one above 0")

    def draw(self, stream: StepStream, field: str) -> float:
        if self.constant is not None:
            return self.constant
        if self.range is not None:
            return stream.uniform(field, *self.range)
        if self.log_range is not None:
            return _log_uniform(stream, field, *self.log_range)
        if self.choice is not None:
            return self.choice[stream.choice(field, self.weights or (1.0,) * len(self.choice))]
        assert self.normal is not None
        return self.normal[0] + self.normal[1] * stream.normal(field)

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and largest value that can be drawn."""
        if self.constant is not None:
            return self.constant, self.constant
        if self.choice is not None:
            return min(self.choice), max(self.choice)
        if self.normal is not None:
            return (-np.inf, np.inf) if self.normal[1] else (self.normal[0], self.normal[0])
        low_high = self.range or self.log_range
        assert low_high is not None
        return low_high

    def require(self, low: float, high: float = np.inf, *, name: str, above: bool = False) -> None:
        """Raise ValueError unless every value lies in [low, high] (above `low` itself if `above`)."""
        least, most = self.bounds
        if least < low or most > high or (above and least == low):
            limit = f"above {low:g}" if above else f"at least {low:g}"
            most_text = "" if high == np.inf else f" and at most {high:g}"
            raise ValueError(f"expected {name} {limit}{most_text}, got values from {least:g} to {most:g}")


@dataclass(frozen=True)
class Options:
    """A word of a recipe that may be drawn: `filter = "area"`, or `filter_choice = [..]` with `filter_weights`."""

    constant: str | None = None
    choice: tuple[str, ...] | None = None
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.constant is None) == (self.choice is None) or self.choice == ():
            raise ValueError("expected exactly one of a word and _choice")
        if self.weights is not None and (
            self.choice is None
            or len(self.weights) != len(self.choice)
            or min(self.weights) < 0
            or sum(self.weights) <= 0
        ):
            raise ValueError("expected one weight >= 0 for each entry of _choice, and one above 0")

    @property
    def words(self) -> tuple[str, ...]:
        """All that can be drawn."""
        return self.choice if self.choice is not None else (str(self.constant),)

    def require(self, known: Collection[str], *, name: str) -> None:
        """Raise ValueError, naming the known ones, unless every word is one of `known`."""
        strangers = [word for word in self.words if word not in known]
        if strangers:
            raise ValueError(f"expected {name} to be one of {', '.join(known)}, got '{strangers[0]}'")

    def draw(self, stream: StepStream, field: str) -> str:
        if self.choice is None:
            return str(self.constant)
        return self.choice[stream.choice(field, self.weights or (1.0,) * len(self.choice))]


def draw_odd(distribution: Distribution, stream: StepStream, field: str) -> int:
    """An odd whole number: what is drawn, rounded down to one (a range is best stated from odd to odd)."""
    value = int(distribution.draw(stream, field))
    return value if value % 2 else value - 1


def _log_uniform(stream: StepStream, field: str, low: float, high: float) -> float:
    """`low * (high / low) ** u`, with logarithm and power of our own."""
    return float(low * exp(stream.uniform(field) * log(high / low)))
