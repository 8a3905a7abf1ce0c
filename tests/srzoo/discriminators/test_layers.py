"""Spectral norm against torch's, the frozen norm against a batch norm in evaluation mode."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import spectral_norm

from srzoo.discriminators.layers import FrozenBatchNorm2d, SpectralConv2d, check_norm, norm_layer


def twins(stride: int = 2) -> tuple[SpectralConv2d, nn.Module]:
    """Ours and torch's hook, whose keys published critics have, in the same state."""
    torch.manual_seed(0)
    theirs = spectral_norm(nn.Conv2d(3, 5, 4, stride=stride, padding=1, bias=False))
    ours = SpectralConv2d(3, 5, 4, stride=stride)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def test_a_spectral_convolution_is_torchs_in_training_and_in_evaluation() -> None:
    ours, theirs = twins()
    x = torch.rand(2, 3, 9, 8)
    for training in (True, True, False, True):
        ours.train(training)
        theirs.train(training)
        torch.testing.assert_close(ours(x), theirs(x), atol=1e-6, rtol=1e-6)
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value, atol=1e-6, rtol=1e-6)


def test_its_gradient_is_torchs_also_where_two_passes_share_one_backward() -> None:
    gradients = []
    for critic in twins():
        x, y = torch.rand(2, 1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
        (critic(x).square().mean() + critic(y).sin().mean()).backward()
        (weight,) = critic.parameters()
        gradients.append(weight.grad)
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-6, rtol=1e-5)


def test_many_passes_bring_the_largest_singular_value_to_one() -> None:
    ours, _ = twins()
    for _ in range(60):
        ours(torch.zeros(1, 3, 4, 4))
    gain = torch.linalg.matrix_norm(ours.weight_orig.flatten(1), ord=2)
    torch.testing.assert_close(ours._largest_gain(), gain, atol=1e-5, rtol=1e-5)


def test_a_frozen_norm_is_an_untouched_batch_norm_in_evaluation_mode() -> None:
    torch.manual_seed(0)
    reference, frozen = nn.BatchNorm2d(4, eps=1e-3).eval(), FrozenBatchNorm2d(4)
    with torch.no_grad():
        for norm in (reference, frozen):
            norm.weight.copy_(torch.tensor([0.5, 1, 2, -1]))
            norm.bias.copy_(torch.tensor([0.1, 0, -3, 1]))
    x = 3 + 5 * torch.randn(2, 4, 3, 5)
    torch.testing.assert_close(frozen.train()(x), reference(x), atol=1e-5, rtol=1e-6)
    assert set(frozen.state_dict()) == {"weight", "bias"}


def test_norms_by_name() -> None:
    keras = norm_layer("keras", 8)
    assert isinstance(keras, nn.BatchNorm2d)
    assert (keras.eps, keras.momentum) == (1e-3, 0.01)
    assert not list(norm_layer("instance", 8).parameters())
    with pytest.raises(ValueError, match="norm: expected one of batch, instance, keras, keras_frozen, got 'layer'"):
        check_norm("layer")
