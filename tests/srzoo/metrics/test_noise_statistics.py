"""Planted noise is told by its deviation, grain and channels; a blur of the scene is hardly noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage, signal

from srzoo.metrics.noise_statistics import BANDS, SIDE, NoiseStatistics, NoiseSums, compare, measure_noise

SHAPE = (192, 256, 3)
LUMA = np.array((0.299, 0.587, 0.114))


def flat(level: float = 120.0) -> NDArray[np.float64]:
    return np.full(SHAPE, level)


def white(sigma: float = 1.0, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, sigma, SHAPE)


def statistics_of(noise: NDArray) -> NoiseStatistics:
    return measure_noise([(flat() + noise, flat())])


@pytest.mark.parametrize("sigma", [0.5, 4.0, 20.0])
def test_white_noise_has_its_deviation_and_a_level_spectrum(sigma: float) -> None:
    found = measure_noise((flat() + white(sigma, seed), flat()) for seed in range(8))
    assert found.num_blocks == 8 * 12 * 16 // 2  # half of all blocks
    assert found.std == pytest.approx(sigma, rel=0.005)  # 590,000 values: one deviation is 0.1 %
    level = 20 * math.log10(sigma * math.sqrt(LUMA @ LUMA))  # luma of independent channels
    assert found.spectrum == pytest.approx([level] * BANDS, abs=0.25)  # 8 frequencies of 768 blocks: 0.06 to 0.1 dB
    assert found.spectrum_shape == pytest.approx([0] * BANDS, abs=0.25)
    assert found.channel_correlation == pytest.approx((0, 0, 0), abs=0.01)


def test_noise_that_grows_with_light_is_told_by_brightness() -> None:
    y = np.arange(SHAPE[0]) // SIDE  # 12 rows of blocks, each of one grey
    levels = (16 + 20 * y).astype(float)
    reference = np.broadcast_to(levels[:, None, None], SHAPE).copy()
    sigma = 1 + reference / 40
    pairs = [(reference + sigma * white(1, seed), reference) for seed in range(8)]
    found = measure_noise(pairs)
    half = levels[::SIDE][: 12 // 2]  # all blocks are equally flat: the upper half is taken
    for number in range(8):
        inside = half[(half // 32) == number]
        stated = found.std_by_brightness[number]
        assert found.share_by_brightness[number] == pytest.approx(len(inside) / len(half))
        if not len(inside):
            assert stated is None
            continue
        assert stated == pytest.approx(math.sqrt(np.mean((1 + inside / 40) ** 2)), rel=0.01)
    assert sum(found.share_by_brightness) == pytest.approx(1)


def test_a_bin_of_few_blocks_is_left_out() -> None:
    sums = NoiseSums(np.array([99.5, 0.5, 0, 0, 0, 0, 0, 0]), np.full(8, 2.0), np.eye(3), np.ones(8))
    found = sums.statistics()
    assert found.std_by_brightness == (pytest.approx(math.sqrt(2 / 99.5)), *[None] * 7)


@pytest.mark.parametrize(
    "kernel", [np.outer([1, 2, 1], [1, 2, 1]) / 16, np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])]
)
def test_grain_has_the_spectrum_of_the_filter_that_made_it(kernel: NDArray) -> None:
    """Independent: the filter's frequency response, spread by the window's own (a Hann window sees +-1 bin)."""

    def grain(seed: int) -> NDArray:
        noise = white(5, seed)[..., :1]
        return np.repeat(ndimage.convolve(noise, kernel[..., None], mode="wrap"), 3, axis=2)

    found = measure_noise((flat() + grain(seed), flat()) for seed in range(8))
    size = 256
    response = np.abs(np.fft.fft2(kernel, (size, size))) ** 2
    taper = signal.get_window("hann", SIDE)
    window = np.abs(np.fft.fft(taper, size)) ** 2
    smooth = np.fft.ifft2(np.fft.fft2(response) * np.fft.fft2(np.outer(window, window))).real
    smooth = smooth[:: size // SIDE, :: size // SIDE] / np.outer(window, window).sum()
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE, 1 / SIDE), np.fft.fftfreq(SIDE, 1 / SIDE)))
    expected = []
    for band in range(1, BANDS + 1):
        inside = (radius > band - 0.5) & (radius <= band + 0.5 if band < BANDS else radius < 99)
        expected.append(10 * math.log10(25 * smooth[inside].mean()))
    # Band 1 loses a little more than white noise does with the block's mean.
    assert found.spectrum == pytest.approx(expected, abs=0.5)
    assert max(expected) - min(expected) > 6


def test_shape_is_the_same_however_strong_the_noise() -> None:
    grain = ndimage.gaussian_filter(white(), (1, 1, 0))
    weak, strong = (measure_noise([(flat() + k * grain, flat())]) for k in (2, 20))
    assert strong.spectrum == pytest.approx([level + 20 for level in weak.spectrum], abs=1e-9)
    assert strong.spectrum_shape == pytest.approx(weak.spectrum_shape, abs=1e-9)
    assert weak.spectrum_shape[0] > weak.spectrum_shape[-1] + 20


def test_channels_correlate_as_their_covariance_says() -> None:
    covariance = np.array([[9.0, 4.5, 1.0], [4.5, 4.0, -1.0], [1.0, -1.0, 16.0]])
    mixed = white() @ np.linalg.cholesky(covariance).T
    found = measure_noise([(flat() + mixed, flat())])
    assert found.channel_correlation == pytest.approx((4.5 / 6, -1 / 8, 1 / 12), abs=0.02)
    assert found.std == pytest.approx(math.sqrt((9 + 4 + 16) / 3), rel=0.02)
    grey = np.repeat(white(3)[..., :1], 3, axis=2)
    assert measure_noise([(flat() + grey, flat())]).channel_correlation == pytest.approx((1, 1, 1))


def scene(shift: float = 0.0, blur: float = 0.0) -> NDArray[np.float64]:
    """A photograph's worth of structure: smooth left and middle, an edge, fine texture on the right."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    x, y = x + shift, y + shift
    texture = 25 * np.sin(x * 1.1) * np.cos(y * 0.9) * (x > 160)
    grey = 90 + 0.15 * x + 0.1 * y + 40 * (x > 64) * (x < 128) + texture
    return np.repeat(ndimage.gaussian_filter(grey, blur)[..., None] if blur else grey[..., None], 3, axis=2)


