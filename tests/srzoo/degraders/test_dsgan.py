"""DSGAN's generator against torch's plain operations and the released keys."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from srzoo.degraders.dsgan import DSGAN, DSGANConfig


def test_the_forward_pass_and_keys_are_the_released_ones() -> None:
    torch.manual_seed(0)
    degrader = DSGAN(DSGANConfig(blocks=2, features=4))
    w = degrader.state_dict()

    def conv(x: torch.Tensor, key: str) -> torch.Tensor:
        return F.conv2d(x, w[f"{key}.weight"], w[f"{key}.bias"], padding=1)

    image = torch.rand(2, 3, 7, 10)
    x = F.prelu(conv(image, "block_input.0"), w["block_input.1.weight"])
    for block in ("res_blocks.0", "res_blocks.1"):
        x = x + conv(F.prelu(conv(x, f"{block}.conv1"), w[f"{block}.prelu.weight"]), f"{block}.conv2")
    torch.testing.assert_close(degrader(image), torch.sigmoid(conv(x, "block_output")), atol=1e-6, rtol=1e-6)
    assert len(w) == 2 + 1 + 2 * 5 + 2
