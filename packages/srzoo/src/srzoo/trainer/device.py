"""Which device and which precision; one path for CPU, CUDA and MPS."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

from srzoo.errors import UsageError


def pick_device(name: str, *, local_rank: int = 0) -> torch.device:
    """`auto` takes CUDA, then MPS, then the CPU.

    Raises:
        UsageError: a device that is not there.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    kind, _, index = name.partition(":")
    if kind not in available:
        raise UsageError(f"--device {name}", "unknown", "use auto, cpu, cuda, cuda:N or mps")
    if not available[kind]:
        raise UsageError(f"--device {name}", "not on this machine", "use --device auto")
    if kind == "cuda" and ((index and not index.isdigit()) or int(index or local_rank) >= torch.cuda.device_count()):
        raise UsageError(f"--device {name}", f"there are {torch.cuda.device_count()}", "use a smaller number")
    return torch.device(kind, int(index or local_rank)) if kind == "cuda" else torch.device(kind)


def autocast_type(precision: Literal["auto", "bf16", "fp32"], device: torch.device) -> torch.dtype | None:
    """bfloat16, or None for plain float32. `auto` asks for bfloat16 where the hardware multiplies it quickly."""
    if precision == "fp32":
        return None
    if precision == "bf16":
        return torch.bfloat16
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    if device.type == "cpu":
        is_quick = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        return torch.bfloat16 if is_quick else None
    return None


def autocast(dtype: torch.dtype | None, device: torch.device) -> torch.autocast:
    """A context in which convolutions run in `dtype`; weights and losses stay float32."""
    return torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)


def seed_step(device: torch.device, key: int, step: int, rank: int) -> None:
    """Make torch's own random numbers (dropout) a function of run, step and rank, so that they are no state."""
    text = f"{key}:{step}:{rank}".encode()
    seed = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1  # MPS takes no more bits
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


@contextmanager
def settings(*, threads: int | None, deterministic: bool) -> Iterator[None]:
    """Threads of the CPU, and algorithms that repeat to the bit; both are put back afterwards."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    if threads:
        torch.set_num_threads(threads)
    if deterministic:  # not otherwise: the call alone imports the compiler, two seconds
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        if deterministic:
            torch.use_deterministic_algorithms(before[1])
