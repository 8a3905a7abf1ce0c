"""What holds for every degrader of the table."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from degrade.card import NoiseInput, ReferenceInput
from degrade.gate_torchscript import check_code
from srzoo.degraders import DEGRADERS
from srzoo.degraders.layers import LumaOnly

COUNTS = {
    "basis_kernels": 105_320 + 1_800,
    "cycle_generator": 11_378_179,
    "direct_kpn": 445_793,
    "direct_net": 94_337,
    "dsgan": 594_380,
    "dual_input": 4_341_763,
    "h2l": 295_424 + 57_600 + 3_520 + 3_075,  # 4 blocks, 1x1 fusions, first and last convolution
}
SMALL: dict[str, dict[str, Any]] = {
    "basis_kernels": {"kernels": 3, "features": 4},
    "cycle_generator": {"blocks": 1, "features": 4},
    "direct_kpn": {"size": 5, "features": 4},
    "direct_net": {"features": 4},
    "dsgan": {"blocks": 1, "features": 8},
    "dual_input": {"blocks": 1, "features": 3},
    "h2l": {"blocks": 2, "features": 6},
}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in DEGRADERS),
    ("basis_kernels", {"size": 41}),
    ("direct_kpn", {"size": 39}),
    ("dual_input", {"single": True}),
    ("h2l", {"noise": "add", "noise_channels": 1, "skip": "mean"}),
    ("h2l", {"tail": "wide", "noise_channels": 1}),
    ("h2l", {"scale": 3, "skip": "nearest"}),
    ("h2l", {"scale": 2, "tail": "wide", "noise": "add"}),
    ("h2l", {"scale": 1}),
]

everywhere = pytest.mark.parametrize("name", DEGRADERS)
in_every_variant = pytest.mark.parametrize(
    ("name", "change"), VARIANTS, ids=["-".join([n, *(f"{k}={v}" for k, v in c.items())]) for n, c in VARIANTS]
)
finite = pytest.mark.parametrize(("name", "change"), [v for v in VARIANTS if v[0] != "cycle_generator"], ids=str)


def small(name: str, change: dict[str, Any] | None = None, seed: int = 0) -> Any:
    """A small degrader with random weights and biases everywhere."""
    torch.manual_seed(seed)
    config, network = DEGRADERS[name]
    built = network(config(**(SMALL[name] | (change or {}))))
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return built.eval()


def inputs(degrader: Any, height: int, width: int, batch: int = 1, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """A random image of that size and what else the degrader takes."""
    given = [torch.rand(batch, 1 if degrader.colour == "y" else 3, height, width, dtype=dtype)]
    for extra in degrader.inputs:
        if isinstance(extra, NoiseInput):
            given.append(extra.sigma * torch.randn(batch, extra.channels, height, width, dtype=dtype))
        else:
            assert isinstance(extra, ReferenceInput)
            given.append(torch.rand(batch, 3, height // degrader.scale, width // degrader.scale, dtype=dtype))
    return given


def sizes(degrader: Any) -> list[tuple[int, int]]:
    """Small, not square, and odd ones where the degrader takes them."""
    takes_any = degrader.multiple == 1 or degrader.colour == "y"
    unit = 1 if takes_any else degrader.multiple
    return [(16 * unit, 9 * unit), (7 * unit, 11 * unit), (2 * unit, 2 * unit)]


@everywhere
def test_the_published_number_of_parameters(name: str) -> None:
    config, network = DEGRADERS[name]
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in network(config()).parameters()) == COUNTS[name]


@in_every_variant
def test_lr_is_scale_times_smaller(name: str, change: dict[str, Any]) -> None:
    degrader = small(name, change)
    for height, width in sizes(degrader):
        given = inputs(degrader, height, width, batch=2)
        with torch.no_grad():
            lr = degrader(*given)
            assert torch.equal(lr, degrader(*given))
        assert lr.shape == (2, given[0].shape[1], height // degrader.scale, width // degrader.scale)
        assert lr.dtype == torch.float32
        assert torch.isfinite(lr).all()
        assert lr.std() > 0


@in_every_variant
def test_every_input_matters(name: str, change: dict[str, Any]) -> None:
    degrader = small(name, change)
    given = inputs(degrader, 24, 24)
    for part in given:
        part.requires_grad_()
    degrader(*given).square().sum().backward()
    assert len(given) == 1 + len(degrader.inputs)
    for part in given[: 1 if change.get("single") else None]:
        assert part.grad is not None
        assert part.grad.any()


@pytest.mark.parametrize(  # not the large kernels of direct_kpn: two seconds
    ("name", "change"), [v for v in VARIANTS if v[0] != "cycle_generator" and v[1].get("size") != 39], ids=str
)
def test_the_receptive_field_is_exact(name: str, change: dict[str, Any]) -> None:
    degrader = small(name, change).double()
    reach, scale = degrader.receptive_field, degrader.scale
    step = max(scale, degrader.multiple)
    start = -(-(reach + 2) // step) * step
    side = 2 * start + step
    farthest = 0
    for offset in range(0, step, scale):  # where it lies in the grid of the pooling matters
        for seed in range(3):  # a maximum hides the pixels it does not take
            torch.manual_seed(seed)
            given = inputs(degrader, side, side, dtype=torch.float64)
            farthest = max(farthest, _farthest_seen(degrader, given, (start + offset) // scale))
    assert farthest == reach - bool(change.get("single"))  # the zeros around HR reach a pixel farther than HR


def _farthest_seen(degrader: Any, given: list[Tensor], where: int) -> int:
    """How many HR pixels from its own LR pixel (where, where) reaches, by gradients."""
    for part in given:
        part.requires_grad_()
    lr = degrader(*given)[:, :, where, where]
    (lr * torch.rand_like(lr)).sum().backward()
    first, last = where * degrader.scale, where * degrader.scale + degrader.scale - 1
    farthest = 0
    for part in given:
        if part.grad is None:  # a reference that is replaced by zeros
            continue
        cell = given[0].shape[2] // part.shape[2]
        position = torch.arange(given[0].shape[2])
        distance = torch.maximum(first - position, position - last).clamp(min=0)
        seen = (part.grad[0].abs().amax(0) > 0).repeat_interleave(cell, 0).repeat_interleave(cell, 1)
        farthest = max(farthest, int(torch.maximum(distance[:, None], distance)[seen].max()))
    return farthest


@finite
def test_a_tile_equals_the_whole_beyond_the_receptive_field(name: str, change: dict[str, Any]) -> None:
    degrader = small(name, change).double()
    scale, multiple = degrader.scale, degrader.multiple
    margin = -(-degrader.receptive_field // multiple) * multiple
    top, left, side = 3 * multiple, 5 * multiple, 2 * margin + 4 * multiple
    given = inputs(degrader, side + 8 * multiple, side + 8 * multiple, dtype=torch.float64)
    with torch.no_grad():
        whole = degrader(*given)
        cells = [given[0].shape[2] // part.shape[2] for part in given]
        tile = degrader(
            *(
                part[:, :, top // cell : (top + side) // cell, left // cell : (left + side) // cell]
                for part, cell in zip(given, cells, strict=True)
            )
        )
    keep = slice(margin // scale, (side - margin) // scale)
    of_whole = whole[:, :, top // scale :, left // scale :][:, :, keep, keep]
    torch.testing.assert_close(tile[:, :, keep, keep], of_whole, atol=1e-12, rtol=0)


def test_instance_norm_sees_the_whole_picture() -> None:
    degrader = small("cycle_generator")
    assert degrader.receptive_field == "whole"
    image = torch.rand(1, 3, 64, 64).requires_grad_()
    (degrader(image)[0, :, 0, 0] * torch.rand(3)).sum().backward()
    assert image.grad is not None
    assert image.grad[0].abs().amax(0)[40:, 40:].all()  # convolutions alone reach 37 pixels


def symmetric(name: str, change: dict[str, Any]) -> Any:
    """A degrader whose kernels are all symmetric in y and x: what is left of a shift is the network's own."""
    degrader = small(name, change).double()
    with torch.no_grad():
        for key, parameter in degrader.named_parameters():
            if name == "direct_kpn" and ".last." in f".{key}":  # its outputs are taps, which turn with the picture
                taps = parameter.unflatten(0, (degrader.size, degrader.size))
                for axes in ((0, 3), (1, 4)):
                    taps = (taps + taps.flip(axes if parameter.ndim == 4 else axes[:1])) / 2
                parameter.copy_(taps.flatten(0, 1))
            elif parameter.ndim == 4:
                for axis in (2, 3):
                    parameter.copy_((parameter + parameter.flip(axis)) / 2)
    return degrader


