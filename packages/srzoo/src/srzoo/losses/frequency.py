"""Low and high frequencies apart: the pixel loss sees the first, the critic the second.

Source: Fritsche et al. 2019, "Frequency separation for real-world super-resolution", section 3.3 (ESRGAN-FS), with the
means of its code: over what lies inside the picture.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

_WINDOW = 9  # pixels of HR


def low_pass(image: Tensor, window: int = _WINDOW) -> Tensor:
    """`image` (B, C, H, W) as means over `window` x `window` surroundings; same size and range."""
    if window < 1 or window % 2 == 0:
        raise ValueError(f"window: expected an odd number, got {window}")
    return F.avg_pool2d(image, window, stride=1, padding=window // 2, count_include_pad=False)


def high_pass(image: Tensor, window: int = _WINDOW) -> Tensor:
    """What `low_pass` takes away, in the critic's range: 0.5 + 0.5 * (image - low_pass(image))."""
    return 0.5 + 0.5 * (image - low_pass(image, window))


def low_pass_l1(image: Tensor, target: Tensor, window: int = _WINDOW) -> Tensor:
    """The mean absolute difference of the low frequencies; float32."""
    return low_pass(image.float() - target.float(), window).abs().mean()
