"""The presets of published networks: the papers' values, and twins that a CPU trains."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from srzoo.checkpoint import load_model, save_model
from srzoo.data import Batch
from srzoo.degraders.basis_kernels import BasisKernelsConfig
from srzoo.degraders.direct_kpn import DirectKPNConfig
from srzoo.degraders.direct_net import DirectNetConfig
from srzoo.degraders.h2l import H2LConfig
from srzoo.discriminators.patch import PatchCriticConfig
from srzoo.discriminators.srgan import SRGANCriticConfig
from srzoo.discriminators.unet import UNetCriticConfig
from srzoo.discriminators.vgg_style import VggStyleConfig
from srzoo.errors import PresetError
from srzoo.features.vgg19_weights import CONVOLUTIONS
from srzoo.losses import PerceptualConfig
from srzoo.networks.compact import CompactConfig
from srzoo.networks.edsr import EDSRConfig
from srzoo.networks.layers import replace_luma
from srzoo.networks.plksr import PLKSRConfig
from srzoo.networks.rcan import RCANConfig
from srzoo.networks.rcan_dml import DMLRCANConfig
from srzoo.networks.rrdb import RRDBConfig
from srzoo.networks.srcnn import SRCNNConfig
from srzoo.networks.srresnet import SRResNetConfig
from srzoo.networks.vdsr import VDSRConfig
from srzoo.objectives.supervised import SupervisedConfig
from srzoo.optim import learning_rate_at
from srzoo.preset import Stage, build_networks, build_objective, build_optimisers, load_preset, preset_names
from srzoo.tensors import luma
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

# Reference 1.6, 2, 3 and 6 of the degraders: network, scale, side of the HR patch, learning rate, steps, first change
# of the rate, border.
H2L = (H2LConfig(), 4, 192, 1e-4, 400_000, 50_000, 0)
DML = (BasisKernelsConfig(8, 15), 1, 192, 1e-4, 100_000, None, 7)
LEARNED = {
    "srdgan-h2l": H2L,
    "srdgan-h2l-vgg34": H2L,
    "dml": DML,
    "dml-code": (BasisKernelsConfig(8, 15, init="code"), *DML[1:]),
    "directnet": (DirectNetConfig(), 1, 192, 1e-3, 100_000, 6_000, 7),
    "directkpn": (DirectKPNConfig(15), 1, 192, 1e-3, 100_000, 6_000, 7),
}
LEARNED_TWINS = [f"{name}-small" for name in LEARNED if not name.endswith(("-code", "-vgg34"))]
CONV5_4 = PerceptualConfig(("conv5_4",), (), "imagenet", "l1")


@dataclass(frozen=True)
class Gan:
    """What is published of a GAN; the defaults are ESRGAN's second stage."""

    generator: object
    start: str | None
    critic: object
    weights: tuple[float, float, float]  # pixel, perceptual, adversarial
    gan: str
    half: bool
    distance: str = "l1"
    features: PerceptualConfig = CONV5_4
    patch: int = 128
    batch: int = 16
    betas: tuple[float, float] = (0.9, 0.999)
    steps: int = 400_000
    milestones: tuple[int, ...] = (50_000, 100_000, 200_000, 300_000)
    factor: float = 0.5
    ema: float | None = None