@pytest.mark.parametrize("other", [scene(shift=0.4), scene(blur=0.7)])
def test_another_blur_or_phase_of_the_scene_adds_little(other: NDArray) -> None:
    everywhere = float(np.std(other - scene()))
    noise = white(3)
    plain, moved = measure_noise([(scene() + noise, scene())]), measure_noise([(other + noise, scene())])
    assert moved.std == pytest.approx(plain.std, rel=0.06)
    assert everywhere / plain.std > 0.7  # over all blocks it would add a quarter and more


def test_a_shift_of_colour_is_no_noise() -> None:
    found = measure_noise([(np.add(flat(), (7, -4, 2)), flat())])
    assert found.std == 0
    assert all(math.isnan(value) for value in found.channel_correlation)
    assert found.spectrum == pytest.approx([-60] * BANDS)


def test_distance_is_by_bin_and_weighed_by_the_real_blocks() -> None:
    def of(low: float, high: float, seed: int) -> NoiseStatistics:
        light, dark = flat(200), flat(40)
        dark_pairs = [(dark + white(low, seed + k), dark) for k in range(3)]
        return measure_noise([*dark_pairs, (light + white(high, seed + 3), light)])

    far = compare(of(4, 10, seed=0), of(5, 10, seed=10))
    assert far.std == pytest.approx(0.75 * 0.25, abs=0.01)
    assert far.std_worst == pytest.approx(0.25, abs=0.01)
    same = compare(of(4, 10, seed=0), of(4, 10, seed=0))
    assert (same.std, same.std_worst, same.spectrum, same.spectrum_shape, same.correlation) == (0, 0, 0, 0, 0)


def test_twice_the_noise_is_6_db_everywhere_and_the_same_shape() -> None:
    far = compare(statistics_of(white(2)), statistics_of(white(4)))
    assert (far.std, far.std_worst) == pytest.approx((1, 1))
    assert (far.spectrum, far.spectrum_mean) == pytest.approx((20 * math.log10(2),) * 2)
    assert far.spectrum_shape == pytest.approx(0, abs=1e-9)
    assert far.correlation == pytest.approx(0, abs=1e-9)


def test_no_noise_at_all_is_all_of_it_away() -> None:
    far = compare(statistics_of(white(2)), statistics_of(np.zeros(SHAPE)))
    assert far.std == 1
    assert far.spectrum > 50
    assert math.isnan(far.correlation)
    assert compare(statistics_of(np.zeros(SHAPE)), statistics_of(white(2))).std == math.inf


def test_pooling_does_not_depend_on_how_pictures_are_added() -> None:
    one, two, three = (NoiseSums.of(white(3, seed), scene()) for seed in range(3))
    left, right = ((one + two) + three).statistics(), (one + (two + three)).statistics()
    assert left.std == pytest.approx(right.std)
    assert left.num_blocks == 3 * 96


def test_pictures_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two of \(H, W, 3\) alike, at least 16 x 16"):
        NoiseSums.of(flat(), flat()[:32])
    with pytest.raises(ValueError, match="at least 16 x 16"):
        NoiseSums.of(flat()[:15], flat()[:15])
    with pytest.raises(ValueError, match="at least one pair"):
        measure_noise([])
