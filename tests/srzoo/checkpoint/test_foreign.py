"""Public checkpoints: small random ones in every layout, with keys renamed here and not by the loader's tables."""

from __future__ import annotations

import os
import re
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spandrel
import torch
from PIL import Image
from safetensors.torch import save_file
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.SPAN import SPAN
from torch import Tensor, nn

from srzoo.checkpoint import load_model
from srzoo.cli.main import run
from srzoo.errors import ModelFileError
from srzoo.networks import NETWORKS
from srzoo.upscale.engine import Engine
from srzoo.upscale.upscaler import Upscaler

State = dict[str, Tensor]


def replaced(*pairs: tuple[str, str]) -> Callable[[State], State]:
    """Plain replacements in every key, one after another."""

    def rename(state: State) -> State:
        result = {}
        for key, value in state.items():
            for old, new in pairs:
                key = key.replace(old, new)
            result[key] = value
        return result

    return rename


def old_esrgan(state: State) -> State:
    """Of two blocks and two doublings."""
    places = {"conv_first": "0", "conv_body": "1.sub.2", "conv_up1": "3", "conv_up2": "6", "conv_hr": "8"}
    places["conv_last"] = "10"
    result = {}
    for key, value in state.items():
        room, _, rest = key.partition(".")
        if room == "body":
            block, inner, convolution, kind = rest.split(".")
            result[f"model.1.sub.{block}.{inner.upper()}.{convolution}.0.{kind}"] = value
        else:
            result[f"model.{places[room]}.{rest}"] = value
    return result


def basicsr_rcan(state: State) -> State:
    """Of two groups of three blocks; the mean is no tensor of theirs."""
    result = {}
    for key, value in state.items():
        parts = key.split(".")
        kind = parts[-1]
        match parts[:-1]:
            case ["head", "0"]:
                result[f"conv_first.{kind}"] = value
            case ["body", "2"]:
                result[f"conv_after_body.{kind}"] = value
            case ["body", group, "body", "3"]:
                result[f"body.{group}.conv.{kind}"] = value
            case ["body", group, "body", block, "body", place]:
                result[f"body.{group}.residual_group.{block}.rcab.{place}.{kind}"] = value
            case ["body", group, "body", block, "body", "3", "conv_du", place]:
                at = int(place) + 1
                result[f"body.{group}.residual_group.{block}.rcab.3.attention.{at}.{kind}"] = value
            case ["tail", "0", place]:
                result[f"upsample.{place}.{kind}"] = value
            case ["tail", "1"]:
                result[f"conv_last.{kind}"] = value
    return result


def basicsr_edsr(state: State) -> State:
    """Of two blocks."""
    kept = {key: value for key, value in state.items() if "mean" not in key}
    return replaced(
        ("head.0", "conv_first"), (".body.0.", ".conv1."), (".body.2.", ".conv2."), ("body.2.", "conv_after_body."),
        ("tail.0", "upsample"), ("tail.1", "conv_last"),
    )(kept)  # fmt: skip


MID_ESRGAN = replaced(
    ("body.", "RRDB_trunk."), ("conv_RRDB_trunk", "trunk_conv"), ("rdb", "RDB"), ("conv_up", "upconv"),
    ("conv_hr", "HRconv"),
)  # fmt: skip
LORNATANG = replaced(
    (".bn1.", ".rcb.1."), (".prelu.", ".rcb.2."), (".bn2.", ".rcb.4."),
    ("upsampling.0.conv", "upsampling.0.upsample_block.0"),
    ("upsampling.1.conv", "upsampling.1.upsample_block.0"), ("upsampling.0.rcb.2", "upsampling.0.upsample_block.2"),
    ("upsampling.1.rcb.2", "upsampling.1.upsample_block.2"), ("0.conv1.", "0.rcb.0."), ("1.conv1.", "1.rcb.0."),
    ("0.conv2.", "0.rcb.3."), ("1.conv2.", "1.rcb.3."),
)  # fmt: skip
ONE = torch.zeros(1)
RRDB = {"blocks": 2, "features": 8, "growth": 4}
RCAN = {"groups": 2, "blocks": 3, "features": 16, "reduction": 4}

