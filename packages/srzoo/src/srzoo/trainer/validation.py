"""Held-out pairs: PSNR and SSIM of the luma, bicubic's for comparison, and a picture to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
_BATCH = 16
_LARGEST_PSNR = 100.0  # of equal pictures, so that the mean stays finite
_SMALLEST = 11  # side of SSIM's window


@dataclass(frozen=True)
class Scores:
    """Means over the held-out pairs; dB and [-1, 1]."""

    psnr: float
    ssim: float
    psnr_bicubic: float

    def as_dict(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items()}


class Pairs(Protocol):
    """What validation needs of a set of pairs."""

    @property
    def hr_size(self) -> tuple[int, int]: ...

    def read_many(self, indices: NDArray[np.int64], /) -> tuple[AnyPixels, AnyPixels]: ...


class Validator:
    """The same held-out pairs every time, spread evenly over `held_out`; 8-bit, luma, `scale` pixels of border off."""

    def __init__(self, pairs: Pairs, held_out: NDArray[np.int64], *, watch: WatchConfig, scale: int) -> None:
        if min(pairs.hr_size) < _SMALLEST + 2 * scale:
            height, width = pairs.hr_size
            raise UsageError("shards", f"patches of {height} x {width} cannot be validated", "make larger ones")
        lr, hr = pairs.read_many(held_out[_spread(len(held_out), watch.pairs)])
        self._lr = torch.cat([to_tensor(picture) for picture in lr])
        self._hr = [_eight_bits(picture) for picture in hr]
        height, width = self._hr[0].shape[:2]
        self._bicubic = [imresize_uint8(_eight_bits(picture), height, width) for picture in lr]
        self._scale, self._samples = scale, _spread(len(hr), watch.samples)
        self._psnr_bicubic = self._means(self._bicubic)[0]

    def scores(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> Scores:
        """How `network`, in eval mode on `device`, does on all of them."""
        psnr, ssim = self._means(self._upscaled(self._lr, network, device, dtype))
        return Scores(psnr, ssim, self._psnr_bicubic)

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
            for lr in pictures.split(_BATCH):
                with autocast(dtype, device):
                    sr = network(lr.to(device))
                made += [to_pixels(picture[None].float().cpu()) for picture in sr]
        return made

    def _means(self, made: Sequence[Pixels]) -> tuple[float, float]:
        planes = [compared("network", sr, hr, self._scale) for sr, hr in zip(made, self._hr, strict=True)]
        ratios = [min(psnr(sr, hr), _LARGEST_PSNR) for sr, hr in planes]
        return float(np.mean(ratios)), float(np.mean([ssim(sr, hr) for sr, hr in planes]))


def _spread(length: int, count: int) -> NDArray[np.int64]:
    """At most `count` of 0..length-1, evenly."""
    return np.linspace(0, length - 1, min(count, length)).round().astype(np.int64)


def _eight_bits(pixels: AnyPixels) -> Pixels:
    return pixels if pixels.dtype == np.uint8 else to_pixels(to_tensor(pixels))  # type: ignore[reportReturnType]
