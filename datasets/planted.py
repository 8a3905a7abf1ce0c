"""Spoil photographs by a blur that follows what they show: `python datasets/planted.py PHOTOS LR HR`.

Folder HR gets the luma of every photograph (as gray RGB), LR the same through a kernel of 15 x 15 that differs from
pixel to pixel: a narrow and a wide, slanted Gaussian mixed by how bright the photograph is around the pixel. So the
truth about a learned degradation is known, and no single kernel can make it. It is about as strong as a zoom lens's:
LR is 26 dB from HR, City100's 24. Nothing here is random. The packages never import from here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate, gaussian_filter

from degrade import codecs
from degrade.codecs import EXTENSIONS

SIZE = 15
NARROW, WIDE = (1.4, 1.4, 0.0), (4.0, 1.8, 0.5)  # sigma along and across, and the angle
MIDDLE, SPREAD, SIGMA = 110.0, 15.0, 2.0  # luma where both have half the weight; how fast it changes; surroundings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", type=Path)
    parser.add_argument("lr", type=Path)
    parser.add_argument("hr", type=Path)
    arguments = parser.parse_args()
    found = sorted(path for path in arguments.photos.iterdir() if path.suffix.lower() in EXTENSIONS)
    if not found:
        raise SystemExit(f"{arguments.photos}: no photographs - name a folder of them")
    for folder in (arguments.lr, arguments.hr):
        folder.mkdir(parents=True, exist_ok=True)
    for path in found:
        hr = np.rint(codecs.rgb8(codecs.read(path)) @ np.array([0.299, 0.587, 0.114]))
        for folder, picture in ((arguments.hr, hr), (arguments.lr, spoiled(hr))):
            pixels = np.repeat(np.rint(picture.clip(0, 255)).astype(np.uint8)[..., None], 3, 2)
            (folder / f"{path.stem}.png").write_bytes(codecs.encode(codecs.Photo(pixels), "PNG"))
    print(f"{arguments.photos}: {len(found)} pairs in {arguments.lr} and {arguments.hr}")


def spoiled(hr: NDArray[np.float64]) -> NDArray[np.float64]:
    """`hr` (H, W), 0..255, through the kernel of every pixel; mirrored at its edges, edge pixel repeated."""
    weight = 1 / (1 + np.exp((gaussian_filter(hr, SIGMA, mode="reflect") - MIDDLE) / SPREAD))
    narrow, wide = (correlate(hr, kernel(*shape), mode="reflect") for shape in (NARROW, WIDE))
    return weight * wide + (1 - weight) * narrow


def kernel(along: float, across: float, angle: float) -> NDArray[np.float64]:
    """A Gaussian of 15 x 15 that sums to 1; sigmas in pixels, the angle in radians from the x axis."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    values = np.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2))
    return values / values.sum()


if __name__ == "__main__":
    main()
