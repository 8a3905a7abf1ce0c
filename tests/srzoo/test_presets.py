"""The presets of published networks: the papers' values, and twins that a CPU trains."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from srzoo.data import Batch
from srzoo.errors import PresetError
from srzoo.networks.compact import CompactConfig
from srzoo.networks.edsr import EDSRConfig
from srzoo.networks.layers import luma, replace_luma
from srzoo.networks.plksr import PLKSRConfig
from srzoo.networks.rcan import RCANConfig
from srzoo.networks.rcan_dml import DMLRCANConfig
from srzoo.networks.rrdb import RRDBConfig
from srzoo.networks.srcnn import SRCNNConfig
from srzoo.networks.srresnet import SRResNetConfig
from srzoo.networks.vdsr import VDSRConfig
from srzoo.objectives.supervised import SupervisedConfig
from srzoo.preset import Stage, build_networks, build_objective, build_optimisers, load_preset, preset_names
from srzoo.trainer import RunOptions, train

# Reference 1 and 3, typed again: network, side of the LR patch, batch, learning rate, steps, first halving, distance.
PAPERS = {
    "rcan-psnr": (RCANConfig(), 48, 16, 1e-4, 1_000_000, 200_000, "l1"),
    "edsr": (EDSRConfig(4, 32, 256, 0.1), 48, 16, 1e-4, 300_000, 200_000, "l1"),
    "vdsr-y": (VDSRConfig(1, bias=True, dropout=0.5), 192, 16, 1e-4, 300_000, None, "mse"),
    "rcan-y": (DMLRCANConfig(), 192, 2, 1e-4, 300_000, None, "mse"),
    "srcnn": (SRCNNConfig(), 8, 128, 1e-4, 1_500_000, None, "mse"),
    "srresnet-psnr": (SRResNetConfig(), 24, 16, 1e-4, 1_000_000, None, "mse"),
    "rrdb-psnr": (RRDBConfig(), 32, 16, 2e-4, 1_000_000, 200_000, "l1"),
    "compact": (CompactConfig(convs=32), 64, 48, 2e-4, 1_000_000, None, "l1"),
    "plksr": (PLKSRConfig(), 96, 64, 2e-4, 450_000, 100_000, "l1"),
}
TWINS = [f"{name}-small" for name in PAPERS]


def only_stage(name: str) -> Stage:
    (stage,) = load_preset(name).stages
    return stage


@pytest.mark.parametrize("name", PAPERS)
def test_a_papers_preset_has_the_papers_values(name: str) -> None:
    config, side, batch, rate, steps, halving, distance = PAPERS[name]
    stage = only_stage(name)
    optimiser = stage.optimisers["generator"]
    assert stage.networks["generator"].config == config
    assert (stage.data.patch // stage.scale, stage.data.batch, stage.steps) == (side, batch, steps)
    assert (optimiser.learning_rate, next(iter(optimiser.milestones), None)) == (rate, halving)
    assert optimiser.factor == 0.5
    assert (stage.loss.pixel, stage.loss.pixel_distance, stage.loss.adversarial) == (1, distance, 0)
    assert "section" in stage.source or "options" in stage.source


@pytest.mark.parametrize("name", PAPERS)
def test_its_twin_is_the_same_network_small_enough_for_a_cpu(name: str) -> None:
    stage, twin = only_stage(name), only_stage(f"{name}-small")
    assert twin.networks["generator"].type == stage.networks["generator"].type
    assert (twin.loss.pixel_distance, twin.loss.colour) == (stage.loss.pixel_distance, stage.loss.colour)
    assert sum(p.numel() for p in build_networks(twin, seed=0)["generator"].parameters()) < 500_000
    assert twin.scale == 4  # whatever set they are compared on
    assert twin.steps <= 5000
    assert "our own" in twin.source
    assert "for two CPU cores" in twin.table["description"]


def test_no_preset_is_called_small_without_its_paper() -> None:
    assert {name for name in preset_names() if name.endswith("-small")} == set(TWINS)


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_learns_within_a_few_steps(name: str) -> None:
    stage = only_stage(name)
    networks = build_networks(stage, seed=0)
    networks["generator"].train()
    objective = build_objective(stage, networks, vgg_weights=None)
    optimiser = build_optimisers(stage, networks)["generator"]
    hr = torch.rand(2, 3, 32, 32)
    batch = Batch(torch.nn.functional.avg_pool2d(hr, 4), hr, (0, 1))
    losses = []
    for _ in range(6):
        for asked in objective.step(batch):
            optimiser.zero_grad()
            asked["generator"].backward()
            optimiser.step()
            losses.append(asked["generator"].item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", ["vdsr-y-small", "rcan-y-small", "srcnn-small"])
def test_presets_on_luma_see_no_chroma(name: str) -> None:
    stage = only_stage(name)
    networks = build_networks(stage, seed=0)
    objective = build_objective(stage, networks, vgg_weights=None)
    torch.manual_seed(0)
    hr, lr = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 8, 8)
    tinted = replace_luma(1 - lr, luma(lr)), replace_luma(1 - hr, luma(hr))  # other colours, the same luma
    with torch.no_grad():
        one, other = (
            next(iter(objective.step(Batch(small, large, (0,)))))["generator"] for small, large in ((lr, hr), tinted)
        )
        made = networks["generator"](luma(lr))
    assert one.item() == pytest.approx(other.item(), rel=1e-4)
    assert one.item() == pytest.approx((made - luma(hr)).square().mean().item(), rel=1e-5)


def test_luma_goes_with_networks_that_take_it_and_the_pixel_term_alone() -> None:
    stage = only_stage("edsr-small")
    with pytest.raises(PresetError, match=r"loss\.colour: y, but the generator is given 3 channels - use vdsr"):
        build_objective(
            load_preset("edsr-small", overrides=["loss.colour=y"]).stages[0],
            build_networks(stage, seed=0),
            vgg_weights=None,
        )
    with pytest.raises(ValueError, match="colour: y goes with the pixel term alone"):
        SupervisedConfig(colour="y", adversarial=0.1)


def test_every_loss_there_is_can_be_named() -> None:
    from srzoo.losses import GAN_LOSSES, PIXEL_LOSSES

    for distance in PIXEL_LOSSES:
        overrides = [f"loss.pixel_distance={distance}"]
        assert load_preset("demo", overrides=overrides).stages[0].loss.pixel_distance == distance
    for gan in GAN_LOSSES:
        assert load_preset("compact-gan-x4", overrides=[f"loss.gan={gan}"]).stages[0].loss.gan == gan


@pytest.mark.slow
@pytest.mark.parametrize("name", TWINS)
def test_a_twin_trains_on_real_photographs(
    sr_data: Path, name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from degrade.cli.main import run

    shards = tmp_path_factory.getbasetemp() / "twins"
    photos = [str(photo) for photo in sorted((sr_data / "hr_train").glob("*.webp"))[:8]]
    command = ["synth", *photos, "--recipe", "bicubic", "--patch", "96", "--pairs", "32", "--out", str(shards)]
    assert run([*command, "--workers", "1"]) == 0
    preset = load_preset(name, overrides=["steps=2", "watch.pairs=2", "watch.validate_every=2"])
    outcome = train(preset, RunOptions((shards,), tmp_path / name, device="cpu", threads=1))
    assert outcome.kind == "finished"
    assert (tmp_path / name / "generator.safetensors").is_file()
