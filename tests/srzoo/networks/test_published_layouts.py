"""Networks that spandrel has, too: published sizes, same keys, same arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
import spandrel
import torch
from torch import nn

from srzoo.networks.compact import Compact, CompactConfig
from srzoo.networks.edsr import EDSR, EDSRConfig
from srzoo.networks.plksr import PLKSR, PLKSRConfig
from srzoo.networks.rcan import RCAN, RCANConfig
from srzoo.networks.rcan_dml import DMLRCAN, DMLRCANConfig
from srzoo.networks.rrdb import RRDBConfig, RRDBNet
from srzoo.networks.srcnn import SRCNN, SRCNNConfig
from srzoo.networks.srresnet import SRResNet, SRResNetConfig
from srzoo.networks.vdsr import VDSR, VDSRConfig

SHIFTS = 24  # parameters of EDSR's two mean shifts, which its published counts leave out
COUNTS = [
    (RCAN, RCANConfig(scale=2), 15_444_667),
    (RCAN, RCANConfig(scale=3), 15_629_307),
    (RCAN, RCANConfig(), 15_592_379),
    (RCAN, RCANConfig(scale=8), 15_740_091),
    (DMLRCAN, DMLRCANConfig(), 3_723_017),
    (RRDBNet, RRDBConfig(), 16_697_987),
    (RRDBNet, RRDBConfig(blocks=25), 18_136_835),
    (RRDBNet, RRDBConfig(blocks=6), 4_467_779),
    (RRDBNet, RRDBConfig(scale=2), 16_703_171),
    (RRDBNet, RRDBConfig(scale=8), 16_734_915),
    (Compact, CompactConfig(), 621_424),
    (Compact, CompactConfig(convs=32), 1_213_296),
    (SRResNet, SRResNetConfig(), 1_547_350),
    (SRResNet, SRResNetConfig(bias=True), 1_549_462),
    (EDSR, EDSRConfig(scale=2), 1_369_859 + SHIFTS),
    (EDSR, EDSRConfig(scale=3), 1_554_499 + SHIFTS),
    (EDSR, EDSRConfig(), 1_517_571 + SHIFTS),
    (EDSR, EDSRConfig(scale=2, blocks=32, features=256), 40_729_603 + SHIFTS),
    (EDSR, EDSRConfig(scale=3, blocks=32, features=256), 43_680_003 + SHIFTS),
    (EDSR, EDSRConfig(blocks=32, features=256), 43_089_923 + SHIFTS),
    (VDSR, VDSRConfig(), 664_704),
    (VDSR, VDSRConfig(bias=True), 665_921),
    (SRCNN, SRCNNConfig(), 8_129),
    (SRCNN, SRCNNConfig(kernels=(9, 5, 5)), 57_281),
    (PLKSR, PLKSRConfig(scale=2), 7_365_324),
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


def shaken(network: nn.Module) -> nn.Module:
    """Weights away from where training starts, also fixed and zero ones."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval()


def assert_equal_output(network: nn.Module, descriptor: spandrel.ImageModelDescriptor) -> None:
    lr = torch.rand(2, 3, 9, 13)
    with torch.no_grad():
        ours, theirs = network(lr), descriptor.model(lr.clone())  # theirs writes into its input
    assert (theirs - theirs.mean()).abs().max() > 0.01
    assert (ours - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_spandrel_opens_our_rcan_and_computes_the_same(scale: Any) -> None:
    torch.manual_seed(scale)
    features = 64 if scale == 1 else 32  # spandrel takes 64 for granted where nothing is shuffled
    network = RCAN(RCANConfig(scale=scale, groups=2, blocks=3, features=features, reduction=8)).eval()
    with torch.no_grad():  # public weights have mean shifts that training moved a little
        for parameter in (*network.sub_mean.parameters(), *network.add_mean.parameters()):
            parameter.add_(0.01 * torch.randn_like(parameter))
    descriptor = opened_by_spandrel(network)
    assert (descriptor.architecture.id, descriptor.scale) == ("RCAN", scale)
    assert_equal_output(network, descriptor)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_spandrel_opens_our_compact_and_computes_the_same(scale: Any) -> None:
    torch.manual_seed(scale)
    network = shaken(Compact(CompactConfig(scale=scale, convs=5, features=24)))
    descriptor = opened_by_spandrel(network)
    assert (descriptor.architecture.id, descriptor.scale) == ("Compact", scale)
    assert_equal_output(network, descriptor)


@pytest.mark.parametrize(("scale", "unshuffle"), [(1, None), (2, None), (4, None), (8, None), (1, 1), (2, 1)])
def test_spandrel_opens_our_rrdb_and_computes_the_same(scale: Any, unshuffle: Any) -> None:
    torch.manual_seed(scale)
    network = shaken(RRDBNet(RRDBConfig(scale=scale, blocks=2, features=16, unshuffle=unshuffle)))
    descriptor = opened_by_spandrel(network)
    assert descriptor.architecture.id == "ESRGAN"
    assert network(torch.rand(1, 3, 9, 13)).shape[2:] == (9 * scale, 13 * scale)
    assert_equal_output(network, descriptor)


@pytest.mark.parametrize(("mixer", "attention"), [("DCCM", True), ("CCM", False), ("ICCM", True)])
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_spandrel_opens_our_plksr_and_computes_the_same(scale: Any, mixer: Any, attention: bool) -> None:
    torch.manual_seed(scale)
    config = PLKSRConfig(scale, blocks=2, features=16, kernel=7, partial=4, mixer=mixer, attention=attention)
    network = shaken(PLKSR(config))
    descriptor = opened_by_spandrel(network)
    assert (descriptor.architecture.id, descriptor.scale) == ("PLKSR", scale)
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
