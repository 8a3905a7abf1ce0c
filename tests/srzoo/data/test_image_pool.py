"""The pool's law, told again with a list; and its coin and place against chance."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from degrade.rng import block, name_word
from srzoo.data.image_pool import chance, through_pool


def fakes(*values: float) -> Tensor:
    return torch.stack([torch.full((3, 2, 2), value) for value in values]).to(memory_format=torch.channels_last)


def values(pictures: Tensor) -> list[float]:
    return [picture.unique().item() for picture in pictures]


def run(count: int, batch: int, *, size: int, purpose: str = "critic") -> tuple[list[float], Tensor | None]:
    """What is shown of pictures 0, 1, 2, ... with keys of their own, in batches; and the last pool."""
    shown, pool = [], None
    for first in range(0, count, batch):
        rows = range(first, min(first + batch, count))
        keys = [1000 + row for row in rows]
        some, pool = through_pool(pool, fakes(*rows), keys, size=size, purpose=purpose)
        shown += values(some)
    return shown, pool


def test_it_fills_first_then_returns_and_replaces_or_passes() -> None:
    size, count = 5, 60
    shown, pool = run(count, 1, size=size)
    stored, swaps = [float(row) for row in range(size)], 0
    assert shown[:size] == stored
    for row in range(size, count):
        coin, place = block(1000 + row, (0, 0, name_word("critic"), 0))
        if coin >> 63:
            index = ((place & 0xFFFFFFFF) * size) >> 32
            assert shown[row] == stored[index]
            stored[index], swaps = float(row), swaps + 1
        else:
            assert shown[row] == row
    assert pool is not None
    assert values(pool) == stored
    assert 15 < swaps < 40  # of 55: half of them


def test_the_coin_is_fair_and_every_place_is_taken_as_often() -> None:
    size, count = 4, 1000
    full, new, swapped, taken = fakes(*range(size)), fakes(-1.0), 0, [0] * size
    for key in range(count):
        shown, pool = through_pool(full.clone(), new, [key], size=size, purpose="critic")
        swapped += shown[0, 0, 0, 0].item() != -1
        for index, value in enumerate(pool[:, 0, 0, 0].tolist()):
            taken[index] += value == -1
    assert swapped == sum(taken)
    assert swapped == pytest.approx(count / 2, abs=4 * (count / 4) ** 0.5)  # 4 sigma
    expected = swapped / size
    assert sum((one - expected) ** 2 / expected for one in taken) < 16.3  # chi squared, 3 degrees, p = 0.001


@pytest.mark.parametrize("batch", [2, 7, 60])
def test_the_batch_changes_nothing_and_a_pool_may_fill_within_one(batch: int) -> None:
    alone, together = run(60, 1, size=5), run(60, batch, size=5)
    assert alone[0] == together[0]
    assert alone[1] is not None
    assert together[1] is not None
    assert torch.equal(alone[1], together[1])


def test_pools_of_another_purpose_draw_otherwise_from_the_same_keys() -> None:
    assert run(60, 1, size=5)[0] != run(60, 1, size=5, purpose="other")[0]


def test_a_pool_of_none_shows_every_fake() -> None:
    shown, pool = run(9, 3, size=0)
    assert shown == list(range(9))
    assert pool is not None
    assert len(pool) == 0


def test_what_is_shown_holds_no_graph_and_is_no_view_of_the_pool() -> None:
    leaf = fakes(1.0, 2.0).requires_grad_()
    shown, pool = through_pool(None, leaf * 2, (1, 2), size=2, purpose="critic")
    assert not shown.requires_grad
    assert not pool.requires_grad
    assert pool.is_contiguous()  # as torch.distributed wants it
    shown.zero_()
    assert values(pool) == [2.0, 4.0]


def test_a_chance_is_uniform_and_its_own_for_each_purpose() -> None:
    numbers = torch.tensor([chance(key << 32, "mix") for key in range(4000)])
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert numbers.mean().item() == pytest.approx(0.5, abs=4 * (1 / 12 / 4000) ** 0.5)
    assert chance(5, "mix") != chance(5, "other")
