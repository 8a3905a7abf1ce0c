"""VGG19's trunk against the table of the paper as torch layers, and the search for its weights."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import pytest
import safetensors.torch
import timm
import torch
from torch import Tensor, nn

from srzoo.errors import ModelFileError, WeightsMissingError
from srzoo.features import vgg19_weights
from srzoo.features.vgg19 import VGG19, load_vgg19
from srzoo.features.vgg19_weights import read_weights

# Table 1, column E, of the paper; M is a max-pool.
COLUMN_E = [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512]
INDICES = {"conv1_2": 2, "conv2_2": 7, "conv3_4": 16, "conv4_4": 25, "conv5_4": 34, "relu5_4": 35}  # torchvision's
MEAN, DEVIATION = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def as_layers() -> nn.Sequential:
    """torchvision's `features`, with weights that keep the spread of features."""
    generator, layers, inputs = torch.Generator().manual_seed(5), [], 3
    for width in COLUMN_E:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(2))
            continue
        convolution = nn.Conv2d(inputs, width, 3, padding=1, device="meta")
        weight = torch.randn(width, inputs, 3, 3, generator=generator) * (2 / (9 * inputs)) ** 0.5
        bias = 0.1 * torch.randn(width, generator=generator)
        convolution.load_state_dict({"weight": weight, "bias": bias}, assign=True)
        layers += [convolution, nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers).requires_grad_(False)


@pytest.fixture(scope="module")
def plain() -> nn.Sequential:
    return as_layers()


@pytest.fixture(scope="module")
def table(plain: nn.Sequential) -> dict[str, Tensor]:
    return {f"features.{key}": value for key, value in plain.state_dict().items()}


