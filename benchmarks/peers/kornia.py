"""kornia: its Gaussian blur per sample, torch's interpolation and noise, on the CPU with one thread."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import interpolate

from peers.generic import KERNEL_SIZE, SCALE, Absent, Patches, Settings, Way, draw

MODES = {
    "nearest": "nearest",
    "bilinear": "bilinear",
    "bicubic": "bicubic",
    "lanczos": "bicubic",
}  # torch has no Lanczos


def prepare() -> list[Way]:
    try:
        from kornia.filters import gaussian_blur2d
    except ImportError:
        raise Absent("pip install kornia") from None
    torch.set_num_threads(1)
    random = np.random.default_rng(0)

    def degrade(patches: Patches) -> Patches:
        settings = [draw(random) for _ in patches]
        images = to_torch(patches)
        sigma = torch.tensor([[s.sigma, s.sigma] for s in settings])
        images = gaussian_blur2d(images, (KERNEL_SIZE, KERNEL_SIZE), sigma)
        return to_numpy(torch_noise(torch_shrink(images, settings[0]), settings))

    return [Way(f"kornia, batch {batch}", degrade, batch) for batch in (1, 16)]


def to_torch(patches: Patches) -> torch.Tensor:
    return torch.from_numpy(patches).permute(0, 3, 1, 2).float().contiguous() / 255


def to_numpy(images: torch.Tensor) -> Patches:
    return (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()


def torch_shrink(images: torch.Tensor, settings: Settings) -> torch.Tensor:
    """One filter a batch, as batched pipelines have it."""
    size = (images.shape[2] // SCALE, images.shape[3] // SCALE)
    return interpolate(images, size=size, mode=MODES[settings.filter])


def torch_noise(images: torch.Tensor, settings: list[Settings]) -> torch.Tensor:
    peak = torch.tensor([s.peak for s in settings]).view(-1, 1, 1, 1)
    sigma = torch.tensor([s.noise_sigma for s in settings]).view(-1, 1, 1, 1)
    if bool((peak > 0).any()):
        counted = torch.poisson(images.clamp(0, 1) * peak) / peak.clamp(min=1)
        images = torch.where(peak > 0, counted, images)
    return images + torch.randn_like(images) * sigma
