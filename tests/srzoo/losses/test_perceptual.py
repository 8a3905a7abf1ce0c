"""The perceptual loss over a trunk of random weights."""

from __future__ import annotations

import pytest
import torch

from srzoo.features.vgg19 import VGG19
from srzoo.features.vgg19_weights import Weights
from srzoo.losses import PerceptualConfig, PerceptualLoss


def trunk(config: PerceptualConfig) -> VGG19:
    generator = torch.Generator().manual_seed(1)
    tensors = {}
    for name, inputs, width in (("conv1_1", 3, 64), ("conv1_2", 64, 64), ("conv2_1", 64, 128)):
        tensors[f"{name}.weight"] = torch.randn(width, inputs, 3, 3, generator=generator) * (2 / (9 * inputs)) ** 0.5
        tensors[f"{name}.bias"] = torch.randn(width, generator=generator) / 10
    return VGG19(Weights(tensors, "torchvision", "random"), config.layers, config.normalisation)


IMAGE, TARGET = torch.rand(2, 3, 20, 16, generator=torch.Generator().manual_seed(2)), torch.full((2, 3, 20, 16), 0.4)


@pytest.mark.parametrize("distance", ["l1", "mse"])
def test_it_is_the_weighted_sum_of_mean_feature_distances(distance: str) -> None:
    config = PerceptualConfig(("conv1_2", "relu2_1"), (0.1, 2.0), distance=distance)  # type: ignore[reportArgumentType]
    vgg = trunk(config)
    expected = 0.0
    for weight, one, other in zip((0.1, 2.0), vgg(IMAGE), vgg(TARGET), strict=True):
        difference = (one - other).double()
        expected += weight * float((difference.abs() if distance == "l1" else difference.square()).mean())
    assert float(PerceptualLoss(config, vgg)(IMAGE, TARGET)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("normalisation", ["imagenet", "raw01"])
@pytest.mark.parametrize("distance", ["l1", "mse"])
def test_value_and_gradient_are_those_of_float64(distance: str, normalisation: str) -> None:
    config = PerceptualConfig(("conv1_2", "conv2_1", "relu2_1"), (0.1, 1.0, 0.5), normalisation, distance)  # type: ignore[reportArgumentType]
    vgg = trunk(config)
    image = IMAGE.clone().requires_grad_()
    value = PerceptualLoss(config, vgg)(image, TARGET)
    (gradient,) = torch.autograd.grad(value, image)
    exact, reference = IMAGE.double().requires_grad_(), torch.zeros(())
    for weight, one, other in zip(config.weights, vgg.double()(exact), vgg(TARGET.double()), strict=True):
        difference = one - other
        reference = reference + weight * (difference.abs() if distance == "l1" else difference**2).mean()
    torch.testing.assert_close(value.double(), reference, atol=1e-6, rtol=1e-5)
    # A ReLU near zero, or two features that agree, may fall on either side of their corner.
    (expected,) = torch.autograd.grad(reference, exact)
    assert float((gradient - expected).norm() / expected.norm()) < 1e-3


def test_each_layer_counts_once_unless_weights_are_stated() -> None:
    config = PerceptualConfig(("relu1_1", "conv2_1"))
    single = [
        PerceptualLoss(one, trunk(one))(IMAGE, TARGET) for one in map(PerceptualConfig, [("relu1_1",), ("conv2_1",)])
    ]
    assert float(PerceptualLoss(config, trunk(config))(IMAGE, TARGET)) == pytest.approx(float(sum(single)), rel=1e-6)


def test_gradients_reach_the_image_only() -> None:
    config = PerceptualConfig(("conv2_1",))
    loss = PerceptualLoss(config, trunk(config))
    image, target = IMAGE.clone().requires_grad_(), TARGET.clone().requires_grad_()
    loss(image, target).backward()
    assert image.grad is not None
    assert image.grad.any()
    assert target.grad is None
    assert all(parameter.grad is None for parameter in loss.parameters())
    assert float(loss(TARGET, TARGET)) == 0


def test_under_autocast_the_distance_is_taken_in_float32() -> None:
    config = PerceptualConfig(("conv2_1",))
    loss = PerceptualLoss(config, trunk(config))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = loss(IMAGE, TARGET)
    assert rough.dtype == torch.float32
    assert float(rough) == pytest.approx(float(loss(IMAGE, TARGET)), rel=0.02)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"weights: expected one per layer \(2\), got 1"):
        PerceptualConfig(("conv1_1", "conv1_2"), (1.0,))
    with pytest.raises(ValueError, match="layers: expected some of"):
        PerceptualConfig(("conv9_1",))
    with pytest.raises(ValueError, match="expected a trunk that gives"):
        PerceptualLoss(PerceptualConfig(("conv1_1",)), trunk(PerceptualConfig(("relu1_1",))))
