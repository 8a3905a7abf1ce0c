"""Does `srzoo kernel` find the blur that a photograph was made with, better than calling every blur bicubic?

`python benchmarks/kernelgan.py PHOTO...` blurs each photograph with a planted Gaussian, keeps every second pixel,
rounds to 8 bits, and estimates the kernel from that alone; round and oblong Gaussians in turn. Kernel PSNR in dB: the
peak is the planted kernel's largest tap, the mean is over 17 x 17 taps, and the centres of mass lie in the middle of a
block of 2 x 2, so that bicubic's 8 x 8 taps need no interpolation. Results: `benchmarks/results/kernelgan.json`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade import codecs
from degrade.functional.convolve import correlate
from degrade.functional.kernels import Kernel, gaussian_kernel
from degrade.image import Pixels, to_float, to_pixels
from interleave import machine, save
from srzoo.kernelgan import STEPS, estimate, finished
from srzoo.kernelgan.kernel import SIDES, spread
from srzoo.kernelgan.losses import bicubic_kernel

PLANTED = ((1.2, 1.2, 0), (2.5, 1.0, 40), (2.0, 2.0, 0), (2.2, 0.8, 110))  # sigma along, across; degrees
SIDE = SIDES[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    bicubic = np.pad(bicubic_kernel().double().numpy(), (SIDE - 13) // 2)
    rows = []
    for index, path in enumerate(arguments.photos):
        row = judged(path, PLANTED[index % len(PLANTED)], bicubic, arguments.steps, arguments.seed)
        rows.append(row)
        print(f"{path.name:20}", *(f"{name} {value}" for name, value in row.items() if name != "photo"), flush=True)
    means = {
        name: round(float(np.mean([row[name] for row in rows])), 2) for name in ("kernelgan", "bicubic", "seconds")
    }
    print(f"\nmean kernel PSNR: KernelGAN {means['kernelgan']} dB, bicubic {means['bicubic']} dB")
    facts = {"machine": machine("torch", "numpy"), "steps": arguments.steps, "seed": arguments.seed, "threads": 1}
    save("kernelgan", {**facts, "mean": means, "photos": rows})


def judged(path: Path, planted: tuple[float, float, float], bicubic: Kernel, steps: int, seed: int) -> dict[str, Any]:
    sigma_along, sigma_across, degrees = planted
    shape = sigma_along, sigma_across, np.radians(degrees)
    lr = shrunk(codecs.rgb8(codecs.read(path)), gaussian_kernel(2 * SIDE - 1, *shape))
    wall, cpu = time.perf_counter(), time.process_time()
    taps = estimate(lr, steps=steps, seed=seed)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    found = finished(taps, 2, align="block")
    truth = gaussian_kernel(SIDE, *shape, at=(0.5, 0.5))[:SIDE, :SIDE]
    along, across, angle = spread(found)
    return {
        "photo": path.name,
        "planted": planted,
        "found": (round(along, 2), round(across, 2), round(float(np.degrees(angle)))),
        "kernelgan": round(kernel_psnr(found, truth), 2),
        "bicubic": round(kernel_psnr(bicubic, truth), 2),
        "seconds": round(cpu, 1),
        "wall_seconds": round(wall, 1),
    }


def shrunk(photo: Pixels, kernel: Kernel) -> Pixels:
    """Every second pixel of the blurred photo."""
    return to_pixels(np.ascontiguousarray(correlate(to_float(photo), kernel)[::2, ::2]))


def kernel_psnr(found: NDArray[np.floating], truth: Kernel) -> float:
    """dB, the peak being the largest tap of `truth`."""
    return float(10 * np.log10(truth.max() ** 2 / np.mean((found - truth) ** 2)))


if __name__ == "__main__":
    main()
