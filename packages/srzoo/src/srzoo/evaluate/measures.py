"""What is measured of a result: PSNR and SSIM by a protocol, and what else is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from degrade.image import Pixels
from srzoo.metrics import SSIM_FORMS
from srzoo.metrics.color_shift import color_shift
from srzoo.metrics.flat_noise import flat_noise
from srzoo.metrics.lpips import lpips
from srzoo.metrics.niqe import Pristine, niqe
from srzoo.metrics.protocol import Protocol, luma
from srzoo.metrics.psnr import psnr

if TYPE_CHECKING:
    from srzoo.features.lpips import LPIPS

Figures = dict[str, float]  # by key of COLUMNS; nan where a picture is too small for it
Planes = tuple[NDArray[np.float64], NDArray[np.float64]]

_NIQE_BLOCK = 96  # pixels


@dataclass(frozen=True)
class Column:
    """How a figure is shown; `sign` is +1 where larger is better, -1 where smaller is, 0 where neither is.

    One that `is_partial` may be missing from some pictures of a set, whatever the method, and has a mean without them.
    """

    heading: str
    digits: int
    sign: int
    is_partial: bool = False


COLUMNS: dict[str, Column] = {
    "psnr": Column("PSNR dB", 4, 1),
    "ssim": Column("SSIM", 6, 1),
    "lpips": Column("LPIPS", 4, -1),
    "niqe": Column("NIQE", 4, -1),
    "shift": Column("colour shift", 3, -1),
    "flat_noise": Column("flat noise", 3, -1, is_partial=True),
    "gain": Column("gain dB", 4, 1),
    "seconds": Column("s/MP", 2, -1),
    "megabytes": Column("MB/MP", 0, -1),
}


@dataclass(frozen=True)
class Measures:
    """Which figures are taken.

    Attributes:
        ssim: a key of `metrics.SSIM_FORMS`; any but `gaussian` is for reproducing a paper's table.
        lpips, niqe: what they need, or None: not measured.
        color_shift: whether to measure it: the mean over channels of `ColorShift.spread`, in grey levels.
        flat_noise: whether to measure it: `metrics.flat_noise` of luma, in grey levels.
    """

    protocol: Protocol = "published"
    ssim: str = "gaussian"
    lpips: LPIPS | None = None
    niqe: Pristine | None = None
    color_shift: bool = False
    flat_noise: bool = False

    def __post_init__(self) -> None:
        if self.ssim not in SSIM_FORMS:
            raise ValueError(f"ssim: expected one of {', '.join(SSIM_FORMS)}, got {self.ssim!r}")

    def of(self, planes: Planes, sr: Pixels, hr: Pixels, lr: Pixels) -> Figures:
        """The figures of `sr`; PSNR and SSIM are those of `planes`, the rest is of 8-bit RGB with its border."""
        figures = {"psnr": psnr(*planes), "ssim": SSIM_FORMS[self.ssim](*planes)}
        if self.lpips is not None:
            is_large = min(sr.shape[:2]) >= self.lpips.trunk.smallest
            figures["lpips"] = lpips(sr, hr, self.lpips) if is_large else math.nan
        if self.niqe is not None:
            figures["niqe"] = niqe(luma(sr), self.niqe) if min(sr.shape[:2]) >= _NIQE_BLOCK else math.nan
        if self.color_shift:
            figures["shift"] = fmean(color_shift(sr, lr).spread)
        if self.flat_noise:
            figures["flat_noise"] = flat_noise(luma(sr), luma(hr))
        return figures
