"""BSRGAN: KAIR's own `degradation_bsrgan` and `degradation_bsrgan_plus`, the latter with its option files' settings."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from peers.generic import Patches, checkout, to_uint8
from peers.pairs import LR, PairWay, search_path


def prepare() -> list[PairWay]:
    folder = checkout("KAIR", "cszn/KAIR")
    with search_path(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from utils import utils_blindsr as kair  # pyright: ignore[reportMissingImports]
    kair.interp2d = _interp2d  # SciPy dropped it
    if not hasattr(kair.scipy, "finfo"):
        kair.scipy.finfo = np.finfo
    random.seed(0)
    np.random.seed(0)

    def maker(function: Any, **settings: object) -> Any:
        def make(crops: Patches) -> tuple[Patches, Patches]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = crops[0].astype(np.float32) / 255
                lr, hr = function(image, sf=4, lq_patchsize=LR, **settings)
            return to_uint8(lr)[None], to_uint8(hr)[None]

        return make

    plus = maker(kair.degradation_bsrgan_plus, shuffle_prob=0.1, use_sharp=False)
    return [
        PairWay("BSRGAN's own code", "bsrgan", maker(kair.degradation_bsrgan)),
        PairWay("BSRGAN+'s own code", "bsrgan_plus", plus),
    ]


def _interp2d(x: Any, y: Any, values: Any) -> Any:
    """What `scipy.interpolate.interp2d` was: bilinear on a grid, the nearest edge outside."""
    grid = RegularGridInterpolator((y, x), values, bounds_error=False)

    def at(new_x: Any, new_y: Any) -> Any:
        rows, columns = np.meshgrid(np.clip(new_y, y[0], y[-1]), np.clip(new_x, x[0], x[-1]), indexing="ij")
        return grid((rows, columns))

    return at
