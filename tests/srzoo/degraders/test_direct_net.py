"""DirectNet: what its backbone gives is added to its input."""

from __future__ import annotations

import torch

from srzoo.degraders.direct_net import DirectNet, DirectNetConfig


def test_direct_net_adds_to_its_input() -> None:
    torch.manual_seed(0)
    degrader = DirectNet(DirectNetConfig(4))
    image = torch.rand(2, 1, 7, 10)
    with torch.no_grad():
        assert torch.equal(degrader(image), image + degrader.change(image))
        degrader.change.last.weight.zero_()
        assert torch.equal(degrader(image), image)
