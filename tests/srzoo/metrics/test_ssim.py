"""SSIM in its forms against the agreed vector, scikit-image's, and DML's figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from srzoo.metrics.ssim import ssim, ssim_skimage_float2


def test_the_agreed_vector() -> None:
    i, j = np.mgrid[:48, :48, :1][:2]
    a = (3 * i**2 + 7 * j + i * j) % 256
    b = np.clip(a + (5 * i + 11 * j) % 17 - 8, 0, 255)
    assert ssim(a, b) == pytest.approx(0.99783309, abs=5e-9)


@pytest.mark.parametrize("size", [(11, 11), (11, 40), (37, 23)])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_equals_scikit_images(size: tuple[int, int], channels: int) -> None:
    random = np.random.default_rng(3)
    reference = random.integers(0, 256, (*size, channels)).astype(np.uint8)
    image = np.clip(reference + random.normal(0, 40, reference.shape), 0, 255).astype(np.uint8)
    expected: Any = structural_similarity(
        image.astype(float),
        reference.astype(float),
        data_range=255,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(image, reference) == pytest.approx(float(expected), abs=1e-12)
    assert ssim(image / 255, reference / 255, peak=1) == pytest.approx(float(expected), abs=1e-10)


@pytest.mark.parametrize("size", [(7, 7), (12, 31)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_form_of_dml_is_scikit_images_for_floats_of_a_range_it_was_not_told(
    size: tuple[int, int], channels: int
) -> None:
    random = np.random.default_rng(4)
    reference = random.random((*size, channels))
    image = np.clip(reference + random.normal(0, 0.1, reference.shape), 0, 1)
    expected: Any = structural_similarity(image, reference, data_range=2, channel_axis=2)  # what it then assumed
    assert ssim_skimage_float2(image, reference, peak=1) == pytest.approx(float(expected), abs=1e-12)
    assert ssim_skimage_float2(255 * image, 255 * reference) == pytest.approx(float(expected), abs=1e-10)


def test_equal_pictures_give_one() -> None:
    flat = np.full((12, 12, 1), 77, np.uint8)
    for form in (ssim, ssim_skimage_float2):
        assert form(flat, flat) == pytest.approx(1, abs=1e-12)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 11 x 11 pixels, got 10 x 30"):
        ssim(np.zeros((10, 30, 1)), np.zeros((10, 30, 1)))
    with pytest.raises(ValueError, match="expected two alike"):
        ssim(np.zeros((20, 30)), np.zeros((20, 30)))
    with pytest.raises(ValueError, match="at least 7 x 7 pixels, got 6 x 30"):
        ssim_skimage_float2(np.zeros((6, 30, 1)), np.zeros((6, 30, 1)))