@finite
def test_lr_lies_where_hr_lies(name: str, change: dict[str, Any]) -> None:
    """A mirrored picture gives mirrored LR: no sample is off the middle of its HR pixels."""
    degrader = symmetric(name, change)
    given = inputs(degrader, 48, 24, dtype=torch.float64)
    with torch.no_grad():
        for axis in (2, 3):
            mirrored = degrader(*(part.flip(axis) for part in given))
            torch.testing.assert_close(mirrored.flip(axis), degrader(*given), atol=1e-12, rtol=0)


@in_every_variant
@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_the_frozen_script_takes_any_size_and_passes_the_gate(
    name: str, change: dict[str, Any], tmp_path: Path
) -> None:
    degrader = small(name, change)
    degrader = LumaOnly(degrader) if degrader.colour == "y" else degrader
    script = torch.jit.freeze(torch.jit.script(degrader.eval()))
    with torch.no_grad():
        for height, width in sizes(degrader):
            for _ in range(3):  # the first calls are watched, the later ones optimised
                given = inputs(degrader, height, width, batch=2)
                given[0] = torch.rand(2, 3, height, width)
                torch.testing.assert_close(script(*given), degrader(*given), atol=1e-6, rtol=0)
    path = tmp_path / "degrader.pt"
    torch.jit.save(script, path)
    assert check_code(path).inputs == ("image", *(extra.kind for extra in degrader.inputs))


