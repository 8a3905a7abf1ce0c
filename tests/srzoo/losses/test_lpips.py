"""LPIPS as a loss: its value and gradient in float64, and where gradients flow."""

from __future__ import annotations

import pytest
import torch

from srzoo.features.lpips import LPIPS
from srzoo.features.lpips_trunks import TRUNKS, Trunk
from srzoo.losses import LPIPSLoss


def loss() -> LPIPSLoss:
    torch.manual_seed(0)
    return LPIPSLoss(LPIPS(Trunk("squeeze"), [torch.rand(channels) for channels in TRUNKS["squeeze"].channels]))


def pictures(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    one, other = torch.rand(2, 2, 3, 19, 17, generator=torch.Generator().manual_seed(1), dtype=dtype)
    return one.requires_grad_(), other


def test_it_is_the_mean_over_the_batch() -> None:
    criterion, (image, target) = loss(), pictures()
    image = image.detach()
    each = [float(criterion.distance(image[n : n + 1], target[n : n + 1])) for n in range(2)]
    assert float(criterion(image, target)) == pytest.approx(sum(each) / 2, rel=1e-5)


def test_value_and_gradient_are_those_of_float64() -> None:
    criterion, (image, target) = loss(), pictures()
    value = criterion(image, target)
    (gradient,) = torch.autograd.grad(value, image)
    exact = image.detach().double().requires_grad_()
    reference = criterion.double()(exact, target.double())
    torch.testing.assert_close(value.double(), reference, atol=1e-6, rtol=1e-5)
    (expected,) = torch.autograd.grad(reference, exact)
    assert float((gradient - expected).norm() / expected.norm()) < 1e-3  # ReLUs near their corner


def test_the_float64_gradient_is_the_slope_along_a_line() -> None:
    criterion, (image, target) = loss().double(), pictures(torch.float64)
    direction = torch.randn(image.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    (gradient,) = torch.autograd.grad(criterion(image, target), image)
    with torch.no_grad():
        ends = [criterion(image + step * direction, target) for step in (1e-6, -1e-6)]
    assert float((gradient * direction).sum()) == pytest.approx(float(ends[0] - ends[1]) / 2e-6, rel=1e-4)


def test_gradients_reach_the_image_only() -> None:
    criterion, (image, target) = loss(), pictures()
    criterion(image, target.requires_grad_()).backward()
    assert image.grad is not None
    assert target.grad is None
    assert all(parameter.grad is None for parameter in criterion.parameters())


def test_under_autocast_the_distance_is_taken_in_float32() -> None:
    criterion, (image, target) = loss(), pictures()
    image = image.detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = criterion(image, target)
    assert rough.dtype == torch.float32
    assert float(rough) == pytest.approx(float(criterion(image, target)), rel=0.05)
