"""SRDGAN's joint stage against its formulas, and whom each loss reaches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.card import NoiseInput, ReferenceInput
from srzoo.data import Batch, noise_beside
from srzoo.errors import PresetError, WeightsMissingError
from srzoo.losses import PerceptualConfig, noise_moments
from srzoo.objectives.srdgan import SRDGAN, SRDGANConfig, TermsConfig
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.update import Clipped, apply_update

NOISE = (NoiseInput(3, 0.05),)


class Weighted(nn.Module):
    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([weight]))
        self.seen: list[Tensor] = []


class Decimate(Weighted):
    """H2L of scale 2: weight times the upper left pixel of each four of HR and noise."""

    colour, scale, inputs = "rgb", 2, NOISE

    def forward(self, hr: Tensor, noise: Tensor) -> Tensor:
        self.seen.append(hr)
        return self.weight * (hr + noise)[:, :, ::2, ::2]


class Repeat(Weighted):
    """L2H of scale 2."""

    def forward(self, lr: Tensor) -> Tensor:
        self.seen.append(lr)
        return self.weight * lr.repeat_interleave(2, 2).repeat_interleave(2, 3)


class Mean(Weighted):
    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return (self.weight * x).mean((1, 2, 3))[:, None]


@pytest.fixture
def batch() -> Batch:
    random = torch.Generator().manual_seed(0)
    hr, lr, real = (torch.rand(2, 3, side, side, generator=random) for side in (8, 4, 4))
    return Batch(lr, hr, (0, 1), real, (7, 8))


def toy(**config: Any) -> SRDGAN:
    networks = {"h2l": Decimate(0.9), "l2h": Repeat(0.8), "critic_lr": Mean(2.0), "critic_hr": Mean(3.0)}
    return SRDGAN(SRDGANConfig(**config), networks)


def by_hand(batch: Batch, objective: SRDGAN) -> dict[str, Tensor]:
    """The stage as its formulas say, in plain autograd: LR against the pairs' LR, SR of it against HR, two critics."""
    w: dict[str, Any] = {role: network.weight for role, network in objective.networks.items()}
    config, (noise,) = objective.config, noise_beside(batch.hr, NOISE, batch.keys)  # type: ignore[arg-type]
    lr, hr, real = batch.lr, batch.hr, batch.real_lr
    assert lr is not None
    assert hr is not None
    assert real is not None
    made = w["h2l"] * (hr + noise)[:, :, ::2, ::2]
    rows = [made if config.through else made.detach(), *([lr] if config.real_pairs else [])]
    sr = [w["l2h"] * row.repeat_interleave(2, 2).repeat_interleave(2, 3) for row in rows]

    def judged(role: str, pictures: Tensor) -> Tensor:
        return w[role] * pictures.mean((1, 2, 3))

    on_sr = torch.cat([judged("critic_hr", one) for one in sr])
    down = config.h2l.pixel * (made - lr).square().mean()
    down = (
        down
        - config.h2l.adversarial * F.logsigmoid(judged("critic_lr", made)).mean()
        + config.moments * noise_moments(made, lr, hr, {})
    )
    up = config.l2h.pixel * torch.stack([(one - hr).square().mean() for one in sr]).mean()
    up = up - config.l2h.adversarial * F.logsigmoid(on_sr).mean()
    critic_lr = -F.logsigmoid(judged("critic_lr", real)).mean() - F.logsigmoid(-judged("critic_lr", made)).mean()
    critic_hr = -F.logsigmoid(judged("critic_hr", hr)).mean() - F.logsigmoid(-on_sr).mean()
    return {"down": down, "up": up, "critic_lr": critic_lr, "critic_hr": critic_hr}


WEIGHTS = {"h2l": TermsConfig(2.0, 0.0, 0.3), "l2h": TermsConfig(0.7, 0.0, 0.2)}


@pytest.mark.parametrize("through", [True, False])
@pytest.mark.parametrize("real_pairs", [True, False])
@pytest.mark.parametrize("moments", [0.0, 0.4])
def test_losses_are_those_of_the_formulas_and_come_in_two_updates(
    through: bool, real_pairs: bool, moments: float, batch: Batch
) -> None:
    objective = toy(**WEIGHTS, through=through, real_pairs=real_pairs, moments=moments)
    wanted = by_hand(batch, objective)
    asked = list(objective.step(batch))
    assert [list(losses) for losses in asked] == [["generators"], ["critics"]]
    torch.testing.assert_close(asked[0]["generators"], wanted["down"] + wanted["up"])
    torch.testing.assert_close(asked[1]["critics"], wanted["critic_lr"] + wanted["critic_hr"])
    names = {f"{role}_{term}" for role in ("h2l", "l2h") for term in ("pixel", "adversarial")}
    names |= {"h2l_moments"} if moments else set()
    assert set(objective.parts) == names | {"critic_lr", "critic_hr"}
    down = sum(part for name, part in objective.parts.items() if name.startswith("h2l"))
    torch.testing.assert_close(down, wanted["down"])


