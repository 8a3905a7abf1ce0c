"""SRGAN's critic against the published counts, keys, and a plain forward pass."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from srzoo.discriminators.srgan import SRGANCritic, SRGANCriticConfig


@pytest.mark.parametrize(("head", "count"), [("dense", 23_563_649), ("pooled", 5_215_425)])
def test_the_published_number_of_parameters(head: str, count: int) -> None:
    with torch.device("meta"):
        critic = SRGANCritic(SRGANCriticConfig(head=head))  # type: ignore[reportArgumentType]
    assert sum(parameter.numel() for parameter in critic.parameters()) == count


def test_the_keys_are_those_of_the_two_codes() -> None:
    with torch.device("meta"):
        dense, pooled = (SRGANCritic(SRGANCriticConfig(head=head)).state_dict() for head in ("dense", "pooled"))
    convolutions, norms = [0, 2, 5, 8, 11, 14, 17, 20], [3, 6, 9, 12, 15, 18, 21]
    weights = {key for key in dense if key.startswith("features") and dense[key].ndim == 4}
    assert weights == {f"features.{n}.weight" for n in convolutions}
    assert {key for key in dense if key.endswith("running_mean")} == {f"features.{n}.running_mean" for n in norms}
    assert [key for key in dense if "classifier" in key and "weight" in key] == [
        f"classifier.{n}.weight" for n in (0, 2)
    ]
    assert {f"net.{n}.bias" for n in (*convolutions, 24, 26)} <= set(pooled)
    assert dense["features.2.weight"].shape == (64, 64, 3, 3)
    assert "features.2.bias" not in dense


def plain_forward(x: Tensor, weights: dict[str, Tensor], place: str) -> Tensor:
    """The features by the figure of the paper: k3, and n64s1, n64s2, n128s1 .. n512s2."""
    for number, index in enumerate((0, 2, 5, 8, 11, 14, 17, 20)):
        kernel, bias = weights[f"{place}.{index}.weight"], weights.get(f"{place}.{index}.bias")
        x = F.conv2d(x, kernel, bias, stride=1 + number % 2, padding=1)
        if number:
            parts = ("running_mean", "running_var", "weight", "bias")
            mean, variance, gain, offset = (weights[f"{place}.{index + 1}.{part}"] for part in parts)
            x = F.batch_norm(x, mean, variance, gain, offset)
        x = F.leaky_relu(x, 0.2)
    return x


def test_the_dense_forward_pass_is_the_described_one() -> None:
    torch.manual_seed(0)
    critic = SRGANCritic(SRGANCriticConfig(patch=32, features=4)).eval()
    weights = critic.state_dict()
    x = torch.rand(2, 3, 32, 32)
    hidden = F.linear(plain_forward(x, weights, "features").flatten(1), *pair(weights, "classifier.0"))
    expected = F.linear(F.leaky_relu(hidden, 0.2), *pair(weights, "classifier.2"))
    torch.testing.assert_close(critic(x), expected, atol=1e-6, rtol=1e-5)
    assert critic.receptive_field == 32


def test_the_pooled_critic_takes_any_size() -> None:
    torch.manual_seed(0)
    critic = SRGANCritic(SRGANCriticConfig(features=4, head="pooled")).eval()
    weights = critic.state_dict()
    x = torch.rand(2, 3, 23, 41)
    mean = plain_forward(x, weights, "net").mean((2, 3))
    first, last = ((weights[f"net.{n}.weight"][..., 0, 0], weights[f"net.{n}.bias"]) for n in (24, 26))
    expected = F.linear(F.leaky_relu(F.linear(mean, *first), 0.2), *last)
    torch.testing.assert_close(critic(x), expected, atol=1e-6, rtol=1e-5)
    assert expected.shape == (2, 1)
    assert critic.receptive_field is None
    with pytest.raises(ValueError, match="at least 16 x 16 pixels"):
        critic(torch.zeros(1, 3, 15, 40))


def pair(weights: dict[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def test_impossible_settings_and_sizes_are_refused() -> None:
    for patch in (0, 8, 100):
        with pytest.raises(ValueError, match=f"patch: expected a multiple of 16, got {patch}"):
            SRGANCriticConfig(patch)
    with pytest.raises(ValueError, match="head: expected dense or pooled, got 'conv'"):
        SRGANCriticConfig(head="conv")  # type: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"expected patches \(B, 3, 16, 16\), got \(1, 3, 32, 32\)"):
        SRGANCritic(SRGANCriticConfig(16, features=2))(torch.zeros(1, 3, 32, 32))
