"""Sharpening against OpenCV, scikit-image and SciPy away from the border, where the continuations differ."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import unsharp_mask as skimage_unsharp_mask

from degrade.functional.color import luma
from degrade.functional.sharpen import halo_radius, opencv_sigma, overshoot, unsharp_mask


def photo(height: int = 150, width: int = 141, channels: int = 3) -> np.ndarray:
    coarse = np.random.default_rng(2).random((19, 17, channels), dtype=np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)
    fine = np.random.default_rng(3).normal(0, 0.03, smooth.shape)
    return np.clip(0.15 + 0.7 * smooth + fine, 0, 1).astype(np.float32)


def by_opencv(image: np.ndarray, size: int, weight: float, threshold: float) -> np.ndarray:
    """The formula with OpenCV's blur, its sigma left to its own rule."""

    def blurred(x: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(x, (size, size), 0).reshape(image.shape)

    residual = image - blurred(image)
    mask = blurred((np.abs(residual) * 255 > threshold).astype(np.float32))
    return mask * np.clip(image + weight * residual, 0, 1) + (1 - mask) * image


@pytest.mark.parametrize(("size", "channels"), [(51, 3), (51, 1), (21, 3), (13, 1)])
def test_the_unsharp_mask_equals_the_formula_with_opencvs_blur(size: int, channels: int) -> None:
    """Inside, where neither blur sees the border; to float32 (no pixel lies at the threshold by rounding)."""
    image = photo(channels=channels)
    made = unsharp_mask(image, opencv_sigma(size), size, 0.5, 10 / 255)
    inside = (slice(size - 1, 1 - size),) * 2
    np.testing.assert_allclose(made[inside], by_opencv(image, size, 0.5, 10.0)[inside], atol=2e-5)
    assert np.abs(made - image)[inside].max() > 0.02


def test_the_sigma_of_51_pixels_is_8() -> None:
    assert opencv_sigma(51) == pytest.approx(8.0, abs=1e-12)
    for size in (13, 21):  # for small kernels OpenCV has fixed tables
        taps = cv2.getGaussianKernel(size, -1).ravel()
        expected = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * opencv_sigma(size) ** 2))
        np.testing.assert_allclose(taps, expected / expected.sum(), atol=1e-7)


def test_where_nothing_exceeds_the_threshold_the_image_stays() -> None:
    image = photo()
    np.testing.assert_array_equal(unsharp_mask(image, 2.0, 13, 0.5, 1.0), image)
    flat = np.full((9, 11, 3), 0.3, np.float32)
    np.testing.assert_array_equal(unsharp_mask(flat, 8.0, 51, 0.5, 10 / 255), flat)


def test_the_unsharp_mask_of_an_image_in_range_is_in_range() -> None:
    made = unsharp_mask(photo(41, 67).round(), 2.0, 13, 5.0, 0.01)
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("sigma", [0.7, 2.3])
def test_the_overshoot_equals_scikit_image(sigma: float, channels: int) -> None:
    """It cuts its Gaussian at 4 sigma, we at 3: within 4e-3 of the amount, and 2e-6 with the same cut."""
    image = photo(61, 53, channels)
    made = overshoot(image, sigma, 0.8)
    inside = (slice(12, -12),) * 2
    theirs = skimage_unsharp_mask(image.astype(float), sigma, 0.8, preserve_range=True, channel_axis=2)
    np.testing.assert_allclose(made[inside], theirs[inside], atol=4e-3)
    blurred = ndimage.gaussian_filter(image.astype(float), sigma, axes=(0, 1), radius=halo_radius(sigma))
    np.testing.assert_allclose(made, image + 0.8 * (image - blurred), atol=2e-6)  # SciPy mirrors as we do


def test_a_step_overshoots_by_half_the_amount() -> None:
    """Beside a step of height h the blur is off by nearly h / 2; with a wide blur the difference tends to it."""
    step = np.repeat(np.array([0.3, 0.6], np.float32), 40)[None, :, None].repeat(9, 0)
    made = overshoot(step, 6.0, 1.0)[4, :, 0]
    assert made.max() == pytest.approx(0.75, abs=0.3 * 0.04)  # one half-pixel of a Gaussian of sigma 6: 3.3 %
    assert made.min() == pytest.approx(0.15, abs=0.3 * 0.04)


def test_sharpened_luma_leaves_the_colour_differences() -> None:
    image = photo(37, 45)
    made = overshoot(image, 1.2, 1.5, luma_only=True)
    np.testing.assert_allclose(made - luma(made), image - luma(image), atol=1e-6)
    np.testing.assert_allclose(luma(made), overshoot(luma(image), 1.2, 1.5), atol=1e-6)
    gray = image[..., :1].copy()
    np.testing.assert_array_equal(overshoot(gray, 1.2, 1.5, luma_only=True), overshoot(gray, 1.2, 1.5))
