"""The kernels inside a degrader file are those that make its result, pixel by pixel."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from degrade import trust
from degrade.card import Card, write_degrader
from degrade.errors import UnsafeFileError, UsageError
from degrade.ops.learned.mixture import mixture_of

FACTS: dict[str, Any] = {"scale": 1, "multiple": 2, "inputs": (), "receptive_field": 4, "colour": "y"}
IMAGE = np.random.default_rng(0).random((12, 14, 3), dtype=np.float32)


class Mixes(nn.Module):
    """As DML in small: green blurred by three kernels of 5 x 5, which a network of the image weighs."""

    def __init__(self) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.rand(3, 1, 5, 5) - 0.2)
        self.first, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 3, 3, padding=1)

    def weights(self, plane: Tensor) -> Tensor:
        return torch.sigmoid(self.last(torch.relu(self.first(plane))))

    def forward(self, image: Tensor) -> Tensor:
        plane = image[:, 1:2]
        filtered = F.conv2d(F.pad(plane, (2, 2, 2, 2), mode="replicate"), self.basis)
        return image + ((self.weights(plane) * filtered).sum(1, keepdim=True) - plane)


class Attends(nn.Module):
    """Channels weighed and summed up, as in a mixture, but the filters see three channels: no blur kernels."""

    def __init__(self) -> None:
        super().__init__()
        self.look, self.see = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return image + (torch.sigmoid(self.look(image)) * self.see(image)).sum(1, keepdim=True)


class Shifts(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return 0.5 * image


@pytest.fixture
def mixes() -> Mixes:
    torch.manual_seed(5)
    return Mixes()


def test_the_kernels_of_the_file_make_its_result(degraders: Callable[..., Path], mixes: Mixes) -> None:
    mixture = mixture_of(degraders(mixes, **FACTS), IMAGE)
    assert (mixture.basis.shape, mixture.maps.shape) == ((3, 5, 5), (3, 12, 14))
    with torch.inference_mode():
        made = mixes(torch.from_numpy(IMAGE.transpose(2, 0, 1)[None]))[0, 1].numpy()
    around = np.pad(IMAGE[..., 1].astype(float), 2, mode="edge")
    for y in range(12):
        for x in range(14):
            blurred = (mixture.kernel(y, x) * around[y : y + 5, x : x + 5]).sum()
            assert blurred == pytest.approx(made[y, x], abs=2e-6)  # float32 against float64
    every = np.mean([mixture.kernel(y, x) for y in range(12) for x in range(14)], 0)
    np.testing.assert_allclose(mixture.mean_kernel(), every, atol=1e-6)


def test_scripted_and_traced_files_give_the_networks_own_numbers(
    degraders: Callable[..., Path], torchscript: Callable[..., bytes], card: Card, mixes: Mixes, tmp_path: Path
) -> None:
    planes = torch.from_numpy(IMAGE.transpose(2, 0, 1)[None])
    traced = tmp_path / "traced.pt"
    write_degrader(traced, torchscript(mixes, planes), dataclasses.replace(card, **FACTS))
    trust.trust(traced)
    with torch.inference_mode():
        weights = mixes.weights(planes[:, 1:2])[0].numpy()
    for path in (degraders(mixes, **FACTS), traced):
        mixture = mixture_of(path, IMAGE)
        np.testing.assert_array_equal(mixture.basis, mixes.basis[:, 0].detach().numpy())
        np.testing.assert_allclose(mixture.maps, weights, rtol=1e-6)


@pytest.mark.parametrize("module", [Attends, Shifts])
def test_a_degrader_without_kernels_is_told_so(module: Callable[[], nn.Module], degraders: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match="mixes no kernels"):
        mixture_of(degraders(module(), **FACTS), IMAGE)


def test_nothing_of_an_untrusted_file_is_run(degraders: Callable[..., Path], mixes: Mixes) -> None:
    with pytest.raises(UnsafeFileError, match="not in your list"):
        mixture_of(degraders(mixes, trusted=False, licence="nobody's", **FACTS), IMAGE)