# Name -> network, its config, how the keys are called there, and what they are wrapped in.
CASES: dict[str, tuple[str, dict[str, Any], Callable[[State], State], str | None]] = {
    "old ESRGAN": ("rrdb", RRDB, old_esrgan, None),
    "old ESRGAN, data parallel": ("rrdb", RRDB, lambda state: prefixed("module.", old_esrgan(state)), None),
    "mid ESRGAN": ("rrdb", RRDB, MID_ESRGAN, None),
    "Real-ESRGAN": ("rrdb", RRDB, dict, "params_ema"),
    "Real-ESRGAN x2plus": ("rrdb", RRDB | {"scale": 2}, dict, "params_ema"),
    "Real-ESRGAN x1": ("rrdb", RRDB | {"scale": 1}, dict, "params"),
    "new ESRGAN x8": ("rrdb", RRDB | {"scale": 8}, dict, "params"),
    "RCAN x4": ("rcan", RCAN, dict, None),
    "RCAN x3": ("rcan", RCAN | {"scale": 3}, dict, None),
    "RCAN x8 in a wrapper": ("rcan", RCAN | {"scale": 8}, lambda state: prefixed("model.", state), None),
    "BasicSR RCAN": ("rcan", RCAN | {"scale": 2}, basicsr_rcan, "params"),
    "SRVGG": ("compact", {"convs": 3, "features": 8}, dict, "params"),
    "SRVGG x2": ("compact", {"scale": 2, "convs": 4, "features": 8}, dict, "params_ema"),
    "EDSR": ("edsr", {"blocks": 2, "features": 8}, dict, None),
    "EDSR in a wrapper": ("edsr", {"scale": 3, "blocks": 2, "features": 8}, lambda s: prefixed("model.", s), None),
    "BasicSR EDSR": ("edsr", {"scale": 2, "blocks": 2, "features": 8}, basicsr_edsr, "params"),
    "Lornatang 2021": ("srresnet", {"blocks": 2, "features": 8}, dict, None),
    "Lornatang, biased": ("srresnet", {"scale": 2, "blocks": 2, "features": 8, "bias": True}, LORNATANG, "state_dict"),
    "Lornatang": ("srresnet", {"blocks": 2, "features": 8}, LORNATANG, "state_dict"),
    "VDSR": ("vdsr", {"convs": 4, "features": 8}, dict, None),
    "SRCNN 9-5-5": ("srcnn", {"kernels": (9, 5, 5), "features": (8, 4)}, dict, None),
    "PLKSR": ("plksr", {"blocks": 2, "features": 8, "kernel": 7, "partial": 4}, dict, "params_ema"),
    "PLKSR tiny": (
        "plksr",
        {"blocks": 1, "features": 8, "kernel": 5, "partial": 4, "mixer": "CCM", "attention": False},
        dict,
        "params",
    ),
}  # fmt: skip


def prefixed(prefix: str, state: Mapping[str, Tensor]) -> State:
    return {prefix + key: value for key, value in state.items()}


def network_of(name: str, settings: Mapping[str, Any], *, keep_means: bool = False) -> nn.Module:
    torch.manual_seed(0)
    config, network = NETWORKS[name]
    built = network(config(**settings)).eval()
    with torch.no_grad():
        for key, parameter in built.named_parameters():
            if not (keep_means and "mean" in key):
                parameter.add_(0.05 * torch.randn_like(parameter))
        for key, buffer in built.named_buffers():
            if buffer.is_floating_point() and key.endswith(("running_mean", "running_var")):
                buffer.add_(torch.rand_like(buffer))
    return built


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("case", CASES)
def test_every_public_layout_is_recognised_and_gives_the_same_pixels(case: str, suffix: str, tmp_path: Path) -> None:
    name, settings, rename, wrapper = CASES[case]
    network = network_of(name, settings, keep_means="BasicSR" in case)
    public = {key: value.clone() for key, value in rename(network.state_dict()).items()}
    path = tmp_path / f"net{suffix}"
    if suffix == ".pth":
        torch.save({wrapper: public, "iter": 5} if wrapper else public, path)
    else:
        save_file(public, path)
    model = load_model(path)
    assert (model.name, model.scale, model.network.config) == (name, network.scale, network.config)
    assert model.overlap == network.receptive_radius
    assert not model.network.training
    lr = torch.rand(1, 3, 7, 10)
    with torch.no_grad():
        assert torch.equal(model.network(lr), network(lr))


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_old_esrgan_equals_spandrels_own_network(scale: int, tmp_path: Path) -> None:
    torch.manual_seed(scale)
    theirs = ESRGAN(num_filters=8, num_blocks=2, scale=scale).eval()
    torch.save(theirs.state_dict(), tmp_path / "old.pth")
    model = load_model(tmp_path / "old.pth")
    config: Any = model.network.config
    assert (model.name, model.scale, config.shrinking) == ("rrdb", scale, 1)
    lr = torch.rand(1, 3, 7, 10)
    with torch.no_grad():
        torch.testing.assert_close(model.network(lr), theirs(lr), atol=1e-5, rtol=0)


