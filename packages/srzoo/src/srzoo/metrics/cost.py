"""What a network costs: seconds and memory for each megapixel it makes."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Cost:
    """Of one call, over the megapixels of its result.

    Attributes:
        seconds: the median of several calls.
        bytes: the most memory held at once beyond what was held before; None where that cannot be told.
    """

    megapixels: float
    seconds: float
    bytes: int | None

    @property
    def seconds_per_megapixel(self) -> float:
        return self.seconds / self.megapixels

    @property
    def bytes_per_megapixel(self) -> float | None:
        return None if self.bytes is None else self.bytes / self.megapixels


def measure_cost(upscale: Callable[[Tensor], Tensor], lr: Tensor, *, repeats: int = 3) -> Cost:
    """The cost of `upscale(lr)`, `lr` (B, C, h, w) to (B, C, H, W), without gradients, after one call to warm up.

    Memory: on CUDA what torch's allocator held; on a Linux CPU the resident set of the whole process, whose high-water
    mark is reset for it; elsewhere unknown.
    """
    import torch

    if repeats < 1:
        raise ValueError(f"repeats: expected at least 1, got {repeats}")
    seconds: list[float] = []
    with torch.inference_mode():
        sr = upscale(lr)
        megapixels = sr.shape[0] * sr.shape[2] * sr.shape[3] / 1e6
        del sr
        for _ in range(repeats):
            _finish(lr.device)
            start = time.perf_counter()
            upscale(lr)
            _finish(lr.device)
            seconds.append(time.perf_counter() - start)
        return Cost(megapixels, median(seconds), _peak(lambda: upscale(lr), lr.device))


def _finish(device: torch.device) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _peak(call: Callable[[], object], device: torch.device) -> int | None:
    import torch

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        call()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    if device.type != "cpu" or not sys.platform.startswith("linux"):
        return None
    return _resident_peak(call)


def _resident_peak(call: Callable[[], object]) -> int | None:
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc: freed memory that it keeps would be used again unseen
        libc.malloc_trim(0)
    try:
        _CLEAR.write_text("5")  # resets VmHWM
        before = _resident("VmRSS")
        call()
        return max(0, _resident("VmHWM") - before)
    except OSError:
        return None


def _resident(field: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return 1024 * int(line.split()[1])
