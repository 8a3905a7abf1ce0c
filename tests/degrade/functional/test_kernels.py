"""Kernels against their formulas and against areas counted point by point; every one is centred and sums to 1."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, special, stats

from degrade.functional import kernels
from degrade.functional.kernels import centre_of_mass, disk_kernel, disk_size, recentred, sinc_kernel

Formula = Callable[[np.ndarray, float], np.ndarray]
SHAPES: dict[str, Formula] = {
    "gaussian": lambda q, beta: np.exp(-0.5 * q),
    "generalized": lambda q, beta: np.exp(-0.5 * q**beta),
    "plateau": lambda q, beta: 1 / (q**beta + 1),
}


def made(
    shape: str, size: int, sigma_x: float, sigma_y: float, angle: float, beta: float, at: tuple | None = None
) -> np.ndarray:
    if shape == "gaussian":
        return kernels.gaussian_kernel(size, sigma_x, sigma_y, angle, at=at)
    make = kernels.generalized_gaussian_kernel if shape == "generalized" else kernels.plateau_kernel
    return make(size, sigma_x, sigma_y, angle, beta, at=at)


def squared_distance(
    size: int, sigma_x: float, sigma_y: float, angle: float, at: tuple | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The quadratic form, and where within half the size of the sample a pixel lies."""
    places = np.arange(size if at is None else size + 1) - size // 2
    y, x = places[:, None] - (at or (0, 0))[0], places[None] - (at or (0, 0))[1]
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    inverse = np.linalg.inv(turn @ np.diag([sigma_x**2, sigma_y**2]) @ turn.T)
    points = np.stack(np.broadcast_arrays(x, y), axis=-1)
    is_near = np.broadcast_to((abs(y) <= size / 2) & (abs(x) <= size / 2), points.shape[:2])
    return np.einsum("...i,ij,...j", points, inverse, points), is_near


