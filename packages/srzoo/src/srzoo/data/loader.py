"""Batch k of a run, made by a few threads ahead of time; any batch can be asked for, so resuming needs no replay.

Reading a pair takes about 14 us against tens of milliseconds of training, and `preadv` and NumPy's copies release the
interpreter, so threads suffice: no worker processes, no copies between them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from srzoo.data.augment import copy_oriented, draw, noise_key, stream_key
from srzoo.data.batch import PixelBatch, Pixels
from srzoo.data.order import SampleOrder
from srzoo.data.unpaired import RealCrops
from srzoo.errors import PresetError

_AHEAD = 3  # batches per worker


@dataclass(frozen=True)
class DataConfig:
    """What a batch holds.

    Attributes:
        needs: parts of a batch that the objective reads.
        patch: side of the HR crop in pixels, a multiple of the scale, at most the shards' patch.
        batch: pairs per step, over all ranks and parts together.
        accumulate: parts that a rank's rows go through the networks in, one after the other; their gradients add up.
        augment: mirror and turn at random (all eight orientations).
        where: which pairs take part, a condition on their traces (`where.py`); empty for all.
        shards: folders, each with `:weight` if it likes; the command line's replace them.
        validate: folders whose pairs validate, instead of sources held out of `shards`.
        real_lr: folders of a real camera's LR without HR, as photographs or as shards (`unpaired.py`).
    """

    patch: int
    batch: int
    needs: tuple[str, ...] = ("lr", "hr")
    accumulate: int = 1
    augment: bool = True
    where: str = ""
    shards: tuple[str, ...] = ()
    validate: tuple[str, ...] = ()
    real_lr: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.patch, self.batch, self.accumulate) < 1:
            numbers = f"{self.patch}, {self.batch}, {self.accumulate}"
            raise ValueError(f"patch, batch, accumulate: expected at least 1, got {numbers}")


class Pairs(Protocol):
    """The part of degrade's shard reader that training uses."""

    @property
    def lr_size(self) -> tuple[int, int]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def read(self, index: int) -> tuple[Pixels, Pixels]: ...


def check_patch(config: DataConfig, *, scale: int, lr_size: tuple[int, int]) -> int:
    """The side of the LR crop.

    Raises:
        PresetError: `config.patch` is no multiple of the scale, or larger than the shards' patches.
    """
    side, largest = config.patch // scale, min(lr_size)
    if config.patch % scale or not 0 < side <= largest:
        raise PresetError(
            "data.patch",
            f"{config.patch} HR pixels do not fit shards of {lr_size[0] * scale} x {lr_size[1] * scale}",
            f"use a multiple of {scale} up to {largest * scale}",
        )
    return side


def check_batch(config: DataConfig, *, world: int) -> int:
    """Rows of each rank.

    Raises:
        PresetError: the batch cannot be shared evenly.
    """
    if config.batch % (world * config.accumulate):
        shared = f"{world} processes" if world > 1 else ""
        parts = f"{config.accumulate} parts" if config.accumulate > 1 else ""
        raise PresetError(
            "data.batch",
            f"{config.batch} pairs over {' of '.join(filter(None, (shared, parts)))}",
            f"use a multiple of {world * config.accumulate}",
        )
    return config.batch // world


class Batches:
    """The batches of one stage, by step number.

    Args:
        order: which pair each sample is.
        stage: number of the stage in its run; each has its own crops.
        real_lr: unpaired LR crops of the pairs' LR size, if the data has any.
        rank, world: under torchrun each process makes its own rows of the same global batch.
    """

    def __init__(
        self,
        pairs: Pairs,
        order: SampleOrder,
        config: DataConfig,
        *,
        scale: int,
        seed: int,
        stage: int = 0,
        real_lr: RealCrops | None = None,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._side = check_patch(config, scale=scale, lr_size=pairs.lr_size)
        self._pairs, self._order, self._config, self._scale = pairs, order, config, scale
        self._key, self._real_lr = stream_key(seed, stage), real_lr
        self._rank, self._rows = rank, check_batch(config, world=world)

    def at(self, step: int) -> PixelBatch:
        """This rank's rows of the batch of `step` (1 is the first)."""
        first = (step - 1) * self._config.batch + self._rank * self._rows
        samples = range(first, first + self._rows)
        numbers = tuple(self._order.pair(sample) for sample in samples)
        shape = (self._rows, self._side, self._side, 3)
        lr = np.empty(shape, self._pairs.dtype)
        hr = np.empty((shape[0], shape[1] * self._scale, shape[2] * self._scale, 3), self._pairs.dtype)
        for row, number in enumerate(numbers):
            self._crop(number, first + row, lr[row], hr[row])
        keys = tuple(noise_key(self._key, sample) for sample in samples)
        real = None if self._real_lr is None else np.stack([self._real_lr.at(sample) for sample in samples])
        return PixelBatch(lr, hr, numbers, keys, real)

    def numbers(self, step: int) -> tuple[int, ...]:
        """The pairs of the batch of `step`, of all ranks."""
        first = (step - 1) * self._config.batch
        return tuple(self._order.pair(first + row) for row in range(self._config.batch))

    def stream(self, first: int, last: int, *, workers: int = 1) -> Generator[PixelBatch]:
        """The batches of steps first..last in order, made ahead by `workers` threads (0: in this one)."""
        if workers == 0:
            yield from (self.at(step) for step in range(first, last + 1))
            return
        pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
        waiting: deque[Future[PixelBatch]] = deque()
        try:
            for step in range(first, last + 1):
                waiting.append(pool.submit(self.at, step))
                if len(waiting) > _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _crop(self, number: int, sample: int, lr_out: Pixels, hr_out: Pixels) -> None:
        lr, hr = self._pairs.read(number)
        height, width = lr.shape[:2]  # its set's own
        place = draw(self._key, sample, rows=height - self._side + 1, columns=width - self._side + 1)
        turn = place.orientation if self._config.augment else 0
        y, x, side, scale = place.y, place.x, self._side, self._scale
        copy_oriented(lr[y : y + side, x : x + side], turn, lr_out)
        copy_oriented(hr[y * scale : (y + side) * scale, x * scale : (x + side) * scale], turn, hr_out)
