"""Blur, resampling and phase are explained by a filter of HR; noise is what is left."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from degrade.functional.resample import imresize_uint8
from degrade.image import Pixels
from srzoo.evaluate.linear_part import LinearPart
from srzoo.evaluate.scenes import taken_nearest


def photo(height: int = 256, width: int = 320) -> Pixels:
    """Coarse and fine structure down to single pixels."""
    random = np.random.default_rng(0)
    layers = (ndimage.gaussian_filter(random.normal(size=(height, width, 3)), (s, s, 0)) * s for s in (0.8, 2, 6))
    return np.clip(128 + 90 * sum(layers), 0, 255).astype(np.uint8)  # type: ignore[operator]  three arrays


def rounded(picture: NDArray) -> Pixels:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


HR = photo()


@pytest.mark.parametrize(
    "lr",
    [
        taken_nearest(HR, 4),
        imresize_uint8(HR, 64, 80),
        rounded(HR.reshape(64, 4, 80, 4, 3).mean((1, 3))),
        rounded(ndimage.shift(HR.astype(float), (0.3, -0.2, 0), order=1, mode="reflect")[2::4, 2::4]),
    ],
    ids=["nearest", "bicubic", "area", "shifted"],
)
def test_resampling_is_no_noise_whatever_its_phase(lr: Pixels) -> None:
    left = np.std(lr - LinearPart(HR, 4).of(lr))
    others = [np.std(lr - other.astype(float)) for other in (taken_nearest(HR, 4), imresize_uint8(HR, 64, 80))]
    assert left < 2  # rounding is 0.3; bicubic, which sees twice as far as the filter, 1.9
    assert left < max(others) / 8


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_planted_noise_is_left_whole(scale: int) -> None:
    noise = np.random.default_rng(1).normal(0, 6, (256 // scale, 320 // scale, 3))
    lr = rounded(taken_nearest(HR, scale).clip(40, 210) + noise)
    clean = taken_nearest(HR.clip(40, 210), scale)
    left = lr - LinearPart(HR.clip(40, 210), scale).of(lr)
    assert np.std(left) == pytest.approx(6 * LinearPart(HR, scale).kept, rel=0.01)
    assert LinearPart(HR, scale).kept > 0.99
    assert np.corrcoef(left.ravel(), (lr - clean.astype(float)).ravel())[0, 1] > 0.99


def test_it_is_the_least_squares_fit_of_each_channel() -> None:
    hr, random = HR[:48, :40], np.random.default_rng(2)
    lr = random.integers(0, 256, (24, 20, 3), dtype=np.uint8)
    part = LinearPart(hr, 2).of(lr)
    padded = np.pad(hr.astype(float), ((3, 3), (3, 3), (0, 0)), "symmetric")
    for channel in range(3):
        plane = padded[..., channel] - hr[..., channel].mean()
        rows = np.stack([plane[2 * y : 2 * y + 8, 2 * x : 2 * x + 8].ravel() for y in range(24) for x in range(20)])
        wanted = lr[..., channel].ravel().astype(float)
        taps = np.linalg.lstsq(rows, wanted - wanted.mean(), rcond=None)[0]
        np.testing.assert_allclose(part[..., channel].ravel(), rows @ taps + wanted.mean(), atol=1e-6)


def test_a_picture_without_structure_is_its_mean() -> None:
    lr = np.random.default_rng(3).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    part = LinearPart(np.full((64, 64, 3), 77, np.uint8), 4).of(lr)
    np.testing.assert_allclose(part, np.broadcast_to(lr.mean((0, 1)), part.shape), atol=1e-9)


def test_lr_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(64, 80, 3\), got \(64, 64, 3\)"):
        LinearPart(HR, 4).of(np.zeros((64, 64, 3), np.uint8))