def test_shifted_means_are_loaded_and_missing_ones_are_the_mean_of_div2k(tmp_path: Path) -> None:
    network = network_of("rcan", RCAN)
    torch.save(network.state_dict(), tmp_path / "rcan.pth")
    loaded: Any = load_model(tmp_path / "rcan.pth").network
    assert torch.equal(loaded.sub_mean.weight, network.state_dict()["sub_mean.weight"])
    assert not torch.equal(loaded.sub_mean.weight[:, :, 0, 0], torch.eye(3))
    torch.save(basicsr_rcan(network.state_dict()), tmp_path / "basicsr.pth")
    plain: Any = load_model(tmp_path / "basicsr.pth").network
    assert torch.equal(plain.add_mean.weight[:, :, 0, 0], torch.eye(3))
    assert plain.add_mean.bias.tolist() == pytest.approx([255 * 0.4488, 255 * 0.4371, 255 * 0.4040])


def test_averaged_weights_are_preferred_and_halves_become_floats(tmp_path: Path) -> None:
    live, averaged = (network_of("compact", {"convs": convs, "features": 4}).half().state_dict() for convs in (1, 2))
    torch.save({"params": live, "params_ema": averaged}, tmp_path / "net.pth")
    model = load_model(tmp_path / "net.pth")
    config: Any = model.network.config
    assert config.convs == 2
    assert {value.dtype for value in model.network.state_dict().values()} == {torch.float32}


def test_wide_edsr_scales_its_residuals(tmp_path: Path) -> None:
    network = network_of("edsr", {"blocks": 1, "features": 256, "residual_scale": 0.1})
    torch.save(network.state_dict(), tmp_path / "edsr.pth")
    assert load_model(tmp_path / "edsr.pth").network.config == network.config


@pytest.mark.parametrize(("file", "stated", "scale"), [
    ("vdsr.pth", None, 4), ("vdsr_x3.pth", None, 3), ("2x_vdsr.pth", None, 2), ("vdsr-x3-x12.pth", 2, 2),
    ("vdsrx3.pth", None, 4),
])  # fmt: skip
def test_weights_for_any_scale_take_it_from_the_caller_or_the_name(
    file: str, stated: int | None, scale: int, tmp_path: Path
) -> None:
    torch.save(network_of("vdsr", {"convs": 3, "features": 4}).state_dict(), tmp_path / file)
    model = load_model(tmp_path / file, scale=stated)
    assert (model.scale, model.network.config.scale) == (scale, scale)  # type: ignore[reportAttributeAccessIssue]


