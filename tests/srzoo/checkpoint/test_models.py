import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors
import torch
from safetensors.torch import load_file, save_file

from srzoo.checkpoint import load_degrader, load_model, read_metadata, save_model
from srzoo.degraders import DEGRADERS
from srzoo.errors import ModelFileError
from srzoo.networks import NETWORKS
from srzoo.networks.skipres import SkipRes, SkipResConfig


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = SkipRes(SkipResConfig(scale=2, blocks=2, features=4)).to(memory_format=torch.channels_last)
    torch.nn.init.normal_(network.tail.weight)
    path = tmp_path / "generator.safetensors"
    save_model(path, "skipres", network, {"preset": "name = 'x'", "steps": "12"})
    return path


@pytest.mark.parametrize("name", DEGRADERS)
def test_every_degrader_comes_back_with_its_config_bits_and_receptive_field(name: str, tmp_path: Path) -> None:
    config_class, network_class = DEGRADERS[name]
    small = {key: 1 for key in ("blocks", "kernels") if key in config_class.__dataclass_fields__}
    network = network_class(config_class(**small, features=4))
    save_model(tmp_path / "it.safetensors", name, network, {})
    model = load_degrader(tmp_path / "it.safetensors")
    assert (model.name, model.scale, model.network.config) == (name, network.scale, network.config)
    assert model.overlap == (None if network.receptive_field == "whole" else network.receptive_field)
    assert not model.network.training
    for key, value in network.state_dict().items():
        assert torch.equal(model.network.state_dict()[key], value)
    with pytest.raises(ModelFileError, match=rf"holds {name}, a degrader: it makes LR - give a network that enlarges"):
        load_model(tmp_path / "it.safetensors")


def test_a_network_is_no_degrader(file: Path) -> None:
    with pytest.raises(ModelFileError, match="holds skipres, which makes SR - give a degrader"):
        load_degrader(file)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_comes_back_with_its_config_and_bits(name: str, tmp_path: Path) -> None:
    config_class, network_class = NETWORKS[name]
    fields = config_class.__dataclass_fields__
    scale = {"rcan_dml": 1, "rrdb": 2}.get(name, 3)
    network = network_class(config_class(scale=scale, **{key: 1 for key in ("groups", "blocks") if key in fields}))
    save_model(tmp_path / "it.safetensors", name, network, {})
    model = load_model(tmp_path / "it.safetensors")
    assert (model.name, model.scale, model.network.config) == (name, scale, network.config)
    assert model.overlap == network.receptive_radius
    assert not model.network.training
    assert not any(parameter.requires_grad for parameter in model.network.parameters())
    for key, value in network.state_dict().items():
        assert torch.equal(model.network.state_dict()[key], value)


def test_the_metadata_say_what_it_is(file: Path) -> None:
    metadata = read_metadata(file)
    assert metadata["format"] == "srzoo-model"
    assert metadata["scale"] == "2"
    assert metadata["steps"] == "12"
    assert json.loads(metadata["config"]) == {"scale": 2, "blocks": 2, "features": 4}
    assert metadata["overlap"] == "6"


def test_loading_leaves_the_random_numbers_alone(file: Path) -> None:
    before = torch.get_rng_state()
    load_model(file)
    assert torch.equal(torch.get_rng_state(), before)


def rewritten(change: Callable[[dict, dict], None]) -> Callable[[Path], None]:
    """A damage: load, change tensors or metadata, write with a digest that fits."""

    def damage(path: Path) -> None:
        from srzoo.checkpoint.models import digest

        tensors = load_file(path)
        with safetensors.safe_open(path, framework="pt") as opened:
            metadata = dict(opened.metadata())
        change(tensors, metadata)
        metadata["sha256"] = digest(tensors)
        save_file(tensors, path, metadata)

    return damage


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "no such model file"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "no such model file"),
    "empty": (lambda path: path.write_bytes(b""), "not a whole safetensors file"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-9]), "not a whole safetensors file"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"1234"), "not a whole safetensors file"),
    "a huge header": (lambda path: path.write_bytes(struct.pack("<Q", 1 << 60) + b"{}"), "not a whole safetensors"),
    "text": (lambda path: path.write_text("<html>not found</html>" * 20), "not a whole safetensors file"),
    "a pickle": (lambda path: torch.save({"a": torch.zeros(2)}, path), "not a whole safetensors file"),
    "one bit": (flip, "not those that were written"),
    "foreign": (lambda path: save_file({"a": torch.zeros(2)}, path), "no model of srzoo"),
    "newer": (rewritten(lambda _, m: m.update(format_version="2")), "version 2, known is 1"),
    "unknown network": (rewritten(lambda _, m: m.update(network="skipress")), "did you mean 'skipres'"),
    "no config": (rewritten(lambda _, m: m.pop("config")), "config cannot be read"),
    "odd config": (rewritten(lambda _, m: m.update(config='{"scale": 2, "block": 2}')), "unknown key"),
    "a missing key": (rewritten(lambda t, _: t.pop("head.bias")), "1 keys do not fit: head.bias missing"),
    "an odd shape": (
        rewritten(lambda t, _: t.update({"head.bias": torch.zeros(5)})),
        r"head.bias is \(5,\), not \(4,\)",
    ),
    "odd keys": (
        rewritten(lambda t, _: [t.update({f"x{n}": t.pop(key)}) for n, key in enumerate(sorted(t))]),
        "24 keys do not fit: body.0.body.0.bias missing, body.0.body.0.weight missing, body.0.body.2.bias missing -",
    ),
    "NaN": (rewritten(lambda t, _: t["head.bias"].fill_(float("nan"))), "not finite in head.bias"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_sound_model_is_refused_in_one_line(damage: str, file: Path) -> None:
    make, message = DAMAGES[damage]
    make(file)
    with pytest.raises(ModelFileError, match=message) as caught:
        load_model(file)
    assert caught.value.exit_code == 4
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_facts_cannot_replace_what_the_file_says_of_itself(tmp_path: Path) -> None:
    network = SkipRes(SkipResConfig(blocks=1, features=2))
    save_model(tmp_path / "it.safetensors", "skipres", network, {"network": "rcan", "format": "mine"})
    assert load_model(tmp_path / "it.safetensors").name == "skipres"
