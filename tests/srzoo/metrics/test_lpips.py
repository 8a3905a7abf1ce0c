"""LPIPS of 8-bit pictures is that of their tensors."""

from __future__ import annotations

import numpy as np
import torch

from srzoo.features.lpips import LPIPS
from srzoo.features.lpips_trunks import TRUNKS, Trunk
from srzoo.metrics.lpips import lpips


def test_it_is_the_distance_of_the_tensors_and_grey_is_three_equal_channels() -> None:
    torch.manual_seed(0)
    distance = LPIPS(Trunk("squeeze"), [torch.rand(channels) for channels in TRUNKS["squeeze"].channels])
    one, other = np.random.default_rng(0).integers(0, 256, (2, 24, 20, 3), dtype=np.uint8)
    tensors = [torch.from_numpy(p).permute(2, 0, 1)[None].float() / 255 for p in (one, other)]
    found = lpips(one, other, distance)
    np.testing.assert_allclose(found, float(distance(*tensors)), rtol=1e-4)
    grey = [p[..., :1] for p in (one, other)]
    assert lpips(*grey, distance) == lpips(*(np.repeat(p, 3, 2) for p in grey), distance)  # type: ignore[reportCallIssue]
