"""LPIPS of two 8-bit pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from srzoo.features.lpips import LPIPS


def lpips(image: NDArray[np.uint8], reference: NDArray[np.uint8], distance: LPIPS) -> float:
    """The distance of two pictures (H, W, 1 or 3), RGB, uint8; smaller is better. No border is left off.

    Args:
        distance: `features.lpips.load_lpips()`: AlexNet, version 0.1, is what papers report.

    A grey picture becomes three equal channels; DML's tables hand in luma that way.
    """
    import torch  # the other metrics need none

    from srzoo.tensors import to_tensor

    device = distance.get_buffer("head0").device
    with torch.inference_mode():
        one, other = (to_tensor(np.repeat(p, 3, 2) if p.shape[2] == 1 else p) for p in (image, reference))
        return float(distance(one.to(device), other.to(device)))
