"""Motion kernels against integrals taken point by point; every one is centred and sums to 1."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from degrade.functional.motion import motion_kernel, motion_size, shake_kernel


def is_centred(kernel: np.ndarray) -> bool:
    y, x = ndimage.center_of_mass(kernel)
    return abs(y - kernel.shape[0] // 2) < 1e-9 and abs(x - kernel.shape[1] // 2) < 1e-9


@given(st.floats(0, 40), st.floats(-7, 7), st.floats(-1, 1))
def test_every_motion_is_centred_sums_to_one_and_fits(length: float, angle: float, curvature: float) -> None:
    kernel = motion_kernel(length, angle, curvature)
    assert kernel.shape == (motion_size(length),) * 2
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    assert is_centred(kernel)


@pytest.mark.parametrize("length", [0.7, 3.0, 8.4, 21.0])
def test_a_horizontal_line_is_the_integral_of_the_triangle(length: float) -> None:
    """Steps of 1/64 pixel: the midpoint rule is within 1e-4 of the sum."""
    kernel = motion_kernel(length, 0.0)
    t = (np.arange(200_000) + 0.5) / 200_000 * length - length / 2
    middle = kernel.shape[0] // 2
    expected = [np.maximum(0, 1 - abs(t - x)).mean() for x in range(-middle, middle + 1)]
    np.testing.assert_allclose(kernel[middle], expected, atol=1e-4)
    assert np.delete(kernel, middle, axis=0).max() < 1e-15


def test_angles_turn_from_x_downward_and_straight_lines_have_the_length_s_variance() -> None:
    """Along the line length**2 / 12, and the linear reading adds at most 1/4 in each axis."""
    for angle in (0.3, 1.2, 2.5):
        kernel = motion_kernel(20.0, angle)
        places = np.arange(kernel.shape[0]) - kernel.shape[0] // 2
        xx, yy = (kernel * places[None] ** 2).sum(), (kernel * places[:, None] ** 2).sum()
        xy = (kernel * places[None] * places[:, None]).sum()
        assert xx == pytest.approx(400 / 12 * math.cos(angle) ** 2, abs=0.26)
        assert yy == pytest.approx(400 / 12 * math.sin(angle) ** 2, abs=0.26)
        assert xy == pytest.approx(400 / 12 * math.sin(angle) * math.cos(angle), abs=0.05)


def test_an_arc_lies_on_its_circle() -> None:
    """A quarter of a circle of radius 16: its chord points along `angle`, and it bows to one side."""
    kernel = motion_kernel(8 * math.pi, 0.0, 1 / 16)
    size = kernel.shape[0]
    y, x = (np.mgrid[:size, :size] - size // 2).astype(float)
    sagitta_mean = 16 * (math.sin(math.pi / 4) / (math.pi / 4))  # distance of the centre of mass from the circle's
    distance = np.hypot(y - sagitta_mean, x)  # y is downward, so positive curvature bends towards the centre below
    assert kernel[abs(distance - 16) > 1.5].sum() < 1e-12
    assert np.count_nonzero(kernel.sum(0)) == pytest.approx(2 * 16 * math.sin(math.pi / 4), abs=3)  # linear reading


def test_length_zero_changes_nothing() -> None:
    np.testing.assert_array_equal(motion_kernel(0.0, 1.0), [[1.0]])
    np.testing.assert_allclose(shake_kernel(0.0, 5, 3)[2, 2], 1.0)


@given(st.floats(0.1, 160), st.sampled_from([3, 15, 41]), st.integers(0, 2**64 - 1))
def test_every_shake_is_centred_sums_to_one_and_its_key_names_it(length: float, size: int, key: int) -> None:
    kernel = shake_kernel(length, size, key)
    assert kernel.shape == (size, size)
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    assert is_centred(kernel)
    np.testing.assert_array_equal(kernel, shake_kernel(length, size, key))


def test_shakes_have_no_preferred_direction_and_differ() -> None:
    shakes = np.stack([shake_kernel(24.0, 25, key) for key in range(400)])
    assert len({shake.tobytes() for shake in shakes}) == 400
    places = np.arange(25) - 12
    xx = (shakes * places[None, None] ** 2).sum((1, 2))
    yy = (shakes * places[None, :, None] ** 2).sum((1, 2))
    assert np.mean(xx - yy) == pytest.approx(0, abs=float(4 * np.std(xx - yy) / 20))
    assert 1 < np.sqrt(np.mean(xx + yy)) < 24 / math.sqrt(12) + 1  # wound up, yet no knot: a straight one has 6.9
