import torch
from torch import Tensor

from degrade.card import NoiseInput
from srzoo.data.augment import noise_key, stream_key
from srzoo.data.noise import noise_beside, white_noise


def test_a_pictures_noise_is_a_function_of_its_key_alone() -> None:
    whole = white_noise((1, 2, 3), (2, 9, 7), 0.5)
    assert whole.shape == (3, 2, 9, 7)
    assert whole.dtype == torch.float32
    torch.manual_seed(5)
    assert torch.equal(white_noise((3, 1), (2, 9, 7), 0.5), whole[[2, 0]])


def test_sigma_scales_the_same_numbers() -> None:
    torch.testing.assert_close(white_noise((4,), (1, 8, 8), 0.25), 0.25 * white_noise((4,), (1, 8, 8), 1.0))


def test_it_is_white_and_gaussian() -> None:
    noise = white_noise(range(16), (3, 64, 64), 1.0).double()
    assert abs(noise.mean().item()) < 0.01  # 4.4 sigma of 196,608 values
    assert abs(noise.std().item() - 1) < 0.01
    assert abs((noise.abs() < 1).double().mean().item() - 0.6827) < 0.005
    for one, other in (
        (noise[:, :, 1:], noise[:, :, :-1]),
        (noise[..., 1:], noise[..., :-1]),
        (noise[:, 1:], noise[:, :-1]),
        (noise[1:], noise[:-1]),
    ):
        assert abs(correlation(one, other)) < 0.015


def correlation(one: Tensor, other: Tensor) -> float:
    return torch.corrcoef(torch.stack((one.flatten(), other.flatten())))[0, 1].item()


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    white_noise((1,), (1, 4, 4), 1.0)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_input_gets_noise_of_its_own_in_the_images_size() -> None:
    image = torch.rand(2, 3, 6, 10)
    first, second = noise_beside(image, (NoiseInput(3, 0.1), NoiseInput(1, 0.2)), (5, 9))
    assert (first.shape, second.shape) == ((2, 3, 6, 10), (2, 1, 6, 10))
    assert not torch.equal(first[:, :1] * 2, second)
    assert noise_beside(image, (), (5, 9)) == []


def test_keys_differ_between_samples_stages_and_seeds() -> None:
    keys = [
        noise_key(stream_key(seed, stage), sample)
        for seed in range(3)
        for stage in range(3)
        for sample in (0, 1, 2, 1 << 32)
    ]
    assert len(set(keys)) == len(keys)
