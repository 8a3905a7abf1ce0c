"""OpenCV's decoder, from memory, in our order of channels. It is given only what was checked before."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from degrade.codecs.photo import Samples

AS_STORED = cv2.IMREAD_UNCHANGED
GRAY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
_RGB: int | None = getattr(cv2, "IMREAD_COLOR_RGB", None)  # saves a pass; not in every OpenCV
COLOUR = (cv2.IMREAD_COLOR if _RGB is None else _RGB) | cv2.IMREAD_IGNORE_ORIENTATION  # 8 bits, three channels

_TO_RGB = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}


def pixels(data: bytes, flags: int) -> Samples:
    """(H, W, C), gray, RGB or RGBA, not turned.

    Raises:
        ValueError: it cannot be decoded, or is cut.
    """
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(
        cv2.utils.logging.LOG_LEVEL_SILENT
    )  # what it says about damaged files; the caller says it better
    try:
        array: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if array is None or array.dtype not in (np.uint8, np.uint16):
        raise ValueError("its pixel data cannot be decoded, or is cut")
    if array.ndim == 2:
        return array[:, :, None]
    is_rgb = _RGB is not None and flags == COLOUR
    return array if is_rgb else cv2.cvtColor(array, _TO_RGB[array.shape[2]], dst=array)


def split_alpha(array: Samples) -> tuple[Samples, Samples | None]:
    """Colour (H, W, 1 or 3) and, where there is a 2nd or 4th channel, alpha (H, W), each contiguous."""
    if array.shape[2] in (1, 3):
        return array, None
    return np.ascontiguousarray(array[:, :, :-1]), np.ascontiguousarray(array[:, :, -1])


def turned(array: Samples, is_transposed: bool, flip: int | None) -> Samples:
    """`array` (H, W) or (H, W, C), transposed, then flipped: 0 top to bottom, 1 left to right, -1 both."""
    result: Any = array
    if is_transposed:
        result = cv2.transpose(result)
    if flip is not None:
        result = cv2.flip(result, flip)
    return np.ascontiguousarray(result.reshape(*result.shape[:2], *array.shape[2:]))
