"""GAN losses against their formulas, written with logarithms in float64; and where gradients may flow."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from srzoo.losses import GAN, GAN_LOSSES, AdversarialLoss

Loss = Callable[..., Tensor]


def printed(kind: str, role: str, real: Tensor, fake: Tensor) -> Tensor:
    """The formulas as the papers print them; D(a, b) = sigmoid(a - E b)."""
    if kind == "standard":
        on_fake = torch.sigmoid(fake)
        if role == "generator":
            return -on_fake.log().mean()
        return -torch.sigmoid(real).log().mean() - (1 - on_fake).log().mean()
    if kind == "least_squares":
        return ((fake - 1) ** 2).mean() if role == "generator" else ((real - 1) ** 2).mean() + (fake**2).mean()
    real_over_fake, fake_over_real = torch.sigmoid(real - fake.mean()), torch.sigmoid(fake - real.mean())
    if role == "generator":
        return -(1 - real_over_fake).log().mean() - fake_over_real.log().mean()
    return -real_over_fake.log().mean() - (1 - fake_over_real).log().mean()


def logits(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    real, fake = torch.randn(2, 5, 1, 3, 2, generator=generator, dtype=torch.float64)
    return 1.5 * real + 0.7, fake - 0.4


@pytest.mark.parametrize("kind", GAN_LOSSES)
@pytest.mark.parametrize("role", ["generator", "critic"])
def test_a_loss_is_its_formula(kind: str, role: str) -> None:
    loss = GAN_LOSSES[kind][role == "critic"]
    real, fake = logits(0)
    expected = printed(kind, role, real, fake)
    torch.testing.assert_close(loss(real, fake).double(), expected, atol=1e-6, rtol=1e-6)
    terms = 1 if role == "generator" and kind != "relativistic" else 2
    torch.testing.assert_close(loss(real, fake, half=True).double(), expected / terms, atol=1e-6, rtol=1e-6)


def test_at_equal_logits_each_term_is_log_two() -> None:
    same = torch.zeros(4, 1)
    log_losses = [loss for kind in ("standard", "relativistic") for loss in GAN_LOSSES[kind]]
    assert [round(float(loss(same, same)), 5) for loss in log_losses] == [0.69315, 1.38629, 1.38629, 1.38629]


def gradients(loss: Loss, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    real, fake = real.clone().requires_grad_(), fake.clone().requires_grad_()
    found = torch.autograd.grad(loss(real, fake), (real, fake), allow_unused=True)
    return tuple(torch.zeros_like(real) if grad is None else grad for grad in found)  # type: ignore[reportReturnType]


@pytest.mark.parametrize("kind", GAN_LOSSES)
def test_a_generators_gradient_reaches_only_its_own_pictures_and_also_through_their_mean(kind: str) -> None:
    real, fake = logits(1)
    to_real, to_fake = gradients(GAN_LOSSES[kind][0], real, fake)
    whole = gradients(lambda r, f: printed(kind, "generator", r, f), real, fake)[1]
    assert not to_real.any()
    torch.testing.assert_close(to_fake, whole, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("kind", ["standard", "least_squares"])
def test_a_critics_gradient_is_its_formulas(kind: str) -> None:
    real, fake = logits(3)
    found = gradients(GAN_LOSSES[kind][1], real, fake)
    for one, other in zip(found, gradients(lambda r, f: printed(kind, "critic", r, f), real, fake), strict=True):
        torch.testing.assert_close(one, other, atol=1e-7, rtol=1e-5)


def test_a_relativistic_critic_holds_the_other_sides_mean_fixed() -> None:
    real, fake = logits(2)
    to_real, to_fake = gradients(GAN_LOSSES["relativistic"][1], real, fake)
    count = real.numel()
    torch.testing.assert_close(to_real, -torch.sigmoid(fake.mean() - real) / count, atol=1e-7, rtol=1e-5)
    torch.testing.assert_close(to_fake, torch.sigmoid(fake - real.mean()) / count, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("kind", GAN_LOSSES)
def test_large_logits_in_bfloat16_stay_finite_and_exact(kind: str) -> None:
    real, fake = torch.tensor([300.0, -300.0]).bfloat16(), torch.tensor([-500.0, 500.0]).bfloat16()
    for loss in GAN_LOSSES[kind]:
        value = loss(real, fake)
        assert value.dtype == torch.float32
        assert torch.isfinite(value)
    assert float(GAN_LOSSES["standard"][0](real, fake)) == 250.0


@pytest.mark.parametrize("kind", GAN_LOSSES)
@pytest.mark.parametrize("half", [False, True])
def test_over_a_critic_each_side_minimises_its_loss_of_the_critics_logits(kind: GAN, half: bool) -> None:
    critic = torch.nn.Conv2d(3, 1, 3)
    real, fake = (part.requires_grad_() for part in torch.rand(2, 4, 3, 5, 5))
    pair = AdversarialLoss(kind, half)
    generator_loss, critic_loss = GAN_LOSSES[kind]
    wanted = generator_loss(critic(real).detach(), critic(fake), half=half)
    found = pair.generator_term(critic, real, fake)
    torch.testing.assert_close(found, wanted)
    for one, other in zip(*(torch.autograd.grad(term, [fake, critic.weight]) for term in (found, wanted)), strict=True):
        torch.testing.assert_close(one, other)
    found = pair.critic_term(critic, real, fake)
    torch.testing.assert_close(found, critic_loss(critic(real), critic(fake), half=half))
    assert torch.autograd.grad(found, [fake], allow_unused=True) == (None,)
