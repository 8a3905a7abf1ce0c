"""Eq. 6 of Ren et al. 2020: exact on both sides of the threshold, for every depth and number of channels."""

from __future__ import annotations

import statistics
from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from torch import nn

from degrade.codecs import Photo
from srzoo.checkpoint import Model
from srzoo.metrics.protocol import luma
from srzoo.upscale.alpha import Samples
from srzoo.upscale.bicubic import BicubicUpscaler
from srzoo.upscale.enlarger import OnTile
from srzoo.upscale.facts import Facts
from srzoo.upscale.fuse import FusedUpscaler, fuse, median_luma
from srzoo.upscale.upscaler import Upscaler

RNG = np.random.default_rng(0)
DEPTHS = st.sampled_from([np.uint8, np.uint16])


@st.composite
def two_pictures(draw: st.DrawFn) -> tuple[NDArray, NDArray]:
    shape = (draw(st.integers(1, 7)), draw(st.integers(1, 7)), draw(st.sampled_from([1, 3])))
    depth = draw(DEPTHS)
    return draw(arrays(depth, shape)), draw(arrays(depth, shape))


def picture(shape: tuple[int, ...], dtype: type, low: int, high: int) -> Samples:
    return RNG.integers(low, high, shape, dtype)  # type: ignore[reportReturnType]  uint8 or uint16


def exact_lumas(pixels: NDArray) -> list[Fraction]:
    """BT.601 studio luma of every pixel, in fractions."""
    white, weights = int(np.iinfo(pixels.dtype).max), [Fraction(w, 1000) for w in (65481, 128553, 24966)]
    colours = pixels.repeat(3 // pixels.shape[2], axis=2).reshape(-1, 3).tolist()
    shares = ([w * level / white for w, level in zip(weights, colour, strict=True)] for colour in colours)
    return [sum(share, Fraction(16)) for share in shares]


def by_hand(first: NDArray, second: NDArray, alpha: float, beta: float) -> NDArray[np.float64]:
    """The weighted sum, value by value in Python's doubles."""
    white = int(np.iinfo(first.dtype).max)
    pairs = zip(first.ravel().tolist(), second.ravel().tolist(), strict=True)
    values = [min(max(floor(alpha * r + beta * s + 0.5), 0), white) for r, s in pairs]
    return np.array(values, float).reshape(first.shape)


@given(two_pictures())
def test_the_median_of_luma_is_exact(pictures: tuple[NDArray, NDArray]) -> None:
    expected = statistics.median(exact_lumas(pictures[0]))  # the mean of the middle two where the count is even
    assert median_luma(pictures[0]) == pytest.approx(float(expected), abs=1e-13)


@given(arrays(np.uint8, (3, 4, 3)))
def test_the_median_of_luma_is_that_of_the_metrics_luma(pixels: NDArray[np.uint8]) -> None:
    assert median_luma(pixels) == pytest.approx(float(np.median(luma(pixels))), abs=1e-9)
    assert median_luma(257 * pixels.astype(np.uint16)) == pytest.approx(median_luma(pixels), abs=1e-13)


def test_the_median_of_known_pictures() -> None:
    assert median_luma(np.full((2, 2, 3), 255, np.uint8)) == 235
    assert median_luma(np.zeros((2, 2, 1), np.uint16)) == 16
    odd = np.array([0, 0, 255], np.uint8).reshape(1, 3, 1)
    assert median_luma(odd) == 16
    even = np.array([0, 0, 255, 255], np.uint8).reshape(2, 2, 1)
    assert median_luma(even) == (16 + 235) / 2


@given(two_pictures(), st.floats(-1, 2), st.floats(-1, 2), st.sampled_from([-0.5, 0.0, 0.5]))
def test_fusing_equals_the_equation_on_both_sides_and_at_the_threshold(
    pictures: tuple[NDArray, NDArray], alpha: float, beta: float, above: float
) -> None:
    first, second = pictures
    before = first.copy(), second.copy()
    gamma = median_luma(first) + above
    made = fuse(first, second, alpha=alpha, beta=beta, gamma=gamma)
    if above > 0:
        np.testing.assert_array_equal(made, by_hand(first, second, alpha, beta))
    else:
        assert made.tobytes() == first.tobytes()  # "below" is strict
    assert made.dtype == first.dtype
    np.testing.assert_array_equal((first, second), before)


@given(two_pictures())
def test_the_papers_numbers_are_the_default(pictures: tuple[NDArray, NDArray]) -> None:
    first, second = pictures
    is_dark = statistics.median(exact_lumas(first)) < 64
    whole = (6 * first.astype(int) + 4 * second.astype(int) + 5) // 10  # halves never occur
    np.testing.assert_array_equal(fuse(first, second), whole if is_dark else first)


def test_a_large_picture_is_fused_everywhere() -> None:
    first, second = RNG.integers(0, 40, (2, 200, 3, 3), np.uint8)  # several bands
    np.testing.assert_array_equal(fuse(first, second), (6 * first.astype(int) + 4 * second.astype(int) + 5) // 10)


def test_what_cannot_be_fused() -> None:
    dark = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match=r"two pictures alike, got \(4, 4, 3\) uint8 and \(4, 4, 3\) uint16"):
        fuse(dark, dark.astype(np.uint16))
    with pytest.raises(ValueError, match="two pictures alike"):
        fuse(dark, dark[:2])
    with pytest.raises(ValueError, match="finite alpha"):
        fuse(dark, dark, gamma=float("nan"))
    with pytest.raises(ValueError, match=r"expected \(H, W, 1 or 3\)"):
        median_luma(dark[..., :2])
    with pytest.raises(ValueError, match="uint8 or uint16"):
        median_luma(dark.astype(float))  # type: ignore[reportArgumentType]


class Scaled(nn.Module):
    """LR times `gain`, each pixel repeated."""

    def __init__(self, gain: float, scale: int = 2) -> None:
        super().__init__()
        self.gain, self.scale = nn.Parameter(torch.tensor(gain)), scale

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return self.gain * lr.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)


