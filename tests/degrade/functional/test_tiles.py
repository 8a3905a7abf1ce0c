"""Tiles cover a picture once and begin on blocks; a frame makes whole blocks of it and comes off again."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.functional.tiles import Framed, divided, tiles


@pytest.mark.parametrize("size", [(64, 64), (100, 36), (4, 260)])
def test_what_is_kept_covers_the_picture_once(size: tuple[int, int]) -> None:
    covered = np.zeros(size, int)
    for tile in tiles(*size, side=30, overlap=7, multiple=4):
        covered[tile.kept] += 1
        for taken, kept, length in zip(tile.taken, tile.kept, size, strict=True):
            assert taken.start % 4 == 0
            assert taken.start == max(0, kept.start - 8)  # 7 rounded up to blocks
            assert taken.stop == min(length, kept.stop + 8)
    assert (covered == 1).all()


def test_a_filter_in_tiles_with_its_reach_gives_the_whole() -> None:
    image = np.random.default_rng(0).random((50, 70))
    whole, tiled = box(image), np.empty_like(image)
    for tile in tiles(50, 70, side=16, overlap=2):
        (top, left), (rows, columns) = (part.start for part in tile.taken), tile.kept
        inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        tiled[tile.kept] = box(image[tile.taken])[inner]
    np.testing.assert_array_equal(tiled, whole)


def box(image: np.ndarray) -> np.ndarray:
    """5 x 5, zeros around."""
    padded = np.pad(image, 2)
    return sum(padded[i : i + image.shape[0], j : j + image.shape[1]] for i in range(5) for j in range(5))


@pytest.mark.parametrize(("origin", "height"), [((-5, 0), 9), ((3, 8), 8), ((0, -8), 16)])
def test_a_frame_begins_and_ends_on_blocks_and_comes_off(origin: tuple[int, int], height: int) -> None:
    image = np.random.default_rng(0).random((height, 12, 3), np.float32)
    framed = Framed.of(image, origin, 4)
    assert [value % 4 for value in (*framed.origin, *framed.image.shape[:2])] == [0] * 4
    assert framed.image.shape[0] - height < 8
    np.testing.assert_array_equal(framed.cut(framed.image, 1), image)
    np.testing.assert_array_equal(framed.image[framed.inside], image)
    before = framed.inside[0].start
    np.testing.assert_array_equal(framed.image[:before], framed.image[before : 2 * before][::-1])


def test_a_window_at_half_size() -> None:
    assert divided((slice(4, 10), slice(0, 6)), 2) == (slice(2, 5), slice(0, 3))
