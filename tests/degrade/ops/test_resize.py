"""Resizes in recipes: sizes, registration, linear light, and which recipes end at LR size."""

from __future__ import annotations

import json

import numpy as np
import pytest

from degrade.errors import RecipeError
from degrade.functional.light import to_linear, to_srgb
from degrade.functional.resample import resize
from degrade.ops.protocol import Context, Distribution, Options
from degrade.ops.resize import FILTERS, Downsample, LinearLightResizeDraw, Resize, ResizeDraw
from degrade.pipeline import PairKey, degrade_image, degrade_window
from degrade.recipe import parse_recipe
from degrade.rng import Stream

HEAD = 'name = "x"\nsource = "test"\nscale = {scale}\nmargin = {margin}\n'


def recipe(*steps: str, scale: int = 4, margin: int = 32):
    return parse_recipe(HEAD.format(scale=scale, margin=margin) + f"lr = [{', '.join(steps)}]\n")


def blob(height: int, width: int, y: float, x: float, sigma: float = 6.0) -> np.ndarray:
    yy, xx = np.mgrid[:height, :width]
    bump = np.exp(-((yy - y) ** 2 + (xx - x) ** 2) / (2 * sigma**2))
    return np.repeat((250 * bump)[..., None], 3, 2).astype(np.uint8)


def centre(image: np.ndarray) -> np.ndarray:
    grid = np.mgrid[: image.shape[0], : image.shape[1]]
    weight = image[..., 0].astype(float)
    return np.array([(weight * axis).sum() / weight.sum() for axis in grid])


@pytest.mark.parametrize("filter", [name for name in FILTERS if name != "nearest"])
@pytest.mark.parametrize("antialias", [False, True])
def test_up_and_down_again_leaves_lr_registered(filter: str, antialias: bool) -> None:
    """Through two sizes that are no whole ratios, a blob's centre stays to 0.02 LR pixels."""
    flag = str(antialias).lower()
    made = recipe(
        '{ op = "gaussian_blur", sigma = 1.5 }',
        f'{{ op = "resize", filter = "{filter}", factor = 0.713, antialias = {flag} }}',
        f'{{ op = "resize", filter = "{filter}", of = "lr", factor = 1.37, antialias = {flag} }}',
        f'{{ op = "downsample", filter = "{filter}", antialias = {flag} }}',
    )
    hr = blob(132, 148, 63.3, 77.8)
    pair = degrade_image(hr, made)
    assert pair.lr.shape == (33, 37, 3)
    np.testing.assert_allclose((centre(pair.lr) + 0.5) * 4 - 0.5, centre(pair.hr), atol=0.02 * 4)


def test_sizes_are_those_of_current_hr_or_lr() -> None:
    image = np.zeros((40, 60, 3), np.float32)
    for of, factor, expected in (("current", 0.5, (20, 30)), ("hr", 0.25, (25, 30)), ("hr", 0.1234, (12, 15))):
        draw = ResizeDraw("r", "bilinear", factor, of, False, -0.5, 3)
        assert draw.apply(image, Context((0, 0), (100, 120))).shape[:2] == expected
    drawn = Resize(Options("bicubic"), 4, factor=Distribution(1.0), of="lr").draw(Stream(0).step("r"), "r")[0]
    assert drawn.apply(image, Context((0, 0), (100, 120))).shape == (25, 30, 3)
    halved = Resize(Options("bicubic"), 4, divisor=Distribution(2.0)).draw(Stream(0).step("r"), "r")[0]
    assert halved.apply(image, Context()).shape == (20, 30, 3)


def test_linear_light_averages_light() -> None:
    """Black and white lines become the grey of half the light (188), not of half the value (128)."""
    lines = np.zeros((16, 16, 3), np.float32)
    lines[::2] = 1
    draw = LinearLightResizeDraw("r", "area", 0.5, "current", False, -0.5, 3)
    made = draw.apply(lines, Context())
    assert np.unique(np.round(made * 255)).tolist() == [188]
    photo = np.random.default_rng(0).random((24, 20, 1), dtype=np.float32)
    again = to_srgb(resize(to_linear(photo), 12, 10, "area"))
    np.testing.assert_array_equal(draw.apply(photo, Context()), again)


