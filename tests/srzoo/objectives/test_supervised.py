from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from srzoo.data import Batch
from srzoo.errors import WeightsMissingError
from srzoo.losses import PerceptualConfig
from srzoo.objectives.supervised import Supervised, SupervisedConfig
from srzoo.trainer.ranks import Ranks
from srzoo.trainer.update import Clipped, apply_update


class Gain(nn.Module):
    """One weight; counts its calls."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([weight]))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return self.weight * x


class Mean(Gain):
    """A critic: weight times the mean of each picture."""

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return (self.weight * x).mean((1, 2, 3))[:, None]


def batch(lr: float = 0.5, hr: float = 0.75) -> Batch:
    return Batch(torch.full((2, 3, 4, 4), lr), torch.full((2, 3, 4, 4), hr), (0, 1))


def toy(**config: object) -> Supervised:
    networks = {"generator": Gain(1.0), "critic": Mean(2.0)}
    return Supervised(SupervisedConfig(**config), networks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("distance", "expected"), [("l1", 0.25), ("mse", 0.0625), ("charbonnier", (0.0625 + 1e-6) ** 0.5)]
)
def test_a_pixel_loss_alone_is_one_loss_for_the_generator(distance: str, expected: float) -> None:
    objective = toy(pixel=2.0, pixel_distance=distance)
    asked = list(objective.step(batch()))
    assert [list(losses) for losses in asked] == [["generator"]]
    assert asked[0]["generator"].item() == pytest.approx(2 * expected)
    assert objective.parts["pixel"].item() == pytest.approx(2 * expected)


def logistic(x: float) -> float:
    return float(-nn.functional.logsigmoid(torch.tensor(x, dtype=torch.float64)))


def relativistic(real: float, fake: float, half: bool) -> tuple[float, float]:
    """Of batches whose logits are all alike: the generator's loss and the critic's."""
    factor = 0.5 if half else 1.0
    generator = factor * (logistic(-(real - fake)) + logistic(fake - real))
    critic = factor * (logistic(real - fake) + logistic(-(fake - real)))
    return generator, critic


@pytest.mark.parametrize("half", [False, True])
def test_relativistic_terms_are_weighted_and_come_generator_first(half: bool) -> None:
    objective = toy(pixel=0.01, adversarial=0.005, gan="relativistic", half=half)
    asked = list(objective.step(batch()))
    assert [list(losses) for losses in asked] == [["generator"], ["critic"]]
    generator, critic = relativistic(2 * 0.75, 2 * 0.5, half)
    assert asked[0]["generator"].item() == pytest.approx(0.01 * 0.25 + 0.005 * generator, rel=1e-5)
    assert asked[1]["critic"].item() == pytest.approx(critic, rel=1e-5)
    assert set(objective.parts) == {"pixel", "adversarial", "critic"}


def test_standard_terms() -> None:
    asked = list(toy(pixel=1.0, adversarial=0.5, gan="standard").step(batch()))
    assert asked[0]["generator"].item() == pytest.approx(0.25 + 0.5 * logistic(1.0), rel=1e-5)
    assert asked[1]["critic"].item() == pytest.approx(logistic(1.5) + logistic(-1.0), rel=1e-5)


@pytest.mark.parametrize("gan", ["standard", "relativistic"])
def test_the_critic_sees_the_fake_made_before_the_generators_update_without_its_graph(gan: str) -> None:
    objective = toy(pixel=1.0, adversarial=0.5, gan=gan)
    generator, critic = objective.networks["generator"], objective.networks["critic"]
    optimisers = {
        "generator": Clipped(torch.optim.SGD(generator.parameters(), lr=1.0)),
        "critic": Clipped(torch.optim.SGD(critic.parameters(), lr=1.0)),
    }
    weights = []
    for losses in objective.step(batch()):
        apply_update([losses], optimisers, Ranks())
        weights.append((generator.weight.item(), critic.weight.item()))  # type: ignore[union-attr]
    assert weights[0][0] != 1.0  # the generator's update
    assert weights[0][1] == 2.0  # leaves the critic alone
    assert weights[1][0] == weights[0][0]  # the critic's update leaves the generator alone
    assert weights[1][1] != 2.0
    assert len(generator.seen) == 1  # type: ignore[arg-type]
    assert torch.equal(critic.seen[-1], torch.full((2, 3, 4, 4), 0.5))  # type: ignore[index]
    assert not critic.seen[-1].requires_grad  # type: ignore[index,union-attr]


def test_no_gradient_flows_through_the_real_logits_of_the_generators_step() -> None:
    objective = toy(pixel=1e-9, adversarial=1.0)
    loss = next(objective.step(batch()))["generator"]
    critic = objective.networks["critic"]
    (gradient,) = torch.autograd.grad(loss, [critic.weight])  # type: ignore[list-item]
    # d/dw of [softplus(r - wf) + softplus(-(wf - r))] with r = 1.5 held fixed, f = 0.5, w = 2
    expected = -2 * 0.5 * torch.sigmoid(torch.tensor(1.5 - 1.0))
    assert gradient.item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_perceptual_term_compares_features_of_the_given_file(tmp_path: Path) -> None:
    kernel, bias = torch.randn(64, 3, 3, 3), torch.randn(64)
    file = tmp_path / "vgg19.safetensors"
    save_file({"features.0.weight": kernel, "features.0.bias": bias}, file)
    features = PerceptualConfig(layers=("conv1_1",), normalisation="raw01")
    config = SupervisedConfig(pixel=0.0, perceptual=3.0, features=features)
    data = Batch(torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16), (0, 1))
    objective = Supervised(config, {"generator": Gain(0.5)}, vgg_weights=file)
    loss = next(objective.step(data))["generator"]
    assert data.lr is not None
    assert data.hr is not None
    difference = nn.functional.conv2d(0.5 * data.lr - data.hr, kernel, padding=1)  # the bias cancels
    assert loss.item() == pytest.approx(3 * difference.abs().mean().item(), rel=1e-4)


def test_missing_features_are_told_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match="vgg19"):
        Supervised.check(SupervisedConfig(perceptual=1.0), vgg_weights=tmp_path / "vgg19.pth")
    Supervised.check(SupervisedConfig(), vgg_weights=None)


def test_each_network_that_the_weights_train_has_an_optimiser() -> None:
    alone, judged = SupervisedConfig(), SupervisedConfig(adversarial=0.1)
    assert Supervised.optimisers(alone) == {"generator": ("generator",)}
    assert Supervised.optimisers(judged) == {"generator": ("generator",), "critic": ("critic",)}


@pytest.mark.parametrize("weights", [{"pixel": -1.0}, {"pixel": 0.0}, {"pixel": 0.0, "adversarial": 1.0}])
def test_weights_that_train_nothing_sensible_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected weights"):
        SupervisedConfig(**weights)  # type: ignore[arg-type]


def test_a_critic_of_high_frequencies_sees_what_means_over_nine_by_nine_leave() -> None:
    torch.manual_seed(0)
    lr, hr = torch.rand(1, 3, 12, 12), torch.rand(1, 3, 12, 12)
    objective = toy(pixel=1.0, adversarial=0.1, gan="standard", critic_sees="high_pass")
    asked = list(objective.step(Batch(lr, hr, (0,))))
    assert [list(losses) for losses in asked] == [["generator"], ["critic"]]
    seen = objective.networks["critic"].seen  # type: ignore[union-attr]
    assert isinstance(seen, list)
    for picture, shown in ((hr, seen[0]), (lr, seen[1]), (hr, seen[2]), (lr, seen[3])):
        middle = picture[0, :, 5, 6].double() - picture[0, :, 1:10, 2:11].double().mean((1, 2))
        torch.testing.assert_close(shown[0, :, 5, 6].double(), 0.5 + 0.5 * middle, atol=1e-6, rtol=0)
        corner = picture[0, :, 0, 0].double() - picture[0, :, :5, :5].double().mean((1, 2))  # over what lies inside
        torch.testing.assert_close(shown[0, :, 0, 0].double(), 0.5 + 0.5 * corner, atol=1e-6, rtol=0)
