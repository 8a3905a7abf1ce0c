"""What holds for every network of the table."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from srzoo.networks import NETWORKS
from srzoo.networks.layers import fastest_layout

SMALL: dict[str, dict[str, Any]] = {
    "compact": {"convs": 2, "features": 8},
    "edsr": {"blocks": 1, "features": 8},
    "plksr": {"blocks": 1, "features": 8, "kernel": 5, "partial": 4},
    "rcan": {"groups": 2, "blocks": 2, "features": 16, "reduction": 4},
    "rcan_dml": {"groups": 2, "blocks": 2, "features": 16, "reduction": 4},
    "rrdb": {"blocks": 1, "features": 4, "growth": 2, "unshuffle": 1},
    "skipres": {"blocks": 2, "features": 8},
    "srcnn": {"features": (8, 4), "channels": 3},
    "srresnet": {"blocks": 1, "features": 8},
    "vdsr": {"convs": 4, "features": 8, "channels": 3},
}
SCALES = {"edsr": (2, 3, 4), "rcan": (1, 2, 3, 4, 8), "rrdb": (1, 2, 4, 8), "srresnet": (2, 3, 4)}

everywhere = pytest.mark.parametrize("name", NETWORKS)
at_all_scales = pytest.mark.parametrize(
    ("name", "scale"), [(name, scale) for name in NETWORKS for scale in SCALES.get(name, (1, 2, 3, 4))]
)


def small(name: str, scale: int, seed: int = 0) -> nn.Module:
    """A small network with random weights everywhere, also where training starts from zero."""
    torch.manual_seed(seed)
    config, network = NETWORKS[name]
    built = network(config(scale=scale, **SMALL[name]))
    with torch.no_grad():
        for parameter in built.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return built.eval()


def largest(name: str) -> int:
    return min(4, max(SCALES.get(name, (4,))))


@at_all_scales
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (7, 11), (16, 9)])
def test_any_size_comes_out_scale_times_larger(name: str, scale: int, size: tuple[int, int]) -> None:
    with torch.no_grad():
        sr = small(name, scale)(torch.rand(2, 3, *size))
    assert sr.shape == (2, 3, scale * size[0], scale * size[1])
    assert sr.dtype == torch.float32
    assert torch.isfinite(sr).all()


@at_all_scales
def test_the_receptive_radius_is_exact(name: str, scale: int) -> None:
    network = small(name, scale).double()
    radius: Any = network.receptive_radius
    reach = radius if radius is not None else 12
    side = 2 * reach + 7
    lr = torch.rand(1, 3, side, side, dtype=torch.float64)
    seen = _seen_lr_pixels(network, lr, reach + 3)
    distance = (torch.arange(side) - (reach + 3)).abs()
    far = torch.maximum(distance[:, None], distance[None, :])
    if radius is None:
        assert seen.all()
    else:
        assert not seen[far > radius].any()
        assert seen[far == radius].any()


def _seen_lr_pixels(network: nn.Module, lr: Tensor, where: int) -> Tensor:
    """Which LR pixels the SR pixels of the LR pixel (where, where) have a gradient by."""
    scale: Any = network.scale
    block = slice(where * scale, (where + 1) * scale)
    sr = network(lr.requires_grad_())[:, :, block, block]
    (sr * torch.rand_like(sr)).sum().backward()
    assert lr.grad is not None
    return lr.grad[0].abs().amax(0) > 0


@everywhere
def test_float_weights_in_bfloat16_stay_close_to_float32(name: str) -> None:
    network = small(name, largest(name))
    lr = torch.rand(1, 3, 24, 20)
    with torch.no_grad():
        exact = network(lr)
        rough = network.bfloat16().to(memory_format=torch.channels_last)(lr)
    assert rough.dtype == torch.float32  # what is added at the end is not rounded to 8 bits of precision
    spread = (exact - exact.mean()).square().mean().sqrt()
    assert (rough - exact).square().mean().sqrt() < 0.02 * spread  # bfloat16 keeps 8 bits: 0.4 % a step


@everywhere
def test_autocast_trains_float32_weights(name: str) -> None:
    network = small(name, largest(name)).train().to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        sr = network(torch.rand(2, 3, 6, 6))
        loss = sr.abs().mean()
    loss.backward()
    assert sr.dtype == torch.float32
    for key, parameter in network.named_parameters():
        assert not parameter.requires_grad or (parameter.grad is not None and parameter.grad.any()), key


@everywhere
def test_a_network_is_rebuilt_from_its_config_and_weights(name: str) -> None:
    first = small(name, largest(name))
    config: Any = first.config
    config_class, network_class = NETWORKS[name]
    assert next(field.name for field in dataclasses.fields(config)) == "scale"
    second = network_class(config_class(**dataclasses.asdict(config))).eval()
    second.load_state_dict(first.state_dict())
    lr = torch.rand(1, 3, 5, 4)
    with torch.no_grad():
        assert torch.equal(first(lr), second(lr))


@everywhere
def test_an_impossible_config_is_refused(name: str) -> None:
    for change in ({"scale": 5}, {"features": (0, 4) if name == "srcnn" else 0}):
        with pytest.raises(ValueError, match="expected"):
            NETWORKS[name][0](**change)


@pytest.mark.parametrize(
    ("name", "dtype", "expected"),
    [
        ("compact", None, torch.contiguous_format),
        ("rrdb", None, torch.contiguous_format),
        ("rcan", None, torch.channels_last),
        ("compact", torch.bfloat16, torch.channels_last),
    ],
)
def test_weights_lie_in_memory_as_trains_fastest(
    name: str, dtype: torch.dtype | None, expected: torch.memory_format
) -> None:
    assert fastest_layout(small(name, 4), torch.device("cpu"), dtype) == expected
    assert fastest_layout(small(name, 4), torch.device("meta"), dtype) == torch.channels_last
