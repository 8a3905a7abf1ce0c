"""What a recipe may say of a learned step, and the step itself: the inputs of its model, frames, batches and tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from degrade import assets
from degrade.assets import ModelFile, ReferenceFolder
from degrade.card import Card, ReferenceInput
from degrade.functional.color import luma
from degrade.functional.noise_field import normal_maps
from degrade.functional.tiles import Framed, Window, divided, tiles
from degrade.image import mirrored, to_float
from degrade.ops.learned.model import Device, card_of, forward
from degrade.ops.protocol import Context, Distribution, Draw, Image, Waiting
from degrade.rng import StepStream

TILE_SIDE = 768  # of what is kept of a tile
# In one call at most. On a CPU the tensors of larger ones outgrow what the allocator keeps, and a pair takes longer.
BATCH_PIXELS: dict[Device, int] = {"cpu": 1 << 14, "cuda": 1 << 21}

_ONE = Distribution(1.0)


@dataclass(frozen=True)
class Learned:
    """A degrader learned from photographs: a `.pt` file that `srzoo export-degrader` wrote.

    The file's card says whether the step makes LR (scale above 1) or keeps the size, and what it takes beside the
    image. It runs only if its code passes a gate and its SHA-256 is trusted (`degrade trust`). A gray image goes in as
    RGB, and the luma of the result comes out. Values are clipped to [0, 1] before, not after.

    Attributes:
        model: the file, or the name of one that comes with degrade.
        noise: factor of the standard deviation of the noise that the model takes.
        reference: folder of real LR photographs, if the model takes one as an example: a random crop of a random one,
            mirrored at its edges.
        device: what it runs on; bits are repeated on the same kind of device only.
        scale: set by the run; a recipe never states it.
    """

    model: ModelFile
    scale: int
    noise: Distribution = _ONE
    reference: ReferenceFolder | None = None
    device: Device = "cpu"

    def __post_init__(self) -> None:
        """Raises IntegrityError if the file is no degrader, or (UnsafeFileError) refused."""
        self.noise.require(0, name="noise")
        card, kinds = self.card, [given.kind for given in self.card.inputs]
        if card.scale not in (1, self.scale):
            raise ValueError(f"expected a model of scale {self.scale} or 1, '{card.name}' makes 1/{card.scale}")
        if kinds.count("reference") > 1:
            raise ValueError(f"expected a model that takes one reference at most, '{card.name}' takes more")
        if ("reference" in kinds) != (self.reference is not None):
            has = "takes a reference: name a folder of" if self.reference is None else "takes no reference, but got"
            raise ValueError(f"model '{card.name}' {has} real LR photographs")
        if "noise" not in kinds and self.noise != _ONE:
            raise ValueError(f"model '{card.name}' takes no noise, so `noise` says nothing")

    @property
    def card(self) -> Card:
        return card_of(self.model.sha256)

    @property
    def batch(self) -> int:
        """How many images may be run at once."""
        return self.card.batch

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        noise = key = reference = y = x = None
        if any(given.kind == "noise" for given in self.card.inputs):
            noise, key = self.noise.draw(stream, "noise"), f"{stream.key64('field'):016x}"
        if self.reference is not None:
            photos = assets.references(self.reference.sha256)
            photo = photos[stream.integer("photo", len(photos))]
            reference, y, x = photo.sha256, stream.integer("y", photo.height), stream.integer("x", photo.width)
        return (LearnedDraw(id, self.model.sha256, noise, key, reference, y, x, self.device),)


@dataclass(frozen=True, slots=True)
class LearnedDraw:
    """`model` and `reference` are SHA-256; (`y`, `x`) is the reference's pixel that lies on the LR patch's first.

    What the model does not take is None. `reach` is None: the model needs its whole window, whose first pixel decides
    where blocks of pixels begin.
    """

    op: ClassVar[str] = "learned"
    reach: ClassVar[int | None] = None
    id: str
    model: str
    noise: float | None
    key: str | None
    reference: str | None
    y: int | None
    x: int | None
    device: Device

    @property
    def batch_key(self) -> tuple[str, str]:
        return self.model, self.device

    def apply(self, image: Image, context: Context) -> Image:
        """Not clipped."""
        return self.apply_batch([Waiting(self, image, context)])[0]

    @staticmethod
    def apply_batch(waiting: Sequence[Waiting[LearnedDraw]]) -> list[Image]:
        """The results for images of one shape and origin that wait for one model: each to the bit what it is alone."""
        card = card_of(waiting[0].draw.model)
        jobs = [_Job(one.draw, Framed.of(one.image, one.context.origin, card.multiple)) for one in waiting]
        height, width, channels = jobs[0].framed.image.shape
        if height * width > TILE_SIDE**2 and card.receptive_field != "whole":
            made = [_in_tiles(job, card, card.receptive_field) for job in jobs]
        else:
            size = max(1, min(card.batch, BATCH_PIXELS[waiting[0].draw.device] // (height * width)))
            groups = (jobs[start : start + size] for start in range(0, len(jobs), size))
            made = [lr for group in groups for lr in _run(group, card, (slice(0, height), slice(0, width)))]
        cut = [job.framed.cut(lr, card.scale) for job, lr in zip(jobs, made, strict=True)]
        return [luma(lr) for lr in cut] if channels == 1 else cut


@dataclass(frozen=True, slots=True)
class _Job:
    """An image in its frame, and what was drawn for it."""

    draw: LearnedDraw
    framed: Framed


def _in_tiles(job: _Job, card: Card, overlap: int) -> Image:
    height, width = job.framed.image.shape[:2]
    lr = np.empty((height // card.scale, width // card.scale, 3), np.float32)
    for tile in tiles(height, width, side=TILE_SIDE, overlap=overlap, multiple=card.multiple):
        (made,) = _run([job], card, tile.taken)
        top, left = (part.start for part in tile.taken)
        rows, columns = tile.kept
        inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        lr[divided(tile.kept, card.scale)] = made[divided(inner, card.scale)]
    return lr


def _run(jobs: Sequence[_Job], card: Card, window: Window) -> list[Image]:
    """What the model makes of the part `window` of each, (h, w, 3)."""
    images = [np.clip(job.framed.image[window], 0, 1).transpose(2, 0, 1) for job in jobs]
    given = [[image.repeat(3, 0) if len(image) == 1 else image for image in images]]
    height, width = images[0].shape[1:]
    places = [(job.framed.origin[0] + window[0].start, job.framed.origin[1] + window[1].start) for job in jobs]
    small = height // card.scale, width // card.scale
    num_channels = 0  # of noise, those before
    for wanted in card.inputs:
        if isinstance(wanted, ReferenceInput):
            lr_places = [(y // card.scale, x // card.scale) for y, x in places]
            given.append([_reference(job.draw, place, small) for job, place in zip(jobs, lr_places, strict=True)])
        else:
            shape = num_channels + wanted.channels, height, width
            maps = [_noise(job.draw, place, shape, wanted.sigma) for job, place in zip(jobs, places, strict=True)]
            given.append([noise[num_channels:] for noise in maps])
            num_channels += wanted.channels
    made = forward(jobs[0].draw.model, jobs[0].draw.device, given, small)
    return list(made.transpose(0, 2, 3, 1))


def _noise(draw: LearnedDraw, place: tuple[int, int], shape: tuple[int, int, int], sigma: float) -> NDArray[np.float32]:
    """(channels, H, W), of a window whose first pixel is at `place`."""
    assert draw.key is not None
    assert draw.noise is not None
    return normal_maps(int(draw.key, 16), *place, shape) * np.float32(draw.noise * sigma)


def _reference(draw: LearnedDraw, place: tuple[int, int], shape: tuple[int, int]) -> NDArray[np.float32]:
    """(3, h, w): of the photograph what lies on an LR window of that shape, whose first pixel is at `place`."""
    assert draw.reference is not None
    assert draw.y is not None
    assert draw.x is not None
    photo, (y, x) = assets.reference(draw.reference), (draw.y + place[0], draw.x + place[1])
    rows, columns = mirrored(y, y + shape[0], photo.shape[0]), mirrored(x, x + shape[1], photo.shape[1])
    return to_float(photo[rows[:, None], columns]).transpose(2, 0, 1)
