import pytest
import torch
from torch import nn

from srzoo.trainer.ranks import Ranks
from srzoo.trainer.update import Clipped, NotFiniteError, apply_update

ALONE = Ranks()


def scalar(value: float) -> nn.Parameter:
    return nn.Parameter(torch.tensor([value]))


def descent(*parameters: nn.Parameter, clip: float | None = None) -> Clipped:
    return Clipped(torch.optim.SGD(parameters, lr=0.1), clip)


def test_each_loss_reaches_only_the_parameters_of_its_own_optimiser() -> None:
    generator, critic = scalar(2.0), scalar(3.0)
    optimisers = {"generator": descent(generator), "critic": descent(critic)}
    apply_update([{"generator": (generator * critic).sum()}], optimisers, ALONE)
    assert generator.item() == pytest.approx(2.0 - 0.1 * 3.0)
    assert critic.item() == 3.0
    assert critic.grad is None


def test_losses_of_one_dict_are_all_differentiated_before_any_step() -> None:
    one, other = scalar(2.0), scalar(3.0)
    optimisers = {"one": descent(one), "other": descent(other)}
    shared = one * other  # one graph for both
    apply_update([{"one": (shared**2).sum(), "other": shared.sum()}], optimisers, ALONE)
    assert one.item() == pytest.approx(2.0 - 0.1 * 2 * 6.0 * 3.0)
    assert other.item() == pytest.approx(3.0 - 0.1 * 2.0)  # with the old value of `one`


def test_gradients_of_the_step_before_are_gone() -> None:
    weight = scalar(1.0)
    optimisers = {"generator": descent(weight)}
    for _ in range(2):
        apply_update([{"generator": weight.sum()}], optimisers, ALONE)
    assert weight.item() == pytest.approx(0.8)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("place", ["loss", "gradient"])
def test_what_is_not_finite_changes_no_weight_of_any_optimiser(bad: float, place: str) -> None:
    good, sick = scalar(1.0), scalar(0.0)
    optimisers = {"good": descent(good), "sick": descent(sick)}
    if place == "loss":
        loss = (sick + bad).sum()
    else:
        sick.register_hook(lambda gradient: gradient * bad)
        loss = (sick + 1).sum()
    with pytest.raises(NotFiniteError, match=f"^{'loss' if place == 'loss' else 'gradient of'} 'sick' is"):
        apply_update([{"good": good.sum(), "sick": loss}], optimisers, ALONE)
    assert (good.item(), sick.item()) == (1.0, 0.0)
    assert good.grad is None
    assert sick.grad is None


def test_clipping_scales_the_whole_gradient_to_the_norm() -> None:
    one, other = scalar(0.0), scalar(0.0)
    apply_update([{"both": (3 * one + 4 * other).sum()}], {"both": descent(one, other, clip=1.0)}, ALONE)
    assert one.item() == pytest.approx(-0.06, rel=1e-4)
    assert other.item() == pytest.approx(-0.08, rel=1e-4)
    small = scalar(0.0)
    apply_update([{"small": 0.5 * small.sum()}], {"small": descent(small, clip=1.0)}, ALONE)
    assert small.item() == pytest.approx(-0.05)


def test_a_parameter_that_the_loss_does_not_use_stays() -> None:
    used, idle = scalar(1.0), scalar(5.0)
    apply_update([{"both": used.sum()}], {"both": descent(used, idle)}, ALONE)
    assert (used.item(), idle.item()) == (pytest.approx(0.9), 5.0)


def test_parts_give_the_mean_loss_and_one_step() -> None:
    """d/dw of the mean of (w x - 1)^2 over x = 1, 2, 3, 6, in one piece and in two."""
    steps = []
    for pieces in (((1, 2, 3, 6),), ((1, 2), (3, 6))):
        weight = nn.Parameter(torch.tensor([0.5], dtype=torch.float64))
        asked = ({"one": ((weight * torch.tensor(piece, dtype=torch.float64) - 1) ** 2).mean()} for piece in pieces)
        apply_update(asked, {"one": descent(weight)}, ALONE, parts=len(pieces))
        steps.append(weight.item())
    assert steps[0] == pytest.approx(0.5 - 0.1 * sum(2 * x * (0.5 * x - 1) for x in (1, 2, 3, 6)) / 4)
    assert steps[1] == pytest.approx(steps[0], rel=1e-14)


def test_one_part_that_is_not_finite_stops_the_step() -> None:
    weight = scalar(1.0)
    asked = ({"one": (weight * factor).sum()} for factor in (1.0, float("nan"), 1.0))
    with pytest.raises(NotFiniteError, match="loss 'one' is nan"):
        apply_update(asked, {"one": descent(weight)}, ALONE, parts=3)
    assert (weight.item(), weight.grad) == (1.0, None)
