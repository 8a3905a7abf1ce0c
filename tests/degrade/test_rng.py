"""Philox against its published vectors; streams that do not depend on the order of asking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from degrade import rng
from degrade.rng import Stream, philox, source_key

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("key", "counter", "expected"),
    [  # Random123's known answers for philox4x32-10
        ((0, 0), (0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES, ONES), (ONES, ONES, ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0xA4093822, 0x299F31D0),
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_words(key: tuple[int, ...], counter: tuple[int, ...], expected: tuple) -> None:
    words = philox(*(np.uint64(word) for word in (*key, *counter)))
    assert tuple(int(word) for word in words) == expected


@given(st.integers(0, 2**64 - 1), st.tuples(*[st.integers(0, 2**32 - 1)] * 4))
def test_block_is_the_same_as_philox_on_the_key_s_two_halves(key: int, counter: tuple[int, int, int, int]) -> None:
    words = [int(w) for w in philox(np.uint64(key & ONES), np.uint64(key >> 32), *(np.uint64(c) for c in counter))]
    assert rng.block(key, counter) == ((words[0] << 32) | words[1], (words[2] << 32) | words[3])


def test_a_field_does_not_depend_on_what_else_is_drawn() -> None:
    stream = Stream(source_key(0, "ab"), patch=3, variant=1)
    alone = stream.step("blur0").uniform("sigma")
    other = stream.step("blur0")
    other.uniform("beta")
    stream.step("noise0").key64("noise")
    assert other.uniform("sigma") == alone


def test_every_part_of_the_address_changes_the_number() -> None:
    drawn = [
        Stream(key, patch, variant).step(step).uniform(field)
        for key in (1, 2)
        for patch in (0, 1)
        for variant in (0, 1)
        for step in ("a", "b")
        for field in ("x", "y")
    ]
    assert len(set(drawn)) == len(drawn)


def test_source_key_is_pinned() -> None:
    """A changed key would silently change every data set made so far."""
    assert source_key(0, "00" * 32) == 0x53DAAB1C8590F4AB
    assert source_key(1, "00" * 32) != source_key(0, "00" * 32)


def test_uniform_and_normal_draws_follow_their_laws() -> None:
    steps = [Stream(7, patch).step("s") for patch in range(4000)]
    assert stats.kstest([step.uniform("u", 2.0, 5.0) for step in steps], "uniform", (2, 3)).pvalue > 1e-3
    assert stats.kstest([step.normal("n") for step in steps], "norm").pvalue > 1e-3
    counts = np.bincount([step.choice("c", (1.0, 0.0, 3.0)) for step in steps], minlength=3)
    assert counts[1] == 0
    assert stats.chisquare(counts[[0, 2]], [1000, 3000]).pvalue > 1e-3
    assert {step.integer("i", 3) for step in steps} == {0, 1, 2}
