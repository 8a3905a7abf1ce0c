"""Held-out pairs: PSNR and SSIM of the luma, bicubic's for comparison, and a picture to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from degrade.functional.resample import imresize_uint8
from srzoo.errors import UsageError
from srzoo.metrics.protocol import compared
from srzoo.metrics.psnr import psnr
from srzoo.metrics.ssim import ssim
from srzoo.preset import WatchConfig
from srzoo.tensors import to_pixels, to_tensor
from srzoo.trainer.device import autocast

Pixels = NDArray[np.uint8]
AnyPixels = NDArray[np.uint8 | np.uint16]
BATCH = 16
SMALLEST = 11  # side of SSIM's window
_LARGEST_PSNR = 100.0  # of equal pictures, so that the mean stays finite


class Pairs(Protocol):
    """What validation needs of a set of pairs."""

    @property
    def hr_size(self) -> tuple[int, int]: ...

    def read_many(self, indices: NDArray[np.int64], /) -> tuple[AnyPixels, AnyPixels]: ...


class Validator:
    """The same held-out pairs every time, spread evenly over `held_out`; 8-bit, luma, `scale` pixels of border off."""

    criterion = "psnr"

    def __init__(self, pairs: Pairs, held_out: NDArray[np.int64], *, watch: WatchConfig, scale: int) -> None:
        if min(pairs.hr_size) < SMALLEST + 2 * scale:
            height, width = pairs.hr_size
            raise UsageError("shards", f"patches of {height} x {width} cannot be validated", "make larger ones")
        lr, hr = pairs.read_many(held_out[spread(len(held_out), watch.pairs)])
        self._lr = torch.cat([to_tensor(picture) for picture in lr])
        self._hr = [eight_bits(picture) for picture in hr]
        height, width = self._hr[0].shape[:2]
        self._bicubic = [imresize_uint8(eight_bits(picture), height, width) for picture in lr]
        self._scale, self._samples = scale, spread(len(hr), watch.samples)
        self._psnr_bicubic = means(self._bicubic, self._hr, scale)[0]

    def scores(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> dict[str, float]:
        """`psnr`, `ssim`, `psnr_bicubic`: means over all of them, of `network` in eval mode on `device`."""
        psnr, ssim = means(self._upscaled(self._lr, network, device, dtype), self._hr, self._scale)
        return {"psnr": round(psnr, 5), "ssim": round(ssim, 5), "psnr_bicubic": round(self._psnr_bicubic, 5)}

    def picture(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> Pixels:
        """Rows of bicubic | SR | HR for a few of them, (H, W, 3)."""
        made = self._upscaled(self._lr[self._samples], network, device, dtype)
        rows = [(self._bicubic[k], sr, self._hr[k]) for k, sr in zip(self._samples, made, strict=True)]
        return np.concatenate([np.concatenate(row, axis=1) for row in rows])

    def _upscaled(
        self, pictures: Tensor, network: nn.Module, device: torch.device, dtype: torch.dtype | None
    ) -> list[Pixels]:
        made = []
        with torch.inference_mode():
            for lr in pictures.split(BATCH):
                with autocast(dtype, device):
                    sr = network(lr.to(device))
                made += [to_pixels(picture[None].float().cpu()) for picture in sr]
        return made


def means(made: Sequence[Pixels], real: Sequence[Pixels], border: int) -> tuple[float, float]:
    """Mean PSNR and SSIM of the luma of pictures, `border` pixels left off on each side."""
    planes = [compared("network", one, other, border) for one, other in zip(made, real, strict=True)]
    ratios = [min(psnr(one, other), _LARGEST_PSNR) for one, other in planes]
    return float(np.mean(ratios)), float(np.mean([ssim(one, other) for one, other in planes]))


def spread(length: int, count: int) -> NDArray[np.int64]:
    """At most `count` of 0..length-1, evenly."""
    return np.linspace(0, length - 1, min(count, length)).round().astype(np.int64)


def eight_bits(pixels: AnyPixels) -> Pixels:
    """`pixels`, or 16 bits rounded to 8."""
    return pixels if pixels.dtype == np.uint8 else to_pixels(to_tensor(pixels))  # type: ignore[reportReturnType]
