"""PatchGAN against published counts and keys, its window, and TensorFlow's padding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from srzoo.discriminators.patch import PatchCritic, PatchCriticConfig


def critic(**settings: Any) -> PatchCritic:
    torch.manual_seed(0)
    return PatchCritic(PatchCriticConfig(**{"features": 4, **settings}))


@pytest.mark.parametrize(("norm", "count"), [("batch", 2_765_633), ("instance", 2_764_737)])
def test_the_published_number_of_parameters(norm: str, count: int) -> None:
    with torch.device("meta"):
        built = critic(norm=norm, features=64)
    assert sum(parameter.numel() for parameter in built.parameters()) == count


def test_the_keys_are_cyclegans() -> None:
    batch, instance = critic().state_dict(), critic(norm="instance").state_dict()
    assert [key for key, value in batch.items() if value.ndim == 4] == [f"model.{n}.weight" for n in (0, 2, 5, 8, 11)]
    assert {f"model.{n}.running_var" for n in (3, 6, 9)} <= set(batch)
    assert {key for key in batch if key.endswith("bias")} == {f"model.{n}.bias" for n in (0, 3, 6, 9, 11)}
    assert set(instance) == {f"model.{n}.{part}" for n in (0, 2, 5, 8, 11) for part in ("weight", "bias")}


def plain_forward(x: Tensor, weights: dict[str, Tensor], *, norm: str, same: bool) -> Tensor:
    for number, index in enumerate((0, 2, 5, 8, 11)):
        stride = 2 if number < 3 else 1
        total = 3 if same and stride == 1 else 2  # TensorFlow: what is missing, the odd pixel right and below
        x = F.pad(x, (total // 2, total - total // 2) * 2)
        x = F.conv2d(x, weights[f"model.{index}.weight"], weights.get(f"model.{index}.bias"), stride=stride)
        if number == 4:
            return x
        if number and norm == "instance":
            x = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
        elif number:
            gain, offset = (weights[f"model.{index + 1}.{part}"] for part in ("weight", "bias"))
            x = F.batch_norm(x, None, None, gain, offset, training=True)
        x = F.leaky_relu(x, 0.2)
    raise AssertionError


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("padding", ["one", "same"])
def test_the_forward_pass_is_the_described_one(norm: str, padding: str) -> None:
    built = critic(norm=norm, padding=padding)
    x = torch.rand(2, 3, 40, 56)
    expected = plain_forward(x, built.state_dict(), norm=norm, same=padding == "same")
    torch.testing.assert_close(built(x), expected, atol=1e-5, rtol=1e-4)
    assert expected.shape[2:] == ((5, 7) if padding == "same" else (3, 5))


@pytest.mark.parametrize(("strided", "side"), [(3, 70), (2, 34), (1, 16)])
def test_one_logit_sees_its_window(strided: int, side: int) -> None:
    built = critic(norm="keras_frozen", strided=strided)
    x = torch.rand(1, 3, 120, 128, requires_grad=True)
    built(x)[0, 0, 6, 7].backward()  # far from the edge, where windows are cut off
    assert x.grad is not None
    seen = x.grad.abs().sum((0, 1))
    for axis in (0, 1):
        touched = seen.sum(1 - axis).nonzero().flatten()
        assert touched[-1] - touched[0] + 1 == built.receptive_field == side


def test_impossible_settings_and_small_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="norm: expected one of batch, instance"):
        critic(norm="group")
    with pytest.raises(ValueError, match="padding: expected one or same, got 'zero'"):
        critic(padding="zero")
    with pytest.raises(ValueError, match="at least 24 pixels a side"):
        critic()(torch.zeros(1, 3, 23, 40))
    for strided, side in ((3, 24), (2, 12), (1, 6)):
        assert critic(strided=strided).eval()(torch.zeros(1, 3, side, side)).shape == (1, 1, 1, 1)
    with pytest.raises(ValueError, match="strided: expected 1 to 3, got 4"):
        critic(strided=4)
