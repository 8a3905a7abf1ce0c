"""H2L against torch's plain operations, its registration against block means, and its noise."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from degrade.card import NoiseInput
from srzoo.degraders.h2l import H2L, H2LConfig


@pytest.mark.parametrize("noise", ["concat", "add"])
@pytest.mark.parametrize("skip", ["none", "mean", "nearest"])
def test_the_forward_pass_is_the_described_one(noise: Any, skip: Any) -> None:
    torch.manual_seed(0)
    degrader = H2L(H2LConfig(2, noise, blocks=2, features=4, skip=skip))
    w = dict(degrader.named_parameters())

    def conv(x: Tensor, key: str, **how: Any) -> Tensor:
        return F.conv2d(x, w[f"{key}.weight"], w[f"{key}.bias"], **how)

    image, noise_map = torch.rand(2, 3, 8, 12), 0.05 * torch.randn(2, 3, 8, 12)
    both = image + noise_map if noise == "add" else torch.cat([image, noise_map], 1)
    first = x = F.leaky_relu(conv(both, "head.0", padding=1), 0.2)
    outputs = [first]
    for number in range(2):
        block = f"body.blocks.{number}"
        inner = conv(F.leaky_relu(conv(x, f"{block}.conv1", padding=1), 0.2), f"{block}.conv2", padding=1)
        outputs.append(F.leaky_relu(x + inner, 0.2))
        x = conv(torch.cat(outputs, 1), f"body.fusions.{number}")
    expected = conv(x, "tail", stride=2)
    blocks = image.unflatten(2, (4, 2)).unflatten(4, (6, 2))
    if skip == "mean":
        expected = expected + blocks.mean((3, 5))
    if skip == "nearest":  # right of and below the centre
        expected = expected + blocks[:, :, :, 1, :, 1]
    torch.testing.assert_close(degrader(image, noise_map), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("noise", ["concat", "add"])
@pytest.mark.parametrize(("scale", "tail"), [(1, "block"), (2, "wide"), (3, "block"), (4, "block"), (4, "wide")])
def test_with_a_box_as_its_tail_it_is_the_block_mean(scale: Any, tail: Any, noise: Any) -> None:
    """LR pixels lie in the middle of their HR pixels."""
    degrader = H2L(H2LConfig(scale, noise, tail=tail, blocks=2, features=4))
    around = scale // 2 if tail == "wide" else 0
    weights, inside = dict(degrader.named_parameters()), slice(around, around + scale)
    with torch.no_grad():
        for parameter in weights.values():
            parameter.zero_()
        for channel in range(3):
            weights["head.0.weight"][channel, channel, 1, 1] = 1
            weights["body.fusions.0.weight"][channel, channel] = 1
            weights["body.fusions.1.weight"][channel, channel + 2 * 4] = 1
            weights["tail.weight"][channel, channel, inside, inside] = 1 / scale**2
        image = torch.rand(1, 3, 6 * scale, 5 * scale)
        lr = degrader(image, torch.zeros(1, 3, 6 * scale, 5 * scale))
    expected = image.unflatten(2, (6, scale)).unflatten(4, (5, scale)).mean((3, 5))
    torch.testing.assert_close(lr, expected, atol=1e-6, rtol=0)


def test_the_noise_it_wants_is_stated() -> None:
    degrader = H2L(H2LConfig(noise_channels=1, sigma=0.1, blocks=1, features=2))
    assert degrader.inputs == (NoiseInput(channels=1, sigma=0.1),)


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 3, 8, 4), (2, 3, 8, 8)])
def test_noise_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    degrader = H2L(H2LConfig(noise="add", blocks=1, features=2))
    with pytest.raises(ValueError, match=r"noise: expected \(1, 3, 8, 8\), got"):
        degrader(torch.rand(1, 3, 8, 8), torch.zeros(shape))
