"""The symmetric filter against SciPy's correlation in float64."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from degrade.functional.symmetric import filter_symmetric, gaussian_half


@pytest.mark.parametrize("shape", [(23, 37, 3), (40, 31, 1), (5, 400, 3), (3, 2, 3), (1, 1, 1)])
@pytest.mark.parametrize("radius", [0, 1, 4, 6, 25])
def test_it_equals_scipys_correlation_on_every_pixel(shape: tuple[int, int, int], radius: int) -> None:
    """Mirrored with the edge pixel repeated ("reflect" there); 400 columns are more than one strip. To float32."""
    rng = np.random.default_rng(radius)
    image, half = rng.random(shape, dtype=np.float32), rng.random(radius + 1, dtype=np.float32)
    half /= 2 * half.sum() - half[0]
    expected = image.astype(float)
    for axis in (0, 1):
        expected = ndimage.correlate1d(expected, np.r_[half[:0:-1], half].astype(float), axis=axis, mode="reflect")
    made = filter_symmetric(image, half)
    assert made.dtype == np.float32
    assert made.shape == shape
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_the_gaussian_half_equals_its_formula() -> None:
    for sigma, radius in ((0.3, 2), (8.0, 25)):
        expected = np.exp(-(np.arange(-radius, radius + 1.0) ** 2) / (2 * sigma**2))
        np.testing.assert_allclose(gaussian_half(sigma, radius), (expected / expected.sum())[radius:], rtol=1e-6)


def test_a_part_has_the_bits_of_the_whole() -> None:
    image = np.random.default_rng(0).random((60, 70, 3), dtype=np.float32)
    half = gaussian_half(2.0, 7)
    part = filter_symmetric(np.ascontiguousarray(image[11:44, 9:50]), half)
    np.testing.assert_array_equal(part[7:-7, 7:-7], filter_symmetric(image, half)[18:37, 16:43])
