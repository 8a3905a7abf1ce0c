"""Camera matrices against NumPy's linear algebra."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.functional.camera_matrix import CAMERAS, camera_from_srgb, inverse

XYZ_FROM_SRGB = [  # IEC 61966-2-1, four digits
    [0.4124, 0.3576, 0.1805],
    [0.2126, 0.7152, 0.0722],
    [0.0193, 0.1192, 0.9505],
]


@pytest.mark.parametrize("weights", [[1, 0, 0, 0], [0, 0, 0, 2.0], [0.3, 0.1, 0.9, 0.2]])
def test_a_mixture_is_the_weighted_mean_with_white_kept(weights: list[float]) -> None:
    mean = np.average(list(CAMERAS.values()), axis=0, weights=weights) @ np.array(XYZ_FROM_SRGB)
    expected = mean / mean.sum(1, keepdims=True)
    ours = np.array(camera_from_srgb(weights))
    np.testing.assert_allclose(ours, expected, atol=2e-4)  # the digits of the matrix above
    np.testing.assert_allclose(ours.sum(1), 1, atol=1e-12)


def test_inverse_is_numpy_s() -> None:
    matrix = camera_from_srgb([1, 1, 1, 1])
    np.testing.assert_allclose(inverse(matrix), np.linalg.inv(matrix), atol=1e-12)
