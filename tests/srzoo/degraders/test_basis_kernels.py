"""DML: N convolutions against a kernel for every pixel, and its starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from srzoo.degraders.basis_kernels import BasisKernels, BasisKernelsConfig


def shaken(**settings: Any) -> BasisKernels:
    torch.manual_seed(1)
    degrader = BasisKernels(BasisKernelsConfig(**settings))
    for parameter in degrader.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return degrader.eval()


@pytest.mark.parametrize(
    ("kernels", "weighing", "basis"), [(4, 99_044, 900), (8, 105_320, 1_800), (16, 117_872, 3_600)]
)
def test_the_published_number_of_parameters(kernels: int, weighing: int, basis: int) -> None:
    with torch.device("meta"):
        degrader = BasisKernels(BasisKernelsConfig(kernels))
    assert sum(parameter.numel() for parameter in degrader.weigh.parameters()) == weighing
    assert degrader.basis.numel() == basis


@pytest.mark.parametrize(("kernels", "size"), [(4, 15), (8, 15), (3, 5)])
def test_n_convolutions_equal_a_kernel_for_every_pixel(kernels: int, size: int) -> None:
    """Equations 2 and 3, in float64, pixel by pixel; on an odd size smaller than the kernel."""
    degrader = shaken(kernels=kernels, size=size, features=4)
    image = torch.rand(1, 1, 9, 14)
    with torch.no_grad():
        lr = degrader(image)[0, 0].numpy()
        weights = torch.sigmoid(degrader.weigh(image))[0].double().numpy()  # (N, H, W)
    basis = degrader.basis[:, 0].detach().double().numpy()  # (N, size, size)
    window = np.pad(image[0, 0].double().numpy(), size // 2, mode="symmetric")
    expected = np.zeros((9, 14))
    for y in range(9):
        for x in range(14):
            kernel = sum(weights[m, y, x] * basis[m] for m in range(kernels))
            expected[y, x] = (window[y : y + size, x : x + size] * kernel).sum()
    np.testing.assert_allclose(lr, expected, atol=1e-5)
    assert expected.std() > 0.01


def test_the_kernels_shown_are_the_kernels_applied() -> None:
    degrader = shaken(kernels=4, size=7, features=4)
    image = torch.rand(2, 1, 12, 11)
    positions = [(3, 3), (5, 7), (8, 4)]
    with torch.no_grad():
        lr, kernels, maps = degrader(image), degrader.kernels_at(image, positions), degrader.weight_maps(image)
    assert kernels.shape == (2, 3, 7, 7)
    assert maps.shape == (2, 4, 12, 11)
    assert 0 < maps.min() < maps.max() < 1
    for number, (y, x) in enumerate(positions):
        around = image[:, 0, y - 3 : y + 4, x - 3 : x + 4]
        torch.testing.assert_close((around * kernels[:, number]).sum((1, 2)), lr[:, 0, y, x])


@pytest.mark.parametrize(
    ("init", "kernels", "total"), [("sum1", 8, 1.0), ("unit", 8, 1.0), ("code", 8, 0.5), ("code", 16, 0.25)]
)
def test_kernels_start_with_the_stated_sum(init: Any, kernels: int, total: float) -> None:
    torch.manual_seed(0)
    basis = BasisKernels(BasisKernelsConfig(kernels, init=init)).basis
    torch.testing.assert_close(basis.sum((1, 2, 3)), torch.full((kernels,), total))
    assert basis.min() >= 0
    assert basis.std().item() == pytest.approx(total / 225 / 3**0.5, rel=0.05)  # uniform from 0 to twice the mean


@pytest.mark.parametrize(("init", "gain"), [("sum1", 4.0), ("code", 2.0), ("unit", 1.0)])
def test_training_starts_this_many_times_too_bright(init: Any, gain: float) -> None:
    torch.manual_seed(0)
    dark = torch.full((1, 1, 16, 16), 0.01)  # so that the weights are still their last layer's biases
    with torch.no_grad():
        assert BasisKernels(BasisKernelsConfig(init=init))(dark).mean() == pytest.approx(gain * 0.01, rel=0.02)


def test_autocast_does_not_round_the_filtered_pictures() -> None:
    degrader = shaken(kernels=4, features=4)
    for parameter in degrader.weigh.last.parameters():
        parameter.data.zero_()  # weights of 1/2, which bfloat16 holds
    image = torch.rand(1, 1, 16, 16)
    with torch.no_grad():
        exact = degrader(image)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(degrader(image), exact)