@pytest.fixture
def vdsr_module(monkeypatch: pytest.MonkeyPatch) -> type[nn.Module]:
    """The classes of twtygqyy/pytorch-vdsr, as its pickled checkpoints name them."""
    module = types.ModuleType("vdsr")
    code = """
import torch
from torch import nn

class Conv_ReLU_Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.conv(x))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.residual_layer = nn.Sequential(*[Conv_ReLU_Block() for _ in range(3)])
        self.input = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.output = nn.Conv2d(8, 1, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return x + self.output(self.residual_layer(self.relu(self.input(x))))
"""
    exec(code, module.__dict__)
    monkeypatch.setitem(sys.modules, "vdsr", module)
    return module.Net


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")  # torch's, of a class without a file
@pytest.mark.parametrize("as_zip", [True, False])
def test_a_pickled_vdsr_is_read_without_its_code(
    as_zip: bool, vdsr_module: type[nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    theirs = vdsr_module()
    path = tmp_path / "model_epoch_50.pth"
    torch.save({"epoch": 50, "model": theirs}, path, _use_new_zipfile_serialization=as_zip)
    monkeypatch.delitem(sys.modules, "vdsr")
    model = load_model(path, scale=1)
    luma = torch.rand(1, 1, 9, 8)
    with torch.no_grad():
        torch.testing.assert_close(model.network(luma), theirs(luma), atol=1e-6, rtol=0)
    assert model.metadata["layout"] == "pytorch-vdsr"
    assert "vdsr" not in sys.modules


def test_code_in_a_pickle_is_never_run(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(tmp_path / "made"),))

    for as_zip in (True, False):
        content = {"state_dict": {"conv1.weight": torch.zeros(2)}, "extra": Hostile()}
        torch.save(content, tmp_path / "net.pth", _use_new_zipfile_serialization=as_zip)
        with pytest.raises(ModelFileError, match=r"net\.pth: a pickle that would run code \(.*mkdir\) - save its"):
            load_model(tmp_path / "net.pth")
    assert not (tmp_path / "made").exists()


def vdsr_file(path: Path, change: Callable[[State], object]) -> Path:
    state = dict(network_of("vdsr", {"convs": 5, "features": 8}).state_dict())
    change(state)
    torch.save(state, path)
    return path


def cut(path: Path) -> Path:
    torch.save(network_of("vdsr", {"convs": 3, "features": 8}).state_dict(), path)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def leftthomas(path: Path) -> Path:
    torch.save({f"block{n}.0.weight": torch.zeros(2) for n in range(1, 9)}, path)
    return path


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "no such model file"),
    "empty": (lambda path: path.write_bytes(b""), "not a whole file of tensors"),
    "text": (lambda path: path.write_text("<html>not found</html>"), "not a whole file of tensors"),
    "cut": (cut, "not a whole file of tensors"),
    "a tensor": (lambda path: torch.save(torch.zeros(2), path), "holds a Tensor, not named tensors"),
    "numbers": (lambda path: torch.save({"a": 1, "b": 2.0}, path), "a, b hold no tensors"),
    "nothing": (lambda path: torch.save({}, path), "holds nothing"),
    "leftthomas": (leftthomas, "SRGAN of leftthomas: five blocks .* - give SRResNet weights"),
    "a missing key": (
        lambda path: vdsr_file(path, lambda s: s.pop("residual_layer.1.conv.weight")),
        "1 keys do not fit: residual_layer.1.conv.weight missing -",
    ),
    "odd keys": (
        lambda path: vdsr_file(path, lambda s: s.update({f"x{n}": torch.zeros(1) for n in range(5)})),
        "5 keys do not fit: x0 unknown, x1 unknown, x2 unknown -",
    ),
    "an odd shape": (
        lambda path: vdsr_file(path, lambda s: s.update({"residual_layer.0.conv.weight": torch.zeros(8, 8, 5, 5)})),
        r"residual_layer.0.conv.weight is \(8, 8, 5, 5\), not \(8, 8, 3, 3\)",
    ),
    "NaN": (lambda path: vdsr_file(path, lambda s: s["output.weight"].fill_(torch.nan)), "not finite in output.weight"),
    "unknown": (lambda path: torch.save({"a": torch.zeros(2)}, path), r"no layout it knows \(keys a\), nor spandrel -"),
    "half an ESRGAN+": (
        lambda path: torch.save(dict.fromkeys(("model.0.weight", "model.1.sub.0.RDB1.conv1x1.weight"), ONE), path),
        "spandrel cannot load it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_sound_checkpoint_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    make, message = REFUSED[case]
    path = tmp_path / "net.pth"
    make(path)
    with pytest.raises(ModelFileError, match=message) as caught:
        load_model(path)
    assert caught.value.exit_code == 4
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_spandrel_the_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    save_file({"a": torch.zeros(2)}, tmp_path / "net.safetensors")
    with pytest.raises(ModelFileError, match=re.escape("install srzoo[foreign], which reads many more")):
        load_model(tmp_path / "net.safetensors")


@pytest.fixture
def span(tmp_path: Path) -> tuple[Path, nn.Module]:
    """A network that srzoo lacks and spandrel has."""
    torch.manual_seed(0)
    network = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=2)
    torch.save({"params": network.state_dict()}, tmp_path / "span.pth")
    return tmp_path / "span.pth", network


def test_other_networks_come_through_spandrel(span: tuple[Path, nn.Module]) -> None:
    path, network = span
    model = load_model(path)
    assert (model.name, model.scale, model.overlap) == ("SPAN", 2, None)
    descriptor: Any = spandrel.ModelLoader().load_from_state_dict(network.state_dict())
    pixels = np.random.default_rng(0).integers(0, 256, (24, 30, 3), np.uint8)
    lr = torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None]
    with torch.no_grad():
        expected = descriptor(lr.clone())
        torch.testing.assert_close(model.network(lr), expected, atol=1e-6, rtol=0)
    assert expected.std() > 0.01
    assert Upscaler(model, device="cpu").image(pixels).shape == (48, 60, 3)
    in_bf16 = Engine(model.network, device="cpu", precision="bf16").run(lr)
    assert (in_bf16 - expected).abs().mean() < 0.02


@pytest.mark.parametrize("kind", ["ours", "spandrel"])
def test_upscale_and_evaluate_take_public_checkpoints(
    kind: str, span: tuple[Path, nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    path = span[0]
    if kind == "ours":
        path = tmp_path / "esrgan.pth"
        torch.save(old_esrgan(network_of("rrdb", RRDB).state_dict()), path)
    scale = 4 if kind == "ours" else 2
    Path("hr").mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)).save("hr/a.png")
    assert run(["upscale", "--device", "cpu", "hr/a.png", "-o", "out.png", "--model", path.name]) == 0
    with Image.open("out.png") as image:
        assert image.size == (80 * scale, 64 * scale)
    assert run(["evaluate", "--device", "cpu", "--hr", "hr", "--model", path.name]) == 0
    assert path.name in capfd.readouterr().out
