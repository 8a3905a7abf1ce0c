"""Held-out pairs, for a degrader: PSNR and SSIM of the luma of the LR it makes against real LR, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from degrade.functional.resample import imresize_uint8
from srzoo.data import noise_beside
from srzoo.degraders.layers import LumaOnly
from srzoo.errors import UsageError
from srzoo.preset import WatchConfig
from srzoo.tensors import to_pixels, to_tensor
from srzoo.trainer.device import autocast
from srzoo.trainer.validation import BATCH, SMALLEST, Pairs, Pixels, eight_bits, means, spread


def check_lr_size(hr_size: tuple[int, int], *, scale: int, border: int) -> tuple[int, int]:
    """The size of LR patches.

    Raises:
        UsageError: nothing that SSIM could be taken of is left inside the border.
    """
    height, width = (side // scale for side in hr_size)
    if min(height, width) < SMALLEST + 2 * border:
        inside = f" inside a border of {border}" if border else ""
        raise UsageError("shards", f"LR patches of {height} x {width} cannot be validated{inside}", "make larger ones")
    return height, width


class LRValidator:
    """The same held-out pairs and noise every time; 8-bit, luma, `border` pixels off, as training leaves them off.

    Beside it stands what there was without learning: bicubic LR, or HR itself where pairs have one size.
    """

    criterion = "lr_psnr"

    def __init__(
        self, pairs: Pairs, held_out: NDArray[np.int64], *, watch: WatchConfig, scale: int, border: int
    ) -> None:
        height, width = check_lr_size(pairs.hr_size, scale=scale, border=border)
        numbers = held_out[spread(len(held_out), watch.pairs)]
        lr, hr = pairs.read_many(numbers)
        self._keys, self._border = [int(number) for number in numbers], border
        self._hr = torch.cat([to_tensor(picture) for picture in hr])
        self._lr = [eight_bits(picture) for picture in lr]
        sized = [eight_bits(picture) for picture in hr]
        self._plain = sized if scale == 1 else [imresize_uint8(picture, height, width) for picture in sized]
        self._samples = spread(len(hr), watch.samples)
        self._baseline = "lr_psnr_identity" if scale == 1 else "lr_psnr_bicubic"
        self._psnr_baseline = means(self._plain, self._lr, border)[0]

    def scores(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> dict[str, float]:
        """`lr_psnr`, `lr_ssim`, and `lr_psnr_bicubic` or `lr_psnr_identity`: means over all of them."""
        psnr, ssim = means(self._made(self._hr, self._keys, network, device, dtype), self._lr, self._border)
        return {"lr_psnr": round(psnr, 5), "lr_ssim": round(ssim, 5), self._baseline: round(self._psnr_baseline, 5)}

    def picture(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> Pixels:
        """Rows of bicubic LR (or HR) | made LR | real LR for a few of them, (h, w, 3)."""
        keys = [self._keys[k] for k in self._samples]
        made = self._made(self._hr[self._samples], keys, network, device, dtype)
        rows = [(self._plain[k], lr, self._lr[k]) for k, lr in zip(self._samples, made, strict=True)]
        return np.concatenate([np.concatenate(row, axis=1) for row in rows])

    def _made(
        self, pictures: Tensor, keys: Sequence[int], network: Any, device: torch.device, dtype: torch.dtype | None
    ) -> list[Pixels]:
        degrade = LumaOnly(network) if network.colour == "y" else network
        made = []
        with torch.inference_mode():
            for first in range(0, len(pictures), BATCH):
                hr = pictures[first : first + BATCH].to(device)
                with autocast(dtype, device):
                    lr = degrade(hr, *noise_beside(hr, network.inputs, keys[first : first + BATCH]))
                made += [to_pixels(picture[None].float().cpu()) for picture in lr]
        return made
