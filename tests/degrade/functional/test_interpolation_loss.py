"""What interpolation costs the mean of a burst: known from the phases, given back where it shows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from degrade.functional.fusion import measure_noise
from degrade.functional.interpolation_loss import give_back, loss_noise, mean_response, phases
from degrade.functional.warp import Motion

EVEN = np.arange(64) / 64


def test_frames_that_did_not_move_lost_nothing() -> None:
    assert np.allclose(mean_response(np.zeros(5)), np.eye(13)[6], atol=1e-6)
    assert np.allclose(mean_response(np.array([1e-9, 1 - 1e-9])), np.eye(13)[6], atol=1e-6)


@pytest.mark.parametrize("frequency", [0.1, 0.25, 0.4])
def test_the_response_is_what_the_mean_of_interpolated_waves_keeps(frequency) -> None:
    """Measured with SciPy's splines: a wave, sampled between pixels, moved back without loss, averaged."""
    places = np.arange(200.0)
    kept = []
    for phase in EVEN:
        for part in (np.cos, np.sin):
            wave = part(2 * np.pi * frequency * places)
            sampled = ndimage.map_coordinates(wave, [places + phase], order=3)[50:150]
            exact = part(2 * np.pi * frequency * (places + phase))[50:150]
            kept.append((sampled * exact).sum() / (exact * exact).sum())
    response = (mean_response(EVEN) * np.cos(2 * np.pi * frequency * np.arange(-6, 7))).sum()
    assert response == pytest.approx(np.mean(kept), abs=0.02)  # 13 taps cut the filter short


def test_phases_are_those_of_pixels() -> None:
    centre = (59.5, 79.5)
    assert np.allclose(phases(Motion(), centre), 0)
    found = phases(Motion(2.25, -0.25), centre)
    assert np.allclose(found[0], 0.25)
    assert np.allclose(found[1], 0.75)
    turned = phases(Motion(angle=0.02), centre)
    assert np.histogram(turned[0], 4, (0, 1))[0].min() > 4  # a rotation has all of them


def test_detail_is_given_back_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    taps = mean_response(EVEN), mean_response(EVEN)
    fine = ndimage.gaussian_filter(rng.normal(size=(80, 90)), 0.6)
    truth = np.stack([0.5 + 0.1 * fine / fine.std()] * 3, axis=-1).astype(np.float32)
    truth[:, 45:] = 0.5  # a flat half
    dimmed = truth
    for axis in range(2):
        dimmed = ndimage.correlate1d(dimmed, taps[axis], axis=axis, mode="nearest")
    # A frame's noise, interpolated as the picture was.
    stack = np.stack(
        [dimmed + ndimage.gaussian_filter(rng.normal(0, 0.02, truth.shape), (0.5, 0.5, 0)) for _ in range(8)]
    )
    stack = stack.astype(np.float32)
    noise = measure_noise([stack])
    mean = stack.mean(axis=0)
    restored = give_back(mean, noise, taps, loss_noise([stack], noise, taps) / 8)
    detailed, flat = np.s_[10:-10, 10:35], np.s_[10:-10, 55:-10]
    assert np.square(restored - truth)[detailed].mean() < 0.5 * np.square(mean - truth)[detailed].mean()
    assert np.square(restored - truth)[flat].mean() < 1.05 * np.square(mean - truth)[flat].mean()
