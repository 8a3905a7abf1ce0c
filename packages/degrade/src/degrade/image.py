"""What an image is here, and the way from stored pixels to it and back.

An `Image` is (height, width, channels), RGB or one grey channel, float32, C-contiguous, [0, 1] in sRGB
unless a name says linear. `Pixels` are the same in uint8, as files and shards hold them.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from degrade.jit import jit

Image = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)


def check_image(image: Image, name: str = "image") -> None:
    """Refuse what is not an `Image`: once, on entry to a public function. Values outside [0, 1] are allowed.

    Raises:
        TypeError: not an array of float32.
        ValueError: not (H, W, 1 or 3), empty, not C-contiguous, or not finite.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.float32:
        raise TypeError(f"{name}: expected a float32 array, got {_described(image)}")
    if image.ndim != 3 or image.shape[2] not in (1, 3) or image.size == 0:
        raise ValueError(f"{name}: expected (height, width, 1 or 3), got {_described(image)}")
    if not image.flags.c_contiguous:
        raise ValueError(f"{name}: expected a C-contiguous array, got strides {image.strides}")
    if not np.isfinite(image).all():
        raise ValueError(f"{name}: expected finite values, got {np.count_nonzero(~np.isfinite(image))} that are not")


def to_float(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Image:
    """uint8 or uint16 as float32 in [0, 1]; full white is exactly 1.

    Raises:
        TypeError: another dtype.
    """
    if pixels.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"expected uint8 or uint16 pixels, got {_described(pixels)}")
    image = np.empty(pixels.shape, np.float32)
    _scaled(np.ascontiguousarray(pixels).reshape(-1), np.float32(np.iinfo(pixels.dtype).max), image.reshape(-1))
    return image


def to_pixels(image: Image) -> Pixels:
    """The nearest 8-bit levels of finite values, halves upward; clips to [0, 1]."""
    pixels = np.empty(image.shape, np.uint8)
    _quantise(np.ascontiguousarray(image).reshape(-1), pixels.reshape(-1))
    return pixels


@jit
def _scaled(levels, white, values):
    for i in range(levels.size):
        values[i] = np.float32(levels[i]) / white


@jit
def _quantise(values, levels):
    low, high = np.float32(0.0), np.float32(255.5)
    for i in range(values.size):
        level = np.float32(values[i]) * np.float32(255) + np.float32(0.5)
        levels[i] = np.uint8(np.int32(min(max(level, low), high)))  # of values >= 0 the cast is the floor


def crop_to_multiple(array: NDArray[Scalar], scale: int) -> NDArray[Scalar]:
    """`array` (H, W, ...) without the last rows and columns beyond a multiple of `scale`; a view.

    Raises:
        ValueError: nothing would be left.
    """
    height, width = (size // scale * scale for size in array.shape[:2])
    if not height or not width:
        raise ValueError(f"expected at least {scale} x {scale} pixels, got {array.shape[0]} x {array.shape[1]}")
    return array[:height, :width]


def window(pixels: NDArray[Scalar], y: int, x: int, height: int, width: int, margin: int = 0) -> NDArray[Scalar]:
    """The patch at (y, x) with `margin` pixels of its surroundings on every side, as an array of its own.

    Where that leaves the photo it is mirrored at the edge, the edge pixel repeated (as often as needed): the
    continuation that MATLAB's imresize uses and that keeps half-pixel centres in place.

    Args:
        pixels: (H, W, C). The patch itself may leave the photo too.

    Returns:
        (height + 2 * margin, width + 2 * margin, C), C-contiguous.
    """
    top, left, bottom, right = y - margin, x - margin, y + height + margin, x + width + margin
    if top >= 0 and left >= 0 and bottom <= pixels.shape[0] and right <= pixels.shape[1]:
        return pixels[top:bottom, left:right].copy(order="C")
    rows, size = mirrored(top, bottom, pixels.shape[0]), right - left
    before, after = max(-left, 0), max(right - pixels.shape[1], 0)
    if 2 * max(before, after) + min(before, after) > size:  # mirrored more than once
        return pixels[rows[:, None], mirrored(left, right, pixels.shape[1])]
    result = np.empty((bottom - top, size, *pixels.shape[2:]), pixels.dtype)
    result[:, before : size - after] = pixels[rows, left + before : right - after]  # whole rows: 20 times faster
    result[:, :before] = result[:, before : 2 * before][:, ::-1]
    result[:, size - after :] = result[:, size - 2 * after : size - after][:, ::-1]
    return result


def mirrored(start: int, stop: int, size: int) -> NDArray[np.intp]:
    """Indices start..stop-1 folded into 0..size-1."""
    folded = np.arange(start, stop, dtype=np.intp) % (2 * size)
    return np.minimum(folded, 2 * size - 1 - folded)


def _described(value: object) -> str:
    if not isinstance(value, np.ndarray):
        return type(value).__name__
    extent = f" from {value.min()} to {value.max()}" if value.size and value.dtype.kind in "uif" else ""
    return f"{value.dtype} of shape {value.shape}{extent}"
