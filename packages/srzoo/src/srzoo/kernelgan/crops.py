"""Which crops of a photograph KernelGAN sees: places with detail, at its own scale and at half of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import resize
from degrade.functional.statistics import luma
from degrade.image import Image
from srzoo.kernelgan.generator import KERNEL_SIDE, STRIDE

GENERATOR_CROP = 64  # pixels of the photograph
CRITIC_CROP = (GENERATOR_CROP - KERNEL_SIDE) // STRIDE + 1  # 26, what the generator makes of it
SMALLEST = GENERATOR_CROP + STRIDE  # pixels a side of a photograph

_WINDOW = 5  # pixels over which gradients are averaged, and left out at the edge of the picture
_STRONG = 0.97  # quantile from which a gradient counts

Plane = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Crops:
    """Corners (steps, 2), y and x, even, of the crops of each step."""

    generator: NDArray[np.int64]
    critic: NDArray[np.int64]


def draw_crops(image: Image, steps: int, rng: np.random.Generator) -> Crops:
    """Crops around centres drawn in proportion to the gradients about them.

    The critic's are drawn by the gradients of `image`; the generator's, which are seen at half the size, by those of
    its bicubic half. A gradient counts if it is among the strongest 3 %: down, across, or in length, a third each.

    Args:
        image: (H, W, 1 or 3), H and W even and at least `SMALLEST`.

    Raises:
        ValueError: a smaller or odd one, or one without any gradient.

    Source: Bell-Kligler et al. 2019, section 3.3; maps and numbers of the released code.
    """
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST or height % STRIDE or width % STRIDE:
        raise ValueError(f"expected even sides of at least {SMALLEST} pixels, got {height} x {width}")
    fine = detail_map(luma(image))
    half = detail_map(luma(resize(image, height // STRIDE, width // STRIDE)))
    coarse = half.repeat(STRIDE, axis=0).repeat(STRIDE, axis=1)
    return Crops(_corners(coarse, GENERATOR_CROP, steps, rng), _corners(fine, CRITIC_CROP, steps, rng))


def detail_map(plane: NDArray[np.floating]) -> Plane:
    """Share of strong gradients in the 5 x 5 pixels around each, mean 1; zero if there are none. `plane` is (H, W)."""
    down, across = np.gradient(np.asarray(plane, np.float64))
    strong = sum(_strongest(kind) for kind in (np.hypot(down, across), np.abs(down), np.abs(across)))
    shares = _box_mean(np.asarray(strong), _WINDOW)
    return shares / (shares.mean() or 1.0)


def centre_probabilities(detail: Plane, crop: int) -> Plane:
    """(H, W), sum 1: mean of `detail` over half a crop about each pixel, zero where a crop would not fit."""
    margin = crop // 2
    inner = np.zeros_like(detail)
    fits = slice(margin, -margin)
    inner[fits, fits] = _box_mean(detail, margin)[fits, fits]
    total = inner.sum()
    if not total > 0:
        raise ValueError("expected a picture with detail")
    return inner / total


def _strongest(gradient: Plane) -> Plane:
    """1 / count at each pixel above the quantile, 0 elsewhere and at the edge."""
    inner = np.zeros_like(gradient)
    fits = slice(_WINDOW, -_WINDOW)
    inner[fits, fits] = gradient[fits, fits]
    order = np.sort(inner, axis=None)
    strong = (inner > order[int(_STRONG * order.size)]).astype(np.float64)
    return strong / max(strong.sum(), 1.0)


def _box_mean(plane: Plane, side: int) -> Plane:
    """Mean over the `side` x `side` pixels from -(side // 2) on; zeros beyond the edge."""
    before, after = side // 2, side - side // 2
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (before + 1, after - 1)
        sums = np.cumsum(np.pad(plane, padding), axis=axis)
        length = plane.shape[axis]
        plane = sums.take(range(side, side + length), axis) - sums.take(range(length), axis)
    return plane.clip(0) / side**2  # sums of zeros may differ from 0 by rounding


def _corners(detail: Plane, crop: int, steps: int, rng: np.random.Generator) -> NDArray[np.int64]:
    chances = centre_probabilities(detail, crop)
    chosen = rng.choice(chances.size, steps, p=chances.ravel())
    corners = np.stack(np.unravel_index(chosen, chances.shape), 1) - crop // 2
    return corners - corners % STRIDE
