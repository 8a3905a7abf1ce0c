"""Blur by kernels measured on real photographs.

Kernels are correlated with the image, mirrored at its edges; nothing clips. Gray images are blurred as colour ones are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from degrade import assets
from degrade.assets import PoolFile
from degrade.errors import UsageError
from degrade.functional.convolve import correlate
from degrade.functional.kernels import MAX_SIZE, Kernel, centre_of_mass, normalised, recentred
from degrade.ops.blur_fields import HALF_SIZE
from degrade.ops.protocol import Context, Draw, Image
from degrade.rng import StepStream


@dataclass(frozen=True)
class KernelBlur:
    """Blur with a kernel of a pool, each as likely as the next.

    Source: Ji et al. 2020 (Impressionism): kernels that KernelGAN estimated. Departs from it: those are off centre and
    move the image by up to pixels; here they are centred unless `recentre = false`.

    Attributes:
        pool: the file of kernels.
        recentre: move each kernel so that its centre of mass lies in the middle; without, the trace says how far off
            it is (`shift`).
        flip: mirror at random, along each axis and across the diagonal: all eight orientations.
    """

    pool: PoolFile
    recentre: bool = True
    flip: bool = True

    def draw(self, stream: StepStream, id: str) -> tuple[Draw, ...]:
        """Raises UsageError if the pool holds no kernels, or one that is too large."""
        kernels = assets.pool(self.pool.sha256).kernels
        if not len(kernels):
            raise UsageError(self.pool.name, "holds no kernels", "make a pool of kernels")
        index = stream.integer("index", len(kernels))
        flip_y, flip_x, transpose = (
            self.flip and stream.integer(name, 2) == 1 for name in ("flip_y", "flip_x", "transpose")
        )
        oriented = _oriented(self.pool.sha256, index, flip_y, flip_x, transpose)
        made = recentred(oriented) if self.recentre else oriented
        size = made.shape[0]
        if size > MAX_SIZE:
            raise UsageError(
                self.pool.name, f"kernel {index} is {size} pixels wide", f"keep to {MAX_SIZE}, or centre it"
            )
        shift = (0.0, 0.0) if self.recentre else centre_of_mass(oriented)
        orientation = flip_y, flip_x, transpose
        return (KernelBlurDraw(id, self.pool.sha256, index, *orientation, self.recentre, shift, size),)


@dataclass(frozen=True, slots=True)
class KernelBlurDraw:
    """Kernel `index` of the pool with SHA-256 `pool`, transposed first, then mirrored.

    `shift` is its centre of mass (y, x) as it is used: content moves by as much the other way. `size` is its width.
    """

    op: ClassVar[str] = "kernel_blur"
    reach: ClassVar[int | None] = HALF_SIZE
    id: str
    pool: str
    index: int
    flip_y: bool
    flip_x: bool
    transpose: bool
    recentre: bool
    shift: tuple[float, float]
    size: int

    def kernel(self) -> Kernel:
        oriented = _oriented(self.pool, self.index, self.flip_y, self.flip_x, self.transpose)
        return recentred(oriented) if self.recentre else oriented

    def apply(self, image: Image, context: Context) -> Image:
        return correlate(image, self.kernel())


def _oriented(pool: str, index: int, flip_y: bool, flip_x: bool, transpose: bool) -> Kernel:
    kernel = normalised(assets.pool(pool).kernels[index])
    kernel = kernel.T if transpose else kernel
    return np.ascontiguousarray(kernel[:: -1 if flip_y else 1, :: -1 if flip_x else 1])
