"""Which LR belongs to which HR, and what a set is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from srzoo.errors import UsageError
from srzoo.evaluate import Pair, find_pairs, find_set


def test_partners_are_found_by_name(folder: Callable[..., Path]) -> None:
    hr = folder("hr", ["img_001_SRF_4_HR.png", "0801.png", "plain.png", "sub/plain.png", "wide_x4.png"])
    lr = folder("lr", ["img_001_SRF_4_LR.png", "0801x4.png", "plain.bmp", "sub/plain.png", "wide.jpg"], size=(8, 10))
    pairs = find_pairs(hr, lr, scale=4)
    assert [(pair.name, str(pair.lr.relative_to(lr))) for pair in pairs if pair.lr is not None] == [
        ("0801.png", "0801x4.png"),
        ("img_001_SRF_4_HR.png", "img_001_SRF_4_LR.png"),
        ("plain.png", "plain.bmp"),
        ("wide_x4.png", "wide.jpg"),
        ("sub/plain.png", "sub/plain.png"),
    ]
    one, other = hr / "0801.png", lr / "plain.bmp"
    assert find_pairs(one, other, scale=4) == [Pair("0801.png", one, other)]
    assert find_pairs(one, scale=4) == [Pair("0801.png", one)]


def test_what_does_not_pair_stops_with_one_line(folder: Callable[..., Path], tmp_path: Path) -> None:
    hr, lr = folder("hr", ["a.png", "b.png"]), folder("lr", ["a.png"], size=(16, 20))
    with pytest.raises(UsageError, match=r"lr: no partner for b\.png - give both folders the same names"):
        find_pairs(hr, lr, scale=2)
    with pytest.raises(UsageError, match=r"a\.png and a_HR\.png are the same by name"):
        find_pairs(folder("twice", ["a.png", "a_HR.png"]), scale=2)
    with pytest.raises(UsageError, match=r"nowhere: no such folder"):
        find_pairs(tmp_path / "nowhere", scale=2)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no pictures in this folder"):
        find_pairs(tmp_path / "empty", scale=2)


@pytest.mark.parametrize("place", ["Set5/x4/HR", "Set5/HR", "Set5/image_SRF_4", "Set5", "Set5/test/x4/GT"])
def test_a_set_is_called_by_what_tells_it_from_others(folder: Callable[..., Path], place: str) -> None:
    assert find_set(folder(place, ["a.png"]), scale=4).name == "Set5"
    assert find_set(folder(place, ["a.png"]), scale=4, name="mine").name == "mine"
