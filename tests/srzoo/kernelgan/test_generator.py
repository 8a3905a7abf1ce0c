import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from degrade.functional.kernels import centre_of_mass
from degrade.functional.resample import resize
from srzoo.kernelgan.generator import DeepLinear, downscaled
from srzoo.kernelgan.losses import MIDDLE, bicubic_kernel


@pytest.fixture
def generator() -> DeepLinear:
    return DeepLinear(torch.Generator().manual_seed(3)).double()


def layer_by_layer(generator: DeepLinear, planes: Tensor) -> Tensor:
    """As the paper runs it: (N, 1, H, W) through six convolutions, the last at every second pixel."""
    *first, last = generator.weights
    for weight in first:
        planes = F.conv2d(planes, weight)
    return F.conv2d(planes, last, stride=2)


def test_it_has_the_published_number_of_parameters(generator: DeepLinear) -> None:
    assert sum(weight.numel() for weight in generator.parameters()) == 150_656
    assert [tuple(weight.shape[2:]) for weight in generator.weights] == [(7, 7), (5, 5), (3, 3), *[(1, 1)] * 3]


def test_the_kernel_is_the_impulse_response_of_the_layers(generator: DeepLinear) -> None:
    impulse = torch.zeros(1, 1, 49, 49, dtype=torch.float64)
    impulse[0, 0, 24, 24] = 1
    response = torch.zeros(13, 13, dtype=torch.float64)
    for y in range(2):  # sampled at every second pixel: four shifts show all taps
        for x in range(2):
            seen = layer_by_layer(generator, impulse.roll((y, x), (2, 3)))[0, 0]
            # output (i, j) reads tap (24 + y - 2i, 24 + x - 2j)
            for i in range(seen.shape[0]):
                for j in range(seen.shape[1]):
                    tap = 24 + y - 2 * i, 24 + x - 2 * j
                    if 0 <= tap[0] < 13 and 0 <= tap[1] < 13:
                        response[tap] = seen[i, j]
                    else:
                        assert seen[i, j] == 0
    torch.testing.assert_close(generator.kernel(), response, rtol=1e-12, atol=1e-18)


def test_one_kernel_gives_what_the_layers_give_and_their_gradients(generator: DeepLinear) -> None:
    pictures = torch.rand(2, 3, 21, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = layer_by_layer(generator, pictures.reshape(6, 1, 21, 32)).reshape(2, 3, 5, 10)
    found = generator(pictures)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-18)
    weights = list(generator.parameters())
    pull = torch.rand(found.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for ours, theirs in zip(
        torch.autograd.grad((found * pull).sum(), weights),
        torch.autograd.grad((expected * pull).sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-15)


def test_the_start_depends_on_the_generator_alone() -> None:
    first, second, other = (DeepLinear(torch.Generator().manual_seed(seed)).kernel() for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_bicubic_at_the_kernels_places_is_matlabs_half() -> None:
    photo = np.random.default_rng(0).random((64, 64, 3))
    half = resize(photo, 32, 32)
    found = downscaled(torch.from_numpy(photo).permute(2, 0, 1)[None], bicubic_kernel().double())
    np.testing.assert_allclose(found[0].permute(1, 2, 0).numpy(), half[3:29, 3:29], atol=1e-7)
    offset = centre_of_mass(bicubic_kernel().double().numpy())
    np.testing.assert_allclose(offset, MIDDLE - 6, atol=1e-7)