def model(gain: float, scale: int = 2) -> Upscaler:
    return Upscaler(Model(Scaled(gain, scale), "scaled", scale, 0, {}), device="cpu", precision="fp32")


class Refusing(BicubicUpscaler):
    def image(self, pixels: Samples, *, scale: float | None = None, on_tile: OnTile | None = None) -> Samples:
        raise AssertionError("the second model ran")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [None, 3])
def test_a_dark_picture_is_the_fusion_of_both_results(dtype: type, channels: int, scale: float | None) -> None:
    pixels = picture((6, 5, channels), dtype, 0, np.iinfo(dtype).max // 6)
    first, second = model(1.0), model(0.5)
    made = FusedUpscaler(first, second)
    expected = fuse(first.image(pixels, scale=scale), second.image(pixels, scale=scale))
    assert (expected != first.image(pixels, scale=scale)).any()
    np.testing.assert_array_equal(made.image(pixels, scale=scale), expected)
    assert made.facts.is_fused
    assert made.facts.y_med == median_luma(first.image(pixels, scale=scale))
    assert made.facts.second == Facts(1, False)
    assert str(made.facts).startswith(f"Y_med {made.facts.y_med:.1f}, below 64: fused; first run at once; second")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_bright_picture_is_the_firsts_and_the_second_does_not_run(dtype: type) -> None:
    white = np.iinfo(dtype).max
    pixels = picture((6, 5, 3), dtype, white // 2, white)
    first = model(1.0)
    made = FusedUpscaler(first, Refusing(2))
    assert made.image(pixels).tobytes() == first.image(pixels).tobytes()
    assert not made.facts.is_fused
    assert made.facts.second is None
    assert str(made.facts).endswith(", not below 64: the first model alone, run at once")


def test_the_threshold_looks_at_the_first_result_not_at_the_picture() -> None:
    dark = np.full((4, 4, 3), 30, np.uint8)
    made = FusedUpscaler(model(8.0), Refusing(2))
    assert made.image(dark).max() == 240
    with pytest.raises(AssertionError, match="second model ran"):
        FusedUpscaler(model(1.0), Refusing(2)).image(dark)


def test_alpha_is_enlarged_and_hidden_colours_are_not_seen() -> None:
    pixels = np.full((8, 8, 3), 40, np.uint8)
    alpha = np.full((8, 8), 255, np.uint8)
    pixels[:, :5], alpha[:, :5] = 255, 0  # bright where nothing shows
    photo = Photo(pixels, alpha, dpi=(72.0, 72.0))
    made = FusedUpscaler(model(1.0), model(0.5))
    result = made.photo(photo)
    assert made.facts.is_fused
    assert np.unique(result.pixels).tolist() == [32]  # 0.6 * 40 + 0.4 * 20
    assert result.alpha is not None
    np.testing.assert_array_equal(result.alpha, model(1.0).photo(photo).alpha)
    assert result.dpi == photo.dpi


def test_two_scales_are_refused() -> None:
    with pytest.raises(ValueError, match="two models of one scale, got x2 and x4"):
        FusedUpscaler(model(1.0), BicubicUpscaler(4))


def test_both_results_count_in_what_is_exact() -> None:
    blended = Facts(4, False, 8, is_exact=False)
    first, second = model(1.0), model(0.5)
    made = FusedUpscaler(first, second)
    made.image(np.zeros((4, 4, 3), np.uint8))
    assert made.facts.is_exact
    about = type(made.facts)(20.0, 64.0, True, Facts(1, False), blended)
    assert not about.is_exact
