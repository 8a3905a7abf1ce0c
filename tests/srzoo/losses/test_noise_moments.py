"""The noise term against closed forms: planted strength, colour, grain and dependence on brightness."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from srzoo.losses import noise_moments

SIGMA = 5 / 255
SIDE = 128


def draw(seed: int) -> Tensor:
    return torch.randn(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def hr() -> Tensor:
    """Of scale 2: brightness rises from 0.2 to 0.8 to the right; other pixels than those LR takes are noise."""
    ramp = torch.linspace(0.2, 0.8, SIDE).expand(4, 3, SIDE, SIDE)
    picture = torch.rand(4, 3, 2 * SIDE, 2 * SIDE, generator=torch.Generator().manual_seed(9))
    picture[:, :, 1::2, 1::2] = ramp
    return picture


def plain(hr: Tensor) -> Tensor:
    return hr[:, :, 1::2, 1::2]


def of(noise: Tensor, hr: Tensor, seed: int = 1) -> float:
    """The term of `noise` where the pairs have white noise."""
    return noise_moments(plain(hr) + SIGMA * noise, plain(hr) + SIGMA * draw(seed), hr, {}).item()


def test_the_same_noise_costs_nothing_and_another_draw_of_it_next_to_nothing(hr: Tensor) -> None:
    assert of(draw(1), hr) == 0
    assert 0 < of(draw(2), hr) < 0.02


def test_stronger_noise_costs_the_square_of_the_change_of_its_variance(hr: Tensor) -> None:
    assert of(math.sqrt(2) * draw(2), hr) == pytest.approx(3.0, rel=0.05)  # three channels, each twice the variance
    assert of(0 * draw(2), hr) == pytest.approx(3.0, rel=0.05)


def test_gray_noise_in_place_of_coloured_costs_its_six_covariances(hr: Tensor) -> None:
    gray = draw(2)[:, :1].expand(-1, 3, -1, -1)
    assert of(gray, hr) == pytest.approx(6.0, rel=0.05)


def test_coarse_noise_costs_its_autocovariance(hr: Tensor) -> None:
    noise = draw(2)
    coarse = (noise + noise.roll(1, 3)) / math.sqrt(2)  # 0.5 at the lag of one pixel to the right, else white
    assert of(coarse, hr) == pytest.approx(3 * 0.5**2, rel=0.08)


def test_a_shift_of_the_mean_costs_its_square_and_is_no_noise(hr: Tensor) -> None:
    shifted = noise_moments(plain(hr) + SIGMA * (draw(1) + 0.5), plain(hr) + SIGMA * draw(1), hr, {}).item()
    assert shifted == pytest.approx(3 * 0.5**2, rel=0.05)


def test_shots_of_other_exposure_do_not_ask_for_coarse_noise(hr: Tensor) -> None:
    exposure = torch.tensor([-1.0, 1.0, -1.0, 1.0])[:, None, None, None]
    wanted = plain(hr) + SIGMA * (draw(1) + exposure)
    assert noise_moments(plain(hr) + SIGMA * draw(2), wanted, hr, {}).item() < 0.02


def test_noise_that_ought_to_follow_brightness_costs_where_it_does_not(hr: Tensor) -> None:
    stronger = SIGMA * draw(1) * (0.5 + plain(hr))
    flat = SIGMA * draw(2) * (0.5 + plain(hr)).square().mean().sqrt()
    alike = noise_moments(plain(hr) + SIGMA * draw(3) * (0.5 + plain(hr)), plain(hr) + stronger, hr, {}).item()
    assert alike < 0.02 < 0.2 < noise_moments(plain(hr) + flat, plain(hr) + stronger, hr, {}).item()


def test_what_lies_outside_of_what_a_file_can_hold_does_not_count(hr: Tensor) -> None:
    white = torch.ones_like(hr)
    clipped = (plain(white) + SIGMA * draw(1)).clamp(0, 1)
    assert noise_moments(plain(white) + SIGMA * draw(1), clipped, white, {}).item() == 0


def test_at_edges_it_hardly_counts(hr: Tensor) -> None:
    """A pair that moved by a pixel at hard edges, and has no noise: 10 where it counts all pixels alike."""
    edges = hr.clone()
    edges[:, :, 1::2, 1::2] = 0.2 + 0.6 * (torch.arange(SIDE) // 16 % 2)
    moved = torch.cat([plain(edges)[..., :1], plain(edges)[..., :-1]], 3)
    everywhere = (moved - plain(edges)).square().mean().item() / SIGMA**2
    assert everywhere > 10
    assert noise_moments(plain(edges), moved, edges, {}).item() < 0.02


def test_its_gradient_strengthens_noise_that_is_too_weak(hr: Tensor) -> None:
    strength = torch.tensor(0.5, requires_grad=True)
    noise_moments(plain(hr) + SIGMA * strength * draw(2), plain(hr) + SIGMA * draw(1), hr, {}).backward()
    assert strength.grad is not None
    assert strength.grad < 0


def test_its_aim_is_the_mean_over_steps(hr: Tensor) -> None:
    """Pairs of a quiet and of a loud camera in turn: noise of their mean variance is right, and of neither is."""
    state: dict[str, Tensor] = {}
    loud = [1.0, 2.0] * 100
    for seed, strength in enumerate(loud):
        noise_moments(plain(hr), plain(hr) + SIGMA * strength * draw(seed % 7), hr, state)
    before = {key: value.clone() for key, value in state.items()}
    mean = noise_moments(plain(hr) + SIGMA * 2.5**0.5 * draw(8), plain(hr) + SIGMA * draw(1), hr, state).item()
    state.update(before)
    quiet = noise_moments(plain(hr) + SIGMA * draw(8), plain(hr) + SIGMA * draw(1), hr, state).item()
    assert mean < 0.1 < 5 < quiet
