"""Rendering ops in recipes: which draw comes of which words, replay, reach, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from degrade.errors import UsageError
from degrade.image import to_float, window
from degrade.ops.protocol import Context
from degrade.ops.render import (
    ErrorDiffusionDraw,
    HaloDraw,
    NoiseDitherDraw,
    QuantiseDraw,
    UnsharpMaskDraw,
)
from degrade.pipeline import degrade_image, replay
from degrade.recipe import Recipe, parse_recipe
from degrade.rng import Stream

DITHERS = ["none", "ordered", "noise", "floyd_steinberg", "atkinson"]
STEPS = {
    "clip": "",
    "unsharp_mask": "size_choice = [5, 9], weight_range = [0.2, 2], threshold_8bit_range = [0, 10]",
    "halo": "sigma_range = [0.5, 2], amount_range = [0.2, 2]",
    **{dither: f'levels_range = [2, 32], dither = "{dither}"' for dither in DITHERS},
}


def recipe(name: str) -> Recipe:
    op = "quantise" if name in DITHERS else name
    return parsed(f'op = "{op}"' + (f", {STEPS[name]}" if STEPS[name] else ""))


def parsed(step: str) -> Recipe:
    return parse_recipe(f'name = "x"\nsource = "test"\nscale = 1\nmargin = 16\nlr = [{{ {step} }}]\n')


def photo(channels: int, height: int = 31, width: int = 42) -> np.ndarray:
    return np.random.default_rng(6).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", STEPS)
def test_replay_gives_the_stored_lr(name: str, channels: int) -> None:
    made, hr = recipe(name), photo(channels)
    around = window(hr, 0, 0, hr.shape[0], hr.shape[1], made.margin)
    results = set()
    for key in range(5):
        pair = degrade_image(hr, made, key=key)
        assert pair.lr.shape == hr.shape
        np.testing.assert_array_equal(replay(around, pair.trace, scale=1, margin=made.margin), pair.lr)
        results.add(pair.lr.tobytes())
    assert len(results) == (1 if name == "clip" else 5)


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(list(STEPS)), key=st.integers(0, 2**64 - 1), channels=st.sampled_from([1, 3]))
def test_a_draw_is_deterministic_float32_and_clips_where_it_says(name: str, key: int, channels: int) -> None:
    draw = recipe(name).lr[0].draw(Stream(key))[0]
    image = to_float(photo(channels)) * np.float32(1.5) - np.float32(0.25)
    before = image.copy()
    made = draw.apply(image, Context((-3, -5)))
    assert made.dtype == np.float32
    assert made.shape == image.shape
    assert made.flags.c_contiguous
    np.testing.assert_array_equal(draw.apply(image, Context((-3, -5))), made)
    np.testing.assert_array_equal(image, before)
    if name not in ("halo", "unsharp_mask"):
        assert made.min() >= 0
        assert made.max() <= 1


def test_the_word_decides_the_draw() -> None:
    kinds = [type(recipe(dither).lr[0].draw(Stream(1))[0]) for dither in DITHERS]
    assert kinds == [QuantiseDraw, QuantiseDraw, NoiseDitherDraw, ErrorDiffusionDraw, ErrorDiffusionDraw]
    assert ErrorDiffusionDraw.reach is None
    step = parsed('op = "quantise", levels_range = [2, 5], dither_choice = ["none", "atkinson"]').lr[0]
    draws = [step.draw(Stream(key))[0] for key in range(200)]
    assert {draw.levels for draw in draws} == {2, 3, 4, 5}  # type: ignore[attr-defined]
    assert 60 < sum(isinstance(draw, ErrorDiffusionDraw) for draw in draws) < 140


def test_the_unsharp_masks_defaults_are_real_esrgans() -> None:
    draw = parsed('op = "unsharp_mask"').lr[0].draw(Stream(0))[0]
    assert isinstance(draw, UnsharpMaskDraw)
    assert (draw.size, draw.weight, draw.threshold_8bit) == (51, 0.5, 10.0)
    assert draw.sigma == pytest.approx(8.0)
    drawn = parsed('op = "unsharp_mask", size_range = [3, 21], sigma = 2').lr[0]
    sizes = {drawn.draw(Stream(key))[0].size for key in range(100)}  # type: ignore[attr-defined]
    assert sizes <= set(range(3, 22, 2))
    assert len(sizes) > 5


@pytest.mark.parametrize(
    "draw",
    [UnsharpMaskDraw("u", 51, 8.0, 0.5, 4.0), HaloDraw("h", 8.0, 1.0, False), HaloDraw("h", 8.0, 1.0, True)],
)
def test_the_stated_reach_is_enough(draw: UnsharpMaskDraw | HaloDraw) -> None:
    image, reach = to_float(photo(3, 180, 170)), draw.reach
    assert reach is not None
    at = 60
    whole = draw.apply(image, Context((-at, -at)))
    part = np.ascontiguousarray(image[at - reach : at + 20 + reach, at - reach : at + 13 + reach])
    made = draw.apply(part, Context((-reach, -reach)))
    np.testing.assert_array_equal(made[reach:-reach, reach:-reach], whole[at : at + 20, at : at + 13])


@pytest.mark.parametrize("draw", [UnsharpMaskDraw("u", 9, 1.7, 0.5, 2.0), HaloDraw("h", 1.3, 1.0, False)])
def test_sharpening_moves_nothing(draw: UnsharpMaskDraw | HaloDraw) -> None:
    """A symmetric blob between pixels keeps its centre of mass to 0.002 pixels."""
    y, x = np.mgrid[:61, :67]
    blob = (0.1 + 0.8 * np.exp(-((y - 30.2) ** 2 + (x - 33.1) ** 2) / 40)).astype(np.float32)[..., None]
    made = draw.apply(blob, Context())[..., 0].astype(float) - 0.1
    centre = (made * y).sum() / made.sum(), (made * x).sum() / made.sum()
    np.testing.assert_allclose(centre, (30.2, 33.1), atol=2e-3)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ('op = "quantise", levels = 1', "levels at least 2 and at most 256, got values from 1 to 1"),
        ('op = "quantise", levels = 4, dither = "bayer"', "dither to be one of none, ordered, noise"),
        ('op = "unsharp_mask", size = 99', "size at least 3 and at most 51"),
        ('op = "unsharp_mask", sigma = 0', "sigma above 0"),
        ('op = "halo", sigma_range = [1, 9], amount = 1', "sigma above 0 and at most 8"),
        ('op = "clip", low = 0', "unknown key"),
    ],
)
def test_impossible_values_are_refused(step: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(step)
    assert message in str(caught.value)
