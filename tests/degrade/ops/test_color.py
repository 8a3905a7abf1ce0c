"""Colour ops in recipes: what is drawn and recorded, what a window and a gray image get, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from degrade.errors import UsageError
from degrade.image import window
from degrade.ops.color import ChannelShiftDraw, ChromaSubsamplingDraw
from degrade.ops.protocol import Context
from degrade.pipeline import degrade_image, replay
from degrade.recipe import Recipe, parse_recipe
from degrade.rng import Stream

STEPS = {
    "chroma_subsampling": 'subsampling_choice = ["4:2:0", "4:2:2", "4:4:0", "4:1:1", "4:1:0"], up = "nearest"',
    "channel_shift": "red_y_range = [-2, 2], red_x_range = [-2, 2], blue_y_normal = [0, 0.0], blue_x_choice = [-1, 1]",
    "white_balance": "red_gain_log_range = [0.5, 2], blue_gain_log_range = [0.5, 2]",
    "saturation": "factor_range = [0, 2]",
    "tone_curve": "gamma_log_range = [0.5, 2], contrast_range = [0.6, 1.8]",
}


def recipe(step: str) -> Recipe:
    return parse_recipe(f'name = "x"\nsource = "test"\nscale = 1\nmargin = 24\nlr = [{step}]\n')


def photo(channels: int, height: int = 37, width: int = 45) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("op", STEPS)
def test_replay_gives_the_stored_lr_and_another_key_another(op: str, channels: int) -> None:
    made, hr = recipe(f'{{ op = "{op}", {STEPS[op]} }}'), photo(channels)
    pairs = [degrade_image(hr, made, key=key) for key in range(6)]
    around = window(hr, 0, 0, hr.shape[0], hr.shape[1], made.margin)
    for pair in pairs:
        assert pair.lr.shape == hr.shape
        np.testing.assert_array_equal(replay(around, pair.trace, scale=1, margin=made.margin), pair.lr)
    if channels == 3:
        assert len({pair.lr.tobytes() for pair in pairs}) > 2
    elif op == "tone_curve":
        assert (pairs[0].lr != hr).any()
    else:
        np.testing.assert_array_equal(pairs[0].lr, hr)  # gray: unchanged


def test_draws_follow_the_recipe_and_are_recorded_by_name() -> None:
    made = recipe(f'{{ op = "channel_shift", {STEPS["channel_shift"]} }}')
    entries = [json.loads(degrade_image(photo(3, 8, 8), made, key=key).trace)["steps"][0] for key in range(40)]
    assert {entry["op"] for entry in entries} == {"channel_shift"}
    assert {entry["blue_y"] for entry in entries} == {0.0}
    assert {entry["blue_x"] for entry in entries} == {-1, 1}
    red = np.array([[entry["red_y"], entry["red_x"]] for entry in entries])
    assert (np.abs(red) <= 2).all()
    assert (red.std(0) > 0.8).all()  # uniform: 1.15


def test_defaults_change_nothing_but_chroma() -> None:
    hr = photo(3)
    for op in ("channel_shift", "white_balance", "tone_curve"):
        np.testing.assert_array_equal(degrade_image(hr, recipe(f'{{ op = "{op}" }}')).lr, hr)
    draw = recipe('{ op = "chroma_subsampling" }').lr[0].draw(Stream(0))[0]
    assert draw == ChromaSubsamplingDraw("chroma_subsampling0", "4:2:0", "bilinear")


@settings(max_examples=30, deadline=None)
@given(op=st.sampled_from(list(STEPS)), key=st.integers(0, 2**64 - 1))
def test_a_draw_is_deterministic_float32_and_leaves_its_input(op: str, key: int) -> None:
    draw = recipe(f'{{ op = "{op}", {STEPS[op]} }}').lr[0].draw(Stream(key))[0]
    image = photo(3).astype(np.float32) / np.float32(255)
    before = image.copy()
    made = draw.apply(image, Context((-3, -5)))
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    np.testing.assert_array_equal(draw.apply(image, Context((-3, -5))), made)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    "draw",
    [
        ChromaSubsamplingDraw("c", "4:1:0", "bilinear"),
        ChromaSubsamplingDraw("c", "4:2:0", "nearest"),
        ChannelShiftDraw("c", 15.8, -16.0, -15.3, 0.5),
    ],
)
def test_the_stated_reach_is_enough(draw: ChromaSubsamplingDraw | ChannelShiftDraw) -> None:
    """A window with `reach` pixels around gives what the whole image gives."""
    image, reach = photo(3, 80, 90).astype(np.float32), draw.reach
    assert reach is not None
    whole = draw.apply(image, Context((-30, -30)))
    part = np.ascontiguousarray(image[30 - reach : 51 + reach, 30 - reach : 57 + reach])
    made = draw.apply(part, Context((-reach, -reach)))
    np.testing.assert_array_equal(made[reach:-reach, reach:-reach], whole[30:51, 30:57])


def test_red_and_blue_lie_where_the_trace_says_and_green_stays() -> None:
    """A blob's centre of mass, to 0.002 pixels: the blob is smooth and ends inside."""
    y, x = np.mgrid[:61, :67]
    blob = np.exp(-((y - 30.2) ** 2 + (x - 33.1) ** 2) / 50)
    image = np.repeat(blob[..., None], 3, axis=2).astype(np.float32)
    made = ChannelShiftDraw("c", 0.7, -1.4, 0.25, 2.5).apply(image, Context())
    for channel, shift in ((0, (0.7, -1.4)), (1, (0, 0)), (2, (0.25, 2.5))):
        plane = made[..., channel].astype(float)
        centre = (plane * y).sum() / plane.sum(), (plane * x).sum() / plane.sum()
        np.testing.assert_allclose(centre, (30.2 + shift[0], 33.1 + shift[1]), atol=2e-3)
    np.testing.assert_array_equal(made[..., 1], image[..., 1])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ('op = "chroma_subsampling", subsampling = "4:2:1"', "one of 4:4:0, 4:2:2, 4:2:0, 4:1:1, 4:1:0, got '4:2:1'"),
        ('op = "chroma_subsampling", up = "bicubic"', "one of nearest, bilinear, got 'bicubic'"),
        ('op = "channel_shift", red_y_range = [-20, 2]', "red_y at least -16 and at most 16, got values from -20 to 2"),
        ('op = "white_balance", red_gain = 0', "red_gain at least 0.1 and at most 10, got values from 0 to 0"),
        ('op = "saturation", factor = -1', "factor at least 0 and at most 4"),
        ('op = "tone_curve", gamma_normal = [1, 0.1]', "gamma at least 0.25 and at most 4"),
    ],
)
def test_impossible_values_are_refused(step: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe(f"{{ {step} }}")
    assert message in str(caught.value)
