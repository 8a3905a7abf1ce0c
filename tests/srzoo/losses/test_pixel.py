"""Pixel losses by hand, and in float32 whatever comes in."""

from __future__ import annotations

import pytest
import torch

from srzoo.losses import PIXEL_LOSSES
from srzoo.losses.pixel import charbonnier

IMAGE, TARGET = torch.tensor([[0.0, 0.5], [1.0, 0.25]]), torch.tensor([[0.5, 0.5], [0.0, 0.5]])


@pytest.mark.parametrize(("name", "value"), [("l1", 0.4375), ("mse", 0.328125), ("charbonnier", 0.43775088)])
def test_a_loss_is_a_mean_over_all_values(name: str, value: float) -> None:
    assert float(PIXEL_LOSSES[name](IMAGE, TARGET)) == pytest.approx(value, abs=1e-7)


@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_bfloat16_is_widened_before_the_mean(name: str) -> None:
    loss = PIXEL_LOSSES[name](IMAGE.bfloat16(), TARGET.bfloat16())
    assert loss.dtype == torch.float32
    assert float(loss) == float(PIXEL_LOSSES[name](IMAGE, TARGET))


def test_charbonnier_is_round_where_pictures_agree() -> None:
    image = torch.tensor([0.0, 0.001, 0.5], requires_grad=True)
    charbonnier(image, torch.zeros(3), epsilon=0.01).backward()
    assert image.grad is not None
    assert (3 * image.grad).tolist() == pytest.approx([0, 0.0995037, 0.9998], abs=1e-6)  # d / sqrt(d^2 + epsilon^2)
