"""The robust mean: the plain mean where nothing moves, without what moves, by noise it measures itself."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.functional.fusion import LEVELS, measure_noise, median, robust_mean, smooth


def burst(sigma: float = 0.02, frames: int = 20, height: int = 60, width: int = 70, channels: int = 3) -> np.ndarray:
    """A ramp with white noise."""
    ramp = np.linspace(0.1, 0.9, width, dtype=np.float32)[None, None, :, None]
    return ramp + np.random.default_rng(0).normal(0, sigma, (frames, height, width, channels)).astype(np.float32)


@pytest.mark.parametrize("frames", [1, 2, 5, 6])
def test_the_median_is_numpys_and_passes_over_what_is_not_covered(frames) -> None:
    stack = burst(frames=frames, height=9, width=11)
    stack[0, :3] = np.nan
    stack[:, 4, 5] = np.nan
    ours = median(stack)
    with np.errstate(all="ignore"):
        theirs = np.full_like(ours, np.nan)
        known = np.isfinite(stack).any(axis=0)
        theirs[known] = np.nanmedian(stack[:, known], axis=0)
    assert np.allclose(ours, theirs, equal_nan=True, atol=1e-7)


@pytest.mark.parametrize("sigma", [0.004, 0.02, 0.08])
def test_white_noise_is_measured(sigma) -> None:
    noise = measure_noise([burst(sigma)])
    assert noise.variance.shape == (LEVELS, 3)
    assert np.allclose(np.sqrt(noise.variance), sigma, rtol=0.15)  # some hundred pixels a level, their pairs correlated
    assert noise.edge < 0.1
    assert noise.mean_variance == pytest.approx(1 / (4 * np.pi * 1.8**2), rel=0.35)  # a Gaussian's sum of squared taps


def test_noise_is_measured_level_by_level_and_channel_by_channel() -> None:
    stack = burst(0.0)
    sigma = 0.01 + 0.04 * stack * np.array([1, 0.5, 0.25], np.float32)
    stack = stack + sigma * np.random.default_rng(1).normal(size=stack.shape).astype(np.float32)
    found = np.sqrt(measure_noise([stack]).variance)
    expected = 0.01 + 0.04 * np.linspace(0, 1, LEVELS)[:, None] * np.array([1, 0.5, 0.25])
    assert np.allclose(found[3:-3], expected[3:-3], rtol=0.12)


def test_a_still_scene_gives_the_plain_mean() -> None:
    stack = burst()
    mean, weights = robust_mean(stack, measure_noise([stack]))
    truth = stack.mean(axis=(0, 1), keepdims=True)[0]
    ours, plain = np.square(mean - truth).mean(), np.square(stack.mean(axis=0) - truth).mean()
    assert ours < 1.02 * plain  # 0.1 dB
    assert weights.mean() > 0.97


@pytest.mark.parametrize("added", [0.5, -0.1, 0.05])
def test_what_is_in_six_of_twenty_frames_leaves_nothing(added) -> None:
    """Down to 2.5 times the noise."""
    stack = burst()
    still, _ = robust_mean(stack, measure_noise([stack]))
    stack[7:13, 20:40, 25:50] += np.float32(added)
    mean, weights = robust_mean(stack, measure_noise([stack]))
    assert weights[7:13, 22:38, 27:48].max() < 0.02
    assert weights[:7, 20:40, 25:50].mean() > 0.9
    assert abs((mean - still)[20:40, 25:50].mean()) < 0.1 * 0.02


def test_uncovered_samples_have_no_weight() -> None:
    stack = burst()
    stack[3, :, :30] = np.nan
    mean, weights = robust_mean(stack, measure_noise([stack]))
    assert np.isfinite(mean).all()
    assert not weights[3, :, :30].any()
    assert weights[3, :, 36:].mean() > 0.9


def test_where_nothing_agrees_the_first_frame_stands() -> None:
    stack = burst(frames=2)
    noise = measure_noise([stack])
    stack[1, 10:40, 10:40] += 0.5
    mean, _ = robust_mean(stack, noise)
    assert np.array_equal(mean[15:35, 15:35], stack[0, 15:35, 15:35])


def test_smoothing_keeps_a_constant_and_is_a_gaussian() -> None:
    assert np.allclose(smooth(np.full((1, 7, 5), 0.3, np.float32)), 0.3, atol=1e-6)
    pulse = np.zeros((1, 31, 33), np.float32)
    pulse[0, 15, 16] = 1
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.8) ** 2)
    taps /= taps.sum()
    assert np.allclose(smooth(pulse)[0, 10:21, 11:22], np.outer(taps, taps), atol=1e-6)
