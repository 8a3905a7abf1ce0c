"""Kernels that blurred a picture are found again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from degrade.functional.registration import shift
from degrade.measure.kernels import estimate_kernel


def gaussian(size: int, sigma_y: float, sigma_x: float, centre: float = 0.0) -> np.ndarray:
    steps = np.arange(size) - size // 2 - centre
    kernel = np.exp(-(steps[:, None] ** 2) / (2 * sigma_y**2) - steps[None] ** 2 / (2 * sigma_x**2))
    return kernel / kernel.sum()


@pytest.fixture
def photo(scene) -> np.ndarray:
    return scene(0, 150, 171, channels=1)[..., 0].astype(np.float64)


def blurred(photo: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return ndimage.correlate(photo, kernel, mode="mirror")


def test_an_oblong_kernel_is_found_again(photo) -> None:
    truth = gaussian(13, 2.0, 0.9)
    found = estimate_kernel(blurred(photo, truth), photo, size=13)
    assert np.abs(found.kernel - truth).sum() < 0.06  # the smoothness costs 3 %
    assert found.fit > 0.995
    assert found.sigma == pytest.approx((2.0, 0.9), abs=0.12)
    assert (found.kernel.dtype, found.kernel.shape) == (np.float32, (13, 13))


def test_a_motion_kernel_and_noise(photo) -> None:
    truth = np.zeros((9, 9))
    truth[4, 1:8] = 1 / 7
    noise = np.random.default_rng(0).normal(0, 1, photo.shape)
    found = estimate_kernel(blurred(photo, truth) + noise, photo, size=9)
    assert np.abs(found.kernel - truth).sum() < 0.15
    assert found.kernel.min() >= 0
    assert found.kernel.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("scale", [2, 3])
def test_smaller_lr_is_sampled_at_block_centres(scene, scale) -> None:
    """The centre of a block of 2 lies between pixels: half a tap beside the kernel's middle."""
    photo = scene(1, 60 * scale, 66 * scale, channels=1)[..., 0].astype(np.float64)
    taps = gaussian(11, 1.6, 1.2, centre=0.5 if scale == 2 else 0)
    first = (scale - 1) // 2
    lr = blurred(photo, taps)[first::scale, first::scale]
    found = estimate_kernel(lr, photo, size=11, scale=scale)
    assert np.abs(found.kernel - gaussian(11, 1.6, 1.2)).sum() < 0.12
    assert found.offset == pytest.approx((0, 0), abs=0.05)


def test_a_shift_is_taken_out_and_told(photo) -> None:
    truth = gaussian(13, 1.5, 1.5)
    moved = ndimage.shift(blurred(photo, truth), (2.3, -1.0), order=5, mode="mirror")
    found = estimate_kernel(moved, photo, size=13)
    assert found.offset == pytest.approx((2.3, -1.0), abs=0.05)  # down and to the left
    again = shift(blurred(photo, found.kernel.astype(np.float64)), photo)  # centred: it moves nothing
    assert (again.y, again.x) == pytest.approx((0, 0), abs=0.02)
    steps = np.arange(13) - 6
    assert found.kernel.sum(axis=1) @ steps == pytest.approx(0, abs=0.01)


def test_brightness_and_contrast_do_not_count(photo) -> None:
    truth = gaussian(9, 1.2, 1.2)
    found = estimate_kernel(0.8 * blurred(photo, truth) + 17, photo, size=9)
    assert np.abs(found.kernel - truth).sum() < 0.06
    assert found.gain == pytest.approx(0.8, abs=0.02)


def test_pictures_that_do_not_belong_together_fit_badly(scene) -> None:
    one, other = (scene(seed, 90, 90, channels=1)[..., 0].astype(np.float64) for seed in (0, 1))
    assert estimate_kernel(one + 0.3 * other, other, size=9).fit < 0.5


@pytest.mark.parametrize(
    ("lr", "hr", "size", "match"),
    [
        ((30, 30), (30, 31), 9, "HR of 1 times"),
        ((90, 90), (90, 90), 8, "an odd size"),
        ((24, 24), (24, 24), 21, "LR pixels inside"),
    ],
)
def test_impossible_sizes_are_refused(lr, hr, size, match) -> None:
    random = np.random.default_rng(0)
    with pytest.raises(ValueError, match=match):
        estimate_kernel(random.random(lr), random.random(hr), size=size)


def test_a_flat_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="detail"):
        estimate_kernel(np.full((90, 90), 5.0), np.full((90, 90), 5.0), size=5)
