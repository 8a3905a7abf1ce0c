"""Held-out pairs, for a degrader: PSNR and SSIM of the luma of the LR it makes against real LR, and a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from degrade.functional.resample import imresize_uint8
from srzoo.data import RealCrops, RealSet, noise_beside
from srzoo.degraders.layers import LumaOnly
from srzoo.errors import PresetError, UsageError
from srzoo.preset import WatchConfig
from srzoo.tensors import to_pixels, to_tensor
from srzoo.trainer.device import autocast
from srzoo.trainer.validation import BATCH, SMALLEST, Pairs, Pixels, eight_bits, means, spread


def check_multiple(network: Any, lr_size: tuple[int, int], patch: int, *, scale: int) -> None:
    """A degrader that restyles LR is given whole blocks of its `multiple`, in training and in validation.

    Args:
        patch: side of the HR crops.

    Raises:
        PresetError, UsageError: the crops, or the LR patches of the shards, are of another size.
    """
    multiple, name = network.multiple, type(network).__name__
    if network.scale > 1 or scale == 1:
        return
    if (patch // scale) % multiple:
        problem = f"LR crops of {patch // scale}, but {name} takes multiples of {multiple} pixels"
        raise PresetError("data.patch", problem, f"use a multiple of {multiple * scale}")
    if any(side % multiple for side in lr_size):
        problem = f"LR patches of {lr_size[0]} x {lr_size[1]}, but {name} takes multiples of {multiple} pixels"
        raise UsageError("shards", problem, f"make them with a --patch that is a multiple of {multiple * scale}")


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
    """The same held-out pairs, noise and references every time; 8-bit, luma, `border` pixels off, as in training.

    Beside it stands what there was without learning: bicubic LR, or HR itself where pairs have one size. A degrader
    that restyles LR is given that bicubic LR. On pairs whose LR is bicubic, too, the scores say how far it goes from
    there; on pairs of the real camera, how near to those it comes.

    Args:
        references: real LR at least as large as the pairs', for a degrader that takes a reference.
    """

    criterion = "lr_psnr"

    def __init__(
        self,
        pairs: Pairs,
        held_out: NDArray[np.int64],
        *,
        watch: WatchConfig,
        scale: int,
        border: int,
        references: RealSet | None = None,
    ) -> None:
        height, width = check_lr_size(pairs.hr_size, scale=scale, border=border)
        numbers = held_out[spread(len(held_out), watch.pairs)]
        lr, hr = pairs.read_many(numbers)
        self._keys, self._border, self._scale = [int(number) for number in numbers], border, scale
        self._hr = torch.cat([to_tensor(picture) for picture in hr])
        self._references = None if references is None else _crops(references, len(hr), height, width)
        self._lr = [eight_bits(picture) for picture in lr]
        sized = [eight_bits(picture) for picture in hr]
        self._plain = sized if scale == 1 else [imresize_uint8(picture, height, width) for picture in sized]
        self._samples = spread(len(hr), watch.samples)
        self._baseline = "lr_psnr_identity" if scale == 1 else "lr_psnr_bicubic"
        self._psnr_baseline = means(self._plain, self._lr, border)[0]

    def scores(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> dict[str, float]:
        """`lr_psnr`, `lr_ssim`, and `lr_psnr_bicubic` or `lr_psnr_identity`: means over all of them."""
        everything = np.arange(len(self._keys))
        psnr, ssim = means(self._made(everything, network, device, dtype), self._lr, self._border)
        return {"lr_psnr": round(psnr, 5), "lr_ssim": round(ssim, 5), self._baseline: round(self._psnr_baseline, 5)}

    def picture(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> Pixels:
        """Rows of bicubic LR (or HR) | made LR | real LR for a few of them, (h, w, 3)."""
        made = self._made(self._samples, network, device, dtype)
        rows = [(self._plain[k], lr, self._lr[k]) for k, lr in zip(self._samples, made, strict=True)]
        return np.concatenate([np.concatenate(row, axis=1) for row in rows])

    def _made(
        self, rows: NDArray[np.int64], network: Any, device: torch.device, dtype: torch.dtype | None
    ) -> list[Pixels]:
        degrade = LumaOnly(network) if network.colour == "y" else network
        restyles = network.scale == 1 < self._scale
        made = []
        with torch.inference_mode():
            for first in range(0, len(rows), BATCH):
                some = rows[first : first + BATCH]
                picture = torch.cat([to_tensor(self._plain[k]) for k in some]) if restyles else self._hr[some]
                picture = picture.to(device)
                with autocast(dtype, device):
                    lr = degrade(picture, *self._beside(picture, some, network))
                made += [to_pixels(one[None].float().cpu()) for one in lr]
        return made

    def _beside(self, picture: Tensor, rows: NDArray[np.int64], network: Any) -> list[Tensor]:
        """What the degrader takes beside a picture."""
        if self._references is not None:
            return [self._references[rows].to(picture.device)]
        return noise_beside(picture, network.inputs, [self._keys[k] for k in rows])


def _crops(pictures: RealSet, count: int, height: int, width: int) -> Tensor:
    """(count, 3, height, width) of `pictures`, always the same."""
    crops = RealCrops(pictures, side=max(height, width), seed=0, augment=False)
    return torch.cat([to_tensor(crops.at(number)[:height, :width]) for number in range(count)])
