"""DDNSR's four losses against plain sums, the one forward pass, and the ablations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.card import NoiseInput, ReferenceInput
from srzoo.data import Batch
from srzoo.errors import PresetError, WeightsMissingError
from srzoo.losses import PerceptualConfig
from srzoo.objectives.ddnsr import DDNSR, DDNSRConfig, SRConfig
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.update import Clipped, apply_update

FEATURES = PerceptualConfig(("conv1_1",), (), "raw01", "mse")
NO_SR = SRConfig(perceptual=0.0, adversarial=0.0, pixel=1.0, pixel_distance="mse")


class Down(nn.Module):
    """A degrader of scale 2: weight times the means of 2 x 2, and a tenth of the reference."""

    colour, scale, inputs = "rgb", 2, (ReferenceInput("a real LR picture"),)

    def __init__(self, weight: float = 0.8) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, image: Tensor, reference: Tensor) -> Tensor:
        self.seen.append((image, reference))
        return self.weight * F.avg_pool2d(image, 2) + 0.1 * reference


class Up(nn.Module):
    """An SR generator: weight times the picture, each pixel twice."""

    def __init__(self, weight: float = 1.5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return self.weight * twice(x)


class Mean(nn.Module):
    """A critic: weight times the mean of each picture."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return (self.weight * x).mean((1, 2, 3))[:, None]


