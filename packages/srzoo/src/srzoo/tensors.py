"""The border between pixels (HWC, uint8 or uint16) and what networks see (BCHW, float32, [0, 1]); and its luma."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_WHITE = {8: 255, 16: 65535}


def to_tensor(pixels: NDArray[np.uint8 | np.uint16]) -> Tensor:
    """`pixels` (H, W, C) as (1, C, H, W) float32 in [0, 1], laid out channels-last; a copy.

    Raises:
        ValueError: not three dimensions, empty, or neither uint8 nor uint16.
    """
    if pixels.ndim != 3 or 0 in pixels.shape or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected (H, W, C) uint8 or uint16, got {pixels.shape} {pixels.dtype}")
    white = _WHITE[8 * pixels.dtype.itemsize]
    image = np.divide(pixels, np.float32(white), dtype=np.float32)  # (H, W, C)
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]


def to_pixels(tensor: Tensor, depth: int = 8) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """`tensor` (1, C, H, W), [0, 1], as (H, W, C): clipped, rounded half up. uint8, or uint16 for a `depth` of 16.

    Raises:
        ValueError: another shape or depth, or a value that is not finite.
    """
    if tensor.ndim != 4 or len(tensor) != 1:
        raise ValueError(f"expected (1, C, H, W), got {tuple(tensor.shape)}")
    if depth not in _WHITE:
        raise ValueError(f"expected a depth of 8 or 16, got {depth}")
    image = tensor.detach()[0].permute(1, 2, 0).float()  # (H, W, C)
    if not torch.isfinite(image).all():
        raise ValueError("expected finite values, got NaN or infinity")
    levels = image.clamp(0, 1).mul(_WHITE[depth]).add(0.5).to(torch.uint8 if depth == 8 else torch.int32)
    pixels = levels.contiguous().cpu().numpy()
    return pixels if depth == 8 else pixels.astype(np.uint16)


def luma(rgb: Tensor) -> Tensor:
    """(B, 1, H, W), 16/255 to 235/255, of `rgb` (B, 3, H, W), [0, 1]: BT.601 studio luma, MATLAB's `rgb2ycbcr`.

    Numbers stand in the code: an exported degrader holds it, and TorchScript takes no tuple from outside.
    """
    red, green, blue = rgb[:, 0:1], rgb[:, 1:2], rgb[:, 2:3]
    return 16.0 / 255.0 + (65.481 / 255.0) * red + (128.553 / 255.0) * green + (24.966 / 255.0) * blue


def every_nth(hr: Tensor, scale: int) -> Tensor:
    """(B, C, H/s, W/s): the pixel of each block that recipe `nearest` takes, right of and below an even centre."""
    return hr[:, :, scale // 2 :: scale, scale // 2 :: scale]
