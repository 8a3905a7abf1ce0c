"""Batch k of a run, made by a few threads ahead of time; any batch can be asked for, so resuming needs no replay.

Reading a pair takes about 14 us against tens of milliseconds of training, and `preadv` and NumPy's copies release the
interpreter, so threads suffice: no worker processes, no copies between them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from degrade.shards.order import epoch_order
from srzoo.data.augment import copy_oriented, draw, stream_key
from srzoo.data.batch import PixelBatch, Pixels
from srzoo.errors import PresetError

_AHEAD = 3  # batches per worker


@dataclass(frozen=True)
class DataConfig:
    """What a batch holds.

    Attributes:
        needs: parts of a batch that the objective reads.
        patch: side of the HR crop in pixels, a multiple of the scale, at most the shards' patch.
        batch: pairs per step, over all ranks together.
        augment: mirror and turn at random (all eight orientations).
    """

    patch: int
    batch: int
    needs: tuple[str, ...] = ("lr", "hr")
    augment: bool = True

    def __post_init__(self) -> None:
        if self.patch < 1 or self.batch < 1:
            raise ValueError(f"patch, batch: expected at least 1, got {self.patch}, {self.batch}")


class Pairs(Protocol):
    """The part of degrade's shard reader that training uses."""

    @property
    def lr_size(self) -> tuple[int, int]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def read(self, index: int) -> tuple[Pixels, Pixels]: ...

    @property
    def sizes(self) -> Sequence[int]: ...


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


class Batches:
    """The batches of one stage, by step number.

    Args:
        train: numbers of the pairs that may train.
        stage: number of the stage in its run; each has its own crops.
        rank, world: under torchrun each process makes its own rows of the same global batch.
    """

    def __init__(
        self,
        pairs: Pairs,
        train: NDArray[np.int64],
        config: DataConfig,
        *,
        scale: int,
        seed: int,
        stage: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        side = check_patch(config, scale=scale, lr_size=pairs.lr_size)
        height, width = pairs.lr_size
        if config.batch % world:
            raise PresetError(
                "data.batch", f"{config.batch} pairs over {world} processes", f"use a multiple of {world}"
            )
        self._pairs, self._config, self._scale, self._side = pairs, config, scale, side
        self._places = (height - side + 1, width - side + 1)
        self._seed, self._key = seed, stream_key(seed, stage)
        self._rank, self._rows = rank, config.batch // world
        self._is_training = np.zeros(int(train.max()) + 1, dtype=bool)
        self._is_training[train] = True
        self._train_count = len(train)
        self._order = lru_cache(maxsize=2)(self._make_order)

    def at(self, step: int) -> PixelBatch:
        """This rank's rows of the batch of `step` (1 is the first)."""
        first = (step - 1) * self._config.batch + self._rank * self._rows
        numbers = tuple(self._pair(first + row) for row in range(self._rows))
        shape = (self._rows, self._side, self._side, 3)
        lr = np.empty(shape, self._pairs.dtype)
        hr = np.empty((shape[0], shape[1] * self._scale, shape[2] * self._scale, 3), self._pairs.dtype)
        for row, number in enumerate(numbers):
            self._crop(number, first + row, lr[row], hr[row])
        return PixelBatch(lr, hr, numbers)

    def numbers(self, step: int) -> tuple[int, ...]:
        """The pairs of the batch of `step`, of all ranks."""
        first = (step - 1) * self._config.batch
        return tuple(self._pair(first + row) for row in range(self._config.batch))

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

    def _pair(self, sample: int) -> int:
        epoch, position = divmod(sample, self._train_count)
        return int(self._order(epoch)[position])

    def _make_order(self, epoch: int) -> NDArray[np.int64]:
        order = epoch_order(self._pairs.sizes, self._seed, epoch)
        order = order[order < len(self._is_training)]
        return order[self._is_training[order]]

    def _crop(self, number: int, sample: int, lr_out: Pixels, hr_out: Pixels) -> None:
        lr, hr = self._pairs.read(number)
        place = draw(self._key, sample, rows=self._places[0], columns=self._places[1])
        turn = place.orientation if self._config.augment else 0
        y, x, side, scale = place.y, place.x, self._side, self._scale
        copy_oriented(lr[y : y + side, x : x + side], turn, lr_out)
        copy_oriented(hr[y * scale : (y + side) * scale, x * scale : (x + side) * scale], turn, hr_out)
