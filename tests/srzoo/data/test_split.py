import hashlib
from dataclasses import dataclass

import numpy as np
import pytest

from degrade.shards.layout import SourceRow
from srzoo.data.split import hold_out
from srzoo.errors import UsageError


@dataclass
class Listed:
    """A source per pair."""

    names: list[str]

    variants: int = 1

    def __len__(self) -> int:
        return len(self.names)

    def _known(self) -> list[str]:
        return list(dict.fromkeys(self.names))

    def sources(self) -> list[SourceRow]:
        digests = [hashlib.sha256(name.encode()).hexdigest() for name in self._known()]
        return [SourceRow(root="", path="", sha256=digest, height=9, width=9) for digest in digests]

    def source_numbers(self) -> np.ndarray:
        return np.array([self._known().index(name) for name in self.names], np.int32)

    def hr_row(self, index: int) -> int:
        return index // self.variants


@pytest.mark.parametrize(("sources", "held_out"), [(2, 1), (3, 1), (20, 1), (100, 5)])
def test_whole_sources_validate_about_one_in_twenty_and_never_all(sources: int, held_out: int) -> None:
    pairs = Listed([f"photo{number % sources}" for number in range(sources * 7)])
    split = hold_out(pairs)
    train = {pairs.names[index] for index in split.train}
    validation = {pairs.names[index] for index in split.held_out}
    assert not train & validation
    assert len(validation) == held_out
    assert len(split.held_out) == 7 * held_out
    assert sorted([*split.train, *split.held_out]) == list(range(len(pairs)))


def test_the_choice_depends_on_the_photographs_not_on_their_order() -> None:
    names = [f"photo{number}" for number in range(60)]
    forward, backward = Listed(names), Listed(names[::-1])
    chosen = {names[index] for index in hold_out(forward).held_out}
    assert chosen == {backward.names[index] for index in hold_out(backward).held_out}


def test_a_single_source_gives_its_last_pairs_and_says_so() -> None:
    split = hold_out(Listed(["photo"] * 40))
    assert list(split.held_out) == [38, 39]
    assert list(split.train) == list(range(38))
    assert "one source" in split.sentence


def test_variants_of_a_patch_are_never_parted() -> None:
    split = hold_out(Listed(["photo"] * 40, variants=5))
    assert list(split.held_out) == [35, 36, 37, 38, 39]


def test_a_single_patch_is_refused() -> None:
    with pytest.raises(UsageError, match="single patch"):
        hold_out(Listed(["photo"] * 3, variants=3))


def test_only_the_pairs_that_take_part_are_parted() -> None:
    pairs = Listed([f"photo{number % 40}" for number in range(400)])
    among = np.flatnonzero(np.arange(400) % 40 < 10)  # of ten photographs
    split = hold_out(pairs, among)
    assert sorted([*split.train, *split.held_out]) == list(among)
    assert len({pairs.names[index] for index in split.held_out}) == 1
    alone = hold_out(pairs, np.flatnonzero(np.arange(400) % 40 == 3))
    assert "one source" in alone.sentence
    assert len(alone.held_out) == 1
