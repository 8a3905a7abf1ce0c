from pathlib import Path

import pytest
import torch

from srzoo.checkpoint import State, save_model, save_state
from srzoo.errors import ModelFileError, PresetError
from srzoo.networks.skipres import SkipRes, SkipResConfig
from srzoo.preset import NetworkPlan
from srzoo.trainer.start import load_start

CONFIG = SkipResConfig(scale=2, blocks=1, features=2)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """`runs/psnr` with a trained generator; the run at hand is `runs/gan`."""
    (tmp_path / "runs" / "psnr").mkdir(parents=True)
    torch.manual_seed(7)
    save_model(tmp_path / "runs" / "psnr" / "generator.safetensors", "skipres", SkipRes(CONFIG), {})
    return tmp_path / "runs"


def started(runs: Path, reference: str, *, role: str = "generator", config: SkipResConfig = CONFIG) -> SkipRes:
    torch.manual_seed(0)
    network = SkipRes(config)
    load_start(network, role, NetworkPlan("skipres", config, start_from=reference), runs / "gan")
    return network


@pytest.mark.parametrize("reference", ["psnr", "{runs}/psnr", "{runs}/psnr/generator.safetensors", "psnr:generator"])
def test_a_run_a_folder_or_a_file_gives_its_weights(reference: str, runs: Path) -> None:
    torch.manual_seed(7)
    expected = SkipRes(CONFIG).state_dict()
    found = started(runs, reference.format(runs=runs)).state_dict()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_another_role_takes_the_one_that_is_named(runs: Path) -> None:
    assert started(runs, "psnr:generator", role="h2l")
    with pytest.raises(PresetError, match=r"networks.h2l.start_from: no trained 'psnr' beside .*gan - train it first"):
        started(runs, "psnr", role="h2l")


def test_an_earlier_stage_of_the_same_run_comes_first(runs: Path) -> None:
    (runs / "gan" / "psnr").mkdir(parents=True)
    torch.manual_seed(9)
    save_model(runs / "gan" / "psnr" / "generator.safetensors", "skipres", SkipRes(CONFIG), {})
    found = started(runs, "psnr").head.weight
    torch.manual_seed(9)
    assert torch.equal(found, SkipRes(CONFIG).head.weight)


def test_other_networks_and_broken_files_are_refused(runs: Path) -> None:
    with pytest.raises(PresetError, match=r"features=2.*but generator is skipres .*features=4"):
        started(runs, "psnr", config=SkipResConfig(scale=2, blocks=1, features=4))
    (runs / "psnr" / "generator.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match="not a whole"):
        started(runs, "psnr")


def test_what_is_no_product_comes_from_the_state_of_a_run_that_ended(runs: Path) -> None:
    torch.manual_seed(5)
    restorer = SkipRes(CONFIG)
    tensors = {f"network/restorer/{key}": value for key, value in restorer.state_dict().items()}
    save_state(runs / "psnr" / "state", State(3, tensors, {}))
    found = started(runs, "psnr", role="restorer").head.weight
    assert torch.equal(found, restorer.head.weight)
    with pytest.raises(PresetError, match="no whole state there has a 'judge'"):
        started(runs, "psnr:judge")
    (runs / "psnr" / "generator.safetensors").unlink()
    with pytest.raises(PresetError, match="no trained 'psnr'"):  # it has not ended
        started(runs, "psnr", role="restorer")
