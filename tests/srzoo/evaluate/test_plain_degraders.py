"""Degraders without learning find what was planted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from degrade.functional.resample import imresize_uint8
from degrade.image import Pixels
from srzoo.evaluate.degraders import DegraderJudge, fidelity
from srzoo.evaluate.plain_degraders import KERNEL, Moments, fit_noise, fit_plain
from srzoo.evaluate.scenes import Scene, taken_nearest
from srzoo.metrics.protocol import luma


def photo(seed: int, height: int = 96, width: int = 128, finest: float = 0.6) -> Pixels:
    """Grey, so that a filter of luma filters all there is."""
    random = np.random.default_rng(seed)
    layers = [ndimage.gaussian_filter(random.normal(size=(height, width)), s) * s for s in (finest, 1.5, 5)]
    grey = np.clip(128 + 50 * sum(layers), 30, 225)  # type: ignore[operator]  three arrays
    return grey.astype(np.uint8)[..., None].repeat(3, axis=2)


def scene(hr: Pixels, real: NDArray, key: int = 0, clean: Pixels | None = None) -> Scene:
    real = np.clip(np.rint(real), 0, 255).astype(np.uint8)
    return Scene("a.png", hr, real, hr if clean is None else clean, real, key)


def filtered(kernel: NDArray, seeds: range) -> list[Scene]:
    return [
        scene(photo(seed), ndimage.correlate(photo(seed).astype(float), kernel[..., None], mode="reflect"))
        for seed in seeds
    ]


def gaussian(sigma: float) -> NDArray[np.float64]:
    radius = np.arange(KERNEL) - KERNEL // 2
    row = np.exp(-(radius**2) / (2 * sigma**2))
    return np.outer(row, row) / row.sum() ** 2


@pytest.mark.parametrize("sigma", [0.6, 1.3, 2.4])
def test_a_planted_gaussian_is_recovered(sigma: float) -> None:
    found = Moments.over(filtered(gaussian(sigma), range(2))).best_sigma()
    assert found == pytest.approx(sigma, rel=0.005)  # LR was rounded to grey levels


def test_no_blur_is_the_smallest_gaussian() -> None:
    assert Moments.over([scene(photo(0), photo(0))]).best_sigma() < 0.2


def test_a_planted_kernel_is_recovered_on_other_pictures() -> None:
    kernel = np.zeros((KERNEL, KERNEL))
    kernel[5:9, 6:12] = np.random.default_rng(3).uniform(0, 1, (4, 6))
    kernel /= kernel.sum()
    identity, blur, squares = fit_plain(filtered(kernel, range(3)), 1)
    (unseen,) = filtered(kernel, range(7, 8))
    psnr = {one.name: fidelity(one.make(unseen), unseen.real, 7)["psnr"] for one in (identity, blur, squares)}
    assert psnr["least_squares"] > 50  # two roundings: 1/6 of a grey level squared, 56 dB
    assert psnr["least_squares"] > psnr["gaussian"] + 10
    assert psnr["gaussian"] > psnr["identity"]
    np.testing.assert_allclose(Moments.over(filtered(kernel, range(3))).best_kernel(), kernel, atol=0.01)


def test_moments_are_the_squared_error_of_any_kernel() -> None:
    one = filtered(gaussian(1.0), range(1))[0]
    kernel = np.random.default_rng(4).normal(0, 0.05, (KERNEL, KERNEL))
    made = ndimage.correlate(luma(one.hr)[..., 0], kernel, mode="reflect")
    slow = ((made - luma(one.real)[..., 0])[7:-7, 7:-7] ** 2).sum()
    assert Moments.over([one]).error(kernel) == pytest.approx(slow, rel=1e-9)


def test_no_kernel_is_better_than_the_least_squares_one() -> None:
    pairs = [scene(photo(0), np.roll(photo(1), 3, axis=0))]  # nothing explains that
    moments = Moments.over(pairs)
    best = moments.best_kernel()
    random = np.random.default_rng(5)
    assert all(moments.error(best + random.normal(0, 1e-3, best.shape)) > moments.error(best) for _ in range(20))


def test_chroma_is_kept_and_edges_are_mirrored() -> None:
    hr = np.random.default_rng(6).integers(60, 200, (64, 72, 3), dtype=np.uint8)
    one = scene(hr, ndimage.gaussian_filter(hr.astype(float), (1, 1, 0)))
    _, blur, _ = fit_plain([one], 1)
    made = blur.make(one).astype(float)
    change = made - hr
    assert np.ptp(change, axis=2).max() <= 1  # all channels move alike, but for rounding
    wanted = ndimage.correlate(luma(hr)[..., 0], gaussian(float(blur.what.rpartition(" ")[2])), mode="reflect")
    assert np.abs(luma(made.astype(np.uint8))[..., 0] - wanted).max() < 0.6


@pytest.mark.parametrize("sigma", [3.0, 9.0])
def test_the_noise_of_nearest_lr_is_given_to_bicubic(sigma: float) -> None:
    random = np.random.default_rng(7)
    pairs = []
    for seed in range(4):
        hr = photo(seed, 256, 256, finest=2)
        real = taken_nearest(hr, 4) + random.normal(0, sigma, (64, 64, 3))
        pairs.append(scene(hr, real, seed, taken_nearest(hr, 4)))
    assert fit_noise(pairs) == pytest.approx(sigma, rel=0.04)  # what bicubic has by itself is taken off
    bicubic, noisy = fit_plain(pairs, 4)
    assert (bicubic.name, noisy.name) == ("bicubic", "bicubic+noise")
    np.testing.assert_array_equal(bicubic.make(pairs[0]), imresize_uint8(pairs[0].hr, 64, 64))
    added = np.concatenate([noisy.make(one) - bicubic.make(one).astype(float) for one in pairs])
    assert np.std(added) == pytest.approx(sigma, rel=0.05)
    np.testing.assert_array_equal(noisy.make(pairs[0]), noisy.make(pairs[0]))
    assert (noisy.make(pairs[0]) != noisy.make(scene(pairs[0].hr, pairs[0].real, 99))).any()


def test_noise_that_black_clips_is_as_strong_as_the_real_one() -> None:
    random = np.random.default_rng(8)
    pairs = []
    for seed in range(4):
        hr = (photo(seed, 256, 256, finest=2) // 20).astype(np.uint8)  # 1 to 11 grey levels
        pairs.append(scene(hr, taken_nearest(hr, 4) + random.normal(0, 8, (64, 64, 3)), seed, taken_nearest(hr, 4)))
    _, noisy = fit_plain(pairs, 4)
    judge = DegraderJudge([noisy], noise=True)
    for one in pairs:
        judge.add(one)
    table = judge.results().summary()
    assert table["real"]["std"] < 6.5
    assert table[noisy.name]["std"] == pytest.approx(table["real"]["std"], rel=0.02)


def test_nothing_to_fit_to_is_an_error() -> None:
    for scale in (1, 4):
        with pytest.raises(ValueError, match="at least one scene"):
            fit_plain([], scale)
