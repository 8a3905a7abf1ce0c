"""The trunks of LPIPS against torchvision's, and the search for their weights."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import torch
import torchvision
from torch import Tensor, nn

from srzoo.errors import ModelFileError, WeightsMissingError
from srzoo.features.lpips_trunks import _CAFFE_SQUEEZE_BIASES, TRUNKS, Net, Trunk, load_trunk

NETS: tuple[Net, ...] = get_args(Net)
MAKERS = {
    "alex": torchvision.models.alexnet,
    "vgg": torchvision.models.vgg16,
    "squeeze": torchvision.models.squeezenet1_1,
}


def theirs(net: Net) -> nn.Sequential:
    """torchvision's features down to the last tap, with random weights that keep the spread of features."""
    with torch.device("meta"):
        layers = MAKERS[net]().features[: TRUNKS[net].taps[-1] + 1]
    generator, table = torch.Generator().manual_seed(4), {}
    for key, value in layers.state_dict().items():
        spread = 0.05 if value.ndim == 1 else (2 / value[0].numel()) ** 0.5
        table[key] = spread * torch.randn(value.shape, generator=generator)
    layers.load_state_dict(table, assign=True)
    return layers.requires_grad_(False)


def table(layers: nn.Module) -> dict[str, Tensor]:
    return {f"features.{key}": value for key, value in layers.state_dict().items()}


@pytest.mark.parametrize("net", NETS)
def test_every_tap_is_torchvisions(net: Net, tmp_path: Path) -> None:
    layers = theirs(net)
    torch.save({**table(layers), "classifier.6.bias": torch.zeros(1000)}, tmp_path / "trunk.pth")
    trunk = load_trunk(net, tmp_path / "trunk.pth")
    rgb = torch.rand(1, 3, 45, 38, generator=torch.Generator().manual_seed(5))
    x = (rgb - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    found = trunk(rgb)
    assert tuple(features.shape[1] for features in found) == trunk.channels
    for index, features in zip(TRUNKS[net].taps, found, strict=True):
        torch.testing.assert_close(features, layers[: index + 1](x), atol=1e-4, rtol=1e-4)
        assert features.min() >= 0  # after a ReLU
    assert not any(parameter.requires_grad for parameter in trunk.parameters())


@pytest.mark.parametrize("net", NETS)
def test_the_smallest_picture_is_the_smallest_that_fits(net: Net) -> None:
    trunk, side = Trunk(net), TRUNKS[net].smallest
    assert all(features.numel() for features in trunk(torch.zeros(1, 3, side, side)))
    with pytest.raises(ValueError, match=f"of at least {side} x {side}, got"):
        trunk(torch.zeros(1, 3, side - 1, 64))
    with pytest.raises(RuntimeError, match="Output size is too small"):  # torch's own complaint
        trunk.features(torch.zeros(1, 3, side - 1, side - 1))


def test_caffes_squeezenet_is_known_by_its_values_and_fed_bgr(tmp_path: Path) -> None:
    layers = theirs("squeeze")
    weights = table(layers)
    weights["features.0.bias"][:8] = torch.tensor(_CAFFE_SQUEEZE_BIASES)
    torch.save({key: value.half() for key, value in weights.items()}, tmp_path / "caffe.pth")
    trunk = load_trunk("squeeze", tmp_path / "caffe.pth")
    rgb = torch.rand(1, 3, 20, 24)
    bgr = rgb[:, [2, 1, 0]] * 255 - torch.tensor([104.0, 117.0, 123.0]).view(3, 1, 1)
    expected = torch.relu(nn.functional.conv2d(bgr, weights["features.0.weight"], weights["features.0.bias"], stride=2))
    torch.testing.assert_close(trunk(rgb)[0], expected, atol=0.2, rtol=2e-3)  # weights in half precision


def test_the_caffe_weights_of_the_data_folder(sr_data: Path) -> None:
    trunk = load_trunk("squeeze", sr_data / "weights" / "squeezenet1_1_caffe_imagenet_features.pth")
    assert trunk.fed == "caffe"


def test_missing_and_foreign_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    for net in NETS:
        with pytest.raises(WeightsMissingError, match=f"{TRUNKS[net].name}: no pretrained weights on this machine"):
            load_trunk(net)
    with pytest.raises(WeightsMissingError, match=r"none\.pth: no such file"):
        load_trunk("alex", tmp_path / "none.pth")
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "vgg.pth")
    with pytest.raises(ModelFileError, match=r"not AlexNet: features\.0\.weight is \(64, 3, 3, 3\), not \(64, 3, 11"):
        load_trunk("alex", tmp_path / "vgg.pth")
    with pytest.raises(ModelFileError, match=r"not VGG16: features\.0\.bias is missing"):
        load_trunk("vgg", tmp_path / "vgg.pth")
    with pytest.raises(ValueError, match="net: expected one of alex, vgg, squeeze, got 'resnet'"):
        load_trunk("resnet")  # type: ignore[reportArgumentType]


def test_torchs_cached_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.save(table(theirs("squeeze")), tmp_path / "checkpoints" / "squeezenet1_1-b8a52dc0.pth")
    assert load_trunk("squeeze").fed == "imagenet"
