"""What exactly is compared: the rules under which published figures came about, by name.

All of them take 8-bit pictures and leave `scale` pixels off every border, but for `realsr`.

published   The classic tables (VDSR, RCAN, SRDGAN). Luma, rounded to 8 bits. A network gets RGB and its RGB is turned
            into luma. The tables' bicubic row never was RGB: luma, rounded, made smaller and larger again in double
            precision, clamped to 16..235, rounded (`published_bicubic`); there a grey picture is its own luma.
network     What the papers' networks are measured by (RCAN, EDSR, BasicSR): luma of 8-bit RGB, not rounded.
rounded     `network` with luma rounded to 8 bits, for bicubic, too.
rgb         All three channels of 8-bit RGB: PSNR of their common MSE, SSIM as the mean over channels.
realsr      RealSR's tables: luma rounded to 8 bits, the border counts.

A grey picture becomes three equal channels, so its luma runs over 16..235, too.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import imresize

Protocol = Literal["published", "network", "rounded", "rgb", "realsr"]
PROTOCOLS: tuple[Protocol, ...] = ("published", "network", "rounded", "rgb", "realsr")
Plane = NDArray[np.float64]

_WEIGHTS = np.array((65.481, 128.553, 24.966)) / 255
_BLACK, _WHITE = 16, 235  # of luma


def luma(pixels: NDArray[np.uint8]) -> Plane:
    """(H, W, 1), 16..235, not rounded, of (H, W, 1 or 3) uint8: ITU-R BT.601 studio luma, MATLAB's `rgb2ycbcr`."""
    if pixels.shape[2] == 1:
        return _BLACK + _WEIGHTS.sum() * pixels
    return _BLACK + (pixels @ _WEIGHTS)[..., None]


def compared(protocol: Protocol, sr: NDArray[np.uint8], hr: NDArray[np.uint8], scale: int) -> tuple[Plane, Plane]:
    """What PSNR and SSIM (`peak` 255) are taken of: `sr` and `hr` (H, W, C), as planes without their border.

    Raises:
        ValueError: sizes that differ, or an unknown protocol.
    """
    if sr.shape != hr.shape:
        raise ValueError(f"expected two alike, got shapes {sr.shape} and {hr.shape}")
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol: expected one of {', '.join(PROTOCOLS)}, got {protocol!r}")
    border = 0 if protocol == "realsr" else scale
    planes = []
    for picture in (inside(sr, border), inside(hr, border)):
        plane = picture.astype(np.float64) if protocol == "rgb" else luma(picture)
        planes.append(plane if protocol in ("rgb", "network") else _rounded(plane))
    return planes[0], planes[1]


def published_bicubic(hr: NDArray[np.uint8], scale: int, *, lr: NDArray[np.uint8] | None = None) -> tuple[Plane, Plane]:
    """The bicubic row of the published tables: the enlarged luma and that of `hr`, without their border.

    Args:
        hr: (H, W, 1 or 3), both sides multiples of `scale`.
        lr: enlarge this instead of a smaller `hr`.

    Source: inferred: of 29 orders of rounding and clamping, this alone gives 23 of 24 published figures.
    """
    height, width = hr.shape[:2]
    truth = _own_luma(hr)
    small = imresize(truth, height // scale, width // scale) if lr is None else _own_luma(lr)
    large = imresize(small, height, width)
    return inside(_rounded(large.clip(_BLACK, _WHITE)), scale), inside(truth, scale)


def inside(array: NDArray, border: int) -> NDArray:
    """`array` (H, W, C) without `border` pixels on every side; a view."""
    return array[border : array.shape[0] - border, border : array.shape[1] - border]


def _own_luma(pixels: NDArray[np.uint8]) -> Plane:
    return pixels.astype(np.float64) if pixels.shape[2] == 1 else _rounded(luma(pixels))


def _rounded(plane: Plane) -> Plane:
    return np.floor(plane + 0.5)