# Reference 1 to 3 and 6, typed again.
REN_R = Gan(RCANConfig(), "rcan-psnr", VggStyleConfig(128), (0.01, 1, 0.005), "relativistic", half=False)
REN_S = replace(REN_R, weights=(0.005, 1, 0.005), gan="standard")
MOBILE = {"steps": 60_000, "milestones": (5_000, 10_000, 20_000, 30_000)}
ESRGAN = Gan(RRDBConfig(), "rrdb-psnr", VggStyleConfig(128), (0.01, 1, 0.005), "relativistic", half=True)
FIVE = PerceptualConfig(("conv1_2", "conv2_2", "conv3_4", "conv4_4", "conv5_4"), (0.1, 0.1, 1, 1, 1))
GANS = {
    "esrgan-gan": ESRGAN,
    "esrgan-fs": replace(ESRGAN, start="esrgan-gan", distance="low_pass_l1", **{**MOBILE, "steps": 51_000}),
    "impressionism": replace(ESRGAN, critic=PatchCriticConfig(), **MOBILE),
    "srgan-gan": Gan(
        *(SRResNetConfig(), "srresnet-psnr", SRGANCriticConfig(96), (0, 1, 0.001), "standard"),
        half=True,
        features=PerceptualConfig(("relu5_4",), (), "raw01", "mse"),
        patch=96,
        batch=8,
        steps=200_000,
        milestones=(100_000,),
        factor=0.1,
    ),
    "l2h": Gan(
        *(RRDBConfig(blocks=25), None, VggStyleConfig(192), (0.01, 1, 0.005), "standard"),
        half=False,
        distance="mse",
        patch=192,
    ),
    "realesrgan-gan": Gan(
        *(RRDBConfig(), "rrdb-psnr", UNetCriticConfig(), (1, 1, 0.1), "standard"),
        half=False,
        features=FIVE,
        patch=256,
        batch=48,
        betas=(0.9, 0.99),
        milestones=(),
        ema=0.999,
    ),
    "ren2020-gan-r": REN_R,
    "ren2020-gan-s": REN_S,
    "ren2020-mobile-r": replace(REN_R, start="ren2020-gan-r", **MOBILE),
    "ren2020-mobile-s": replace(REN_S, start="ren2020-gan-s", **MOBILE),
    "ren2020-gan-r-half": replace(REN_R, half=True),
    "ren2020-gan-s-half": replace(REN_S, half=True),
}
GAN_TWINS = [f"{name}-small" for name in GANS if not name.endswith("-half")]


SRDGAN_TWINS = ["srdgan-joint-small", "srdgan-l2h-small"]  # test_presets_srdgan.py
UNPAIRED_TWINS = ["csrgan-joint-small", "cyclegan-small", "ddnsr-paper-small", "dsgan-small"]  # ..._unpaired.py


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
    known = {*TWINS, *GAN_TWINS, *LEARNED_TWINS, *SRDGAN_TWINS, *UNPAIRED_TWINS}
    assert {name for name in preset_names() if name.endswith("-small")} == known


@pytest.mark.parametrize("name", LEARNED)
def test_a_papers_degrader_has_the_papers_values(name: str) -> None:
    config, scale, patch, rate, steps, change, border = LEARNED[name]
    stage = only_stage(name)
    assert (stage.objective, stage.networks["degrader"].config) == ("degradation", config)
    assert (stage.scale, stage.data.patch, stage.data.batch, stage.steps) == (scale, patch, 16, steps)
    for optimiser in stage.optimisers.values():
        assert (optimiser.learning_rate, next(iter(optimiser.milestones), None)) == (rate, change)
    assert (stage.loss.pixel_distance, stage.loss.border) == ("mse", border)
    has_critic = name.startswith("srdgan")
    assert (stage.loss.pixel, stage.loss.adversarial) == ((0.01, 0.005) if has_critic else (1, 0))
    if has_critic:
        assert stage.networks["critic"].config == VggStyleConfig(48)
        assert (stage.loss.gan, stage.loss.half) == ("standard", False)
    assert "section" in stage.source or "Everything" in stage.source


def test_h2l_compares_the_features_that_l2h_does() -> None:
    for ending in ("", "-vgg34"):
        ours, other = (only_stage(f"{name}{ending}").loss for name in ("srdgan-h2l", "l2h"))
        assert (ours.perceptual, ours.features) == (other.perceptual, other.features)


@pytest.mark.parametrize("name", LEARNED_TWINS)
def test_a_degraders_twin_minimises_the_same_with_a_network_small_enough_to_ship(name: str) -> None:
    twin, full = only_stage(name), only_stage(name.replace("h2l-small", "h2l-vgg34").removesuffix("-small"))
    ours = {"moments": 0.0, "perceptual": 0.1} if name.startswith("srdgan") else {}  # what its source says of it
    assert replace(twin.loss, **ours) == full.loss
    assert twin.scale == full.scale
    assert [plan.type for plan in twin.networks.values()] == [plan.type for plan in full.networks.values()]
    parameters = sum(p.numel() for p in build_networks(twin, seed=0)["degrader"].parameters())
    assert 4 * parameters < 1_500_000  # bytes
    assert twin.steps <= 5000
    assert "our own" in twin.source
    assert "for two CPU cores" in twin.table["description"]


