"""Noise that is neither Gaussian nor photon noise of single pixels: impulses, uniform, smooth, real. Nothing clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from degrade import assets
from degrade.assets import PoolFile
from degrade.errors import UsageError
from degrade.functional.noise import add_uniform, salt_and_pepper
from degrade.functional.noise_patches import add_noise_patch
from degrade.functional.spatial_noise import MAX_CORRELATION, add_spatial_gaussian
from degrade.ops.protocol import Context, Distribution, Draw, Image, Options
from degrade.rng import StepStream

MODES = ("colour", "gray")

_COLOUR = Options("colour")
_HALF, _ONE = Distribution(0.5), Distribution(1.0)


@dataclass(frozen=True)
class SaltPepperNoise:
    """Values replaced by white (the share `salt`) or black, each with the chance `amount`.

    "colour": channel by channel; "gray": whole pixels. Source: scikit-image's `random_noise(mode="s&p")`.
    """

    amount: Distribution
    salt: Distribution = _HALF
    mode: Options = _COLOUR

    def __post_init__(self) -> None:
        self.amount.require(0, 1, name="amount")
        self.salt.require(0, 1, name="salt")
        self.mode.require(MODES, name="mode")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        amount, salt = self.amount.draw(stream, "amount"), self.salt.draw(stream, "salt")
        return (SaltPepperNoiseDraw(id, amount, salt, self.mode.draw(stream, "mode"), _key(stream, "noise")),)


@dataclass(frozen=True)
class UniformNoise:
    """White noise uniform in +-`amplitude_8bit` grey levels of 255: standard deviation amplitude / sqrt(3).

    "colour": a field for each channel; "gray": one for all.
    """

    amplitude_8bit: Distribution
    mode: Options = _COLOUR

    def __post_init__(self) -> None:
        self.amplitude_8bit.require(0, name="amplitude_8bit")
        self.mode.require(MODES, name="mode")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        amplitude, mode = self.amplitude_8bit.draw(stream, "amplitude_8bit"), self.mode.draw(stream, "mode")
        return (UniformNoiseDraw(id, amplitude, mode, _key(stream, "noise")),)


@dataclass(frozen=True)
class SpatialNoise:
    """Gaussian noise smoothed by a Gaussian of `correlation` pixels, of standard deviation `sigma_8bit` after that.

    `chroma` is the share of the variance that is each channel's own; the rest is common to all. "gray" makes it 0. A
    gray image gets noise of the same strength. Ours: what denoising and demosaicing leave in a camera's picture.
    """

    sigma_8bit: Distribution
    correlation: Distribution
    chroma: Distribution = _ONE
    mode: Options = _COLOUR

    def __post_init__(self) -> None:
        self.sigma_8bit.require(0, name="sigma_8bit")
        self.correlation.require(0, MAX_CORRELATION, name="correlation")
        self.chroma.require(0, 1, name="chroma")
        self.mode.require(MODES, name="mode")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        sigma, correlation = self.sigma_8bit.draw(stream, "sigma_8bit"), self.correlation.draw(stream, "correlation")
        is_gray = self.mode.draw(stream, "mode") == "gray"
        chroma = 0.0 if is_gray else self.chroma.draw(stream, "chroma")
        return (SpatialNoiseDraw(id, sigma, correlation, chroma, _key(stream, "noise")),)


@dataclass(frozen=True)
class NoisePatch:
    """Real noise from a pool, one patch of it at a random place and in a random orientation, times `strength`.

    The patch is mirrored where the image is larger. A gray image gets its luma. Source: Impressionism (Ji et al. 2020):
    a random crop minus its mean per channel, added to LR; here the mean was subtracted from the whole patch, not from
    the crop.
    """

    pool: PoolFile
    strength: Distribution = _ONE

    def __post_init__(self) -> None:
        self.strength.require(0, name="strength")

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        """Raises UsageError if the pool holds no noise."""
        count, size = assets.pool(self.pool.sha256).noise.shape[:2]
        if not count:
            raise UsageError(self.pool.name, "holds no noise", "make a pool with `degrade harvest PHOTOS -o pool.npz`")
        index, y, x = stream.integer("index", count), stream.integer("y", size), stream.integer("x", size)
        flips = bool(stream.integer("flip_y", 2)), bool(stream.integer("flip_x", 2))
        return (NoisePatchDraw(id, self.pool.sha256, index, y, x, *flips, self.strength.draw(stream, "strength")),)


@dataclass(frozen=True, slots=True)
class SaltPepperNoiseDraw:
    op: ClassVar[str] = "salt_pepper_noise"
    reach: ClassVar[int | None] = 0
    id: str
    amount: float
    salt: float
    mode: str
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        key = int(self.key, 16)
        return salt_and_pepper(image, self.amount, self.salt, key, context.origin, gray=self.mode == "gray")


@dataclass(frozen=True, slots=True)
class UniformNoiseDraw:
    op: ClassVar[str] = "uniform_noise"
    reach: ClassVar[int | None] = 0
    id: str
    amplitude_8bit: float
    mode: str
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        amplitude, key = self.amplitude_8bit / 255, int(self.key, 16)
        return add_uniform(image, amplitude, key, context.origin, gray=self.mode == "gray")


@dataclass(frozen=True, slots=True)
class SpatialNoiseDraw:
    """`reach` is 0: the white field is evaluated beyond the image, no pixel of the image is."""

    op: ClassVar[str] = "spatial_noise"
    reach: ClassVar[int | None] = 0
    id: str
    sigma_8bit: float
    correlation: float
    chroma: float
    key: str

    def apply(self, image: Image, context: Context) -> Image:
        sigma, key = self.sigma_8bit / 255, int(self.key, 16)
        return add_spatial_gaussian(image, sigma, self.correlation, self.chroma, key, context.origin)


@dataclass(frozen=True, slots=True)
class NoisePatchDraw:
    """(`y`, `x`) is the pixel of patch `index` that lies on the LR patch's first; `pool` is the pool's SHA-256."""

    op: ClassVar[str] = "noise_patch"
    reach: ClassVar[int | None] = 0
    id: str
    pool: str
    index: int
    y: int
    x: int
    flip_y: bool
    flip_x: bool
    strength: float

    def apply(self, image: Image, context: Context) -> Image:
        patch = assets.pool(self.pool).noise[self.index]
        last = 2 * patch.shape[0] - 1
        offset = last - self.y if self.flip_y else self.y, last - self.x if self.flip_x else self.x
        return add_noise_patch(image, patch, self.strength, offset, context.origin)


def _key(stream: StepStream, field: str) -> str:
    return f"{stream.key64(field):016x}"
