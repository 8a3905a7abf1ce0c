"""CycleGAN's losses against numbers worked out by hand, and who learns from what."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from degrade.card import NoiseInput
from srzoo.data import Batch
from srzoo.data.image_pool import chance
from srzoo.errors import PresetError, WeightsMissingError
from srzoo.losses import PerceptualConfig
from srzoo.objectives.cyclegan import CycleGAN, CycleGANConfig, SRConfig
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.update import Clipped, apply_update

CLEAN, REAL, HR = 0.5, 0.25, 0.75


class Gain(nn.Module):
    """A translator: weight times the picture, or an enlarger of `scale`."""

    colour, scale, inputs = "rgb", 1, ()

    def __init__(self, weight: float, enlarge: int = 1) -> None:
        super().__init__()
        self.weight, self.enlarge = nn.Parameter(torch.tensor(weight)), enlarge
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return self.weight * x.repeat_interleave(self.enlarge, 2).repeat_interleave(self.enlarge, 3)


class Mean(nn.Module):
    """A critic: weight times the mean of each picture."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return (self.weight * x).mean((1, 2, 3))[:, None]


def batch(keys: tuple[int, ...] = (7, 8)) -> Batch:
    rows = len(keys)
    return Batch(
        torch.full((rows, 3, 4, 4), CLEAN),
        torch.full((rows, 3, 8, 8), HR),
        tuple(range(rows)),
        torch.full((rows, 3, 4, 4), REAL),
        keys,
    )


def toy(*, sr: SRConfig | None = None, vgg_weights: Path | None = None, **config: object) -> CycleGAN:
    networks: dict[str, nn.Module] = {
        "degrader": Gain(0.8),
        "restorer": Gain(1.5),
        "critic_real": Mean(2.0),
        "critic_clean": Mean(3.0),
    }
    if sr is not None:
        networks |= {"generator": Gain(1.2, 2), "critic": Mean(0.5)}
    return CycleGAN(CycleGANConfig(sr=sr, **config), networks, vgg_weights=vgg_weights)  # type: ignore[arg-type]


def softplus(x: float) -> float:
    return float(nn.functional.softplus(torch.tensor(x, dtype=torch.float64)))


def test_the_translators_minimise_the_printed_sum() -> None:
    objective = toy()
    loss = next(objective.step(batch()))["translators"].item()
    like_real, like_clean = 0.8 * CLEAN, 1.5 * REAL
    adversarial = (2 * like_real - 1) ** 2 + (3 * like_clean - 1) ** 2
    cycle = abs(1.5 * like_real - CLEAN) + abs(0.8 * like_clean - REAL)
    identity = abs(0.8 * REAL - REAL) + abs(1.5 * CLEAN - CLEAN)
    assert loss == pytest.approx(adversarial + 10 * 2 * cycle + 5 * 2 * identity, rel=1e-5)  # 2: of [-1, 1]
    assert objective.parts["cycle"].item() == pytest.approx(20 * cycle, rel=1e-5)
    assert objective.parts["identity"].item() == pytest.approx(10 * identity, rel=1e-5)


@pytest.mark.parametrize("half", [True, False])
def test_the_critics_minimise_least_squares(half: bool) -> None:
    objective = toy(half=half)
    asked = list(objective.step(batch()))
    assert [list(losses) for losses in asked] == [["translators"], ["critics"]]
    real = (2 * REAL - 1) ** 2 + (2 * 0.8 * CLEAN) ** 2
    clean = (3 * CLEAN - 1) ** 2 + (3 * 1.5 * REAL) ** 2
    assert asked[1]["critics"].item() == pytest.approx((real + clean) * (0.5 if half else 1), rel=1e-5)


def test_the_paper_prints_a_gan_of_logarithms() -> None:
    asked = list(toy(gan="standard", half=False, cycle=0.0, identity=0.0).step(batch()))
    like_real, like_clean = 0.8 * CLEAN, 1.5 * REAL
    assert asked[0]["translators"].item() == pytest.approx(softplus(-2 * like_real) + softplus(-3 * like_clean))
    critics = softplus(-2 * REAL) + softplus(2 * like_real) + softplus(-3 * CLEAN) + softplus(3 * like_clean)
    assert asked[1]["critics"].item() == pytest.approx(critics)