@in_every_variant
def test_autocast_trains_float32_weights(name: str, change: dict[str, Any]) -> None:
    degrader = small(name, change).train().to(memory_format=torch.channels_last)
    given = inputs(degrader, 24, 24, batch=2)
    with torch.no_grad():
        exact = degrader(*given)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        lr = degrader(*given)
        loss = (lr - 2).abs().mean()
    loss.backward()
    assert lr.dtype == torch.float32
    assert (lr - exact).square().mean().sqrt() < 0.02 * exact.std() + 0.002  # bfloat16 keeps 8 bits: 0.4 % a step
    for key, parameter in degrader.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.any() or (change.get("single") and key == "reference_branch.0.weight"), key


@everywhere
def test_bfloat16_weights_stay_close_to_float32(name: str) -> None:
    degrader = small(name)
    given = inputs(degrader, 24, 32)
    with torch.no_grad():
        exact = degrader(*given)
        rough = degrader.bfloat16()(*given)
    assert rough.dtype == torch.float32
    assert (rough - exact).square().mean().sqrt() < 0.02 * exact.std() + 0.002


@in_every_variant
def test_a_degrader_is_rebuilt_from_its_config_and_weights(name: str, change: dict[str, Any]) -> None:
    first = small(name, change)
    config_class, network_class = DEGRADERS[name]
    second = network_class(config_class(**dataclasses.asdict(first.config))).eval()
    second.load_state_dict(first.state_dict())
    given = inputs(first, 16, 24) if first.scale != 3 else inputs(first, 15, 24)
    with torch.no_grad():
        assert torch.equal(first(*given), second(*given))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("basis_kernels", [{"kernels": 0}, {"size": 4}, {"init": "zeros"}, {"features": 0}]),
        ("cycle_generator", [{"blocks": 0}, {"features": 0}]),
        ("direct_kpn", [{"size": 4}, {"init": "sum1"}, {"features": 0}]),
        ("direct_net", [{"init": "sum1"}, {"features": 0}]),
        ("dsgan", [{"blocks": 0}, {"features": 0}]),
        ("dual_input", [{"scale": 2}, {"blocks": 0}, {"features": 0}]),
        (
            "h2l",
            [
                {"scale": 5}, {"noise": "mul"}, {"noise_channels": 2}, {"sigma": 0}, {"blocks": 0}, {"features": 0},
                {"tail": "box"}, {"tail": "wide", "scale": 3},
            ],
        ),
    ],
)  # fmt: skip
def test_an_impossible_config_is_refused(name: str, changes: list[dict[str, Any]]) -> None:
    for change in changes:
        with pytest.raises(ValueError, match="expected"):
            DEGRADERS[name][0](**change)


@everywhere
def test_another_number_of_channels_is_refused(name: str) -> None:
    degrader: nn.Module = small(name)
    given = inputs(degrader, 16, 16)
    with pytest.raises(ValueError, match=r"expected an image \(B, .*got \(1, 2, 16, 16\)"):
        degrader(torch.rand(1, 2, 16, 16), *given[1:])


@pytest.mark.parametrize("name", ["cycle_generator", "dual_input", "h2l"])
def test_a_size_that_does_not_divide_is_refused(name: str) -> None:
    degrader = small(name)
    given = inputs(degrader, 16, 16)
    with pytest.raises(ValueError, match=r"multiples of 4, got \(1, 3, 16, 18\)"):
        degrader(torch.rand(1, 3, 16, 18), *given[1:])