@pytest.mark.parametrize("light", ["srgb", "linear"])
def test_folded_and_alone_agree_and_replay_is_exact(light: str) -> None:
    from degrade.pipeline import replay, run

    made = recipe(
        '{ op = "resize", filter_choice = ["area", "bicubic", "mitchell"], factor_range = [0.2, 1.4] }',
        f'{{ op = "downsample", filter = "bilinear", light = "{light}" }}',
        '{ op = "gaussian_noise", sigma_8bit = 3 }',
    )
    window = np.random.default_rng(1).integers(0, 256, (128, 112, 3), dtype=np.uint8)
    for patch in range(6):
        draws = [draw for step in made.lr for draw in step.draw(Stream(9, patch, 0))]
        folded = run(window, draws, scale=4, margin=32)
        np.testing.assert_allclose(folded, run(window, draws, scale=4, margin=32, fold=False), atol=5e-6)
        pair = degrade_window(window, made, PairKey(9, patch))
        np.testing.assert_array_equal(replay(window, pair.trace, scale=4, margin=32), pair.lr)
        assert {step["op"] for step in json.loads(pair.trace)["steps"]} >= {"resize", "gaussian_noise"}


@pytest.mark.parametrize(
    "steps",
    [
        ['{ op = "resize", filter = "area", factor_range = [0.2, 1.0] }'],
        ['{ op = "downsample", filter = "area", probability = 0.9 }'],
        ['{ op = "downsample", filter = "area" }', '{ op = "resize", filter = "area", factor = 2 }'],
        ['{ op = "one_of", branches = [{ steps = [{ op = "downsample", filter = "area" }] }, { steps = [] }] }'],
        [
            '{ op = "shuffled", groups = [{ steps = [{ op = "downsample", filter = "area" }] },'
            ' { steps = [{ op = "resize", filter = "area", factor_range = [0.5, 1] }] }] }'
        ],
    ],
)
def test_recipes_that_may_end_at_another_size_are_refused(steps: list[str]) -> None:
    with pytest.raises(RecipeError, match="at another size"):
        recipe(*steps)


@pytest.mark.parametrize(
    "steps",
    [
        ['{ op = "resize", filter = "area", of = "lr", factor = 1 }'],
        [
            '{ op = "resize", filter = "area", of = "lr", factor_range = [0.5, 2] }',
            '{ op = "downsample", filter = "area" }',
        ],
        [
            '{ op = "shuffled", keep_order = [["a", "b"]], groups = [{ name = "b", steps = [{ op = "downsample",'
            ' filter = "area" }] }, { name = "a", steps = [{ op = "resize", filter = "area", factor = 0.5 }] }] }'
        ],
    ],
)
def test_recipes_that_end_at_lr_size_are_taken(steps: list[str]) -> None:
    assert degrade_image(np.zeros((64, 48, 3), np.uint8), recipe(*steps)).lr.shape == (16, 12, 3)


def test_a_recipe_of_scale_1_needs_no_resize_and_none_that_stays() -> None:
    noise = '{ op = "gaussian_noise", sigma_8bit = 5 }'
    assert recipe(noise, scale=1).scale == 1
    with pytest.raises(RecipeError, match="at another size"):
        recipe(noise, '{ op = "resize", filter = "area", factor = 0.5 }', scale=1)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('{ op = "resize", filter = "area" }', "exactly one of factor and divisor"),
        ('{ op = "resize", filter = "area", factor = 1, divisor = 2 }', "exactly one of factor and divisor"),
        ('{ op = "resize", filter = "area", factor = 0 }', "above 0"),
        ('{ op = "resize", filter = "area", factor_range = [1, 99] }', "at most 8"),
        ('{ op = "downsample", filter_choice = ["area", "cubic"] }', "bicubic"),
        ('{ op = "downsample", filter = "lanczos", lobes = 9 }', "lobes"),
        ('{ op = "downsample", filter = "area", filter_choice = ["area"] }', "exactly one"),
        ('{ op = "downsample", filter_choice = ["area"], filter_weights = [1, 2] }', "weight"),
    ],
)
def test_impossible_resizes_are_refused(step: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        recipe(step)


def test_an_op_may_be_built_without_a_recipe() -> None:
    assert Downsample(Options("area"), 2).draw(Stream(0).step("d"), "d")[0].op == "downsample"
