"""A degrader as a file: what goes in comes out, through card, gate and trust, without srzoo."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from degrade.card import read_card
from degrade.errors import UnsafeFileError, UsageError
from degrade.ops.learned.mixture import mixture_of
from degrade.trust import VARIABLE, admit
from srzoo import export
from srzoo.checkpoint import load_degrader, load_model, save_model
from srzoo.cli.main import run
from srzoo.degraders import DEGRADERS
from srzoo.degraders.layers import LumaOnly
from srzoo.errors import ModelFileError
from srzoo.export import SYSTEMS, Words, export_degrader
from srzoo.networks import NETWORKS
from srzoo.tensors import luma

SMALL: dict[str, dict[str, Any]] = {
    "basis_kernels": {"kernels": 3, "features": 4},
    "cycle_generator": {"blocks": 1, "features": 4},
    "direct_kpn": {"size": 5, "features": 4},
    "direct_net": {"features": 4},
    "dsgan": {"blocks": 1, "features": 8},
    "dual_input": {"blocks": 1, "features": 3},
    "h2l": {"blocks": 2, "features": 6, "skip": "nearest"},
}
METADATA = {
    "preset": 'name = "tiny"\ndescription = "Four features."\n',
    "steps": "40",
    "metrics": '{"step": 40, "lr_psnr": 31.5}',
    "trained_on": '["polyu: shards, SHA-256 ab"]',
    "zoom": "3",
}
everywhere = pytest.mark.parametrize("name", DEGRADERS)


@pytest.fixture(autouse=True)
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's list."""
    path = tmp_path / "settings" / "trusted"
    monkeypatch.setenv(VARIABLE, str(path))
    monkeypatch.chdir(tmp_path)
    return path


def model_file(name: str = "h2l", seed: int = 0, **metadata: str) -> Path:
    """A run folder's product, with random weights."""
    torch.manual_seed(seed)
    config, network = DEGRADERS[name]
    built = network(config(**SMALL[name]))
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    folder = Path(f"runs/{name}-run")
    folder.mkdir(parents=True, exist_ok=True)
    save_model(folder / "degrader.safetensors", name, built, METADATA | metadata)
    return folder / "degrader.safetensors"