def test_terms_without_weight_take_no_pass() -> None:
    objective = toy(identity=0.0, cycle=0.0)
    next(objective.step(batch()))
    assert set(objective.parts) == {"adversarial_real", "adversarial_clean"}
    assert len(objective.networks["degrader"].seen) == 1  # type: ignore[arg-type]


def test_each_critic_is_shown_from_its_own_pool_of_fifty() -> None:
    objective = toy()
    assert objective.config.pool == 50
    degrader, critic = objective.networks["degrader"], objective.networks["critic_real"]
    made = []
    for step in range(60):
        degrader.weight.data.fill_(step / 100)  # type: ignore[union-attr]
        made.append(degrader.weight.item() * CLEAN)  # type: ignore[union-attr]
        for _ in objective.step(batch((1000 + step,))):
            pass
        shown = critic.seen[-1].unique().item()  # type: ignore[index]
        assert shown in (pytest.approx(one) for one in made)
        assert step >= 50 or shown == pytest.approx(made[-1])
    assert {name: tuple(pool.shape) for name, pool in objective.state.items()} == {
        "critic_real": (50, 3, 4, 4),
        "critic_clean": (50, 3, 4, 4),
    }
    kept = objective.state["critic_real"][:, 0, 0, 0]
    assert not torch.equal(kept, torch.tensor(made[:50]))
    assert not torch.equal(objective.state["critic_clean"], objective.state["critic_real"])


def test_going_on_with_a_saved_pool_shows_the_same() -> None:
    one, other = toy(pool=3), toy(pool=3)
    for step in range(9):
        list(one.step(batch((step, 100 + step))))
    other.state = {name: pool.clone() for name, pool in one.state.items()}
    for step in range(9, 15):
        keys = (step, 100 + step)
        losses = [[losses["critics"] for losses in list(objective.step(batch(keys)))[1:]] for objective in (one, other)]
        assert torch.equal(losses[0][0], losses[1][0])
    assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)


def test_translators_are_updated_first_and_nobody_by_anothers_loss() -> None:
    objective = toy(sr=SRConfig(mix=0.0, pixel=1.0, perceptual=0.0, adversarial=0.1))
    optimisers = {
        name: Clipped(torch.optim.SGD([objective.networks[role].weight for role in roles], lr=0.01))  # type: ignore[misc]
        for name, roles in objective.optimisers(objective.config).items()
    }
    weights = [{role: network.weight.item() for role, network in objective.networks.items()}]  # type: ignore[union-attr]
    for losses in objective.step(batch()):
        apply_update([losses], optimisers, Ranks())
        weights.append({role: network.weight.item() for role, network in objective.networks.items()})  # type: ignore[union-attr]
    moved = [{role for role in before if before[role] != after[role]} for before, after in itertools.pairwise(weights)]
    assert moved == [{"degrader", "restorer", "generator"}, {"critic_real", "critic_clean", "critic"}]
    alone = toy()
    loss = next(alone.step(batch()))["translators"]
    gradient = torch.autograd.grad(loss, alone.networks["degrader"].weight)[0].item()  # type: ignore[arg-type]
    assert weights[1]["degrader"] == pytest.approx(0.8 - 0.01 * gradient)  # none of it comes from the SR loss


def test_sr_is_trained_on_what_the_degrader_makes_or_on_bicubic_lr_by_chance() -> None:
    objective = toy(sr=SRConfig(mix=0.5, pixel=1.0, pixel_distance="l1", perceptual=0.0, adversarial=0.0))
    keys = tuple(range(64))
    asked = list(objective.step(batch(keys)))
    assert [list(losses) for losses in asked] == [["translators", "generator"], ["critics"]]
    lr = objective.networks["generator"].seen[0]  # type: ignore[index]
    assert not lr.requires_grad
    for row, key in zip(lr, keys, strict=True):
        assert row.unique().item() == pytest.approx(CLEAN if chance(key, "mix") < 0.5 else 0.8 * CLEAN)
    share = (lr[:, 0, 0, 0] == CLEAN).float().mean().item()
    assert 0.25 < share < 0.75  # 4 sigma
    expected = share * abs(1.2 * CLEAN - HR) + (1 - share) * abs(1.2 * 0.8 * CLEAN - HR)
    assert asked[0]["generator"].item() == pytest.approx(expected, rel=1e-5)


