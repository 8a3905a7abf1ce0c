"""Blurs of two widths: what a recipe states and what a trace holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from degrade.functional import kernels
from degrade.ops.anisotropic_blur import AnisotropicGaussianBlur, GeneralizedGaussianBlur, PlateauBlur
from degrade.ops.protocol import Distribution
from degrade.rng import Stream


def drawn(op: Any, patch: int = 0) -> Any:
    (draw,) = op.draw(Stream(5, patch).step("blur0"), "blur0")
    return draw


def test_variances_are_traced_as_standard_deviations() -> None:
    """SRMD and BSRGAN draw variances."""
    wide = Distribution(range=(0.5, 10.0))
    for patch in range(20):
        plain = drawn(AnisotropicGaussianBlur(wide, wide), patch)
        variance = drawn(AnisotropicGaussianBlur(wide, wide, spread="variance"), patch)
        assert variance.sigma_x**2 == pytest.approx(plain.sigma_x)
        assert variance.sigma_y**2 == pytest.approx(plain.sigma_y)


@pytest.mark.parametrize("kind", [GeneralizedGaussianBlur, PlateauBlur])
def test_without_sigma_y_the_blur_is_isotropic(kind: Any) -> None:
    draw = drawn(kind(Distribution(range=(0.2, 3.0)), Distribution(2.0), angle=Distribution(1.0)))
    assert draw.sigma_y == draw.sigma_x
    kernel = draw.kernel()
    np.testing.assert_array_equal(kernel, kernel.T)
    np.testing.assert_array_equal(kernel, kernel[::-1])
    both = drawn(kind(Distribution(range=(0.2, 3.0)), Distribution(2.0), Distribution(range=(0.2, 3.0))))
    assert both.sigma_y != both.sigma_x == draw.sigma_x


def test_an_exponent_of_one_is_the_gaussian() -> None:
    draw = drawn(GeneralizedGaussianBlur(Distribution(1.0), Distribution(1.0), Distribution(3.0), Distribution(0.5)))
    np.testing.assert_array_equal(draw.kernel(), kernels.gaussian_kernel(15, 1.0, 3.0, 0.5))


def test_every_draw_of_the_three_is_within_its_ranges() -> None:
    sigma, angle, beta = Distribution(range=(0.2, 3.0)), Distribution(range=(-1.0, 2.0)), Distribution(range=(0.5, 4.0))
    for kind in (GeneralizedGaussianBlur, PlateauBlur):
        draws = [drawn(kind(sigma, beta, sigma, angle), patch) for patch in range(500)]
        for name, low, high in (("sigma_x", 0.2, 3), ("sigma_y", 0.2, 3), ("angle", -1, 2), ("beta", 0.5, 4)):
            values = np.array([getattr(draw, name) for draw in draws])
            assert low <= values.min() < low + 0.03 * (high - low)
            assert high - 0.03 * (high - low) < values.max() <= high