@everywhere
@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_the_file_does_what_the_network_does(name: str, trusted: Path) -> None:
    path = model_file(name)
    admitted = export_degrader(path, Path("x.pt"))
    assert admitted == admit(Path("x.pt"))
    assert trusted.read_text().split()[0] == hashlib.sha256(Path("x.pt").read_bytes()).hexdigest()
    network: Any = load_degrader(path).network
    network = LumaOnly(network) if network.colour == "y" else network
    script = torch.jit.load("x.pt")
    torch.manual_seed(1)
    height, width = 6 * network.multiple, 9 * network.multiple
    given = [torch.rand(2, 3, height, width)]
    for one in network.inputs:
        size = (height, width) if one.kind == "noise" else (height // network.scale, width // network.scale)
        given.append(torch.rand(2, 3, *size))
    with torch.inference_mode():
        for _ in range(3):
            torch.testing.assert_close(script(*given), network(*given), atol=1e-6, rtol=1e-6)


@everywhere
def test_the_card_states_the_networks_own_facts_and_the_runs(name: str) -> None:
    path = model_file(name)
    network: Any = load_degrader(path).network
    export_degrader(path, Path("x.pt"), Words(licence="CC0-1.0"))
    card = read_card(Path("x.pt"))
    own = (network.scale, network.multiple, network.inputs, network.receptive_field, network.colour)
    assert (card.scale, card.multiple, card.inputs, card.receptive_field, card.colour) == own
    assert card.system == SYSTEMS[name]
    assert card.name == (f"{name}-run-x4" if network.scale == 4 else f"{name}-run")
    assert card.zoom == (3 if network.scale == 1 else 1)
    assert (card.description, card.steps, card.metrics) == ("Four features.", 40, {"lr_psnr": 31.5})
    assert (card.trained_on, card.preset) == (("polyu: shards, SHA-256 ab",), METADATA["preset"])
    assert card.licence == "CC0-1.0"
    assert card.batch in (1, 2, 4, 8, 16)


def test_what_the_user_says_stands_in_the_card() -> None:
    export_degrader(model_file(), Path("x.pt"), Words("h2l-polyu-x4", "Noise of five cameras.", "CC-BY-4.0"))
    card = read_card(Path("x.pt"))
    assert (card.name, card.description, card.licence) == ("h2l-polyu-x4", "Noise of five cameras.", "CC-BY-4.0")
    export_degrader(model_file(preset=""), Path("y.pt"))
    assert dataclasses.replace(read_card(Path("y.pt")), preset="x").licence == "not stated"


@pytest.mark.parametrize("name", ["h2l", "basis_kernels"])
def test_the_same_run_gives_the_same_bytes(name: str) -> None:
    path = model_file(name)
    export_degrader(path, Path("x.pt"))
    export_degrader(model_file("direct_net"), Path("other.pt"))  # torch numbers the classes it makes
    export_degrader(path, Path("y.pt"))
    assert Path("x.pt").read_bytes() == Path("y.pt").read_bytes()


@pytest.mark.slow
def test_another_process_gives_the_same_bytes() -> None:
    path = model_file()
    export_degrader(path, Path("x.pt"))
    code = f"from pathlib import Path; from srzoo.export import *; export_degrader(Path({str(path)!r}), Path('z.pt'))"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
    assert Path("x.pt").read_bytes() == Path("z.pt").read_bytes()


def test_batch_is_the_largest_that_gives_the_bits_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Network:
        scale, multiple, inputs = 1, 1, ()

    def script(image: torch.Tensor) -> torch.Tensor:
        return image * (1 + 1e-6 * (len(image) > 4))

    assert export._largest_batch(script, Network()) == 4
    assert export._largest_batch(lambda image: image, Network()) == 16
    assert export._largest_batch(lambda image: image - image.mean(), Network()) == 1


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_a_file_that_does_something_else_is_not_written(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    path = model_file()
    other: Any = load_degrader(model_file(seed=1)).network
    path = model_file()
    scripted = export._scripted
    monkeypatch.setattr(export, "_scripted", lambda network: scripted(other))
    with pytest.raises(ModelFileError, match="the exported file differs from it by"):
        export_degrader(path, Path("x.pt"))
    assert not Path("x.pt").exists()
    assert not trusted.exists()


def test_what_the_gate_refuses_is_not_written(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    class Peeking(torch.nn.Module):
        scale, multiple, receptive_field, colour, inputs = 4, 4, 5, "rgb", ()

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return image[:, :, ::4, ::4] + torch.zeros([image.shape[0], 3, 1, 1])

    monkeypatch.setattr(export, "_on_rgb", lambda model: Peeking().eval())
    with pytest.raises(UnsafeFileError, match="zeros"):
        export_degrader(model_file(), Path("x.pt"))
    assert not Path("x.pt").exists()
    assert not trusted.exists()


def test_a_network_that_makes_sr_is_refused() -> None:
    config, network = NETWORKS["skipres"]
    save_model(Path("sr.safetensors"), "skipres", network(config(blocks=1, features=4)), {})
    with pytest.raises(ModelFileError, match=r"sr\.safetensors: holds skipres, which makes SR - give a degrader"):
        export_degrader(Path("sr.safetensors"), Path("x.pt"))


def test_a_degraders_file_enlarges_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    path = model_file()
    with pytest.raises(ModelFileError, match="holds h2l, a degrader: it makes LR"):
        load_model(path)
    Path("photo.png").write_bytes(b"")
    assert run(["upscale", "photo.png", "--model", "runs/h2l-run"]) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("a degrader: it makes LR - give a network that enlarges; srzoo export-degrader takes this one")


def test_a_file_that_is_there_is_kept_unless_forced() -> None:
    path = model_file()
    Path("x.pt").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        export_degrader(path, Path("x.pt"))
    assert Path("x.pt").read_text() == "mine"
    export_degrader(path, Path("x.pt"), overwrite=True)


@pytest.mark.parametrize(
    "given", ["h2l-run", "runs/h2l-run", "runs/h2l-run:degrader", "runs/h2l-run/degrader.safetensors"]
)
def test_the_command_takes_a_run_its_name_or_its_file(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    model_file()
    assert run(["export-degrader", given, "-o", "x.pt", "--name", "tiny", "--licence", "CC0-1.0"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("x.pt: tiny (SRDGAN H2L), x4, ")
    assert said.split()[-1] == hashlib.sha256(Path("x.pt").read_bytes()).hexdigest()
    assert run(["export-degrader", given, "-o", "x.pt"]) == 2
    assert run(["export-degrader", given, "-o", "x.pt", "--force"]) == 0


def test_a_run_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    model_file()
    assert run(["export-degrader", "h2l-rnu", "-o", "x.pt"]) == 2
    assert capsys.readouterr().err.startswith("srzoo: error: srzoo export-degrader h2l-rnu: no such file, run")


def test_every_degrader_has_a_system_and_no_name_is_a_networks() -> None:
    assert set(SYSTEMS) == set(DEGRADERS)
    assert not set(DEGRADERS) & set(NETWORKS)


def test_the_kernels_that_dml_mixes_are_found_in_its_file() -> None:
    path = model_file("basis_kernels")
    export_degrader(path, Path("x.pt"))
    network: Any = load_degrader(path).network
    image = torch.rand(1, 3, 22, 30, generator=torch.Generator().manual_seed(0))
    mixture = mixture_of(Path("x.pt"), image[0].permute(1, 2, 0).numpy())
    with torch.inference_mode():
        weights, (kernel,) = network.weight_maps(luma(image))[0], network.kernels_at(luma(image), [(5, 7)])[0]
    torch.testing.assert_close(torch.from_numpy(mixture.basis), network.basis.detach()[:, 0], rtol=0, atol=0)
    torch.testing.assert_close(torch.from_numpy(mixture.maps), weights)
    torch.testing.assert_close(torch.from_numpy(mixture.kernel(5, 7)), kernel)
