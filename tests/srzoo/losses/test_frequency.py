"""Frequency separation against scikit-image-free means, written pixel by pixel in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from srzoo.losses.frequency import high_pass, low_pass, low_pass_l1

SHAPE = (2, 3, 13, 11)


def means(image: np.ndarray, window: int) -> np.ndarray:
    """Of what lies inside the picture and inside the window."""
    result, reach = np.empty_like(image), window // 2
    for y in range(image.shape[2]):
        for x in range(image.shape[3]):
            inside = image[:, :, max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
            result[:, :, y, x] = inside.mean((2, 3))
    return result


def pictures() -> np.ndarray:
    return np.random.default_rng(0).random((2, *SHAPE))


@pytest.mark.parametrize("window", [1, 5, 9])
def test_low_and_high_frequencies_are_means_and_what_is_left(window: int) -> None:
    image = pictures()[0]
    low = low_pass(torch.from_numpy(image), window)
    np.testing.assert_allclose(low, means(image, window), atol=1e-12)
    high = high_pass(torch.from_numpy(image), window)
    np.testing.assert_allclose(low + 2 * (high - 0.5), image, atol=1e-12)


def test_the_pixel_loss_sees_low_frequencies_only() -> None:
    image, target = pictures()
    found = torch.from_numpy(image).float().requires_grad_()
    value = low_pass_l1(found, torch.from_numpy(target).float())
    difference = means(image, 9) - means(target, 9)
    assert float(value.detach()) == pytest.approx(np.abs(difference).mean(), rel=1e-5)
    (gradient,) = torch.autograd.grad(value, found)
    step = np.zeros_like(image)
    step[1, 2, 6, 0] = 1e-6
    slope = (np.abs(means(image + step, 9) - means(target, 9)).mean() - np.abs(difference).mean()) / 1e-6
    assert float(gradient[1, 2, 6, 0]) == pytest.approx(slope, rel=1e-4)
    checkers = torch.tensor([0.0, 1.0]).repeat(2, 3, 14, 7)[..., :13]
    checkers[:, :, ::2] = 1 - checkers[:, :, ::2]
    assert float(low_pass_l1(checkers, torch.full_like(checkers, 0.5))) < 0.02


def test_both_can_be_differentiated() -> None:
    image = torch.from_numpy(pictures()[0][:1, :1, :5, :4]).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: high_pass(x, 3), (image,))
    assert torch.autograd.gradcheck(lambda x: low_pass(x, 3), (image,))


@pytest.mark.parametrize("window", [0, 4, -3])
def test_an_even_window_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match="window: expected an odd number"):
        low_pass(torch.zeros(1, 3, 8, 8), window)
