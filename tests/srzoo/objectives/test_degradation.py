from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from degrade.card import NoiseInput, ReferenceInput
from srzoo.data import Batch
from srzoo.errors import PresetError, WeightsMissingError
from srzoo.losses import PerceptualConfig, noise_moments
from srzoo.objectives.degradation import Degradation, DegradationConfig
from srzoo.tensors import luma
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.update import Clipped, apply_update


class Decimate(nn.Module):
    """A degrader of scale 2: weight times the upper left pixel of each four, and of the noise there."""

    colour, scale = "rgb", 2

    def __init__(self, weight: float = 1.0, sigma: float | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([weight]))
        self.inputs = () if sigma is None else (NoiseInput(3, sigma),)
        self.seen: list[tuple[Tensor, ...]] = []

    def forward(self, *given: Tensor) -> Tensor:
        self.seen.append(given)
        return self.weight * torch.stack(given).sum(0)[:, :, ::2, ::2]


class Luma(Decimate):
    """Of scale 1, on luma."""

    colour, scale = "y", 1

    def forward(self, *given: Tensor) -> Tensor:
        self.seen.append(given)
        return self.weight * given[0]


class Mean(nn.Module):
    """A critic: weight times the mean of each picture."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([weight]))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return (self.weight * x).mean((1, 2, 3))[:, None]


def batch(lr: float = 0.5, hr: float = 0.75, real: float | None = None, *, scale: int = 2) -> Batch:
    real_lr = None if real is None else torch.full((2, 3, 4, 4), real)
    return Batch(torch.full((2, 3, 4, 4), lr), torch.full((2, 3, 4 * scale, 4 * scale), hr), (0, 1), real_lr, (7, 8))


def toy(degrader: nn.Module | None = None, **config: object) -> Degradation:
    networks = {"degrader": degrader or Decimate(), "critic": Mean(2.0)}
    return Degradation(DegradationConfig(**config), networks)  # type: ignore[arg-type]


def logistic(x: float) -> float:
    return float(-nn.functional.logsigmoid(torch.tensor(x, dtype=torch.float64)))


@pytest.mark.parametrize(("distance", "expected"), [("l1", 0.25), ("mse", 0.0625)])
def test_made_lr_is_compared_with_the_paired_lr(distance: str, expected: float) -> None:
    objective = toy(pixel=2.0, pixel_distance=distance)
    asked = list(objective.step(batch(real=0.1)))
    assert [list(losses) for losses in asked] == [["degrader"]]
    assert asked[0]["degrader"].item() == pytest.approx(2 * expected)
    assert objective.parts["pixel"].item() == pytest.approx(2 * expected)


def test_the_border_is_left_off_the_pixel_term_alone() -> None:
    data = batch()
    assert data.lr is not None
    data.lr[:, :, 1:-1, 1:-1] = 0.7
    objective = toy(pixel_distance="l1", border=1, adversarial=1.0)
    loss = next(objective.step(data))["degrader"].item()
    assert loss == pytest.approx(0.05 + logistic(2 * 0.75), rel=1e-5)
    assert objective.networks["critic"].seen[-1].shape == (2, 3, 4, 4)  # type: ignore[index,union-attr]


@pytest.mark.parametrize(("real", "shown"), [(None, 0.5), (0.1, 0.1)])
def test_the_critic_takes_unpaired_lr_for_real_and_the_paired_one_without(real: float | None, shown: float) -> None:
    objective = toy(pixel=1.0, pixel_distance="l1", adversarial=0.5)
    asked = list(objective.step(batch(real=real)))
    assert [list(losses) for losses in asked] == [["degrader"], ["critic"]]
    assert asked[0]["degrader"].item() == pytest.approx(0.25 + 0.5 * logistic(2 * 0.75), rel=1e-5)
    assert asked[1]["critic"].item() == pytest.approx(logistic(2 * shown) + logistic(-2 * 0.75), rel=1e-5)
    assert set(objective.parts) == {"pixel", "adversarial", "critic"}


def test_the_noise_of_made_lr_is_compared_with_that_of_the_pairs() -> None:
    objective, data = toy(pixel=1.0, moments=0.3), batch()
    assert data.hr is not None
    assert data.lr is not None
    loss = next(objective.step(data))["degrader"]
    made = data.hr[:, :, ::2, ::2]
    assert objective.parts["moments"] == 0.3 * noise_moments(made, data.lr, data.hr, {})
    assert loss == objective.parts["pixel"] + objective.parts["moments"]


def test_relativistic_terms_compare_with_unpaired_lr() -> None:
    asked = list(toy(pixel=1e-9, adversarial=1.0, gan="relativistic", half=True).step(batch(real=0.1)))
    real, fake = 2 * 0.1, 2 * 0.75
    degrader = 0.5 * (logistic(-(real - fake)) + logistic(fake - real))
    critic = 0.5 * (logistic(real - fake) + logistic(-(fake - real)))
    assert asked[0]["degrader"].item() == pytest.approx(degrader, rel=1e-5)
    assert asked[1]["critic"].item() == pytest.approx(critic, rel=1e-5)


def test_a_degrader_of_luma_is_given_luma_and_its_critic_gray_rgb() -> None:
    torch.manual_seed(0)
    hr, lr, real = (torch.rand(2, 3, 4, 4) for _ in range(3))
    objective = toy(Luma(0.5), pixel=1.0, adversarial=1.0)
    asked = list(objective.step(Batch(lr, hr, (0, 1), real, (7, 8))))
    made = 0.5 * luma(hr)
    fake, wanted = 2 * made.mean((1, 2, 3)), 2 * luma(real).mean((1, 2, 3))
    pixel = (made - luma(lr)).square().mean().item()
    softplus = nn.functional.softplus
    assert asked[0]["degrader"].item() == pytest.approx(pixel + softplus(-fake).mean().item(), rel=1e-5)
    assert asked[1]["critic"].item() == pytest.approx((softplus(-wanted) + softplus(fake)).mean().item(), rel=1e-5)
    for seen in objective.networks["critic"].seen:  # type: ignore[union-attr]
        assert torch.equal(seen[:, :1].expand(-1, 3, -1, -1), seen)


def test_noise_belongs_to_the_sample_and_has_its_sigma() -> None:
    objective = toy(Decimate(sigma=0.05))
    hr = torch.rand(2, 3, 64, 64)
    lr = torch.rand(2, 3, 32, 32)
    list(objective.step(Batch(lr, hr, (0, 1), None, (7, 8))))
    list(objective.step(Batch(lr[1:], hr[1:], (1,), None, (8,))))
    (_, noise), (_, alone) = objective.networks["degrader"].seen  # type: ignore[union-attr]
    assert noise.shape == hr.shape
    assert torch.equal(noise[1:], alone)
    assert not torch.equal(noise[0], noise[1])
    assert noise.std().item() == pytest.approx(0.05, rel=0.05)  # 4 sigma at 12,288 values
    assert abs(noise.mean().item()) < 0.002


def test_the_critic_sees_the_fake_made_before_the_degraders_update_without_its_graph() -> None:
    objective = toy(pixel=1.0, adversarial=0.5)
    degrader, critic = objective.networks["degrader"], objective.networks["critic"]
    optimisers = {
        role: Clipped(torch.optim.SGD(network.parameters(), lr=1.0)) for role, network in objective.networks.items()
    }
    weights = []
    for losses in objective.step(batch(real=0.1)):
        apply_update([losses], optimisers, Ranks())
        weights.append((degrader.weight.item(), critic.weight.item()))  # type: ignore[union-attr]
    assert weights[0][0] != 1.0
    assert weights[0][1] == 2.0
    assert weights[1][0] == weights[0][0]
    assert weights[1][1] != 2.0
    assert torch.equal(critic.seen[-1], torch.full((2, 3, 4, 4), 0.75))  # type: ignore[index]
    assert not critic.seen[-1].requires_grad  # type: ignore[index,union-attr]


def test_the_perceptual_term_compares_with_the_paired_lr(tmp_path: Path) -> None:
    kernel, bias = torch.randn(64, 3, 3, 3), torch.randn(64)
    file = tmp_path / "vgg19.safetensors"
    save_file({"features.0.weight": kernel, "features.0.bias": bias}, file)
    features = PerceptualConfig(layers=("conv1_1",), normalisation="raw01")
    config = DegradationConfig(pixel=0.0, perceptual=3.0, features=features)
    data = Batch(torch.rand(2, 3, 16, 16), torch.rand(2, 3, 32, 32), (0, 1), torch.rand(2, 3, 16, 16), (7, 8))
    loss = next(Degradation(config, {"degrader": Decimate(0.5)}, vgg_weights=file).step(data))["degrader"]
    assert data.lr is not None
    assert data.hr is not None
    difference = nn.functional.conv2d(0.5 * data.hr[:, :, ::2, ::2] - data.lr, kernel, padding=1)
    assert loss.item() == pytest.approx(3 * difference.abs().mean().item(), rel=1e-4)


def test_missing_features_are_told_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match="vgg19"):
        Degradation.check(DegradationConfig(perceptual=1.0), vgg_weights=tmp_path / "vgg19.pth")
    Degradation.check(DegradationConfig(), vgg_weights=None)


def test_a_degrader_that_wants_a_reference_is_refused() -> None:
    degrader = Decimate()
    degrader.inputs = (ReferenceInput("a real LR patch"),)  # type: ignore[assignment]
    with pytest.raises(PresetError, match="Decimate wants a reference beside HR - use a degrader that takes HR"):
        toy(degrader)


def test_each_network_that_the_weights_train_has_an_optimiser() -> None:
    alone, judged = DegradationConfig(), DegradationConfig(adversarial=0.1)
    assert Degradation.optimisers(alone) == {"degrader": ("degrader",)}
    assert Degradation.optimisers(judged) == {"degrader": ("degrader",), "critic": ("critic",)}


@pytest.mark.parametrize(
    "change", [{"moments": -1.0}, {"pixel": -1.0}, {"pixel": 0.0, "adversarial": 1.0}, {"border": -1}]
)
def test_settings_that_train_nothing_sensible_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        DegradationConfig(**change)  # type: ignore[arg-type]
