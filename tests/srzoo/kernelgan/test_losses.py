import math

import pytest
import torch

from srzoo.kernelgan import losses
from srzoo.kernelgan.losses import Weights


def single(y: int, x: int, value: float = 1.0) -> torch.Tensor:
    kernel = torch.zeros(13, 13, dtype=torch.float64)
    kernel[y, x] = value
    return kernel


def test_unit_sum_is_the_distance_from_one() -> None:
    assert losses.unit_sum(single(6, 6, 0.75)).item() == 0.25
    assert losses.unit_sum(single(6, 6, 1.25)).item() == 0.25


def test_boundary_grows_outward_and_spares_the_inner_nine() -> None:
    assert losses.boundary(single(2, 10)).item() == 0
    corner = losses.boundary(single(0, 12, -2.0)).item()
    assert corner == pytest.approx(2 * 30 * (1 - math.exp(-(36 + 36) / (2 * 169))) / 169, rel=1e-6)
    edge = losses.boundary(single(6, 0)).item()
    assert edge == pytest.approx(30 * (1 - math.exp(-36 / (2 * 169))) / 169, rel=1e-6)


def test_centre_is_the_mean_squared_distance_from_between_the_middle_pixels() -> None:
    assert losses.centre(single(6, 9, 3.0)).item() == pytest.approx((0.5**2 + 2.5**2) / 2)
    pair = single(6, 6) + single(7, 7)
    assert losses.centre(pair).item() == pytest.approx(0)


def test_sparsity_is_the_mean_fifth_root() -> None:
    kernel = single(0, 0, -32.0) + single(5, 5, 1.0)
    assert losses.sparsity(kernel).item() == pytest.approx((2.0 + 1.0) / 169)


def test_bicubic_is_the_mean_square_over_all_channels() -> None:
    generated = torch.zeros(1, 3, 2, 2)
    assert losses.bicubic(generated, generated + torch.tensor([1.0, 2.0, 3.0])[:, None, None]).item() == pytest.approx(
        14 / 3
    )


def test_the_total_weighs_the_terms_that_are_at_work() -> None:
    kernel, weights = single(0, 12, 0.5), Weights()
    early = 5 * 0.1 + 0.5 * 0.5 + 0.5 * losses.boundary(kernel).item()
    assert weights.total(kernel, torch.tensor(0.1)).item() == pytest.approx(early)
    weights.centre, weights.sparse = 1.0, 5.0
    late = early + losses.centre(kernel).item() + 5 * losses.sparsity(kernel).item()
    assert weights.total(kernel, torch.tensor(0.1)).item() == pytest.approx(late)


def weights_over(steps: int, bicubic_losses: dict[int, float]) -> list[tuple[float, float, float]]:
    """(bicubic, centre, sparse) after each step; the bicubic term is 0.1 where nothing else is stated."""
    weights, seen = Weights(), []
    for step in range(steps):
        weights.after(step, bicubic_losses.get(step, 0.1))
        seen.append((weights.bicubic, weights.centre, weights.sparse))
    return seen


def test_the_weights_move_at_every_200th_step_as_published() -> None:
    seen = weights_over(1001, {})
    assert seen[199] == (5.0, 0.0, 0.0)
    assert seen[200] == pytest.approx((5e-2, 0.0, 0.0))
    assert seen[400] == pytest.approx((5e-4, 1.0, 5.0))
    assert seen[600] == seen[1000] == pytest.approx((5e-6, 1.0, 5.0))


def test_the_weights_wait_for_three_small_bicubic_terms_in_a_row() -> None:
    wild = dict.fromkeys(range(0, 300, 3), 0.5)  # two small ones, then a large one
    seen = weights_over(401, wild)
    assert seen[300] == (5.0, 0.0, 0.0)
    assert seen[400] == pytest.approx((5e-2, 0.0, 0.0))
