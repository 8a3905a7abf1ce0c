"""From the generator's 13 x 13 taps to a blur kernel."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from degrade.functional.kernels import Kernel, centre_of_mass
from srzoo.errors import DivergedError

Scale = Literal[2, 4]
Alignment = Literal["pixel", "block"]

SIDES: dict[Scale, int] = {2: 17, 4: 33}  # of finished kernels: 13 taps and a shift; the square of that, its rim off
_KEPT = 40  # taps
_NEGLIGIBLE = 0.75  # of the largest tap that is not kept
_FARTHEST = 2.0  # pixels that a kernel may be moved without being cut


def finished(taps: NDArray[np.floating], scale: Scale = 2, align: Alignment = "pixel") -> NDArray[np.float32]:
    """The blur kernel before sampling every `scale`-th pixel, of what KernelGAN found for 2: non-negative, sum 1.

    Args:
        taps: (13, 13), a correlation.
        align: where the centre of mass comes to lie. `pixel`: on the middle tap, as degrade's kernels. `block`:
            (scale - 1) / 2 below and right of it, the released code's: samples from the first pixel on are then
            aligned with the means of blocks.

    Returns:
        (17, 17) for 2, (33, 33) for 4.

    Raises:
        DivergedError: no positive taps are left, or they lie so far off that the kernel would be cut.

    Source: Bell-Kligler et al. 2019, section 3.4 and supplement, and the released code. Departs from it: the size does
    not depend on how far a kernel is moved, and what a spline makes negative is clipped.
    """
    offset = (scale - 1) / 2 if align == "block" else 0.0
    kernel = significant(taps)
    if scale == 4:
        kernel = squared(moved(kernel, SIDES[2], 0.5))
    return moved(kernel, SIDES[scale], offset).astype(np.float32)


def significant(taps: NDArray[np.floating]) -> Kernel:
    """`taps` less three quarters of the 41st largest, negative ones dropped, scaled to the sum 1."""
    taps = np.asarray(taps, np.float64)
    threshold = _NEGLIGIBLE * np.sort(taps, axis=None)[-_KEPT - 1]
    return _normalised(np.maximum(taps - threshold, 0))


def moved(kernel: Kernel, side: int, offset: float) -> Kernel:
    """`kernel` in (side, side), at least its own, its centre of mass `offset` below and right of the middle.

    A cubic spline; negative taps are clipped, and the sum stays 1.
    """
    kernel = np.pad(kernel, (side - len(kernel)) // 2)
    for _ in range(4):  # clipping moves the centre a little
        y, x = centre_of_mass(kernel)
        if max(abs(offset - y), abs(offset - x)) > _FARTHEST:
            raise DivergedError("KernelGAN", f"its kernel lies {y:+.1f}, {x:+.1f} pixels off", "try another --seed")
        kernel = _normalised(np.maximum(ndimage.shift(kernel, (offset - y, offset - x), order=3), 0))
    return kernel


def squared(kernel: Kernel) -> Kernel:
    """The x4 kernel of an x2 one, (k, k) to (2k - 1, 2k - 1): it, and it again on every second pixel; the rim dropped.

    (3k - 2, 3k - 2) less k // 2 on every side, scaled to the sum 1 again.
    """
    side = len(kernel)
    product = np.zeros((3 * side - 2, 3 * side - 2))
    for y in range(side):
        for x in range(side):
            product[2 * y : 2 * y + side, 2 * x : 2 * x + side] += kernel[y, x] * kernel
    rim = side // 2
    return _normalised(product[rim:-rim, rim:-rim])


def spread(kernel: NDArray[np.floating]) -> tuple[float, float, float]:
    """Standard deviations of a kernel along its longest axis and across it, and that axis's angle, from x towards y.

    In pixels, and radians from 0 to pi.
    """
    kernel = np.asarray(kernel, np.float64)
    places = np.indices(kernel.shape).reshape(2, -1)[::-1]  # x, y
    variances, axes = np.linalg.eigh(np.cov(places, aweights=kernel.ravel(), ddof=0))  # the smaller one first
    across, along = np.sqrt(variances.clip(0))
    x, y = axes[:, 1]
    return float(along), float(across), float(np.arctan2(y, x) % np.pi)


def _normalised(kernel: Kernel) -> Kernel:
    total = kernel.sum()
    if not (np.isfinite(total) and total > 0):
        raise DivergedError("KernelGAN", "found no kernel", "try another --seed, or a photo with more detail")
    return kernel / total
