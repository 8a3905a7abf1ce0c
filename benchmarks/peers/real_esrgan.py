"""Real-ESRGAN: the kernel, the blur and the noises it calls, all of them BasicSR's torch code, on the CPU."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from peers.generic import KERNEL_SIZE, Absent, Patches, Way, checkout, draw
from peers.kornia import to_numpy, to_torch, torch_shrink

ORIGIN = "XPixelGroup/BasicSR"


def prepare() -> list[Way]:
    folder = checkout("BasicSR", ORIGIN)
    degradations = load(folder / "basicsr/data/degradations.py")
    blur = load(folder / "basicsr/utils/img_process_util.py").filter2D
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    np.random.seed(0)

    def degrade(patches: Patches) -> Patches:
        settings = [draw(random) for _ in patches]
        kernels = [
            degradations.bivariate_Gaussian(KERNEL_SIZE, s.sigma, s.sigma, 0, isotropic=True).astype(np.float32)
            for s in settings
        ]
        images = blur(to_torch(patches), torch.from_numpy(np.stack(kernels)))
        images = torch_shrink(images, settings[0])
        if settings[0].peak:  # one kind a batch, as its training step has it
            images = degradations.random_add_poisson_noise_pt(images, scale_range=(1, 1))
        if settings[0].noise_sigma:
            images = degradations.random_add_gaussian_noise_pt(images, sigma_range=(0, 25))
        return to_numpy(images)

    return [Way(f"Real-ESRGAN's torch steps, batch {batch}", degrade, batch) for batch in (1, 16, 32)]


def load(path: Path) -> ModuleType:
    """One file of a checkout that is not installed."""
    spec = importlib.util.spec_from_file_location(f"peer_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise Absent(f"{path} is missing: another version of {ORIGIN} is needed")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