def twice(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


@pytest.fixture
def kernel() -> Tensor:
    return torch.randn((64, 3, 3, 3), generator=torch.Generator().manual_seed(3)) / 5


@pytest.fixture
def vgg(kernel: Tensor, tmp_path: Path) -> Path:
    """A VGG19 of one layer without bias."""
    file = tmp_path / "vgg19.safetensors"
    save_file({"features.0.weight": kernel, "features.0.bias": torch.zeros(64)}, file)
    return file


@pytest.fixture
def data() -> Batch:
    generator = torch.Generator().manual_seed(0)
    hr, real = (torch.rand((2, 3, side, side), generator=generator) for side in (32, 16))
    return Batch(None, hr, (0, 1), real, (7, 8))


def toy(vgg: Path | None = None, **config: object) -> DDNSR:
    settings = DDNSRConfig(**{"content_features": FEATURES, "cycle_features": FEATURES, **config})  # type: ignore[arg-type]
    networks = {"degrader": Down(), "generator": Up(), "critic_lr": Mean(2.0), "critic_hr": Mean(3.0)}
    return DDNSR(settings, networks, vgg_weights=vgg)


def features_differ(kernel: Tensor, one: Tensor, other: Tensor) -> float:
    return F.conv2d(one - other, kernel, padding=1).square().mean().item()


def softplus(x: Tensor) -> float:
    return F.softplus(x.double()).mean().item()


def pictures(data: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """HR, real LR, made LR and SR of it, by the toys' own sums."""
    assert data.hr is not None
    assert data.real_lr is not None
    made = 0.8 * F.avg_pool2d(data.hr, 2) + 0.1 * data.real_lr
    return data.hr, data.real_lr, made, 1.5 * twice(made)


def test_the_degrader_minimises_equations_3_to_6(vgg: Path, kernel: Tensor, data: Batch) -> None:
    objective = toy(vgg, sr=NO_SR)
    (asked,) = objective.step(data)
    hr, real, made, _ = pictures(data)
    again = 0.8 * F.avg_pool2d(1.5 * twice(real), 2) + 0.1 * real  # enlarged, and degraded with itself for reference
    parts = {
        "content": 0.1 * features_differ(kernel, made, F.avg_pool2d(hr, 2)),
        "adversarial_lr": softplus(-2 * made.mean((1, 2, 3))),
        "cycle": 10 * features_differ(kernel, again, real),
    }
    for name, expected in parts.items():
        assert objective.parts[name].item() == pytest.approx(expected, rel=1e-4), name
    assert asked["degrader"].item() == pytest.approx(sum(parts.values()), rel=1e-4)
    critic = softplus(-2 * real.mean((1, 2, 3))) + softplus(2 * made.mean((1, 2, 3)))  # a sum, as in the code
    assert asked["critic_lr"].item() == pytest.approx(critic, rel=1e-5)


@pytest.mark.parametrize("half", [False, True])
def test_the_generator_minimises_esrgans_loss(half: bool, vgg: Path, kernel: Tensor, data: Batch) -> None:
    sr_config = SRConfig(features=FEATURES, half=half)
    (asked,) = toy(vgg, content=0.0, cycle=0.0, sr=sr_config).step(data)
    hr, _, _, sr = pictures(data)
    real, fake = (3 * picture.mean((1, 2, 3)) for picture in (hr, sr))
    share = 0.5 if half else 1.0
    relativistic = share * (softplus(real - fake.mean()) + softplus(-(fake - real.mean())))
    pixel = (sr - hr).abs().mean().item()
    expected = features_differ(kernel, sr, hr) + 0.005 * relativistic + 0.01 * pixel
    assert asked["generator"].item() == pytest.approx(expected, rel=1e-4)
    critic = share * (softplus(-(real - fake.mean())) + softplus(fake - real.mean()))
    assert asked["critic_hr"].item() == pytest.approx(critic, rel=1e-5)


def test_all_four_are_updated_from_one_forward_pass_each_by_its_own_loss(vgg: Path, data: Batch) -> None:
    objective = toy(vgg, sr=SRConfig(features=FEATURES))
    networks = objective.networks
    optimisers = {role: Clipped(torch.optim.SGD(one.parameters(), lr=1e-3)) for role, one in networks.items()}
    before = {role: one.weight.item() for role, one in networks.items()}  # type: ignore[union-attr]
    (asked,) = list(toy(vgg, sr=SRConfig(features=FEATURES)).step(data))
    assert set(asked) == {"degrader", "generator", "critic_lr", "critic_hr"}
    for losses in objective.step(data):
        apply_update([losses], optimisers, Ranks())
    assert [len(networks[role].seen) for role in networks] == [2, 2, 2, 2]  # type: ignore[arg-type]
    for role in networks:  # each loss of a twin alone, with all other weights held
        twin = toy(vgg, sr=SRConfig(features=FEATURES))
        (losses,) = twin.step(data)
        (gradient,) = torch.autograd.grad(losses[role], list(twin.networks[role].parameters()))
        assert networks[role].weight.item() == pytest.approx(before[role] - 1e-3 * gradient.item(), rel=1e-5)  # type: ignore[union-attr]


def test_neither_of_the_two_learns_through_the_other(vgg: Path, data: Batch) -> None:
    objective = toy(vgg, sr=SRConfig(features=FEATURES))
    (losses,) = objective.step(data)
    for loss, others in (("degrader", ["generator"]), ("generator", ["degrader"])):
        for role in others:
            weights = list(objective.networks[role].parameters())
            (gradient,) = torch.autograd.grad(losses[loss], weights, retain_graph=True, allow_unused=True)
            assert gradient is None, f"{loss}'s loss reaches {role}"


def test_the_reference_is_the_real_lr_of_the_batch_and_its_own_lr_is_not_looked_at(vgg: Path, data: Batch) -> None:
    objective = toy(vgg, sr=NO_SR)
    list(objective.step(data))
    assert data.real_lr is not None
    for _, reference in objective.networks["degrader"].seen:  # type: ignore[union-attr]
        assert torch.equal(reference, data.real_lr)
    enlarged = objective.networks["degrader"].seen[1][0]  # type: ignore[index]
    assert not enlarged.requires_grad


@pytest.mark.parametrize("term", ["content", "cycle", "adversarial"])
def test_an_ablation_leaves_one_term_out_and_what_only_that_term_needs(term: str, vgg: Path, data: Batch) -> None:
    whole = toy(vgg, sr=NO_SR)
    list(whole.step(data))
    objective = toy(vgg, sr=NO_SR, **{term: 0.0})
    (asked,) = objective.step(data)
    name = {"adversarial": "adversarial_lr"}.get(term, term)
    left_out = {name, "critic_lr"} if term == "adversarial" else {name}
    assert set(whole.parts) - set(objective.parts) == left_out
    for kept in objective.parts:
        assert torch.equal(objective.parts[kept], whole.parts[kept])
    assert ("critic_lr" in asked) == (term != "adversarial")
    assert len(objective.networks["generator"].seen) == (1 if term == "cycle" else 2)  # type: ignore[arg-type]
    assert set(DDNSR.optimisers(objective.config)) == {"degrader", "generator", "critic_lr", "critic_hr"}


def test_with_l2_alone_the_generators_critic_rests(data: Batch) -> None:
    objective = toy(content=0.0, cycle=0.0, sr=NO_SR)
    (asked,) = objective.step(data)
    hr, _, _, sr = pictures(data)
    assert asked["generator"].item() == pytest.approx((sr - hr).square().mean().item(), rel=1e-5)
    assert set(asked) == {"degrader", "generator", "critic_lr"}
    assert not objective.networks["critic_hr"].seen  # type: ignore[union-attr]


def test_missing_features_are_told_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match="vgg19"):
        DDNSR.check(DDNSRConfig(sr=NO_SR), vgg_weights=tmp_path / "vgg19.pth")
    DDNSR.check(DDNSRConfig(content=0.0, cycle=0.0, sr=NO_SR), vgg_weights=None)


@pytest.mark.parametrize("inputs", [(), (NoiseInput(3, 0.05),)])
def test_a_degrader_that_takes_no_reference_is_refused(inputs: tuple[object, ...]) -> None:
    degrader = Down()
    degrader.inputs = inputs  # type: ignore[assignment]
    networks = {"degrader": degrader, "generator": Up(), "critic_lr": Mean(1.0), "critic_hr": Mean(1.0)}
    with pytest.raises(PresetError, match="Down takes no real LR picture beside HR - use dual_input"):
        DDNSR(DDNSRConfig(content=0.0, cycle=0.0, sr=NO_SR), networks)


@pytest.mark.parametrize("change", [{"content": -1.0}, {"content": 0.0, "adversarial": 0.0, "cycle": 0.0}])
def test_settings_that_train_nothing_sensible_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected weights"):
        DDNSRConfig(**change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected weights"):
        SRConfig(pixel=0.0, perceptual=0.0)