@pytest.mark.parametrize("shape", SHAPES)
@given(
    st.integers(1, 20),
    st.floats(0.3, 6),
    st.floats(0.3, 6),
    st.floats(-4, 4),
    st.floats(0.5, 4),
    st.sampled_from([None, (0.0, 0.0), (0.5, 0.5), (0.25, 0.8)]),
)
def test_bells_equal_their_formula(
    shape: str, half: int, sigma_x: float, sigma_y: float, angle: float, beta: float, at: tuple | None
) -> None:
    size = 2 * half + 1
    q, is_near = squared_distance(size, sigma_x, sigma_y, angle, at)
    expected = np.where(is_near, SHAPES[shape](q, beta), 0)
    kernel = made(shape, size, sigma_x, sigma_y, angle, beta, at)
    assert kernel.dtype == np.float64
    np.testing.assert_allclose(kernel, expected / expected.sum(), atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("at", [None, (0.5, 0.5)])
def test_bells_are_centred_on_their_sample(shape: str, at: tuple | None) -> None:
    kernel = made(shape, 21, 1.3, 4.0, 0.7, 1.4, at)
    y, x = centre_of_mass(kernel)  # the middle of 22 pixels lies half a pixel beyond that of 21
    assert abs(y) < 1e-12
    assert abs(x) < 1e-12


def test_an_unturned_gaussian_is_opencv_s_on_both_axes() -> None:
    expected = np.outer(cv2.getGaussianKernel(15, 2.5), cv2.getGaussianKernel(15, 1.2))  # rows: y
    np.testing.assert_allclose(kernels.gaussian_kernel(15, 1.2, 2.5), expected, atol=1e-12)


def test_the_angle_turns_from_x_downward() -> None:
    kernel = kernels.gaussian_kernel(21, 4.0, 0.5, math.pi / 4)
    assert kernel[15, 15] > 100 * kernel[15, 5]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("at", [None, (0.5, 0.5), (0.0, 0.3)])
@pytest.mark.parametrize("sigma", [1e-300, 1e-3, 0.05])
def test_tiny_widths_leave_the_nearest_pixels(shape: str, at: tuple | None, sigma: float) -> None:
    kernel = made(shape, 7, sigma, 2 * sigma, 1.0, 4.0, at)
    assert kernel.sum() == pytest.approx(1)
    if at is None:
        assert kernel[3, 3] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("radius", [0.0, 0.3, 0.5, 0.51, 1.0, 1.5, 2.2, 3.7, 8.0, 20.5])
def test_disk_weights_are_the_areas_covered(radius: float) -> None:
    """Against points counted on a grid of 1/40 pixel: areas within 1e-3 pixel where an edge passes."""
    kernel, size = disk_kernel(radius), disk_size(radius)
    assert kernel.shape == (size, size)
    points = (np.arange(size * 40) + 0.5) / 40 - size / 2
    is_inside = points[:, None] ** 2 + points[None] ** 2 <= max(radius, 1e-9) ** 2
    areas = is_inside.reshape(size, 40, size, 40).mean((1, 3))
    if radius > 0.5:
        np.testing.assert_allclose(kernel * math.pi * radius**2, areas, atol=4e-3)
        assert kernel.max() == pytest.approx(1 / (math.pi * radius**2), rel=0.2 if radius < 1 else 1e-9)
    else:
        np.testing.assert_array_equal(kernel, [[1.0]])
    np.testing.assert_array_equal(kernel, kernel.T)
    np.testing.assert_array_equal(kernel, kernel[::-1])


@pytest.mark.parametrize("cutoff", [0.2, math.pi / 3, 2.0, math.pi])
@pytest.mark.parametrize("size", [7, 21, 41])
def test_sinc_equals_scipy_s_bessel_function(size: int, cutoff: float) -> None:
    places = np.arange(size) - size // 2
    r = np.hypot(places[:, None], places[None])
    expected = np.full(r.shape, cutoff**2 / (4 * math.pi))
    np.divide(cutoff * special.j1(cutoff * r), 2 * math.pi * r, out=expected, where=r > 0)
    kernel = sinc_kernel(size, cutoff)
    np.testing.assert_allclose(kernel, expected / expected.sum(), atol=1e-14)
    np.testing.assert_array_equal(kernel, kernel[:, ::-1].T)


def test_sinc_keeps_what_is_below_its_cutoff() -> None:
    response = np.abs(np.fft.fft2(np.fft.ifftshift(sinc_kernel(41, 1.5)), norm="backward"))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(41), np.fft.fftfreq(41))) * 2 * math.pi
    assert np.abs(response[frequency < 1.2] - 1).max() < 0.15  # the ripple of a series cut short
    assert response[frequency > 1.8].max() < 0.15


@given(st.integers(0, 9), st.integers(1, 10))
def test_recentring_puts_the_centre_of_mass_in_the_middle(seed: int, half: int) -> None:
    kernel = np.random.default_rng(seed).random((2 * half + 1, 2 * half + 1)) ** 8
    kernel /= kernel.sum()
    moved = recentred(kernel)
    assert moved.shape[0] % 2 == 1
    assert moved.sum() == pytest.approx(1, abs=1e-12)
    y, x = ndimage.center_of_mass(moved)
    assert abs(y - moved.shape[0] // 2) < 1e-9
    assert abs(x - moved.shape[1] // 2) < 1e-9


def test_recentring_leaves_a_centred_kernel_and_moves_whole_pixels_exactly() -> None:
    kernel = kernels.gaussian_kernel(9, 1.0, 2.0, 0.4)
    np.testing.assert_allclose(recentred(kernel), kernel, atol=1e-15)
    shifted = np.zeros((5, 5))
    shifted[0, 3] = 1
    expected = np.zeros((9, 9))
    expected[4, 4] = 1
    np.testing.assert_array_equal(recentred(shifted), expected)


def test_normalising_keeps_the_shape() -> None:
    kernel = stats.norm.pdf(np.arange(-3, 4))[:, None].repeat(7, 1).astype(np.float32)
    made_double = kernels.normalised(kernel)
    assert made_double.sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(made_double / made_double[3, 3], kernel / kernel[3, 3], rtol=1e-6)
