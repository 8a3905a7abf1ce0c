"""DSGAN's losses against plain sums, its critic's crops, and who learns from what."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from degrade.card import ReferenceInput
from srzoo.data import Batch
from srzoo.discriminators.high_pass import HighPassCritic, HighPassCriticConfig
from srzoo.errors import PresetError, WeightsMissingError
from srzoo.features.lpips import LPIPS
from srzoo.features.lpips_trunks import TRUNKS, Trunk
from srzoo.losses import PerceptualConfig
from srzoo.objectives import dsgan
from srzoo.objectives.dsgan import DSGAN, DSGANConfig
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.update import Clipped, apply_update


class Gain(nn.Module):
    """A degrader: weight times the picture."""

    colour, scale, inputs = "rgb", 1, ()

    def __init__(self, weight: float = 0.5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x


class Mean(nn.Module):
    """A critic: weight times the mean of each picture."""

    def __init__(self, weight: float = 2.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return (self.weight * x).mean((1, 2, 3))[:, None]


def batch(side: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(0)
    lr, real = (torch.rand((2, 3, side, side), generator=generator) for _ in range(2))
    return Batch(lr, None, (0, 1), real, (7, 8))


def toy(*, vgg_weights: Path | None = None, **config: object) -> DSGAN:
    settings = DSGANConfig(**{"lpips": 0.0, **config})  # type: ignore[arg-type]
    return DSGAN(settings, {"degrader": Gain(), "critic": Mean()}, vgg_weights=vgg_weights)


def softplus(x: Tensor) -> float:
    return nn.functional.softplus(x.double()).mean().item()


def test_colour_is_l1_of_means_over_whole_windows_of_five() -> None:
    data, objective = batch(), toy(colour=2.0)
    list(objective.step(data))
    assert data.lr is not None
    change = (0.5 * data.lr - data.lr).double()
    total = sum(
        change[:, :, y : y + 5, x : x + 5].mean((2, 3)).abs().mean().item() for y in range(12) for x in range(12)
    )
    assert objective.parts["colour"].item() == pytest.approx(2 * total / 144, rel=1e-5)


def test_the_critic_judges_crops_of_real_photographs_and_the_degrader_tries_to_pass() -> None:
    data, objective = batch(), toy(adversarial=0.25)
    (asked,) = objective.step(data)
    assert set(asked) == {"degrader", "critic"}
    assert data.lr is not None
    assert data.real_lr is not None
    fake, real = (2 * picture.mean((1, 2, 3)) for picture in (0.5 * data.lr, data.real_lr))
    assert objective.parts["adversarial"].item() == pytest.approx(0.25 * softplus(-fake), rel=1e-5)
    assert asked["critic"].item() == pytest.approx(softplus(-real) + softplus(fake), rel=1e-5)
    total = objective.parts["colour"] + objective.parts["adversarial"]
    assert asked["degrader"].item() == pytest.approx(total.item(), rel=1e-6)
    assert len(objective.networks["critic"].seen) == 2  # type: ignore[arg-type]  one pass over each serves both losses


def test_its_critic_sees_no_low_frequencies() -> None:
    torch.manual_seed(0)
    critic = HighPassCritic(HighPassCriticConfig(features=4)).eval()
    picture = 0.5 * torch.rand(1, 3, 12, 12)
    torch.testing.assert_close(critic(picture + 0.4), critic(picture), atol=1e-5, rtol=1e-4)


def test_both_are_updated_at_once_each_by_its_own_loss() -> None:
    objective = toy(colour=1e-9, adversarial=1.0)
    degrader, critic = objective.networks["degrader"], objective.networks["critic"]
    optimisers = {
        role: Clipped(torch.optim.SGD(network.parameters(), lr=1.0)) for role, network in objective.networks.items()
    }
    data = batch()
    assert data.lr is not None
    assert data.real_lr is not None
    for losses in objective.step(data):
        apply_update([losses], optimisers, Ranks())
    made, real = data.lr.double().mean((1, 2, 3)), data.real_lr.double().mean((1, 2, 3))
    sigmoid = torch.sigmoid
    to_degrader = (-sigmoid(-2 * 0.5 * made) * 2 * made).mean().item()
    to_critic = (-sigmoid(-2 * real) * real + sigmoid(2 * 0.5 * made) * 0.5 * made).mean().item()
    assert degrader.weight.item() == pytest.approx(0.5 - to_degrader, rel=1e-4)  # type: ignore[union-attr]
    assert critic.weight.item() == pytest.approx(2 - to_critic, rel=1e-4)  # type: ignore[union-attr]


def test_lpips_compares_with_bicubic_lr(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    distance = LPIPS(Trunk("alex"), [torch.rand(channels) for channels in TRUNKS["alex"].channels])
    asked = []
    monkeypatch.setattr(dsgan, "load_lpips", lambda net: asked.append(net) or distance)
    data = batch(64)
    objective = toy(lpips=0.01)
    list(objective.step(data))
    assert asked == ["alex"]
    assert data.lr is not None
    expected = 0.01 * distance(0.5 * data.lr, data.lr).mean().item()
    assert objective.parts["lpips"].item() == pytest.approx(expected, rel=1e-5)


def test_vgg19_may_take_the_place_of_lpips(tmp_path: Path) -> None:
    kernel, bias = torch.randn(64, 3, 3, 3), torch.randn(64)
    save_file({"features.0.weight": kernel, "features.0.bias": bias}, tmp_path / "vgg19.safetensors")
    features = PerceptualConfig(("conv1_1",), (), "raw01", "l1")
    data = batch()
    objective = toy(perceptual=3.0, features=features, vgg_weights=tmp_path / "vgg19.safetensors")
    list(objective.step(data))
    assert data.lr is not None
    expected = 3 * nn.functional.conv2d(0.5 * data.lr, kernel, padding=1).abs().mean().item()
    assert objective.parts["perceptual"].item() == pytest.approx(expected, rel=1e-4)


def test_missing_features_are_told_before_anything_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(net: str) -> None:
        raise WeightsMissingError("LPIPS", f"no weights of {net}", "fetch them")

    monkeypatch.setattr(dsgan, "load_lpips", missing)
    with pytest.raises(WeightsMissingError, match="no weights of squeeze"):
        DSGAN.check(DSGANConfig(lpips_net="squeeze"), vgg_weights=None)
    with pytest.raises(WeightsMissingError, match="vgg19"):
        DSGAN.check(DSGANConfig(lpips=0.0, perceptual=1.0), vgg_weights=tmp_path / "vgg19.pth")
    DSGAN.check(DSGANConfig(lpips=0.0), vgg_weights=None)


def test_a_degrader_that_is_not_of_lr_alone_is_refused() -> None:
    degrader = Gain()
    degrader.inputs = (ReferenceInput("a real LR picture"),)  # type: ignore[assignment]
    with pytest.raises(PresetError, match=r"Gain does not take a picture alone.* - use dsgan or cycle_generator"):
        DSGAN(DSGANConfig(lpips=0.0), {"degrader": degrader, "critic": Mean()})


@pytest.mark.parametrize("change", [{"colour": 0.0}, {"adversarial": 0.0}, {"lpips": -1.0}, {"window": 4}])
def test_settings_that_train_nothing_sensible_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        DSGANConfig(**change)  # type: ignore[arg-type]
