"""LPIPS against the package `lpips` with the same random trunk and the real linear heads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import lpips
import lpips.pretrained_networks
import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from srzoo.errors import ModelFileError, WeightsMissingError
from srzoo.features.lpips import LPIPS, load_lpips, read_heads
from srzoo.features.lpips_trunks import Net, Trunk
from srzoo.tensors import to_tensor

NETS: tuple[Net, ...] = get_args(Net)


def pictures(seed: int = 0, *, side: int = 48) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    one = torch.rand(2, 3, side, side - 7, generator=generator)
    return one, (one + 0.2 * torch.randn(one.shape, generator=generator)).clamp(0, 1)


MAKERS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}


@pytest.fixture
def twins(monkeypatch: pytest.MonkeyPatch) -> Callable[[Net], tuple[lpips.LPIPS, LPIPS]]:
    """The package's LPIPS, its trunk random and its linear heads the published ones; and ours with the same weights."""

    def make(net: Net) -> tuple[lpips.LPIPS, LPIPS]:
        generator = torch.Generator().manual_seed(1)
        with torch.device("meta"):
            features = getattr(torchvision.models, MAKERS[net])().features
        table = {
            key: (0.05 if value.ndim == 1 else (2 / value[0].numel()) ** 0.5)
            * torch.randn(value.shape, generator=generator)
            for key, value in features.state_dict().items()
        }
        features.load_state_dict(table, assign=True)
        torchvision_ = SimpleNamespace(**{MAKERS[net]: lambda pretrained: SimpleNamespace(features=features)})
        monkeypatch.setattr(lpips.pretrained_networks, "tv", torchvision_)
        theirs = lpips.LPIPS(net=net, pnet_rand=True, verbose=False).eval()
        return theirs, LPIPS(Trunk(net, {f"features.{key}": table[key] for key in table}), read_heads(net))

    return make


@pytest.mark.parametrize("net", NETS)
def test_it_equals_the_package(net: Net, twins: Callable[[Net], tuple[lpips.LPIPS, LPIPS]]) -> None:
    theirs, ours = twins(net)
    image, other = pictures()
    with torch.no_grad():
        expected = theirs(image, other, normalize=True).flatten()
        found = ours(image, other)
    assert found.shape == (2,)
    assert (expected > 1e-3).all()
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_its_gradient_equals_the_packages(twins: Callable[[Net], tuple[lpips.LPIPS, LPIPS]]) -> None:
    (theirs, ours), gradients = twins("alex"), []
    for distance in (lambda a, b: theirs(a, b, normalize=True), ours):
        image, other = pictures()
        distance(image.requires_grad_(), other).sum().backward()
        gradients.append(image.grad)
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-7, rtol=1e-3)


def test_dead_feature_columns_give_no_nan() -> None:
    trunk = Trunk("squeeze")
    with torch.no_grad():
        for parameter in trunk.features[0].parameters():
            parameter.fill_(-1)  # every ReLU is shut
    image, other = pictures()
    distance = LPIPS(trunk, read_heads("squeeze"))(image.requires_grad_(), other)
    distance.sum().backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert torch.isfinite(distance).all()


def test_equal_pictures_have_no_distance_and_no_weight_learns() -> None:
    distance = LPIPS(Trunk("alex"), read_heads("alex"))
    image, _ = pictures()
    assert distance(image, image).tolist() == [0, 0]
    assert not any(parameter.requires_grad for parameter in distance.parameters())
    with pytest.raises(ValueError, match="expected two alike"):
        distance(image, image[:1])


def test_the_heads_are_the_published_ones_wherever_they_lie(sr_data: Path) -> None:
    folder = sr_data / "weights" / "lpips_lin" / "v0.1"
    for net in NETS:
        installed = read_heads(net)
        for place in (folder, folder / f"{net}.pth"):
            for one, other in zip(read_heads(net, place), installed, strict=True):
                torch.testing.assert_close(one, other, atol=0, rtol=0)


def test_missing_and_foreign_heads_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsMissingError, match=r"alex\.pth: no such file"):
        read_heads("alex", tmp_path)
    heads = {f"lin{n}.model.1.weight": head.view(1, -1, 1, 1) for n, head in enumerate(read_heads("alex"))}
    torch.save(heads, tmp_path / "vgg.pth")
    with pytest.raises(ModelFileError, match=r"lin1 is \(1, 192, 1, 1\), not \(1, 128, 1, 1\) - give LPIPS's vgg.pth"):
        read_heads("vgg", tmp_path / "vgg.pth")
    heads["lin2.model.1.weight"] = -heads["lin2.model.1.weight"]
    torch.save(heads, tmp_path / "alex.pth")
    with pytest.raises(ModelFileError, match="lin2 has weights below 0"):
        read_heads("alex", tmp_path)
    monkeypatch.setattr("srzoo.features.lpips.find_spec", lambda _: None)
    with pytest.raises(WeightsMissingError, match="no linear heads on this machine - give a file, or pip install"):
        read_heads("alex")
    with pytest.raises(ValueError, match="heads: expected"):
        LPIPS(Trunk("alex"), [torch.ones(64)])


def test_on_photographs_it_grows_with_noise_and_with_blur(sr_data: Path) -> None:
    """With Caffe's SqueezeNet, whose figures are not the published ones."""
    weights = sr_data / "weights"
    distance = load_lpips(
        "squeeze",
        trunk=weights / "squeezenet1_1_caffe_imagenet_features.pth",
        heads=weights / "lpips_lin" / "v0.1",
    )
    photo = np.asarray(Image.open(sr_data / "test" / "Set5" / "x4" / "HR" / "img_003.png"))
    clean = to_tensor(photo[:128, :128])
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    noisy = [float(distance((clean + sigma * noise).clamp(0, 1), clean)) for sigma in (0, 0.02, 0.05, 0.1)]
    blurred = [float(distance(gaussian_blur(clean, [13, 13], [sigma, sigma]), clean)) for sigma in (0.5, 1.0, 2.0)]
    assert noisy == sorted(noisy)
    assert blurred == sorted(blurred)
    assert noisy[0] < 1e-9 < 1e-4 < blurred[0]  # the same values in another memory layout
