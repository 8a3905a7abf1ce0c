"""When tiles are exact, when they are blended, and what that costs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from srzoo.upscale.layout import BLENDED_OVERLAP, WORTH_EXACTNESS, Layout, choose
from srzoo.upscale.tiles import spans

PHOTO = (3000, 4000)
RRDB, PLKSR, COMPACT, COMPACT_32, EDSR, RRDB_6 = 349, 310, 18, 34, 36, 94


def memory(pixels: int) -> Callable[[], int]:
    return lambda: pixels


def not_asked() -> int:
    pytest.fail("asked how much fits the memory")


def work(layout: Layout, height: int, width: int) -> float:
    """LR pixels run, per pixel of the picture."""
    sides = [
        sum(span.lr[1] - span.lr[0] for span in spans(side, 1, tile=layout.tile, overlap=layout.overlap))
        for side in (height, width)
    ]
    return sides[0] * sides[1] / height / width


@pytest.mark.parametrize("radius", [1, COMPACT, COMPACT_32, EDSR, BLENDED_OVERLAP])
@pytest.mark.parametrize("tile", [None, 16, 64, 500])
def test_small_radii_are_always_exact_and_memory_is_not_asked(radius: int, tile: int | None) -> None:
    layout = choose(*PHOTO, radius=radius, window=384, capacity=not_asked, tile=tile)
    assert layout.is_exact
    assert layout.overlap == radius
    assert layout.tile == (tile or 384 - 2 * radius)


@pytest.mark.parametrize("radius", [RRDB, PLKSR, None])
@pytest.mark.parametrize("tile", [None, 64, 400])
def test_networks_that_see_far_are_blended(radius: int | None, tile: int | None) -> None:
    layout = choose(*PHOTO, radius=radius, window=384, capacity=memory(800**2), tile=tile)
    assert layout == Layout(tile or 800 - 2 * BLENDED_OVERLAP, BLENDED_OVERLAP, is_exact=False)


def test_64_pixel_tiles_of_rrdb_cost_a_tenth_of_what_they_did() -> None:
    layout = choose(*PHOTO, radius=RRDB, window=384, capacity=memory(800**2), tile=64)
    exact = Layout(64, RRDB, is_exact=True)
    assert work(exact, 3000, 4000) > 100  # (64 + 2 * 349)**2 / 64**2 = 142, less at the edges
    assert work(layout, 3000, 4000) < 9.1


@pytest.mark.parametrize("radius", [65, RRDB_6, 140, 200, RRDB])
@pytest.mark.parametrize("room", [500**2, 800**2, 1500**2, 3000**2])
def test_exactness_is_taken_while_it_costs_at_most_half_as_much_again(radius: int, room: int) -> None:
    layout = choose(*PHOTO, radius=radius, window=384, capacity=memory(room))
    blended = choose(*PHOTO, radius=None, window=384, capacity=memory(room))
    assert layout.is_exact or layout == blended
    assert work(layout, *PHOTO) <= WORTH_EXACTNESS * work(blended, *PHOTO)
    assert (layout.tile + 2 * layout.overlap) ** 2 <= room


def test_six_blocks_of_rrdb_stay_exact_where_memory_allows() -> None:
    assert choose(*PHOTO, radius=RRDB_6, window=384, capacity=memory(800**2)).is_exact
    assert not choose(*PHOTO, radius=RRDB_6, window=384, capacity=memory(300**2)).is_exact


@pytest.mark.parametrize("radius", [RRDB, None])
def test_what_fits_the_memory_is_not_cut(radius: int | None) -> None:
    layout = choose(700, 900, radius=radius, window=384, capacity=memory(800**2))
    assert (layout.tile, layout.is_exact) == (900, True)
    assert not choose(700, 920, radius=radius, window=384, capacity=memory(800**2)).is_exact


def test_a_ceiling_that_would_make_overlaps_absurd_ends_exactness() -> None:
    roomy = choose(*PHOTO, radius=RRDB_6, window=384, capacity=memory(800**2))
    tight = choose(*PHOTO, radius=RRDB_6, window=384, capacity=memory(800**2), ceiling=64)
    assert roomy.is_exact
    assert not tight.is_exact
    assert tight.tile == 64


def test_an_overlap_that_is_asked_for_is_taken() -> None:
    few = choose(*PHOTO, radius=COMPACT, window=384, capacity=memory(800**2), overlap=COMPACT - 1)
    enough = choose(*PHOTO, radius=RRDB, window=1024, capacity=not_asked, overlap=RRDB + 1)
    assert (few.overlap, few.is_exact) == (COMPACT - 1, False)
    assert (enough.overlap, enough.is_exact) == (RRDB + 1, True)


@pytest.mark.parametrize("radius", [COMPACT, RRDB, None])
def test_tile_0_never_cuts(radius: int | None) -> None:
    layout = choose(*PHOTO, radius=radius, window=384, capacity=memory(100), tile=0)
    assert (layout.tile, layout.is_exact) == (4000, True)
