"""How a network runs: on which device, in which precision, and what happens when memory or numbers fail."""

from __future__ import annotations

import copy
import math
import os
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from srzoo.errors import UsageError

Precision = Literal["auto", "fp32", "bf16"]

# bf16 is taken where it stays this close to fp32: 8-bit levels, and the share of values that must.
NEAR_LEVELS = 1
NEAR_SHARE = 0.999

# A window may take this share of all memory, not of what happens to be free: that would change from run to run.
MEMORY_SHARE = {"cuda": 1 / 2}
MEMORY_SHARE_ELSEWHERE = 1 / 4
PROBE = 32  # LR pixels on a side of what is run to see how much a network holds
_HELD = 2  # times the largest input and output of a layer: residuals, and copies in other layouts
_LARGEST_TENSOR = 2**31  # values; kernels count in 32 bits
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")

_IN_BF16 = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.PReLU, nn.BatchNorm2d)  # others keep float32, e.g. mean shifts


class OutOfMemoryError(Exception):
    """The device has no room for this window; a smaller one may do."""


class NotFiniteError(Exception):
    """The network gives NaN or infinity, in float32 too."""


class Engine:
    """A network ready for inference, one window at a time.

    Attributes:
        device: where it runs.
        is_fast: whether it runs in bf16 now; `settle` decides where the precision is left to it.
        retries: windows that were computed again in float32 because bf16 was not finite.
    """

    def __init__(self, network: nn.Module, *, device: str = "auto", precision: Precision = "auto") -> None:
        if precision not in get_args(Precision):
            raise ValueError(f"precision: expected one of {', '.join(get_args(Precision))}, got {precision!r}")
        self.device = pick_device(device)
        self.precision = precision
        self.is_fast = precision == "bf16"
        self.retries = 0
        self._exact = copy.deepcopy(network).eval().to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  nn.Module takes it alone
        self._fast: nn.Module | None = None
        self._capacity: int | None = None

    def run(self, lr: Tensor) -> Tensor:
        """SR of `lr` (1, 3, h, w), [0, 1]: (1, 3, s*h, s*w) float32 on the CPU, finite, not clipped.

        Raises:
            OutOfMemoryError: too large for the device.
            NotFiniteError: the weights are broken.
        """
        sr = self._forward(lr, fast=self.is_fast)
        if _is_finite(sr):
            return sr
        if self.is_fast:
            self.retries += 1
            sr = self._forward(lr, fast=False)
            if _is_finite(sr):
                return sr
        raise NotFiniteError

    def settle(self, sample: Tensor | None) -> float:
        """Take bf16 if the hardware has it and `sample` stays near float32; the share of its values that do, or nan.

        Only where the precision is `auto`; without a sample that means float32. The same picture gives the same answer
        on the same machine: no clock is read.
        """
        if self.precision != "auto":
            return math.nan
        self.is_fast = False
        if sample is None or not has_native_bf16(self.device):
            return math.nan
        exact, fast = (_levels(self._forward(sample, fast=fast)) for fast in (False, True))
        share = ((exact - fast).abs() <= NEAR_LEVELS).float().mean().item()
        self.is_fast = share >= NEAR_SHARE
        return share

    def capacity(self) -> int:
        """LR pixels of a window that memory has room for, by estimate; always the same on the same machine."""
        if self._capacity is None:
            values = _values_held(self._exact, self.device) / PROBE**2  # an LR pixel
            share = MEMORY_SHARE.get(self.device.type, MEMORY_SHARE_ELSEWHERE)
            fits = share * memory_of(self.device) / (4 * _HELD * values)
            self._capacity = int(min(fits, _LARGEST_TENSOR / values))
        return self._capacity

    def _forward(self, lr: Tensor, *, fast: bool) -> Tensor:
        if fast and self._fast is None:
            self._fast = _in_bf16(self._exact)
        network = self._fast if fast and self._fast is not None else self._exact
        try:
            with torch.inference_mode():
                return network(lr.to(self.device, memory_format=torch.channels_last)).float().cpu()
        except torch.OutOfMemoryError:
            problem = OutOfMemoryError()
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            problem = OutOfMemoryError()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        raise problem


def pick_device(name: str) -> torch.device:
    """The device called `name`; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        UsageError: unknown, or not on this machine.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, is_there in there.items() if is_there))
    kind, _, index = name.partition(":")
    if kind not in there or (index and not (kind == "cuda" and index.isdigit())):
        raise UsageError(f"--device {name}", "unknown", "use auto, cpu, cuda, cuda:N or mps")
    if not there[kind] or (index and int(index) >= torch.cuda.device_count()):
        raise UsageError(f"--device {name}", "not on this machine", "use --device auto or cpu")
    return torch.device(name)


def has_native_bf16(device: torch.device) -> bool:
    """Whether bf16 convolutions are faster than float32 there; emulated ones are slower."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")  # private, so their absence must do no harm
    return any(bool(getattr(torch.cpu, probe, bool)()) for probe in probes)


def memory_of(device: torch.device) -> int:
    """Bytes there are in all: of the GPU, or of the machine as far as this process may use it."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 8 * 2**30
    try:
        return min(there, int(_CGROUP_LIMIT.read_text()))  # containers
    except (OSError, ValueError):  # no such file, or "max"
        return there


def _values_held(network: nn.Module, device: torch.device) -> int:
    """The most values that go into and come out of one layer, for an LR picture of `PROBE` x `PROBE`."""
    seen = [0]

    def note(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        seen.append(sum(value.numel() for value in (*inputs, output) if isinstance(value, Tensor)))

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    try:
        with torch.inference_mode():
            network(torch.zeros(1, 3, PROBE, PROBE, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return max(seen)


def _in_bf16(network: nn.Module) -> nn.Module:
    fast = copy.deepcopy(network)
    for part in fast.modules():
        if isinstance(part, _IN_BF16):
            part.to(torch.bfloat16)
    return fast


def _levels(sr: Tensor) -> Tensor:
    return sr.clamp(0, 1).mul(255).add(0.5).floor()  # NaN stays NaN, and is near nothing


def _is_finite(sr: Tensor) -> bool:
    return bool(torch.isfinite(sr.sum()))  # one pass; a sum of finite values about 1 cannot overflow


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
