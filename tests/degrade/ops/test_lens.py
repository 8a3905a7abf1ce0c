"""Lens ops in recipes: where the axis is drawn, what the trace records, what a window gets, what is refused."""

from __future__ import annotations

import json
from math import hypot, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from degrade.errors import UsageError
from degrade.image import to_float, window
from degrade.ops.lens import ChromaticAberrationDraw, VignettingDraw
from degrade.ops.protocol import Context
from degrade.pipeline import degrade_image, replay
from degrade.recipe import Recipe, parse_recipe
from degrade.rng import Stream

STEPS = [
    'op = "chromatic_aberration", strength_red_range = [-3, 3], strength_blue = 1, centre_distance_range = [0, 2000]',
    'op = "chromatic_aberration", strength_red_range = [-9, 9]',
    'op = "vignetting", strength_range = [0.1, 0.8], radius_range = [900, 2500], centre_distance_range = [0, 900]',
    'op = "vignetting", strength_range = [0.1, 0.8]',
]


def recipe(step: str) -> Recipe:
    return parse_recipe(f'name = "x"\nsource = "test"\nscale = 1\nmargin = 12\nlr = [{{ {step} }}]\n')


def photo(channels: int, height: int = 37, width: int = 46) -> np.ndarray:
    return np.random.default_rng(9).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("step", STEPS)
def test_replay_gives_the_stored_lr(step: str, channels: int) -> None:
    made, hr = recipe(step), photo(channels)
    around = window(hr, 0, 0, hr.shape[0], hr.shape[1], made.margin)
    results = set()
    for key in range(4):
        pair = degrade_image(hr, made, key=key)
        np.testing.assert_array_equal(replay(around, pair.trace, scale=1, margin=made.margin), pair.lr)
        results.add(pair.lr.tobytes())
    assert len(results) == (1 if channels == 1 and "aberration" in step else 4)


def test_the_axis_is_drawn_around_the_patch_at_the_stated_distance() -> None:
    made = recipe('op = "chromatic_aberration", strength_red = 1, centre_distance = 700')
    entries = [json.loads(degrade_image(photo(3, 8, 8), made, key=key).trace)["steps"][0] for key in range(60)]
    np.testing.assert_allclose([hypot(entry["centre_y"], entry["centre_x"]) for entry in entries], 700)
    quadrants = {(entry["centre_y"] > 0, entry["centre_x"] > 0) for entry in entries}
    assert len(quadrants) == 4
    down = recipe(f'op = "vignetting", strength = 0.5, radius = 9, centre_distance = 5, centre_angle = {pi / 2}')
    draw = down.lr[0].draw(Stream(0))[0]
    assert isinstance(draw, VignettingDraw)
    assert (draw.centre_y, draw.centre_x) == pytest.approx((5.0, 0.0), abs=1e-12)


def test_without_a_distance_the_axis_is_the_middle_and_the_radius_the_corner() -> None:
    """Flat light 1: in the middle (an odd size) it stays, at the patch's corners the stated part is lost."""
    image, origin = np.ones((31 + 10, 41 + 10, 3), np.float32), (-5, -5)
    made = VignettingDraw("v", 0.6, None, None, None).apply(image, Context(origin))[5:-5, 5:-5, 0].astype(float)
    light = np.where(made <= 0.04045, made / 12.92, ((made + 0.055) / 1.055) ** 2.4)
    assert light[15, 20] == pytest.approx(1, abs=1e-6)
    assert np.argmax(light) == 15 * 41 + 20
    np.testing.assert_allclose(light, light[::-1, ::-1], atol=1e-6)
    falloff = 1 / np.sqrt(0.4) - 1
    corner = 1 / (1 + falloff * (15**2 + 20**2) / (15.5**2 + 20.5**2)) ** 2  # the corner pixel's centre
    assert light[0, 0] == pytest.approx(corner, abs=2e-6)


@settings(max_examples=30, deadline=None)
@given(step=st.sampled_from(STEPS), key=st.integers(0, 2**64 - 1), channels=st.sampled_from([1, 3]))
def test_a_draw_is_deterministic_float32_and_leaves_its_input(step: str, key: int, channels: int) -> None:
    draw = recipe(step).lr[0].draw(Stream(key))[0]
    image = to_float(photo(channels))
    before = image.copy()
    made = draw.apply(image, Context((-3, -5)))
    assert made.dtype == np.float32
    assert made.shape == image.shape
    assert made.flags.c_contiguous
    np.testing.assert_array_equal(draw.apply(image, Context((-3, -5))), made)
    np.testing.assert_array_equal(image, before)
    if isinstance(draw, VignettingDraw):
        assert made.min() >= 0
        assert (made <= image + 1e-6).all()


def test_a_patch_far_from_the_axis_has_its_red_shifted_and_green_in_place() -> None:
    """At (-600, 800) from the axis, 1000 pixels away, 2 pixels per 1000 are (-1.2, 1.6); a blob's centre to 0.005."""
    y, x = np.mgrid[:61, :67]
    image = np.repeat(np.exp(-((y - 30) ** 2 + (x - 33) ** 2) / 50)[..., None], 3, axis=2).astype(np.float32)
    made = ChromaticAberrationDraw("c", 2.0, 0.0, 630.0, -767.0).apply(image, Context())
    for channel, shift in ((0, (-1.2, 1.6)), (1, (0.0, 0.0)), (2, (0.0, 0.0))):
        plane = made[..., channel].astype(float)
        centre = (plane * y).sum() / plane.sum(), (plane * x).sum() / plane.sum()
        np.testing.assert_allclose(centre, (30 + shift[0], 33 + shift[1]), atol=5e-3)
    np.testing.assert_array_equal(made[..., 1:], image[..., 1:])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ('op = "chromatic_aberration", strength_red = 30', "strength_red at least -20 and at most 20"),
        ('op = "chromatic_aberration", centre_distance = -1', "centre_distance at least 0"),
        ('op = "vignetting", strength = 1', "strength at least 0 and at most 0.95, got values from 1 to 1"),
        ('op = "vignetting", strength = 0.5, radius = 0', "radius at least 1"),
        ('op = "vignetting", strength = 0.5, centre_distance = 9', "expected a radius with centre_distance"),
    ],
)
def test_impossible_values_are_refused(step: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe(step)
    assert message in str(caught.value)
