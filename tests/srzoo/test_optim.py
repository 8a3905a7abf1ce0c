import math

import pytest
import torch

from srzoo.optim import OptimiserConfig, adam, learning_rate_at


def config(**changes: object) -> OptimiserConfig:
    return OptimiserConfig(networks=("generator",), learning_rate=0.1, **changes)  # type: ignore[arg-type]


def test_constant_stays() -> None:
    assert {learning_rate_at(config(), step, 100) for step in (1, 50, 100)} == {0.1}


def test_milestones_halve_after_each() -> None:
    halved = config(schedule="milestones", milestones=(10, 20))
    assert [learning_rate_at(halved, step, 100) for step in (10, 11, 20, 21)] == [0.1, 0.05, 0.05, 0.025]


def test_cosine_equals_torchs_schedule() -> None:
    falling, steps = config(schedule="cosine", floor=0.1), 30
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=steps, eta_min=0.01)
    for step in range(1, steps + 1):
        assert learning_rate_at(falling, step, steps) == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
        optimiser.step()
        theirs.step()


def test_linear_holds_and_falls_as_cyclegan_and_dsgan_do() -> None:
    """A step for an epoch: DSGAN's rule of 300 epochs, the last 150 of them falling; CycleGAN's, but for one in 101."""
    falling, steps = config(schedule="linear", hold=0.5), 300
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    rule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: 1.0 - max(0.0, float(epoch - 150) / 150))
    for step in range(1, steps + 1):
        assert learning_rate_at(falling, step, steps) == pytest.approx(rule.get_last_lr()[0], rel=1e-9)
        optimiser.step()
        rule.step()


def test_linear_ends_at_its_floor_and_may_fall_from_the_start() -> None:
    falling = config(schedule="linear", hold=0.0, floor=0.2)
    assert [learning_rate_at(falling, step, 4) for step in (1, 3, 5)] == pytest.approx([0.1, 0.06, 0.02])


def test_warm_up_is_linear_and_multiplies_the_schedule() -> None:
    warmed = config(schedule="cosine", warmup=4)
    bare = config(schedule="cosine")
    for step in range(1, 9):
        expected = learning_rate_at(bare, step, 20) * min(1, step / 4)
        assert learning_rate_at(warmed, step, 20) == pytest.approx(expected)
    assert learning_rate_at(config(warmup=10), 1, 20) == pytest.approx(0.01)


def test_adam_takes_the_textbook_step() -> None:
    network = torch.nn.Linear(3, 2)
    optimiser = adam(config(betas=(0.8, 0.9), epsilon=1e-6), [network])
    before = network.weight.detach().clone()
    gradients = [torch.randn(2, 3, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    first = second = torch.zeros(2, 3)
    expected = before
    for count, gradient in enumerate(gradients, start=1):
        network.weight.grad, network.bias.grad = gradient.clone(), torch.zeros(2)
        optimiser.step()
        first = 0.8 * first + 0.2 * gradient
        second = 0.9 * second + 0.1 * gradient**2
        corrected = (second / (1 - 0.9**count)).sqrt() + 1e-6
        expected = expected - 0.1 * first / (1 - 0.8**count) / corrected
    torch.testing.assert_close(network.weight.detach(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": math.nan}, "learning_rate"),
        ({"networks": ()}, "networks"),
        ({"betas": (0.9, 1.0)}, "betas"),
        ({"schedule": "milestones"}, "milestones"),
        ({"milestones": (5,)}, "milestones"),
        ({"schedule": "milestones", "milestones": (5, 5)}, "rising"),
        ({"clip": 0.0}, "clip"),
        ({"hold": 1.0}, "hold"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OptimiserConfig(**{"networks": ("generator",), "learning_rate": 0.1, **changes})  # type: ignore[arg-type]
