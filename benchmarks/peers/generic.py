"""What every adapter of the recipe `generic` is given and returns, and the numbers it draws from.

Source: Ren et al. 2020, section 3.1.1; the ranges of `degrade`'s recipe of that name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Patches = NDArray[np.uint8]  # (B, H, W, 3), RGB

SCALE = 4
KERNEL_SIZE = 15
FILTERS = ("nearest", "bilinear", "bicubic", "lanczos")
NOISES = ("gaussian", "poisson", "poisson_gaussian")


class Absent(Exception):  # noqa: N818  not an error: the row is left out
    """The peer is not on this machine; says what would bring it."""


@dataclass(frozen=True)
class Way:
    """One way to make LR patches; `degrade` takes `batch` HR patches a call."""

    name: str
    degrade: Callable[[Patches], Patches]
    batch: int = 1


@dataclass(frozen=True)
class Settings:
    """One draw of the recipe."""

    sigma: float  # of the blur, HR pixels
    filter: str
    noise: str
    noise_sigma: float  # [0, 1]; 0 where there is no Gaussian part
    peak: float  # photons at 1.0; 0 where there is no Poisson part


def draw(random: np.random.Generator) -> Settings:
    noise = NOISES[random.integers(3)]
    top = {"gaussian": 25, "poisson": 0, "poisson_gaussian": 5}[noise]
    peak = 0.0 if noise == "gaussian" else float(random.uniform(50, 150))
    return Settings(
        sigma=float(random.uniform(0.2, 3.0)),
        filter=FILTERS[random.integers(4)],
        noise=noise,
        noise_sigma=float(random.uniform(0, top)) / 255,
        peak=peak,
    )


def to_uint8(image: NDArray[np.floating]) -> NDArray[np.uint8]:
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def checkout(name: str, origin: str) -> Path:
    """The folder of a peer that is no package: `$PEERS/<name>`."""
    root = os.environ.get("PEERS")
    if not root:
        raise Absent(f"set PEERS to a folder that holds a checkout of {origin}")
    folder = Path(root) / name
    if not folder.is_dir():
        raise Absent(f"git clone {origin} into $PEERS")
    return folder