@pytest.mark.parametrize("through", [True, False])
def test_each_network_steps_down_its_own_losses_and_h2l_down_that_of_sr_if_it_flows_through(
    through: bool, batch: Batch
) -> None:
    objective = toy(**WEIGHTS, through=through)
    weights: dict[str, Any] = {role: network.weight for role, network in objective.networks.items()}
    losses = by_hand(batch, objective)
    reached = {
        "h2l": ["down", "up"] if through else ["down"],
        "l2h": ["up"],
        "critic_lr": ["critic_lr"],
        "critic_hr": ["critic_hr"],
    }
    expected = {}
    for role, names in reached.items():
        total = torch.stack([losses[name] for name in names]).sum()
        (gradient,) = torch.autograd.grad(total, [weights[role]], retain_graph=True)
        expected[role] = weights[role].item() - 0.1 * gradient.item()
    steps = SRDGAN.optimisers(objective.config)
    optimisers = {
        name: Clipped(torch.optim.SGD([weights[role] for role in roles], lr=0.1)) for name, roles in steps.items()
    }
    before = {role: weight.item() for role, weight in weights.items()}
    critics = []
    for asked in objective.step(batch):
        critics.append([weights[role].item() == before[role] for role in ("critic_lr", "critic_hr")])
        apply_update([asked], optimisers, Ranks())
    assert critics == [[True, True], [True, True]]  # untouched by the first update
    for role, weight in weights.items():  # critics, too, are stepped by what was made before the first update
        assert weight.item() == pytest.approx(expected[role], rel=1e-5), role
        assert weight.item() != before[role]


def test_one_forward_pass_of_each_network_serves_all(batch: Batch) -> None:
    objective = toy()
    list(objective.step(batch))
    networks: dict[str, Any] = dict(objective.networks)
    assert [len(networks[role].seen) for role in ("h2l", "l2h")] == [1, 1]
    assert networks["l2h"].seen[0].shape == (4, 3, 4, 4)  # made LR, then the pairs' own
    assert torch.equal(networks["l2h"].seen[0][2:], batch.lr)  # type: ignore[arg-type]
    assert not networks["critic_hr"].seen[-1].requires_grad


def test_without_unpaired_lr_the_pairs_lr_is_real(batch: Batch) -> None:
    objective = toy()
    list(objective.step(Batch(batch.lr, batch.hr, batch.pairs, None, batch.keys)))
    shown: Any = objective.networks["critic_lr"]
    assert torch.equal(shown.seen[0], batch.lr)  # type: ignore[arg-type]


def test_perceptual_terms_compare_lr_with_lr_and_sr_with_hr(tmp_path: Path) -> None:
    kernel, file = torch.randn(64, 3, 3, 3), tmp_path / "vgg19.safetensors"
    save_file({"features.0.weight": kernel, "features.0.bias": torch.randn(64)}, file)
    random = torch.Generator().manual_seed(0)
    hr, lr = (torch.rand(1, 3, side, side, generator=random) for side in (32, 16))
    config = SRDGANConfig(
        TermsConfig(0.0, 2.0, 0.1), TermsConfig(0.0, 3.0, 0.1), real_pairs=False,
        features=PerceptualConfig(("conv1_1",), normalisation="raw01"),
    )  # fmt: skip
    networks = {"h2l": Decimate(1.0), "l2h": Repeat(1.0), "critic_lr": Mean(1.0), "critic_hr": Mean(1.0)}
    objective = SRDGAN(config, networks, vgg_weights=file)
    next(objective.step(Batch(lr, hr, (0,), None, (7,))))
    made = (hr + noise_beside(hr, NOISE, (7,))[0])[:, :, ::2, ::2]
    sr = made.repeat_interleave(2, 2).repeat_interleave(2, 3)
    for name, weight, difference in (("h2l", 2.0, made - lr), ("l2h", 3.0, sr - hr)):
        expected = weight * F.conv2d(difference, kernel, padding=1).abs().mean()  # the bias cancels
        torch.testing.assert_close(objective.parts[f"{name}_perceptual"], expected, rtol=1e-4, atol=1e-5)


def test_missing_features_are_told_before_anything_is_built(tmp_path: Path) -> None:
    missing = tmp_path / "vgg19.pth"
    with pytest.raises(WeightsMissingError, match="vgg19"):
        SRDGAN.check(SRDGANConfig(l2h=TermsConfig(perceptual=1.0)), vgg_weights=missing)
    SRDGAN.check(SRDGANConfig(), vgg_weights=missing)


@pytest.mark.parametrize("change", [{"colour": "y"}, {"inputs": (ReferenceInput("a real LR patch"),)}])
def test_an_h2l_that_wants_more_than_hr_and_noise_or_works_on_luma_is_refused(change: dict[str, object]) -> None:
    h2l: Any = Decimate(1.0)
    vars(h2l).update(change)
    with pytest.raises(PresetError, match=r"networks\.h2l: Decimate wants more than .* - use h2l"):
        SRDGAN(SRDGANConfig(), {"h2l": h2l})


@pytest.mark.parametrize("weights", [(-1.0, 1.0, 1.0), (0.0, 0.0, 1.0), (1.0, 1.0, 0.0)])
def test_weights_that_leave_a_network_without_a_loss_are_refused(weights: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="expected adversarial > 0"):
        TermsConfig(*weights)
