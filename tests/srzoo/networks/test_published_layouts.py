"""RCAN and SRVGG against spandrel's own implementations: same keys, same arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
import spandrel
import torch
from torch import nn

from srzoo.networks.compact import Compact, CompactConfig
from srzoo.networks.rcan import RCAN, RCANConfig

COUNTS = [
    (RCAN, RCANConfig(scale=2), 15_444_667),
    (RCAN, RCANConfig(scale=3), 15_629_307),
    (RCAN, RCANConfig(), 15_592_379),
    (Compact, CompactConfig(), 621_424),
    (Compact, CompactConfig(convs=32), 1_213_296),
]


@pytest.mark.parametrize(("network", "config", "count"), COUNTS)
def test_the_published_number_of_parameters(network: type[nn.Module], config: object, count: int) -> None:
    with torch.device("meta"):
        built = network(config)
    assert sum(parameter.numel() for parameter in built.parameters()) == count


def opened_by_spandrel(network: nn.Module) -> spandrel.ImageModelDescriptor:
    descriptor: Any = spandrel.ModelLoader().load_from_state_dict(
        {k: v.clone() for k, v in network.state_dict().items()}
    )
    return descriptor


def assert_equal_output(network: nn.Module, descriptor: spandrel.ImageModelDescriptor) -> None:
    lr = torch.rand(2, 3, 9, 13)
    with torch.no_grad():
        ours, theirs = network(lr), descriptor.model(lr.clone())  # theirs writes into its input
    assert (theirs - theirs.mean()).abs().max() > 0.01
    assert (ours - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_spandrel_opens_our_rcan_and_computes_the_same(scale: Any) -> None:
    torch.manual_seed(scale)
    network = RCAN(RCANConfig(scale=scale, groups=2, blocks=3, features=32, reduction=8)).eval()
    with torch.no_grad():  # public weights have mean shifts that training moved a little
        for parameter in (*network.sub_mean.parameters(), *network.add_mean.parameters()):
            parameter.add_(0.01 * torch.randn_like(parameter))
    descriptor = opened_by_spandrel(network)
    assert (descriptor.architecture.id, descriptor.scale) == ("RCAN", scale)
    assert_equal_output(network, descriptor)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_spandrel_opens_our_compact_and_computes_the_same(scale: Any) -> None:
    torch.manual_seed(scale)
    network = Compact(CompactConfig(scale=scale, convs=5, features=24)).eval()
    with torch.no_grad():
        for parameter in network.parameters():  # the last convolution starts at zero
            parameter.add_(0.05 * torch.randn_like(parameter))
    descriptor = opened_by_spandrel(network)
    assert (descriptor.architecture.id, descriptor.scale) == ("Compact", scale)
    assert_equal_output(network, descriptor)


def test_the_mean_shifts_stay_fixed_in_training() -> None:
    network = RCAN(RCANConfig(groups=1, blocks=1))
    fixed = {key for key, parameter in network.named_parameters() if not parameter.requires_grad}
    assert fixed == {"sub_mean.weight", "sub_mean.bias", "add_mean.weight", "add_mean.bias"}
    assert network.sub_mean.bias.tolist() == pytest.approx([-114.444, -111.4605, -103.02])
    assert network.add_mean.bias.tolist() == pytest.approx([114.444, 111.4605, 103.02])


def test_an_untrained_compact_is_the_enlarged_input_and_keeps_its_signal_to_the_end() -> None:
    torch.manual_seed(0)
    network = Compact(CompactConfig(convs=32))
    lr = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        assert torch.equal(network(lr), lr.repeat_interleave(4, 2).repeat_interleave(4, 3))
        features = network.body[:-1](lr)
    assert 0.02 < float(features.std((2, 3)).mean()) < 2  # over the picture; from torch's own start: 0.002
