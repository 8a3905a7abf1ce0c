"""Daala's SSIM against its program, read line by line, in whole numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from srzoo.metrics.ssim_daala import ssim_daala


def kernel(sigma: float, longest: int) -> list[int]:
    least = math.sqrt(0.5 * math.pi) * sigma / 256
    length = math.floor(sigma * math.sqrt(-2 * math.log(least))) if least < 1 else 0
    length = longest - 1 if length >= longest else length
    taps = [0] * (2 * length + 1)
    for n in range(length, 0, -1):
        value = 256 / (math.sqrt(2 * math.pi) * sigma) * math.exp(-0.5 / sigma**2 * n * n)
        taps[length - n] = taps[length + n] = int(value + 0.5)
    taps[length] = 256 - sum(taps)
    return taps


def slow(x: np.ndarray, y: np.ndarray) -> float:
    """One place after another, sums in exact integers."""
    height, width = x.shape
    taps = kernel(height * 1.5 / 256, min(height, width))
    reach = len(taps) // 2
    total = weights = 0.0
    for row in range(height):
        for column in range(width):
            w = mx = my = xx = yy = xy = 0
            for i, vertical in enumerate(taps):
                for j, horizontal in enumerate(taps):
                    r, c = row + i - reach, column + j - reach
                    if 0 <= r < height and 0 <= c < width:
                        a, b, t = int(x[r, c]), int(y[r, c]), vertical * horizontal
                        w, mx, my, xx, yy, xy = (
                            w + t,
                            mx + t * a,
                            my + t * b,
                            xx + t * a * a,
                            yy + t * b * b,
                            xy + t * a * b,
                        )
            c1, c2 = (255 * 0.01 * w) ** 2, (255 * 0.03 * w) ** 2
            value = (2 * mx * my + c1) * (c2 + 2 * (xy * w - mx * my))
            value /= (mx * mx + my * my + c1) * (xx * w - mx * mx + yy * w - my * my + c2)
            total, weights = total + w * value, weights + w
    return total / weights


@pytest.mark.parametrize("size", [(9, 14), (40, 12), (160, 5)])
def test_it_is_the_program(size: tuple[int, int]) -> None:
    random = np.random.default_rng(sum(size))
    reference = random.integers(0, 256, size)
    image = np.clip(reference + random.integers(-60, 60, size), 0, 255)
    found = ssim_daala(image[..., None], reference[..., None])
    assert found == pytest.approx(slow(image, reference), abs=1e-10)


def test_channels_are_averaged_equal_pictures_give_one_and_shapes_must_agree() -> None:
    random = np.random.default_rng(0)
    one, other = random.integers(0, 256, (2, 30, 20, 3))
    each = [ssim_daala(one[..., c : c + 1], other[..., c : c + 1]) for c in range(3)]
    assert ssim_daala(one, other) == pytest.approx(np.mean(each))
    assert ssim_daala(one, one) == pytest.approx(1, abs=1e-12)
    assert ssim_daala(one / 255, other / 255, peak=1) == pytest.approx(ssim_daala(one, other), abs=1e-10)
    with pytest.raises(ValueError, match="expected two alike"):
        ssim_daala(one, other[1:])
