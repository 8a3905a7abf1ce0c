from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from degrade.shards.reader import open_shards
from srzoo.data import JoinedPairs, SetChoice, hold_out, read_choice
from srzoo.errors import UsageError

Writer = Callable[..., Path]


def test_a_choice_is_a_folder_with_a_weight_if_it_likes(tmp_path: Path) -> None:
    assert read_choice("shards/photos") == SetChoice(Path("shards/photos"))
    assert read_choice(Path("shards/photos:2.5")) == SetChoice(Path("shards/photos"), 2.5)
    assert read_choice("photos:new") == SetChoice(Path("photos:new"))
    assert str(read_choice("a:3")) == "a:3"
    (tmp_path / "odd:3").mkdir()
    assert read_choice(tmp_path / "odd:3") == SetChoice(tmp_path / "odd:3")  # a folder of that name comes first
    for weight in ("0", "-1", "inf", "nan"):
        with pytest.raises(UsageError, match="above 0"):
            read_choice(f"shards:{weight}")


@pytest.fixture
def joined(tmp_path: Path, shard_writer: Writer) -> JoinedPairs:
    """Three sets: 24 pairs; 12 larger ones of other photographs; 8 of the photographs of the first."""
    folders = [
        shard_writer(tmp_path / "one"),
        shard_writer(tmp_path / "larger", num_pairs=12, num_sources=3, seed=1, side=24, traces=[{"n": 1}, {"n": 2}]),
        shard_writer(tmp_path / "same", num_pairs=8, num_sources=4),
    ]
    return JoinedPairs([open_shards(folder) for folder in folders])


def test_pairs_of_all_sets_follow_each_other(joined: JoinedPairs) -> None:
    assert (len(joined), joined.firsts) == (44, [0, 24, 36])
    assert (joined.hr_size, joined.lr_size, joined.scale) == ((16, 16), (8, 8), 2)
    for number, one, row in ((0, 0, 0), (23, 0, 23), (24, 1, 0), (35, 1, 11), (43, 2, 7)):
        lr, hr = joined.read(number)
        np.testing.assert_array_equal(hr, joined.sets[one].read(row)[1])
        np.testing.assert_array_equal(lr, joined.sets[one].read(row)[0])
        assert joined[number].id == joined.sets[one][row].id
        assert joined.hr_row(number) == joined.sets[one].hr_row(row)
    assert [trace.get("n") for trace in joined.traces(np.array([1, 24, 25, 40]))] == [None, 1, 2, None]


def test_many_pairs_are_read_in_the_size_that_all_have(joined: JoinedPairs) -> None:
    lr, hr = joined.read_many([30, 2])
    assert (lr.shape, hr.shape) == ((2, 8, 8, 3), (2, 16, 16, 3))
    np.testing.assert_array_equal(hr[0], joined.read(30)[1][:16, :16])
    np.testing.assert_array_equal(lr[0], joined.read(30)[0][:8, :8])


def test_a_photograph_in_two_sets_is_one_source(joined: JoinedPairs) -> None:
    assert len(joined.sources()) == 6 + 3
    for number in range(len(joined)):
        assert joined.sources()[joined.source_numbers()[number]]["sha256"] == joined[number].source
    split = hold_out(joined)
    trains, validates = ({joined[int(n)].source for n in numbers} for numbers in (split.train, split.held_out))
    assert not trains & validates


def test_the_digest_follows_every_set_and_their_order(joined: JoinedPairs) -> None:
    one, larger, same = joined.sets
    assert JoinedPairs([one]).digest == one.digest
    assert len({JoinedPairs(sets).digest for sets in ([one], [one, larger], [larger, one], [one, same])}) == 4