@pytest.fixture
def file(tmp_path: Path, table: dict[str, Tensor]) -> Callable[..., Path]:
    def write(last: int = 7, name: str = "vgg.pth", **more: Tensor) -> Path:
        """A file that ends with `features.last`."""
        kept = {key: value for key, value in table.items() if int(key.split(".")[1]) <= last} | more
        torch.save(kept, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def no_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Empty caches, and a network that must not be asked."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tmp_path


def test_every_named_layer_is_torchvisions(plain: nn.Sequential, tmp_path: Path, table: dict[str, Tensor]) -> None:
    torch.save(table, tmp_path / "vgg.pth")
    trunk = load_vgg19(tuple(INDICES), weights=tmp_path / "vgg.pth")
    rgb = torch.rand(1, 3, 37, 50)
    x = (rgb - MEAN.view(1, 3, 1, 1)) / DEVIATION.view(1, 3, 1, 1)
    for layer, found in zip(INDICES, trunk(rgb), strict=True):
        torch.testing.assert_close(found, plain[: INDICES[layer] + 1](x), atol=1e-4, rtol=1e-4)
        assert (found.min() < 0) == layer.startswith("conv")  # no ReLU wrote over what came before it
    assert not any(parameter.requires_grad for parameter in trunk.parameters())


def test_what_the_first_convolution_is_fed(file: Callable[..., Path], plain: nn.Sequential) -> None:
    rgb = torch.rand(2, 3, 16, 17)
    fed = {
        "raw01": rgb,
        "imagenet": (rgb - MEAN.view(1, 3, 1, 1)) / DEVIATION.view(1, 3, 1, 1),
    }
    for normalisation, x in fed.items():
        trunk = load_vgg19(("conv1_1",), normalisation, weights=file())  # type: ignore[reportArgumentType]
        torch.testing.assert_close(trunk(rgb)[0], plain[0](x), atol=1e-5, rtol=1e-5)
    native = load_vgg19(("conv1_1",), "native", weights=file())
    torch.testing.assert_close(native(rgb)[0], plain[0](fed["imagenet"]), atol=1e-5, rtol=1e-5)


def test_both_layouts_of_keys_prefixes_and_half_precision_are_read(
    file: Callable[..., Path], tmp_path: Path, table: dict[str, Tensor]
) -> None:
    expected = read_weights(file()).tensors
    names = {0: "conv1_1", 2: "conv1_2", 5: "conv2_1", 7: "conv2_2"}
    caffe = {}
    for index, name in names.items():
        for part in ("weight", "bias"):
            caffe[f"vgg.{name}.{part}"] = table[f"features.{index}.{part}"].half()
    torch.save({"state_dict": {**caffe, "classifier.0.weight": torch.zeros(2, 2)}}, tmp_path / "caffe.pth")
    safetensors.torch.save_file(
        {key: value for key, value in table.items() if int(key.split(".")[1]) <= 7}, tmp_path / "vgg.safetensors"
    )
    for path, tolerance in (("caffe.pth", 2e-3), ("vgg.safetensors", 0.0)):
        found = read_weights(tmp_path / path).tensors
        assert found.keys() == expected.keys()
        for key, tensor in found.items():
            assert tensor.dtype == torch.float32
            torch.testing.assert_close(tensor, expected[key], atol=tolerance, rtol=0)


def test_caffes_weights_are_known_by_their_values_and_fed_bgr(
    file: Callable[..., Path], table: dict[str, Tensor], plain: nn.Sequential
) -> None:
    bias, weight = table["features.0.bias"].clone(), table["features.0.weight"].clone()
    bias[:8] = torch.tensor(vgg19_weights._CAFFE_BIASES)
    weight[29, :, 1, 1] = torch.tensor(vgg19_weights._CAFFE_FILTER_BGR)
    in_bgr = file(name="bgr.pth", **{"features.0.weight": weight, "features.0.bias": bias.half()})
    in_rgb = file(name="rgb.pth", **{"features.0.weight": weight.flip(1), "features.0.bias": bias})
    rgb = torch.rand(1, 3, 16, 16)
    bgr = rgb[:, [2, 1, 0]] * 255 - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    expected = nn.functional.conv2d(bgr, weight, bias, padding=1)
    for path in (in_bgr, in_rgb):
        assert read_weights(path).layout == "caffe"
        torch.testing.assert_close(
            load_vgg19(("conv1_1",), "caffe255", weights=path)(rgb)[0], expected, atol=0.05, rtol=1e-3
        )
        trunk = load_vgg19(("conv1_1",), "native", weights=path)
        torch.testing.assert_close(trunk(rgb)[0], expected / 57.63, atol=1e-3, rtol=1e-3)
    assert load_vgg19(("conv1_1",), "raw01", weights=in_bgr).fed == "raw01"  # what DDNSR's code does


def test_weights_are_not_fed_what_they_do_not_expect(file: Callable[..., Path]) -> None:
    with pytest.raises(ModelFileError, match=r"torchvision weights, .*another input - set normalisation to 'native'"):
        load_vgg19(("conv1_1",), "caffe255", weights=file())


def test_a_file_that_ends_early_says_what_it_has(file: Callable[..., Path]) -> None:
    assert load_vgg19(("conv2_1", "relu2_2"), weights=file()).layers == ("conv2_1", "relu2_2")
    with pytest.raises(WeightsMissingError, match=r"vgg\.pth: reaches conv2_2 only, conv5_4 is asked for - ask for"):
        load_vgg19(("conv1_2", "conv5_4"), weights=file())


def test_without_weights_one_line_says_what_to_do_and_no_network_is_asked(no_caches: Path) -> None:
    with pytest.raises(
        WeightsMissingError, match="no pretrained weights on this machine - give --vgg-weights FILE"
    ) as e:
        load_vgg19(("conv5_4",))
    assert len(str(e.value)) <= 200
    assert e.value.exit_code == 2
    with pytest.raises(WeightsMissingError, match=r"missing\.pth: no such file"):
        load_vgg19(("conv5_4",), weights=no_caches / "missing.pth")


def test_timms_cached_file_is_found_and_then_torchs(no_caches: Path, file: Callable[..., Path]) -> None:
    written = file()
    cfg = timm.get_pretrained_cfg("vgg19")
    assert cfg is not None
    repository = str(cfg.hf_hub_id)
    in_torch = no_caches / "torch" / "checkpoints" / "vgg19-0123abcd.pth"
    in_torch.parent.mkdir(parents=True)
    in_torch.write_bytes(written.read_bytes())
    assert read_weights().origin == str(in_torch)
    hub = no_caches / "hub" / f"models--{repository.replace('/', '--')}"
    (hub / "refs").mkdir(parents=True)
    (hub / "refs" / "main").write_text("abc")
    (hub / "snapshots" / "abc").mkdir(parents=True)
    safetensors.torch.save_file(torch.load(written, weights_only=True), hub / "snapshots" / "abc" / "model.safetensors")
    assert read_weights().origin.endswith("model.safetensors")


def test_damaged_hostile_and_foreign_files_are_refused_in_one_line(tmp_path: Path, file: Callable[..., Path]) -> None:
    whole = file().read_bytes()
    canary = tmp_path / "canary"
    files = {
        "cut.pth": whole[: len(whole) // 2],
        "text.pth": b"<html>not found</html>",
        "empty.pth": b"",
        "cut.safetensors": b"\x10\0\0\0\0\0\0\0{",
        "hostile.pth": pickle.dumps(Hostile(canary)),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    torch.save({"conv_first.weight": torch.zeros(2)}, tmp_path / "other.pth")
    torch.save(
        {"features.0.weight": torch.zeros(64, 3, 3, 3), "features.0.bias": torch.zeros(32)}, tmp_path / "odd.pth"
    )
    torch.save([1, 2], tmp_path / "list.pth")
    for name in (*files, "other.pth", "odd.pth", "list.pth"):
        with pytest.raises(ModelFileError) as error:
            read_weights(tmp_path / name)
        assert name in str(error.value)
        assert "\n" not in str(error.value)
        assert error.value.exit_code == 4
    assert not canary.exists()


class Hostile:
    """Unpickled, it would make a file."""

    def __init__(self, canary: Path) -> None:
        self.canary = str(canary)

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return (Path(self.canary).touch, ())  # type: ignore[reportReturnType]


def test_unknown_layers_and_small_pictures_are_refused(file: Callable[..., Path]) -> None:
    for layers in ((), ("conv3_5",), ("relu",), ("pool1",)):
        with pytest.raises(ValueError, match=r"layers: expected some of conv1_1 \.\. conv5_4"):
            load_vgg19(layers, weights=file())
    with pytest.raises(ValueError, match="normalisation: expected one of"):
        VGG19(read_weights(file()), ("conv1_1",), "caffe")  # type: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="at least 16 x 16"):
        load_vgg19(("conv1_1",), weights=file())(torch.zeros(1, 3, 15, 40))


def test_the_caffe_weights_of_the_data_folder(sr_data: Path) -> None:
    path = sr_data / "weights" / "vgg19_caffe_imagenet_relu3_4_fp16.pth"
    assert read_weights(path).layout == "caffe"
    trunk = load_vgg19(("conv3_4",), "native", weights=path)
    torch.manual_seed(0)
    smooth = nn.functional.interpolate(torch.rand(1, 3, 8, 8), size=(64, 64), mode="bicubic").clamp(0, 1)
    features = [trunk((smooth + sigma * torch.randn(1, 3, 64, 64)).clamp(0, 1))[0] for sigma in (0, 0.02, 0.05, 0.1)]
    distances = [float((feature - features[0]).abs().mean()) for feature in features]
    assert distances == sorted(distances)
    assert 1 < float(features[0].abs().mean()) < 100  # hundreds, were they not divided
    with pytest.raises(WeightsMissingError, match="reaches conv3_4 only, conv5_4 is asked for"):
        load_vgg19(("conv5_4",), "native", weights=path)
    with pytest.raises(ModelFileError, match="caffe weights, and normalisation 'imagenet' feeds them another input"):
        load_vgg19(("conv3_4",), weights=path)