def test_srs_critic_judges_hr_against_sr() -> None:
    objective = toy(sr=SRConfig(mix=0.0, pixel=0.5, perceptual=0.0, adversarial=0.25, half=True))
    asked = list(objective.step(batch()))
    sr = 1.2 * 0.8 * CLEAN
    wanted = 0.5 * (sr - HR) ** 2 + 0.25 * softplus(-0.5 * sr)
    assert asked[0]["generator"].item() == pytest.approx(wanted, rel=1e-5)
    assert asked[1]["critic"].item() == pytest.approx(0.5 * (softplus(-0.5 * HR) + softplus(0.5 * sr)), rel=1e-5)
    assert (objective.upscaler, objective.products) == ("generator", ("degrader", "generator"))
    assert (toy().upscaler, toy().products) == (None, ("degrader",))


def test_srs_perceptual_term_compares_with_hr(tmp_path: Path) -> None:
    kernel, bias = torch.randn(64, 3, 3, 3), torch.randn(64)
    save_file({"features.0.weight": kernel, "features.0.bias": bias}, tmp_path / "vgg19.safetensors")
    features = PerceptualConfig(("conv1_1",), (), "raw01", "mse")
    objective = toy(
        sr=SRConfig(mix=0.0, perceptual=3.0, features=features, adversarial=0.0),
        vgg_weights=tmp_path / "vgg19.safetensors",
    )
    lr, hr, real = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 16, 16), torch.rand(2, 3, 8, 8)
    loss = next(objective.step(Batch(lr, hr, (0, 1), real, (7, 8))))["generator"].item()
    sr = 1.2 * 0.8 * lr.repeat_interleave(2, 2).repeat_interleave(2, 3)
    expected = nn.functional.conv2d(sr - hr, kernel, padding=1).square().mean().item()
    assert loss == pytest.approx(3 * expected, rel=1e-4)


def test_one_optimiser_steps_both_translators_and_one_both_critics() -> None:
    plain = {"translators": ("degrader", "restorer"), "critics": ("critic_real", "critic_clean")}
    assert CycleGAN.optimisers(CycleGANConfig()) == plain
    joint = CycleGANConfig(sr=SRConfig())
    assert CycleGAN.optimisers(joint) == {**plain, "generator": ("generator",), "critic": ("critic",)}
    assert CycleGAN.optimisers(CycleGANConfig(sr=SRConfig(adversarial=0.0))) == CycleGAN.optimisers(joint)


def test_missing_features_are_told_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match="vgg19"):
        CycleGAN.check(CycleGANConfig(sr=SRConfig()), vgg_weights=tmp_path / "vgg19.pth")
    CycleGAN.check(CycleGANConfig(), vgg_weights=None)


@pytest.mark.parametrize("change", [{"scale": 4}, {"inputs": (NoiseInput(3, 0.1),)}, {"colour": "y"}])
def test_a_degrader_that_is_not_of_lr_alone_is_refused(change: dict[str, object]) -> None:
    degrader = Gain(1.0)
    for name, value in change.items():
        setattr(degrader, name, value)
    networks = {"degrader": degrader, "restorer": Gain(1.0), "critic_real": Mean(1.0), "critic_clean": Mean(1.0)}
    with pytest.raises(PresetError, match=r"Gain does not take a picture alone.* - use cycle_generator or dsgan"):
        CycleGAN(CycleGANConfig(), networks)


@pytest.mark.parametrize("change", [{"cycle": -1.0}, {"identity": -1.0}, {"pool": -1}])
def test_impossible_settings_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        CycleGANConfig(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"mix": 1.5}, {"pixel": -1.0}, {"perceptual": 0.0}])
def test_impossible_sr_settings_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        SRConfig(**change)  # type: ignore[arg-type]
