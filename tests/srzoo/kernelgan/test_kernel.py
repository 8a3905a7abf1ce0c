import math

import numpy as np
import pytest
from scipy import ndimage, signal

from degrade.functional.kernels import centre_of_mass, gaussian_kernel
from srzoo.errors import DivergedError
from srzoo.kernelgan.kernel import finished, moved, significant, spread, squared


def bell(y: float, x: float, sigma: float = 1.4, side: int = 13) -> np.ndarray:
    """A Gaussian about (y, x), tap coordinates."""
    rows, columns = np.indices((side, side))
    taps = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))
    return taps / taps.sum()


def test_three_quarters_of_the_41st_largest_tap_are_taken_off() -> None:
    taps = np.arange(169.0)[::-1].reshape(13, 13)  # 168, 167, ...: the 41st largest is 128
    expected = np.maximum(np.arange(169.0)[::-1] - 96, 0).reshape(13, 13)
    np.testing.assert_allclose(significant(taps), expected / expected.sum(), rtol=1e-12)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("align", ["pixel", "block"])
def test_a_finished_kernel_sums_to_one_and_lies_where_it_should(scale, align) -> None:
    kernel = finished(bell(5.6, 7.3), scale, align)
    assert kernel.dtype == np.float32
    assert kernel.shape == {2: (17, 17), 4: (33, 33)}[scale]
    assert kernel.min() >= 0
    assert kernel.sum(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    offset = (scale - 1) / 2 if align == "block" else 0
    np.testing.assert_allclose(centre_of_mass(kernel.astype(np.float64)), offset, atol=2e-3)


def test_moving_a_smooth_kernel_is_a_spline_shift() -> None:
    kernel = moved(bell(5.6, 7.3), 17, 0.5)
    np.testing.assert_allclose(kernel, bell(8.5, 8.5, side=17), atol=3e-3)
    shifted = ndimage.shift(np.pad(bell(5.6, 7.3), 2), (0.9, -0.8))
    np.testing.assert_allclose(kernel, shifted, atol=2e-4)


def test_the_x4_kernel_is_the_x2_kernel_after_itself() -> None:
    kernel = moved(bell(6, 6), 17, 0.5)
    dilated = np.zeros((33, 33))
    dilated[::2, ::2] = kernel
    whole = signal.convolve2d(kernel, dilated)
    expected = whole[8:-8, 8:-8]
    np.testing.assert_allclose(squared(kernel), expected / expected.sum(), atol=1e-12)


def test_shrinking_twice_by_the_x2_kernel_is_shrinking_once_by_the_x4_kernel() -> None:
    photo, kernel = np.random.default_rng(0).random((120, 120)), moved(bell(6, 6), 17, 0.5)
    half = signal.correlate2d(photo, kernel, "valid")[::2, ::2]
    twice = signal.correlate2d(half, kernel, "valid")[::2, ::2]
    inner = photo[8:-8, 8:-8]  # the rim of 8 taps that the x4 kernel has lost
    np.testing.assert_allclose(signal.correlate2d(inner, squared(kernel), "valid")[::4, ::4], twice, atol=1e-3)


def test_spread_finds_the_axes_of_a_gaussian() -> None:
    along, across, angle = spread(gaussian_kernel(41, 3.0, 1.5, 0.6))
    assert (along, across, angle) == pytest.approx((3.0, 1.5, 0.6), abs=2e-3)
    assert 0 <= spread(gaussian_kernel(41, 3.0, 1.5, -0.6))[2] < math.pi


@pytest.mark.parametrize("taps", [np.full((13, 13), np.nan), np.zeros((13, 13))])
def test_no_kernel_is_an_error(taps: np.ndarray) -> None:
    with pytest.raises(DivergedError, match="found no kernel"):
        finished(taps)


def test_a_kernel_at_the_rim_is_an_error() -> None:
    with pytest.raises(DivergedError, match="pixels off - try another --seed"):
        finished(bell(1, 6))
