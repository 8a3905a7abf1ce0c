"""DDNSR's critics against their counts and a plain forward pass."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from srzoo.discriminators.ddnsr import DDNSRCritic, DDNSRCriticConfig


@pytest.mark.parametrize("norm", ["keras", "keras_frozen"])
@pytest.mark.parametrize(("patch", "features", "count"), [(32, 128, 7_805_897), (128, 64, 30_262_857)])
def test_the_published_number_of_parameters(patch: int, features: int, count: int, norm: str) -> None:
    with torch.device("meta"):
        critic = DDNSRCritic(DDNSRCriticConfig(patch, features, norm))  # type: ignore[reportArgumentType]
    assert sum(parameter.numel() for parameter in critic.parameters()) == count


@pytest.mark.parametrize("norm", ["keras", "keras_frozen"])
def test_the_forward_pass_is_the_described_one(norm: str) -> None:
    torch.manual_seed(0)
    critic = DDNSRCritic(DDNSRCriticConfig(16, 4, norm))  # type: ignore[reportArgumentType]
    for parameter in critic.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    x = patches = torch.rand(3, 3, 16, 16)
    weights = list(critic.parameters())
    convolutions, (w1, b1, w2, b2) = iter(weights[:-4]), weights[-4:]
    for stage, width in enumerate((4, 8)):
        for stride in (1, 2):
            kernel = next(convolutions)
            assert kernel.shape[::2] == (width, 2 + stride)
            first = stage == 0 and stride == 1
            x = F.conv2d(x, kernel, next(convolutions) if first else None, stride=stride, padding=1)
            if not first:
                gain, offset = next(convolutions), next(convolutions)
                statistics = (torch.zeros(width), torch.ones(width))
                x = F.batch_norm(x, *statistics, gain, offset, training=norm == "keras", eps=1e-3)
            x = F.leaky_relu(x, 0.2)
    expected = F.linear(F.leaky_relu(F.linear(x.flatten(1), w1, b1), 0.2), w2, b2)
    torch.testing.assert_close(critic(patches), expected, atol=1e-5, rtol=1e-5)
    assert (expected.shape, critic.receptive_field) == ((3, 1), 16)


@pytest.mark.parametrize("patch", [0, 4, 24, 96, 130])
def test_a_patch_that_does_not_halve_is_refused(patch: int) -> None:
    with pytest.raises(ValueError, match=f"patch: expected 4 times a power of two .*got {patch}"):
        DDNSRCriticConfig(patch)


def test_another_size_than_the_stated_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected patches \(B, 3, 8, 8\), got \(1, 3, 16, 8\)"):
        DDNSRCritic(DDNSRCriticConfig(8, 2))(torch.zeros(1, 3, 16, 8))
