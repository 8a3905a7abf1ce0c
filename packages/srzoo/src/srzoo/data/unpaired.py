"""LR of a real camera without HR, from photographs or shards: crop n is a pure function of (seed, stage, n).

Decoding a photograph takes a thousand times longer than cutting a crop. So each visit to one gives several crops, and
the crops of several visits are shuffled: a batch sees many photographs, and one is decoded every few samples.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from degrade.shards.layout import MANIFEST_NAME
from degrade.shards.order import epoch_order
from degrade.shards.reader import ShardSet, open_shards
from degrade.sources.folder import scan
from degrade.sources.load import load
from degrade.sources.source import Source
from srzoo.data.augment import draw, oriented, stream_key
from srzoo.data.batch import Pixels
from srzoo.errors import UsageError

_CROPS = 16  # of each visit to a photograph; a shard's patch is read at once, and gives one
_VISITS = 8  # whose crops are shuffled among each other
_KEPT = 4 * _VISITS  # visits whose crops stay in memory; workers are at most a few batches apart


@dataclass(frozen=True)
class Photos:
    """Photographs in files, each content once, in the order of their SHA-256.

    Attributes:
        crops: cut in each visit.
    """

    sources: tuple[Source, ...]
    crops: int = _CROPS

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def digest(self) -> str:
        """SHA-256 that changes with any byte of any of them."""
        return hashlib.sha256("\n".join(source.sha256 for source in self.sources).encode()).hexdigest()

    def size(self, index: int) -> tuple[int, int]:
        """Height and width; 0 where the header cannot be read."""
        return self.sources[index].height, self.sources[index].width

    def read(self, index: int) -> Pixels:
        """(H, W, 3) uint8.

        Raises:
            ImageError: damaged, or no longer what was listed.
        """
        return load(self.sources[index])


@dataclass(frozen=True)
class Patches:
    """The LR patches of shards, as pictures like `Photos`."""

    shards: ShardSet
    crops: int = 1

    def __len__(self) -> int:
        return len(self.shards)

    @property
    def digest(self) -> str:
        return self.shards.digest

    def size(self, index: int) -> tuple[int, int]:
        return self.shards.lr_size

    def read(self, index: int) -> Pixels:
        return self.shards.read(index)[0]


RealSet = Photos | Patches


def open_real_lr(folders: Sequence[Path]) -> RealSet:
    """What lies in `folders`: photographs (files are taken, too), or finished sets of shards.

    Raises:
        UsageError: nothing there, both kinds, or shards that are gray or differ in kind.
        IntegrityError: damaged shards.
    """
    named = ", ".join(str(folder) for folder in folders)
    are_shards = [(folder / MANIFEST_NAME).is_file() for folder in folders]
    if any(are_shards):
        if not all(are_shards):
            raise UsageError(f"real_lr: {named}", "photographs and shards together", "give one kind")
        shards = open_shards(list(folders))
        if shards.colour != "rgb":
            raise UsageError(f"real_lr: {named}", f"{shards.colour} shards", "make them from colour pictures")
        return Patches(shards)
    found = scan(folders)
    if not found.sources:
        problem = f"no photograph here ({found.skipped[0].message})" if found.skipped else "no photograph here"
        raise UsageError(f"real_lr: {named}", problem, "give folders of real photographs, or shards")
    return Photos(tuple(found.sources))


def large_enough(pictures: RealSet, side: int) -> NDArray[np.int64]:
    """Rising numbers of the pictures that a crop of `side` x `side` pixels fits into.

    Raises:
        UsageError: there is none.
    """
    fits = [index for index in range(len(pictures)) if min(pictures.size(index)) >= side]
    if not fits:
        problem = f"none of {len(pictures)} pictures holds a crop of {side} x {side}"
        raise UsageError("data.real_lr", problem, "give larger ones, or use a smaller data.patch")
    return np.array(fits, np.int64)


class RealCrops:
    """Crops of `side` x `side` pixels, by number of the sample, in random orientations if `augment`.

    Every epoch visits each picture that is large enough once, in an order of its own. Threads may share it.
    """

    def __init__(self, pictures: RealSet, *, side: int, seed: int, stage: int = 0, augment: bool = True) -> None:
        self._pictures, self._side, self._augment = pictures, side, augment
        self._fits = large_enough(pictures, side)
        self._key = stream_key(seed, stage, "real_lr")
        self._orders = lru_cache(maxsize=4)(self._make_order)
        self._places = lru_cache(maxsize=4)(self._make_places)
        self._cut: OrderedDict[int, Pixels] = OrderedDict()
        self._lock = threading.Lock()  # held while a picture is decoded: once is enough

    def at(self, sample: int) -> Pixels:
        """(side, side, 3) of the picture's type."""
        visit, crop = self.place(sample)
        with self._lock:
            if visit not in self._cut:
                self._cut[visit] = self._crops(visit)
                while len(self._cut) > _KEPT:
                    self._cut.popitem(last=False)
            return self._cut[visit][crop]

    def place(self, sample: int) -> tuple[int, int]:
        """Number of the visit that gives `sample`, and which of its crops."""
        window, position = divmod(sample, _VISITS * self._pictures.crops)
        visit, crop = divmod(int(self._places(window)[position]), self._pictures.crops)
        return window * _VISITS + visit, crop

    def picture(self, visit: int) -> int:
        """Number of the picture that is visited."""
        epoch, position = divmod(visit, len(self._fits))
        return int(self._orders(epoch)[position])

    def _crops(self, visit: int) -> Pixels:
        pixels, side = self._pictures.read(self.picture(visit)), self._side
        height, width = pixels.shape[:2]
        crops = np.empty((self._pictures.crops, side, side, 3), pixels.dtype)
        for number, out in enumerate(crops):
            drawn = visit * self._pictures.crops + number
            place = draw(self._key, drawn, rows=height - side + 1, columns=width - side + 1)
            crop = pixels[place.y : place.y + side, place.x : place.x + side]
            out[...] = oriented(crop, place.orientation if self._augment else 0)
        return crops

    def _make_order(self, epoch: int) -> NDArray[np.int64]:
        return self._fits[epoch_order([len(self._fits)], self._key, epoch)]

    def _make_places(self, window: int) -> NDArray[np.int64]:
        return epoch_order([_VISITS * self._pictures.crops], self._key + 1, window)
