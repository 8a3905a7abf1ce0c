"""PSNR by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from srzoo.metrics.psnr import psnr


def test_the_agreed_vector() -> None:
    i, j = np.mgrid[:48, :48]
    a = (3 * i**2 + 7 * j + i * j) % 256
    b = np.clip(a + (5 * i + 11 * j) % 17 - 8, 0, 255)
    assert psnr(a, b) == pytest.approx(34.43112782, abs=5e-9)


def test_the_error_is_pooled_over_all_values() -> None:
    image = np.zeros((2, 2, 3))
    image[0, 0] = (6, 0, 0)
    assert psnr(image, np.zeros((2, 2, 3))) == pytest.approx(20 * math.log10(255) - 10 * math.log10(3))


def test_bytes_do_not_wrap_around_and_the_peak_counts() -> None:
    low, high = np.full((3, 3), 250, np.uint8), np.full((3, 3), 255, np.uint8)
    assert psnr(low, high) == psnr(high, low) == pytest.approx(20 * math.log10(51))
    assert psnr(low / 255, high / 255, peak=1) == pytest.approx(20 * math.log10(51))


def test_equal_pictures_are_infinitely_close() -> None:
    assert psnr(np.ones((4, 4)), np.ones((4, 4))) == math.inf


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes \(2, 2\) and \(2, 3\)"):
        psnr(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="expected two alike"):
        psnr(np.zeros((0, 2)), np.zeros((0, 2)))
