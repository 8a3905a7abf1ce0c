"""The small network's skip, and where its training starts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from degrade.functional.resample import resize
from srzoo.networks.skipres import BicubicPhases, SkipRes, SkipResConfig


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_an_untrained_network_is_matlab_bicubic(scale: Any) -> None:
    torch.manual_seed(0)
    lr = torch.rand(1, 3, 7, 5)
    with torch.no_grad():
        sr = SkipRes(SkipResConfig(scale, blocks=1, features=4))(lr)
    expected = resize(lr[0].permute(1, 2, 0).double().numpy(), 7 * scale, 5 * scale, edge="edge")
    torch.testing.assert_close(sr[0].permute(1, 2, 0).double(), torch.from_numpy(expected), atol=1e-6, rtol=0)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_skip_equals_torch_inside(scale: int) -> None:
    lr = torch.rand(1, 3, 9, 12)
    ours = F.pixel_shuffle(BicubicPhases(scale)(lr), scale)
    theirs = F.interpolate(lr, scale_factor=scale, mode="bicubic", antialias=True)  # a = -0.5; other edges
    inside = (..., slice(2 * scale, -2 * scale), slice(2 * scale, -2 * scale))
    torch.testing.assert_close(ours[inside], theirs[inside], atol=2e-6, rtol=0)


def test_the_skip_keeps_full_precision_under_autocast_and_with_bfloat16_weights() -> None:
    lr = torch.rand(1, 3, 6, 6)
    network = SkipRes(SkipResConfig(blocks=1, features=4))
    exact = network(lr)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(network(lr), exact)
    assert torch.equal(network.bfloat16()(lr), exact)


def test_the_number_of_parameters_is_the_stated_one() -> None:
    assert sum(p.numel() for p in SkipRes(SkipResConfig()).parameters()) == 162_736
    assert not any("skip" in key for key in SkipRes(SkipResConfig()).state_dict())
