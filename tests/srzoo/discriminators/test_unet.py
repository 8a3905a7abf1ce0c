"""The U-Net critic against the published count and keys, and torch's spectral norm layer by layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from srzoo.discriminators.unet import UNetCritic, UNetCriticConfig

# (inputs, outputs, kernel, stride) in units of the features
LAYERS = [
    (1, 2, 4, 2),
    (2, 4, 4, 2),
    (4, 8, 4, 2),
    (8, 4, 3, 1),
    (4, 2, 3, 1),
    (2, 1, 3, 1),
    (1, 1, 3, 1),
    (1, 1, 3, 1),
]


def reference(n: int) -> nn.ModuleDict:
    torch.manual_seed(3)
    table = nn.ModuleDict({"conv0": nn.Conv2d(3, n, 3, padding=1), "conv9": nn.Conv2d(n, 1, 3, padding=1)})
    for number, (inputs, outputs, kernel, stride) in enumerate(LAYERS, 1):
        plain = nn.Conv2d(n * inputs, n * outputs, kernel, stride=stride, padding=1, bias=False)
        table[f"conv{number}"] = spectral_norm(plain)
    return table


def test_the_published_number_of_parameters_and_keys() -> None:
    with torch.device("meta"):
        critic = UNetCritic(UNetCriticConfig())
    assert sum(parameter.numel() for parameter in critic.parameters()) == 4_376_897
    assert critic.state_dict().keys() == reference(2).state_dict().keys()  # weight_orig, weight_u, weight_v


@pytest.mark.parametrize("skips", [True, False])
def test_the_forward_pass_is_the_described_one(skips: bool) -> None:
    layers, critic = reference(4), UNetCritic(UNetCriticConfig(4, skips))
    critic.load_state_dict(layers.state_dict())
    rgb = torch.rand(2, 3, 24, 40)
    x = [F.leaky_relu(layers["conv0"](rgb), 0.2)]
    for n in (1, 2, 3):
        x.append(F.leaky_relu(layers[f"conv{n}"](x[-1]), 0.2))
    up = x[3]
    for n, skip in ((4, x[2]), (5, x[1]), (6, x[0])):
        up = F.leaky_relu(layers[f"conv{n}"](F.interpolate(up, scale_factor=2, mode="bilinear")), 0.2)
        up = up + skip if skips else up
    for n in (7, 8):
        up = F.leaky_relu(layers[f"conv{n}"](up), 0.2)
    expected = layers["conv9"](up)
    torch.testing.assert_close(critic(rgb), expected, atol=1e-5, rtol=1e-4)
    assert expected.shape == (2, 1, 24, 40)


def test_one_logit_sees_the_stated_pixels() -> None:
    critic = UNetCritic(UNetCriticConfig(2)).eval()
    for parameter in critic.parameters():
        parameter.data.abs_()  # so that no two paths cancel
    widths = []
    for y in range(64, 72):
        x = torch.rand(1, 3, 136, 136, requires_grad=True)
        critic(x)[0, 0, y, 60].backward()
        assert x.grad is not None
        touched = x.grad.abs().sum((0, 1, 3)).nonzero().flatten()
        widths.append(int(touched[-1] - touched[0]) + 1)
    assert (min(widths), max(widths)) == (56, UNetCritic.receptive_field)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"multiples of 8, got \(1, 3, 36, 40\)"):
        UNetCritic(UNetCriticConfig(2))(torch.zeros(1, 3, 36, 40))