@pytest.mark.parametrize("name", [name for name in LEARNED_TWINS if not name.startswith("srdgan")])
def test_a_degraders_twin_learns_within_a_few_steps(name: str) -> None:
    stage = only_stage(name)
    networks = build_networks(stage, seed=0)
    objective = build_objective(stage, networks, vgg_weights=None)
    optimiser = build_optimisers(stage, networks)["degrader"]
    optimiser.param_groups[0]["lr"] = learning_rate_at(stage.optimisers["degrader"], 10, stage.steps)  # of the warm-up
    hr = torch.rand(2, 3, 32, 32)
    batch = Batch(torch.nn.functional.avg_pool2d(hr, 3, stride=1, padding=1), hr, (0, 1))
    losses = []
    for _ in range(6):
        for asked in objective.step(batch):
            optimiser.zero_grad()
            asked["degrader"].backward()
            optimiser.step()
            losses.append(asked["degrader"].item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", GANS)
def test_a_papers_gan_has_the_papers_values(name: str) -> None:
    stage, wanted = only_stage(name), GANS[name]
    generator, critic, loss = stage.networks["generator"], stage.networks["critic"], stage.loss
    assert (generator.config, generator.start_from, generator.ema) == (wanted.generator, wanted.start, wanted.ema)
    assert (critic.config, critic.start_from) == (wanted.critic, None)
    assert (loss.pixel, loss.perceptual, loss.adversarial) == wanted.weights
    assert (loss.pixel_distance, loss.gan, loss.half) == (wanted.distance, wanted.gan, wanted.half)
    assert loss.features == wanted.features
    assert (stage.data.patch, stage.data.batch, stage.steps) == (wanted.patch, wanted.batch, wanted.steps)
    for optimiser in stage.optimisers.values():
        assert (optimiser.learning_rate, optimiser.betas) == (1e-4, wanted.betas)
        assert (optimiser.milestones, optimiser.factor) == (wanted.milestones, wanted.factor)
    assert stage.data.shards == (("shards/gmsr", "shards/nearest") if name == "l2h" else ())


@pytest.mark.parametrize("name", [name for name in preset_names() if name.endswith("-half")])
def test_a_half_differs_in_nothing_else(name: str) -> None:
    stage, whole = only_stage(name), only_stage(name.removesuffix("-half"))
    assert stage.loss == replace(whole.loss, half=True) != whole.loss
    assert (stage.networks, stage.optimisers, stage.data) == (whole.networks, whole.optimisers, whole.data)
    assert stage.steps == whole.steps


@pytest.mark.parametrize("name", GANS)
def test_on_vgg34_only_the_perceptual_term_differs_and_the_start_where_it_is_a_gan(name: str) -> None:
    stage, full = only_stage(f"{name}-vgg34"), only_stage(name)
    loss = stage.loss
    assert loss == replace(full.loss, perceptual=loss.perceptual, features=loss.features)
    assert loss.features.distance == full.loss.features.distance
    assert loss.features.normalisation == "native"
    assert all(
        CONVOLUTIONS.index(one.replace("relu", "conv")) <= CONVOLUTIONS.index("conv3_4") for one in loss.features.layers
    )
    assert (stage.optimisers, stage.data, stage.steps) == (full.optimisers, full.data, full.steps)
    for role, plan in full.networks.items():
        start = f"{plan.start_from}-vgg34" if plan.start_from in GANS else plan.start_from
        assert stage.networks[role] == replace(plan, start_from=start)


def test_fewer_layers_weigh_like_compact_gan_x4s_or_keep_their_published_shares() -> None:
    single, loss = only_stage("compact-gan-x4").loss, only_stage("realesrgan-gan-vgg34").loss
    for name in set(GANS) - {"srgan-gan", "realesrgan-gan"}:
        own = only_stage(f"{name}-vgg34").loss
        assert (own.perceptual, own.features) == (single.perceptual, single.features)
    assert loss.perceptual == 1
    assert dict(zip(loss.features.layers, loss.features.weights, strict=True)) == {
        layer: weight for layer, weight in zip(FIVE.layers, FIVE.weights, strict=True) if layer < "conv4"
    }


@pytest.mark.parametrize("name", GAN_TWINS)
def test_a_gans_twin_minimises_the_same_with_the_same_kinds_of_network(name: str) -> None:
    twin, full = only_stage(name), only_stage(f"{name.removesuffix('-small')}-vgg34")
    if name.startswith("ren2020"):  # weights measured for so small a network: see its [loss]
        layers = PerceptualConfig(("conv1_2", "conv2_2", "conv3_4"), (1.0, 1.0, 1.0), "native", "l1")
        measured = replace(full.loss, pixel=500 * full.loss.pixel, perceptual=0.015, features=layers)
        assert twin.loss == measured
    else:
        assert twin.loss == full.loss
    assert twin.data.shards == full.data.shards
    assert [plan.type for plan in twin.networks.values()] == [plan.type for plan in full.networks.values()]
    sizes = {role: sum(p.numel() for p in one.parameters()) for role, one in build_networks(twin, seed=0).items()}
    assert sizes["generator"] < 500_000
    assert sizes["critic"] < 6_000_000
    assert (twin.scale, twin.data.patch, twin.data.batch) == (4, 96, 4)
    assert twin.steps == (500 if "mobile" in name else 1500)
    assert twin.optimisers["critic"].learning_rate == 1e-4
    assert twin.optimisers["generator"].learning_rate == (2e-4 if name.startswith("ren2020") else 1e-4)
    assert "our own" in twin.source
    assert "for two CPU cores" in twin.table["description"]


@pytest.mark.parametrize("name", [*GANS, *(f"{name}-vgg34" for name in GANS), *GAN_TWINS])
def test_a_gan_starts_with_the_network_of_the_preset_it_names(name: str) -> None:
    plan = only_stage(name).networks["generator"]
    if plan.start_from is None:
        assert name.startswith("l2h")
        return
    start = only_stage(plan.start_from).networks["generator"]
    assert (plan.type, plan.config) == (start.type, start.config)
    assert plan.start_from.endswith("-small") == name.endswith("-small")


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


@pytest.fixture(scope="module")
def photo_shards(sr_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 pairs of HR 96 x 96, x4, bicubic."""
    from degrade.cli.main import run

    shards = tmp_path_factory.mktemp("presets") / "shards"
    photos = [str(photo) for photo in sorted((sr_data / "hr_train").glob("*.webp"))[:8]]
    command = ["synth", *photos, "--recipe", "bicubic", "--patch", "96", "--pairs", "32", "--out", str(shards)]
    assert run([*command, "--workers", "1"]) == 0
    return shards


@pytest.mark.slow
@pytest.mark.parametrize("name", TWINS)
def test_a_twin_trains_on_real_photographs(photo_shards: Path, name: str, tmp_path: Path) -> None:
    preset = load_preset(name, overrides=["steps=2", "watch.pairs=2", "watch.validate_every=2"])
    outcome = train(preset, RunOptions((photo_shards,), tmp_path / name, device="cpu", threads=1))
    assert outcome.kind == "finished"
    assert (tmp_path / name / "generator.safetensors").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", GAN_TWINS)
def test_a_gans_twin_trains_from_its_start_on_real_photographs(
    sr_data: Path, photo_shards: Path, name: str, tmp_path: Path
) -> None:
    settings = ["steps=2", "data.batch=2", "watch.log_every=1", "watch.pairs=2", "watch.validate_every=2"]
    preset = load_preset(name, overrides=settings)
    (stage,) = preset.stages
    plan = stage.networks["generator"]
    weights = sr_data / "weights" / "vgg19_caffe_imagenet_relu3_4_fp16.pth"
    options = RunOptions((photo_shards,), tmp_path / name, device="cpu", threads=1, vgg_weights=weights)
    with pytest.raises(PresetError, match=rf"train it first \(srzoo train {plan.start_from}\)"):
        train(preset, options)
    start = build_networks(stage, seed=5)["generator"]
    run = tmp_path / str(plan.start_from)
    run.mkdir()
    save_model(run / "generator.safetensors", plan.type, start, {})
    assert train(preset, options).kind == "finished"
    made = load_model(tmp_path / name / "generator.safetensors").network
    before, after = (torch.cat([p.flatten() for p in one.parameters()]) for one in (start, made))
    assert 0 < (after - before).abs().max() <= 2.1e-4  # Adam moves a weight by 1e-4 in a step at most
    losses = json.loads((tmp_path / name / "log.jsonl").read_text().splitlines()[-1])["losses"]
    terms = {"pixel": stage.loss.pixel, "perceptual": stage.loss.perceptual, "adversarial": stage.loss.adversarial}
    assert {"critic", *(term for term, weight in terms.items() if weight)} <= set(losses)
