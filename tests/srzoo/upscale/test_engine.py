"""Precision, devices, and what happens when numbers or memory fail."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from srzoo.errors import UsageError
from srzoo.networks import NETWORKS
from srzoo.upscale import engine as engine_module
from srzoo.upscale.engine import Engine, NotFiniteError, OutOfMemoryError, has_native_bf16, memory_of, pick_device

CPU = torch.device("cpu")
SMALL = {"groups": 1, "blocks": 1, "convs": 2, "features": 16}  # as far as a network's config has them


class Enlarge(nn.Module):
    """A convolution that keeps the picture, and pixels repeated; like the networks it keeps its input in float32."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1, bias=False)
        self.conv.weight = nn.Parameter(gain * torch.eye(3).view(3, 3, 1, 1))

    def forward(self, lr: Tensor) -> Tensor:
        return self.conv(lr.to(self.conv.weight.dtype)).repeat_interleave(2, 2).repeat_interleave(2, 3)


def pretend_bf16(monkeypatch: pytest.MonkeyPatch, *, native: bool = True) -> None:
    monkeypatch.setattr(engine_module, "has_native_bf16", lambda device: native)


@pytest.mark.parametrize("name", NETWORKS)
def test_fp32_gives_what_the_network_gives(name: str) -> None:
    config, network = NETWORKS[name]
    fields = {field.name: field.default for field in dataclasses.fields(config)}
    small = {key: value for key, value in SMALL.items() if isinstance(fields.get(key), int)}
    model = network(config(**small)).eval()
    lr = torch.rand(1, 3, 9, 7)
    with torch.inference_mode():
        expected = model(lr)
    torch.testing.assert_close(Engine(model, device="cpu", precision="fp32").run(lr), expected, atol=1e-5, rtol=0)


def test_bf16_runs_the_convolutions_in_bf16_and_fixed_shifts_in_float32() -> None:
    config, network = NETWORKS["rcan"]
    engine = Engine(network(config(groups=1, blocks=1, features=16)), device="cpu", precision="bf16")
    sr = engine.run(torch.rand(1, 3, 8, 8))
    assert sr.dtype == torch.float32
    assert engine._fast is not None
    dtypes = {key: value.dtype for key, value in engine._fast.state_dict().items()}
    assert dtypes["head.0.weight"] == torch.bfloat16
    assert dtypes["sub_mean.bias"] == dtypes["add_mean.weight"] == torch.float32


def test_bf16_is_taken_where_the_picture_stays_near(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_bf16(monkeypatch)
    engine = Engine(Enlarge(), device="cpu")
    share = engine.settle(torch.rand(1, 3, 32, 32))  # bf16 rounds values by at most half a level
    assert share == 1
    assert engine.is_fast


def test_bf16_is_left_where_the_picture_departs(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_bf16(monkeypatch)

    class Delicate(Enlarge):
        def forward(self, lr: Tensor) -> Tensor:  # the difference of two large numbers
            return super().forward(lr * 100) - lr.repeat_interleave(2, 2).repeat_interleave(2, 3) * 99

    engine = Engine(Delicate(), device="cpu")
    share = engine.settle(torch.rand(1, 3, 32, 32))
    assert share < 0.999
    assert not engine.is_fast


def test_bf16_is_not_tried_without_hardware_or_sample_or_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_bf16(monkeypatch, native=False)
    sample = torch.rand(1, 3, 8, 8)
    assert math.isnan(Engine(Enlarge(), device="cpu").settle(sample))
    pretend_bf16(monkeypatch)
    assert math.isnan(Engine(Enlarge(), device="cpu").settle(None))
    assert math.isnan(Engine(Enlarge(), device="cpu", precision="fp32").settle(sample))
    always = Engine(Enlarge(), device="cpu", precision="bf16")
    always.settle(None)
    assert always.is_fast


def test_native_bf16_survives_a_torch_without_the_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    for probe in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, probe, raising=False)
    assert not has_native_bf16(CPU)


def test_a_window_that_is_not_finite_in_bf16_is_done_again_in_fp32() -> None:
    class Overflows(Enlarge):
        def forward(self, lr: Tensor) -> Tensor:
            sr = super().forward(lr)
            return sr * math.inf if sr.dtype == torch.bfloat16 else sr

    lr = torch.rand(1, 3, 4, 4)
    engine = Engine(Overflows(), device="cpu", precision="bf16")
    torch.testing.assert_close(engine.run(lr), Enlarge()(lr).detach())
    assert engine.retries == 1


def test_broken_weights_are_not_passed_on() -> None:
    for precision in ("fp32", "bf16"):
        engine = Engine(Enlarge(math.nan), device="cpu", precision=precision)
        with pytest.raises(NotFiniteError):
            engine.run(torch.rand(1, 3, 4, 4))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_lack_of_memory_has_one_name(error: Exception) -> None:
    class Large(Enlarge):
        def forward(self, lr: Tensor) -> Tensor:
            raise error

    with pytest.raises(OutOfMemoryError):
        Engine(Large(), device="cpu").run(torch.rand(1, 3, 4, 4))


def test_other_errors_stay_what_they_are() -> None:
    class Wrong(Enlarge):
        def forward(self, lr: Tensor) -> Tensor:
            raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        Engine(Wrong(), device="cpu").run(torch.rand(1, 3, 4, 4))


@pytest.mark.parametrize("name", ["gpu", "cpu:1", "cuda:x", "cuda:99", ""])
def test_unknown_and_missing_devices_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--device"):
        pick_device(name)


def test_auto_picks_a_device_that_works() -> None:
    device = pick_device("auto")
    assert torch.ones(2, device=device).sum().item() == 2


def test_capacity_follows_what_the_network_holds_and_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "memory_of", lambda device: 2**30)
    convolution = nn.Sequential(nn.Conv2d(3, 61, 3, padding=1), nn.Conv2d(61, 3, 3, padding=1))
    engine = Engine(convolution, device="cpu")
    assert engine.capacity() == 2**30 // 4 // (2 * 64 * 4)  # a quarter; twice 61 + 3 values of 4 bytes an LR pixel
    monkeypatch.setattr(engine_module, "memory_of", lambda device: 2**40)
    assert engine.capacity() == 2**30 // 4 // (2 * 64 * 4)  # asked once
    assert Engine(convolution, device="cpu").capacity() == 2**31 // 64  # as far as 32 bits count


def test_memory_is_what_the_container_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(engine_module, "_CGROUP_LIMIT", limit)
    whole = memory_of(CPU)
    assert whole > 2**28
    limit.write_text("max\n")
    assert memory_of(CPU) == whole
    limit.write_text("123456789\n")
    assert memory_of(CPU) == 123456789


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["rrdb blocks=1", "rcan groups=1,blocks=2", "plksr blocks=1", "edsr blocks=1"])
def test_a_window_of_full_capacity_stays_within_its_share_of_memory(settings: str) -> None:
    name, _, numbers = settings.partition(" ")
    code = f"""
import resource, torch
from srzoo.networks import NETWORKS
from srzoo.upscale import engine as module
module.memory_of = lambda device: 2**31
config, network = NETWORKS["{name}"]
engine = module.Engine(network(config({numbers})), device="cpu")
side = int(engine.capacity() ** 0.5)
engine.run(torch.rand(1, 3, 32, 32))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
engine.run(torch.rand(1, 3, side, side))
print(side, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    side, held = map(int, done.stdout.split())
    assert side >= 100
    assert 0.2 < held / (2**31 / 4) < 1
