"""What a recipe may say about saving, and what stands in the trace."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import features

from degrade.functional import recompress
from degrade.functional.jpeg import SUBSAMPLINGS, jpeg, mcu_size
from degrade.image import to_float, to_pixels
from degrade.ops import DRAWS
from degrade.ops.compress import Avif, Jpeg, WebP
from degrade.ops.protocol import Context, Distribution, Options
from degrade.rng import Stream

LUMA = tuple(range(10, 74))
QUALITY = Distribution(range=(10.0, 95.0))
EVERY = Options(choice=SUBSAMPLINGS)
OPS: dict[str, Any] = {
    "jpeg": Jpeg(QUALITY, EVERY, Options(choice=("standard", "robidoux", "custom")), LUMA),
    "webp": WebP(QUALITY, Distribution(0)),
}
if features.check("avif"):
    OPS["avif"] = Avif(QUALITY, Distribution(10))


def drawn(op: Any, patch: int = 0) -> Any:
    (draw,) = op.draw(Stream(5, patch).step("save"), "save")
    return draw


def replayed(draw: Any) -> Any:
    """From the trace: through JSON and back."""
    entry = json.loads(json.dumps({"op": draw.op, **{name: getattr(draw, name) for name in draw.__slots__}}))
    return DRAWS[entry.pop("op")](**entry)


def scene(height: int, width: int, channels: int = 3) -> np.ndarray:
    y, x, c = np.ogrid[:height, :width, :channels]
    waves = 0.5 + 0.4 * np.sin(0.31 * y + 1.3 * c) * np.cos(0.23 * x - 0.9 * c)
    return (waves + np.random.default_rng(0).normal(0, 0.05, waves.shape)).astype(np.float32)


@pytest.mark.parametrize("kind", OPS)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.integers(0, 1000), st.integers(-40, 40))
def test_a_trace_gives_the_same_levels_again(
    kind: str, height: int, width: int, channels: int, patch: int, origin: int
) -> None:
    draw, image = drawn(OPS[kind], patch), scene(height, width, channels)
    before = image.copy()
    made = draw.apply(image, Context((origin, -origin)))
    assert made.shape == image.shape
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    np.testing.assert_array_equal(made, to_float(to_pixels(made)))  # levels of 8 bits
    np.testing.assert_array_equal(replayed(draw).apply(image, Context((origin, -origin))), made)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
def test_with_the_stated_reach_a_patch_does_not_depend_on_its_surroundings(subsampling: str, channels: int) -> None:
    photo, top, left, side = scene(150, 150, channels), 55, 60, 21
    for patch in range(20):  # of them every shift along one axis appears
        draw = drawn(Jpeg(Distribution(20.0), Options(subsampling)), patch)
        whole = draw.apply(photo, Context((-top, -left)))[top : top + side, left : left + side]
        reach = draw.reach
        window = photo[top - reach : top + side + reach, left - reach : left + side + reach]
        inner = draw.apply(np.ascontiguousarray(window), Context((-reach, -reach)))
        np.testing.assert_array_equal(inner[reach : reach + side, reach : reach + side], whole)


def test_the_reach_is_no_larger_than_it_must_be() -> None:
    photo, top, left, side = scene(150, 150), 55, 60, 21
    for subsampling, reach in [("4:2:0", 16), ("4:1:1", 31)]:
        differ = False
        for patch in range(60):
            draw = drawn(Jpeg(Distribution(20.0), Options(subsampling)), patch)
            assert draw.reach == reach
            whole = draw.apply(photo, Context((-top, -left)))[top : top + side, left : left + side]
            less = reach - 1
            window = photo[top - less : top + side + less, left - less : left + side + less]
            inner = draw.apply(np.ascontiguousarray(window), Context((-less, -less)))
            differ |= bool((inner[less : less + side, less : less + side] != whole).any())
        assert differ


def test_a_grid_at_the_patch_begins_there_and_a_random_one_anywhere_in_a_unit() -> None:
    fixed = drawn(Jpeg(QUALITY, grid="patch"))
    image = scene(32, 48)
    np.testing.assert_array_equal(to_pixels(fixed.apply(image, Context())), jpeg(to_pixels(image), fixed.quality))
    for subsampling in SUBSAMPLINGS:
        shifts = [drawn(Jpeg(QUALITY, Options(subsampling)), patch).shift for patch in range(400)]
        for axis, size in enumerate(mcu_size(subsampling)):
            assert {shift[axis] for shift in shifts} == set(range(size))
    assert {drawn(OPS["webp"], patch).shift[0] for patch in range(400)} == set(range(16))


def test_blocks_begin_at_the_shift() -> None:
    """At the lowest quality a block is nearly flat: steps between neighbours stand on the grid."""
    ramp = np.repeat(np.linspace(0, 1, 160, dtype=np.float32)[None, :], 64, axis=0)[:, :, None].copy()
    draw = drawn(Jpeg(Distribution(1.0)), 3)
    steps = np.abs(np.diff(draw.apply(ramp, Context((-30, -37)))[32, :, 0]))
    edges = np.flatnonzero(steps > 0.5 * steps.max()) + 1 - 37
    assert len(edges) > 5
    assert set(edges % 8) == {draw.shift[1] % 8}


def test_a_second_save_on_the_same_grid_changes_less_than_on_a_shifted_one() -> None:
    image = scene(64, 64, 1)
    once = jpeg(to_pixels(image), 50)

    def changed(before: tuple[int, int]) -> float:
        return float(np.square(jpeg(once, 50, before=before).astype(float) - once).mean())

    assert changed((0, 0)) < 0.1 * changed((3, 5))


def test_quality_is_rounded_and_every_whole_number_of_a_range_appears() -> None:
    qualities = {drawn(Jpeg(Distribution(range=(29.5, 35.4999))), patch).quality for patch in range(300)}
    assert qualities == set(range(30, 36))
    assert drawn(Jpeg(Distribution(74.6))).quality == 75


def test_input_outside_the_range_is_clipped() -> None:
    image = (scene(16, 16) * 4 - 1.5).astype(np.float32)
    draw = drawn(OPS["jpeg"])
    np.testing.assert_array_equal(draw.apply(image, Context()), draw.apply(image.clip(0, 1), Context()))


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
def test_neither_luma_nor_chroma_moves(subsampling: str) -> None:
    """A coloured spot at quality 100 on twelve grids: the shift that explains the change best, by least squares.

    Below 0.02 pixels on average; one grid alone rounds a smooth spot alike over many pixels.
    """
    y, x = np.ogrid[:96, :96]
    spot = np.exp(-((y - 46.7) ** 2 + (x - 49.6) ** 2) / (2 * 9.0**2))
    image = (0.5 + spot[:, :, None] * np.array([0.45, -0.45, 0.45])).astype(np.float32)
    slopes = [np.gradient(image[:, :, channel]) for channel in range(3)]
    moved = np.zeros((3, 2))
    for patch in range(12):
        saved = drawn(Jpeg(Distribution(100.0), Options(subsampling)), patch).apply(image, Context())
        for channel, axis in np.ndindex(3, 2):
            slope, change = slopes[channel][axis], (saved - image)[:, :, channel]
            moved[channel, axis] += (change * slope).sum() / np.square(slope).sum() / 12
    assert np.abs(moved).max() < 0.02


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="expected quality at least 1 and at most 100, got values from 0 to 50"):
        Jpeg(Distribution(range=(0.0, 50.0)))
    with pytest.raises(ValueError, match=r"expected subsampling to be one of 4:4:4, .* got '4:2:1'"):
        Jpeg(QUALITY, Options("4:2:1"))
    with pytest.raises(ValueError, match=r"expected tables to be one of standard, .*, custom, got 'photoshop'"):
        Jpeg(QUALITY, tables=Options("photoshop"))
    with pytest.raises(ValueError, match="expected luma_table of 64 whole numbers from 1 to 255, got 3"):
        Jpeg(QUALITY, tables=Options("custom"), luma_table=(1, 2, 3))
    with pytest.raises(ValueError, match="expected a luma_table with tables 'custom', and only then"):
        Jpeg(QUALITY, luma_table=LUMA)
    with pytest.raises(ValueError, match="expected method at least 0 and at most 6, got values from 9 to 9"):
        WebP(QUALITY, Distribution(9))


def test_a_recipe_with_avif_is_refused_where_pillow_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recompress, "has_avif", lambda: False)
    with pytest.raises(ValueError, match=r"this Pillow was built without AVIF: install Pillow 11.3 or later"):
        Avif(QUALITY)
