"""DDNSR's degrader against torch's plain operations, its start, and appendix A."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from degrade.card import ReferenceInput
from srzoo.degraders.dual_input import DualInput, DualInputConfig


def shaken(config: DualInputConfig) -> DualInput:
    torch.manual_seed(0)
    degrader = DualInput(config)
    for parameter in degrader.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return degrader.eval()


def test_the_forward_pass_is_the_described_one() -> None:
    degrader = shaken(DualInputConfig(blocks=2, features=3))
    weights = iter(degrader.parameters())
    widths: list[int] = []

    def conv(x: Tensor, stride: int = 1) -> Tensor:
        kernel = next(weights)
        widths.append(len(kernel))
        assert kernel.shape[2] == (4 if stride == 2 else 3)
        return F.conv2d(x, kernel, next(weights), stride=stride, padding=1)

    image, reference = torch.rand(2, 3, 16, 24), torch.rand(2, 3, 4, 6)
    y = conv(image)
    for stride in (1, 2, 1, 2):
        y = F.leaky_relu(conv(y, stride), 0.2)
    y = conv(y)
    x = reference
    for _ in range(4):
        x = F.leaky_relu(conv(x), 0.2)
    x = conv(torch.cat([y, x], 1))
    for _ in range(2):
        x = x + conv(F.leaky_relu(conv(x), 0.2))
    expected = conv(conv(x) + y)
    torch.testing.assert_close(degrader(image, reference), expected, atol=1e-5, rtol=1e-5)
    assert widths[:6] == [3, 6, 6, 12, 12, 3]
    assert widths[6:10] == [3, 6, 12, 24]
    assert next(weights, None) is None


def test_training_starts_as_in_keras() -> None:
    torch.manual_seed(0)
    for key, value in DualInput(DualInputConfig(blocks=1)).named_parameters():
        if key.endswith("bias"):
            assert not value.any()
        else:
            fans = (value.shape[0] + value.shape[1]) * value[0, 0].numel()
            assert value.abs().max().item() == pytest.approx((6 / fans) ** 0.5, rel=0.01)
            assert value.std().item() == pytest.approx((2 / fans) ** 0.5, rel=0.05)


def test_a_constant_image_stays_constant_away_from_the_edge() -> None:
    """Appendix A: one input and zeros around it can make no noise, only a border of n pixels a side."""
    degrader = shaken(DualInputConfig(features=4, single=True)).double()
    n = 22
    assert degrader.receptive_field == 4 * n
    with torch.no_grad():
        image = torch.full((1, 3, 4 * 50, 4 * 50), 0.6, dtype=torch.float64)
        lr = degrader(image, torch.rand(1, 3, 50, 50, dtype=torch.float64))[0]
    inside = lr[:, n:-n, n:-n]
    middle = inside[:, :1, :1]
    torch.testing.assert_close(inside, middle.expand_as(inside), atol=1e-12, rtol=0)
    for border in (lr[:, n - 1], lr[:, -n], lr[:, :, n - 1], lr[:, :, -n]):
        assert ((border - middle[:, 0]).abs() > 1e-12).any()


def test_a_noisy_reference_makes_a_constant_image_noisy() -> None:
    degrader = shaken(DualInputConfig(blocks=1, features=4))
    image = torch.full((1, 3, 96, 96), 0.6)
    with torch.no_grad():
        quiet = degrader(image, torch.full((1, 3, 24, 24), 0.6))[0, :, 9:-9, 9:-9]
        noisy = degrader(image, 0.6 + 0.1 * torch.randn(1, 3, 24, 24))[0, :, 9:-9, 9:-9]
    assert noisy.std((1, 2)).min() > 100 * quiet.std((1, 2)).max()


def test_a_single_input_is_a_reference_of_zeros() -> None:
    dual, single = (
        shaken(DualInputConfig(blocks=1, features=4)),
        shaken(DualInputConfig(blocks=1, features=4, single=True)),
    )
    image = torch.rand(2, 3, 16, 24)
    with torch.no_grad():
        expected = dual(image, torch.zeros(2, 3, 4, 6))
        assert torch.equal(single(image, torch.rand(2, 3, 4, 6)), expected)
    assert dual.inputs == single.inputs == (ReferenceInput("a real LR picture"),)


def test_a_reference_of_another_size_is_refused() -> None:
    degrader = shaken(DualInputConfig(blocks=1, features=4))
    with pytest.raises(ValueError, match=r"reference: expected \(1, 3, 4, 4\), got \(1, 3, 16, 16\)"):
        degrader(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16))
