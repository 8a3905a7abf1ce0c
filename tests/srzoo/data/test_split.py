import hashlib
from dataclasses import dataclass

import pytest

from srzoo.data.split import hold_out
from srzoo.errors import UsageError


@dataclass
class Listed:
    """A source per pair."""

    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def source(self, index: int) -> str:
        return hashlib.sha256(self.names[index].encode()).hexdigest()


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


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(UsageError, match="1 pairs"):
        hold_out(Listed(["photo"]))
