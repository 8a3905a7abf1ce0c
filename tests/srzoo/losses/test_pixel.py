"""Pixel losses by hand, and in float32 whatever comes in."""

from __future__ import annotations

import pytest
import torch

from srzoo.losses.pixel import charbonnier, l1, mse

LOSSES = {"l1": l1, "mse": mse, "charbonnier": charbonnier}
IMAGE, TARGET = torch.tensor([[0.0, 0.5], [1.0, 0.25]]), torch.tensor([[0.5, 0.5], [0.0, 0.5]])


@pytest.mark.parametrize(("name", "value"), [("l1", 0.4375), ("mse", 0.328125), ("charbonnier", 0.43775088)])
def test_a_loss_is_a_mean_over_all_values(name: str, value: float) -> None:
    assert float(LOSSES[name](IMAGE, TARGET)) == pytest.approx(value, abs=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_bfloat16_is_widened_before_the_mean(name: str) -> None:
    loss = LOSSES[name](IMAGE.bfloat16(), TARGET.bfloat16())
    assert loss.dtype == torch.float32
    assert float(loss) == float(LOSSES[name](IMAGE, TARGET))


def test_charbonnier_is_round_where_pictures_agree() -> None:
    image = torch.tensor([0.0, 0.001, 0.5], requires_grad=True)
    charbonnier(image, torch.zeros(3), epsilon=0.01).backward()
    assert image.grad is not None
    assert (3 * image.grad).tolist() == pytest.approx([0, 0.0995037, 0.9998], abs=1e-6)  # d / sqrt(d^2 + epsilon^2)


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_are_those_of_float64(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    image, target = torch.rand(2, 2, 3, 7, 5, generator=generator, dtype=torch.float64)
    formula = {
        "l1": lambda d: d.abs().mean(),
        "mse": lambda d: (d * d).mean(),
        "charbonnier": lambda d: (d * d + 1e-6).sqrt().mean(),
    }[name]
    found, expected = image.float().requires_grad_(), image.clone().requires_grad_()
    value, reference = LOSSES[name](found, target.float()), formula(expected - target)
    torch.testing.assert_close(value.double(), reference, atol=1e-7, rtol=1e-6)
    (gradient,) = torch.autograd.grad(value, found)
    torch.testing.assert_close(gradient.double(), torch.autograd.grad(reference, expected)[0], atol=1e-8, rtol=1e-4)
