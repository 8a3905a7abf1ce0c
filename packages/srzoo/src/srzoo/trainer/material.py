"""What a stage trains on: its sets of shards opened and joined, filtered, and parted from what validates it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from degrade.shards.reader import ShardSet, open_shards
from srzoo.data import (
    DataConfig,
    Group,
    JoinedPairs,
    Patches,
    Photos,
    SampleOrder,
    SetChoice,
    Split,
    hold_out,
    matching,
    open_real_lr,
    parse_where,
    read_choice,
)
from srzoo.errors import UsageError
from srzoo.preset import WatchConfig
from srzoo.trainer.validation import Validator

DEFAULT_SHARDS = "shards"


@dataclass(frozen=True)
class Choices:
    """Which folders a stage reads, and which of their pairs; stages that choose alike share one `Material`."""

    train: tuple[SetChoice, ...]
    validate: tuple[Path, ...]
    where: str
    real_lr: tuple[Path, ...] = ()

    @property
    def is_mixed(self) -> bool:
        """Whether any set has a weight; without one, all pairs count alike."""
        return any(choice.weight is not None for choice in self.train)


@dataclass(frozen=True)
class Material:
    """Pairs, and which of them train and validate. The first `len(choices.train)` sets of `pairs` train.

    Attributes:
        real_lr: unpaired LR of a real camera, if any is given.
    """

    choices: Choices
    pairs: JoinedPairs
    split: Split
    validator: Validator
    sentences: tuple[str, ...]
    real_lr: Photos | Patches | None = None

    def order(self, seed: int) -> SampleOrder:
        """Which pair each sample of a run is."""
        sets = self.pairs.sets[: len(self.choices.train)]
        if not self.choices.is_mixed:
            return SampleOrder([Group(self.split.train, [size for one in sets for size in one.sizes])], seed=seed)
        groups = []
        for choice, one, first in zip(self.choices.train, sets, self.pairs.firsts, strict=False):
            own = _within(self.split.train, first, len(one))
            groups.append(Group(own - first, one.sizes, first, choice.weight or 1.0))
        return SampleOrder(groups, seed=seed)

    @property
    def facts(self) -> dict[str, object]:
        """What a later run on the same data must agree with, wherever its folders lie."""
        weights = [choice.weight or 1.0 for choice in self.choices.train] if self.choices.is_mixed else None
        facts: dict[str, object] = {"digest": self.pairs.digest, "weights": weights}
        facts["sets_that_validate"] = len(self.choices.validate)
        if self.real_lr is not None:
            facts["real_lr"] = self.real_lr.digest
        return facts

    @property
    def trained_on(self) -> list[str]:
        """The name and SHA-256 of each set, for whoever gets the model; not where it lay."""
        sets = zip(self.choices.train, self.pairs.sets, strict=False)
        named = [f"{choice.folder.resolve().name}: shards, SHA-256 {one.digest}" for choice, one in sets]
        if self.real_lr is not None:
            names = ", ".join(folder.resolve().name for folder in self.choices.real_lr)
            named.append(f"{names}: unpaired LR, SHA-256 {self.real_lr.digest}")
        return named


def choices_of(
    data: DataConfig, shards: Sequence[Path], validate: Sequence[Path], real_lr: Sequence[Path] = ()
) -> Choices:
    """The folders given on the command line, else those of the preset, else `./shards`.

    Raises:
        UsageError: a weight that cannot be.
    """
    train = tuple(read_choice(text) for text in (shards or data.shards or (DEFAULT_SHARDS,)))
    folders = [tuple(map(Path, given)) for given in (validate or data.validate, real_lr or data.real_lr)]
    return Choices(train, folders[0], data.where, folders[1])


def open_folder(folder: Path) -> ShardSet:
    """The set in `folder`.

    Raises:
        UsageError, IntegrityError: none there, not finished, damaged, or not in colour.
    """
    if not folder.exists():
        raise UsageError(folder, "no shards here", f"make some: degrade synth --recipe generic --out {folder}")
    found = open_shards(folder)
    if found.colour != "rgb":
        raise UsageError(folder, f"{found.colour} shards", "make them from colour pictures")
    return found


def prepare(choices: Choices, sets: Sequence[ShardSet], watch: WatchConfig) -> Material:
    """The material in `sets`, those that train first; all of one scale and pixel type.

    Raises:
        UsageError: no pair is left to train or to validate, a photograph in both, or a condition that cannot be met.
    """
    pairs = JoinedPairs(sets)
    count = len(choices.train)
    trains = np.arange(sum(len(one) for one in sets[:count]), dtype=np.int64)
    sentences = []
    if choices.where:
        fulfils = matching(parse_where(choices.where), pairs.traces(trains))
        trains = trains[fulfils]
        sentences.append(f"{len(trains)} of {len(fulfils)} pairs fulfil `{choices.where}`")
    split = _stated(pairs, trains, choices) if choices.validate else hold_out(pairs, trains)
    sentences.insert(0, f"{len(trains)} pairs; {split.sentence}")
    if choices.is_mixed:
        sentences.append(_mixture(choices, pairs, split))
    real_lr = open_real_lr(choices.real_lr) if choices.real_lr else None
    if real_lr is not None:
        folders = ", ".join(str(folder) for folder in choices.real_lr)
        sentences.append(f"unpaired LR: {len(real_lr)} pictures of {folders}")
    validator = Validator(pairs, split.held_out, watch=watch, scale=pairs.scale)
    return Material(choices, pairs, split, validator, tuple(sentences), real_lr)


def _stated(pairs: JoinedPairs, trains: NDArray[np.int64], choices: Choices) -> Split:
    """The sets of `--validate` validate, and share no photograph with those that train."""
    held_out = np.arange(pairs.firsts[len(choices.train)], len(pairs), dtype=np.int64)
    numbers = pairs.source_numbers()
    both = np.intersect1d(numbers[trains], numbers[held_out])
    if both.size:
        shown = pairs.sources()[int(both[0])]["path"]
        raise UsageError(
            ", ".join(str(folder) for folder in choices.validate),
            f"{both.size} of its sources train, too, among them {shown}",
            "validate on photographs that no training set has",
        )
    sentence = f"{len(held_out)} of {', '.join(str(folder) for folder in choices.validate)} validate"
    return Split(trains, held_out, sentence)


def _mixture(choices: Choices, pairs: JoinedPairs, split: Split) -> str:
    total = sum(choice.weight or 1.0 for choice in choices.train)
    shares = []
    for choice, one, first in zip(choices.train, pairs.sets, pairs.firsts, strict=False):
        own = len(_within(split.train, first, len(one)))
        if not own:
            raise UsageError(
                choice.folder, "none of its pairs is left to train", "use --validate, a wider --where, or more sources"
            )
        shares.append(f"{100 * (choice.weight or 1.0) / total:.3g} % from {choice.folder} ({own} pairs)")
    return f"samples: {', '.join(shares)}"


def _within(numbers: NDArray[np.int64], first: int, count: int) -> NDArray[np.int64]:
    return numbers[(numbers >= first) & (numbers < first + count)]
