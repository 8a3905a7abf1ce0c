"""The VGG-like critic against published sizes and a plain forward pass written from the description."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from srzoo.discriminators import DISCRIMINATORS
from srzoo.discriminators.vgg_style import VggStyle, VggStyleConfig

COUNTS = {96: 14_141_001, 128: 14_499_401, 192: 20_696_649, 256: 21_055_049}


@pytest.mark.parametrize(("patch", "count"), COUNTS.items())
def test_the_published_number_of_parameters(patch: int, count: int) -> None:
    config, critic = DISCRIMINATORS["vgg_style"]
    with torch.device("meta"):
        built = critic(config(patch))
    assert sum(parameter.numel() for parameter in built.parameters()) == count


def test_the_keys_are_esrgans() -> None:
    with torch.device("meta"):
        keys = VggStyle(VggStyleConfig(128)).state_dict().keys()
    convolutions = {f"conv{stage}_{part}.weight" for stage in range(5) for part in range(2)} | {"conv0_0.bias"}
    norms = {name.replace("conv", "bn").removesuffix(".weight") for name in convolutions if "bias" not in name}
    norms.discard("bn0_0")
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    linear = {f"linear{n}.{part}" for n in (1, 2) for part in ("weight", "bias")}
    assert set(keys) == convolutions | {f"{norm}.{part}" for norm in norms for part in parts} | linear


@pytest.mark.parametrize("patch", [12, 16, 48, 64, 96])
@pytest.mark.parametrize("training", [True, False])
def test_the_forward_pass_is_the_described_one(patch: int, training: bool) -> None:
    torch.manual_seed(patch)
    critic = VggStyle(VggStyleConfig(patch, features=8)).train(training)
    weights = {key: value.clone() for key, value in critic.state_dict().items()}
    patches = torch.rand(3, 3, patch, patch)
    with torch.no_grad():
        expected = plain_forward(patches, weights, training)
        torch.testing.assert_close(critic(patches), expected, atol=1e-5, rtol=1e-5)
    assert expected.shape == (3, 1)
    assert critic.receptive_field == patch


def plain_forward(x: Tensor, weights: dict[str, Tensor], training: bool) -> Tensor:
    stage = 0
    while x.shape[-1] > 4:
        for part in (0, 1):
            name = f"{stage}_{part}"
            x = F.conv2d(x, weights[f"conv{name}.weight"], weights.get(f"conv{name}.bias"), stride=1 + part, padding=1)
            if name != "0_0":
                norm = (weights[f"bn{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias"))
                x = F.batch_norm(x, *norm, training=training)
            x = F.leaky_relu(x, 0.2)
        stage += 1
    x = F.leaky_relu(F.linear(x.flatten(1), weights["linear1.weight"], weights["linear1.bias"]), 0.2)
    return F.linear(x, weights["linear2.weight"], weights["linear2.bias"])


def test_widths_double_up_to_eight_times_the_first() -> None:
    with torch.device("meta"):
        critic = VggStyle(VggStyleConfig(256, features=16))
    widths = [critic.get_parameter(f"conv{stage}_0.weight").shape[0] for stage in range(6)]
    assert widths == [16, 32, 64, 128, 128, 128]


@pytest.mark.parametrize("patch", [0, 3, 4, 100, 130, 160])
def test_a_patch_that_does_not_halve_is_refused(patch: int) -> None:
    with pytest.raises(ValueError, match=f"patch: expected 3 or 4 times a power of two .*got {patch}"):
        VggStyleConfig(patch)


def test_another_size_than_the_stated_one_is_refused() -> None:
    critic = VggStyle(VggStyleConfig(16, features=4))
    with pytest.raises(ValueError, match=r"expected patches \(B, 3, 16, 16\), got \(1, 3, 32, 16\)"):
        critic(torch.zeros(1, 3, 32, 16))
