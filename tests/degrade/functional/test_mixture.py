"""Weights that vary over the image, and the blur they mix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from degrade.functional.kernels import gaussian_kernel
from degrade.functional.mixture import MAX_KERNELS, mix_kernels, mixture_weights


@given(
    st.integers(2, MAX_KERNELS),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(4, 60),
    st.tuples(st.integers(-99, 99), st.integers(-99, 99)),
)
def test_weights_are_positive_and_sum_to_one(
    count: int, height: int, width: int, period: int, origin: tuple[int, int]
) -> None:
    weights = mixture_weights(count, height, width, period, 2**64 - 7, origin)
    assert weights.shape == (count, height, width)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(0), 1, atol=1e-6)


def test_a_pixel_s_weights_do_not_depend_on_the_window() -> None:
    wide = mixture_weights(5, 70, 90, 17, 12, (-31, -20))
    part = mixture_weights(5, 22, 13, 17, 12, (-31 + 25, -20 + 40))
    np.testing.assert_array_equal(part, wide[:, 25:47, 40:53])


def test_weights_are_smooth_and_every_kernel_prevails_somewhere() -> None:
    weights = mixture_weights(4, 600, 600, 32, 5)
    for axis in (1, 2):
        assert np.abs(np.diff(weights, axis=axis)).max() < 8 / 32  # the field itself changes by up to 1.9 / 32
    assert weights.mean((1, 2)) == pytest.approx(np.full(4, 0.25), abs=0.06)
    assert (weights.max((1, 2)) > 0.9).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_the_mixture_is_the_weighted_sum_of_scipy_s_correlations(channels: int) -> None:
    image = np.random.default_rng(0).random((37, 45, channels), dtype=np.float32)
    kernels = [gaussian_kernel(11, 0.5, 2.0, 0.3), gaussian_kernel(11, 3.0, 1.0, 1.3), gaussian_kernel(7, 0.7, 0.7)]
    weights = mixture_weights(3, 37, 45, 16, 99, (-4, 6))
    expected = np.zeros(image.shape)
    for kernel, weight in zip(kernels, weights, strict=True):
        for c in range(channels):
            expected[..., c] += weight * ndimage.correlate(image[..., c].astype(float), kernel, mode="reflect")
    np.testing.assert_allclose(mix_kernels(image, kernels, weights), expected, atol=1e-6)
