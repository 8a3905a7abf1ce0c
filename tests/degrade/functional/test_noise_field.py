"""The words of a pixel are Philox's, and depend on nothing but key and place."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.functional.noise_field import bands, normal_maps, random_words, unit_normals
from degrade.rng import philox


@pytest.mark.parametrize("key", [2**64 - 3, 17])
def test_the_vectorised_words_are_philox_s(key: int) -> None:
    words = random_words(key, -1, 2, 1, 2, 3)
    for i in range(6):
        pixel = (((-1 + i // 3) & 0xFFFF) << 16) | (i % 3 + 2)
        low, high = np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32)
        expected = philox(low, high, np.uint64(pixel), np.uint64(1), np.uint64(0), np.uint64(0))
        assert [int(w) for w in words[:, i]] == [int(w) for w in expected]


def test_fewer_rows_of_normals_are_the_first_of_all() -> None:
    np.testing.assert_array_equal(unit_normals(5, 0, 0, 6, 7, rows=2), unit_normals(5, 0, 0, 6, 7)[:2])


def test_maps_of_more_channels_than_words_take_further_blocks() -> None:
    maps = normal_maps(5, -3, 2, (6, 40, 50))
    np.testing.assert_array_equal(maps[:4].reshape(4, -1), unit_normals(5, -3, 2, 40, 50))
    np.testing.assert_array_equal(maps[4:].reshape(2, -1), unit_normals(5, -3, 2, 40, 50, attempt=1)[:2])
    np.testing.assert_array_equal(normal_maps(5, 0, 9, (6, 30, 30)), maps[:, 3:33, 7:37])  # by place
    assert np.abs(np.corrcoef(maps.reshape(6, -1)) - np.eye(6)).max() < 0.1


def test_more_channels_than_words_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 4 channels, got 5"):
        bands(np.zeros((2, 2, 5), np.float32))
