"""The presets of CycleGAN, DSGAN, DDNSR and their SR networks: the papers' values, and twins that a CPU trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from srzoo.degraders.cycle_generator import CycleGeneratorConfig
from srzoo.degraders.dsgan import DSGANConfig as DSGANNetwork
from srzoo.degraders.dual_input import DualInputConfig
from srzoo.discriminators.ddnsr import DDNSRCriticConfig
from srzoo.discriminators.high_pass import HighPassCriticConfig
from srzoo.discriminators.patch import PatchCriticConfig
from srzoo.discriminators.srgan import SRGANCriticConfig
from srzoo.discriminators.vgg_style import VggStyleConfig
from srzoo.losses import PerceptualConfig
from srzoo.networks.rrdb import RRDBConfig
from srzoo.objectives.cyclegan import CycleGANConfig, SRConfig
from srzoo.objectives.ddnsr import DDNSRConfig
from srzoo.objectives.ddnsr import SRConfig as DDNSRSRConfig
from srzoo.objectives.dsgan import DSGANConfig
from srzoo.optim import learning_rate_at
from srzoo.preset import Stage, build_networks, load_preset, preset_names

FULL = [
    *("cyclegan", "csrgan-joint", "csrgan-joint-vgg34", "dsgan", "dsgan-vgg34"),
    *("ddnsr-paper", "ddnsr-paper-vgg34", "ddnsr-code", "ddnsr-code-vgg34"),
]
TWINS = {  # twin -> what it is a twin of
    "cyclegan-small": "cyclegan",
    "csrgan-joint-small": "csrgan-joint-vgg34",
    "dsgan-small": "dsgan-vgg34",
    "ddnsr-paper-small": "ddnsr-paper-vgg34",
}


def only_stage(name: str) -> Stage:
    (stage,) = load_preset(name).stages
    return stage


def configs(stage: Stage) -> dict[str, object]:
    return {role: plan.config for role, plan in stage.networks.items()}


def test_cyclegan_has_the_papers_values() -> None:
    stage = only_stage("cyclegan")
    patch_gan = PatchCriticConfig(64, "instance", "one")
    assert configs(stage) == {
        "degrader": CycleGeneratorConfig(9, 64),
        "restorer": CycleGeneratorConfig(9, 64),
        "critic_real": patch_gan,
        "critic_clean": patch_gan,
    }
    assert stage.loss == CycleGANConfig(cycle=10, identity=5, gan="least_squares", half=True, pool=50, sr=None)
    assert (stage.data.patch // stage.scale, stage.data.batch, stage.steps) == (256, 1, 200 * 800)
    for optimiser in stage.optimisers.values():
        assert (optimiser.learning_rate, optimiser.betas) == (2e-4, (0.5, 0.999))
        rates = [learning_rate_at(optimiser, step, stage.steps) for step in (1, 80_000, 120_001, 160_000)]
        assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 0], abs=1e-8)


def test_the_joint_stage_is_cyclegan_and_srgan_with_half_of_bicubic_lr() -> None:
    stage, cyclegan, srgan = (only_stage(name) for name in ("csrgan-joint", "cyclegan", "srgan-gan"))
    loss = srgan.loss
    sr = SRConfig(0.5, loss.pixel, "mse", loss.perceptual, loss.features, loss.adversarial, loss.gan, loss.half)
    assert stage.loss == replace(cyclegan.loss, sr=sr)
    for role in cyclegan.networks:
        assert stage.networks[role] == cyclegan.networks[role]
    assert stage.networks["generator"] == srgan.networks["generator"]
    assert stage.networks["critic"].config == SRGANCriticConfig(patch=384, head="pooled")
    assert stage.optimisers["generator"] == srgan.optimisers["generator"]
    small = only_stage("csrgan-joint-vgg34").loss.sr
    other = only_stage("srgan-gan-vgg34").loss
    assert (small.perceptual, small.features) == (other.perceptual, other.features)


def test_dsgan_has_the_papers_values() -> None:
    stage = only_stage("dsgan")
    assert configs(stage) == {"degrader": DSGANNetwork(8, 64), "critic": HighPassCriticConfig(window=5, features=64)}
    wanted = DSGANConfig(colour=1, window=5, lpips=0.01, lpips_net="alex", perceptual=0, adversarial=0.005)
    assert stage.loss == wanted
    assert (stage.loss.gan, stage.loss.half) == ("standard", False)
    assert (stage.data.patch, stage.data.batch, stage.steps) == (512, 16, 300 * 216)
    for optimiser in stage.optimisers.values():
        assert (optimiser.learning_rate, optimiser.betas) == (2e-4, (0.5, 0.999))
        assert (optimiser.schedule, optimiser.hold, optimiser.floor) == ("linear", 0.5, 0)


@pytest.mark.parametrize("name", ["ddnsr-paper", "ddnsr-code"])
def test_ddnsr_has_the_papers_values_or_its_codes(name: str) -> None:
    stage, is_code = only_stage(name), name == "ddnsr-code"
    norm = "keras_frozen" if is_code else "keras"
    assert configs(stage) == {
        "degrader": DualInputConfig(),
        "generator": RRDBConfig(),
        "critic_lr": DDNSRCriticConfig(32, 128, norm),
        "critic_hr": DDNSRCriticConfig(128, 64, norm),
    }
    assert all(plan.start_from is None for plan in stage.networks.values())
    conv5_4 = PerceptualConfig(("conv5_4",), (), *(("raw01", "mse") if is_code else ("imagenet", "l1")))
    assert stage.loss == DDNSRConfig(
        content=0.1,
        content_features=PerceptualConfig(("conv3_4",), (), "raw01", "mse"),
        adversarial=1,
        gan="standard",
        cycle=10,
        cycle_features=PerceptualConfig(("conv2_2",), (), "raw01", "mse"),
        sr=DDNSRSRConfig(0.01, "l1", 1, conv5_4, 0.005, "relativistic", half=False),
    )
    assert (stage.data.patch, stage.data.batch) == (128, 16)
    thousand = 1024 if is_code else 1000
    assert stage.steps == 300 * thousand
    for optimiser in stage.optimisers.values():
        assert (optimiser.learning_rate, optimiser.betas) == (1e-4, (0.9, 0.999))
        assert optimiser.epsilon == (1e-7 if is_code else 1e-8)
        assert (optimiser.milestones, optimiser.factor) == (tuple(n * thousand for n in (50, 100, 200)), 0.5)


def test_ddnsrs_variants_are_changes_of_the_settings() -> None:
    """Ablations A to E, the second track's critic, and the SR network with L2 alone."""
    loss = only_stage("ddnsr-paper").loss
    for term in ("content", "adversarial", "cycle"):
        changed = load_preset("ddnsr-paper", overrides=[f"loss.{term}=0.0"]).stages[0]
        assert changed.loss == replace(loss, **{term: 0.0})
    settings = {"perceptual": 0.0, "adversarial": 0.0, "pixel": 1.0, "pixel_distance": "mse"}
    l2 = load_preset("ddnsr-paper", overrides=[f"loss.sr.{key}={value}" for key, value in settings.items()]).stages[0]
    assert l2.loss == replace(loss, sr=replace(loss.sr, **settings))
    single = load_preset("ddnsr-paper", overrides=["networks.degrader.single=true"]).stages[0]
    assert single.networks["degrader"].config == DualInputConfig(single=True)
    track2 = load_preset("ddnsr-paper", overrides=["networks.critic_hr={type='patch', norm='keras', padding='same'}"])
    assert track2.stages[0].networks["critic_hr"].config == PatchCriticConfig(64, "keras", "same")


def test_impressionisms_first_track_has_esrgans_critic_and_a_third_of_the_steps() -> None:
    stage, track2 = only_stage("impressionism-track1"), only_stage("impressionism")
    assert stage.networks["critic"].config == VggStyleConfig(128)
    assert (stage.steps, track2.steps) == (20_000, 60_000)
    assert stage.networks["generator"] == track2.networks["generator"]
    assert (stage.loss, stage.optimisers, stage.data) == (track2.loss, track2.optimisers, track2.data)


def test_esrgan_fs_alone_shows_its_critic_high_frequencies() -> None:
    for name in preset_names():
        for stage in load_preset(name).stages:
            seen = getattr(stage.loss, "critic_sees", "picture")
            assert (seen == "high_pass") == name.startswith("esrgan-fs")


@pytest.mark.parametrize("name", FULL)
def test_on_vgg34_only_the_perceptual_terms_differ(name: str) -> None:
    if not name.endswith("-vgg34"):
        assert "our own" not in only_stage(name).source or name == "csrgan-joint"
        return
    stage, full = only_stage(name), only_stage(name.removesuffix("-vgg34"))
    assert (stage.networks, stage.optimisers, stage.data, stage.steps) == (
        *(full.networks, full.optimisers, full.data, full.steps),
    )
    if name.startswith("dsgan"):
        assert stage.loss == replace(full.loss, lpips=0, perceptual=3e-4, features=stage.loss.features)
        features = stage.loss.features
    else:
        features = stage.loss.sr.features
        sr = replace(full.loss.sr, perceptual=stage.loss.sr.perceptual, features=features)
        assert stage.loss == replace(full.loss, sr=sr)
        assert features.distance == full.loss.sr.features.distance
    assert features.normalisation == "native"
    assert features.layers in (("conv3_4",), ("relu3_4",))


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_minimises_the_same_terms_with_smaller_networks(name: str) -> None:
    twin, full = only_stage(name), only_stage(TWINS[name])
    kinds = {role: plan.type for role, plan in full.networks.items()}
    if full.objective == "cyclegan":  # stated in the preset, with the reason
        assert twin.loss == replace(full.loss, cycle=5, identity=1)
        kinds |= {"critic_real": "high_pass", "critic_clean": "high_pass"}
    else:
        assert twin.loss == full.loss
    assert twin.scale == full.scale == 4
    assert {role: plan.type for role, plan in twin.networks.items()} == kinds
    assert {role for role, plan in twin.networks.items() if plan.ema} == {"degrader", "generator"} & set(twin.networks)
    sizes = {role: sum(p.numel() for p in one.parameters()) for role, one in build_networks(twin, seed=0).items()}
    assert 4 * sizes["degrader"] < 1_500_000  # bytes
    assert max(sizes.values()) < 1_000_000
    assert twin.steps <= 5000
    assert "our own" in twin.source
    assert "for two CPU cores" in twin.table["description"]


@pytest.mark.parametrize("name", ["csrgan-joint", "csrgan-joint-vgg34", "csrgan-joint-small", "ddnsr-paper-small"])
def test_an_sr_generator_starts_with_the_network_of_the_preset_it_names(name: str) -> None:
    plan = only_stage(name).networks["generator"]
    assert plan.start_from is not None
    start = only_stage(plan.start_from).networks["generator"]
    assert (plan.type, plan.config) == (start.type, start.config)
    assert plan.start_from.endswith("-small") == name.endswith("-small")


@pytest.mark.parametrize("name", [*FULL, *TWINS])
def test_unpaired_lr_is_asked_for(name: str) -> None:
    assert "real_lr" in only_stage(name).data.needs


@pytest.mark.slow
@pytest.mark.parametrize("name", TWINS)
def test_a_twin_trains_on_real_photographs(name: str, sr_data: Path, tmp_path: Path) -> None:
    import json

    from degrade.cli.main import run
    from srzoo.checkpoint import save_model
    from srzoo.trainer import RunOptions, train

    photos = [str(photo) for photo in sorted((sr_data / "hr_train").glob("*.webp"))[:8]]
    shards = tmp_path / "shards"
    command = ["synth", *photos, "--recipe", "bicubic", "--patch", "192", "--pairs", "16", "--out", str(shards)]
    assert run([*command, "--workers", "1"]) == 0
    changes = ["steps=2", "data.batch=2", "watch.log_every=1", "watch.pairs=2", "watch.validate_every=2"]
    preset = load_preset(name, overrides=changes)
    (stage,) = preset.stages
    for role, plan in stage.networks.items():
        if plan.start_from:
            (tmp_path / plan.start_from).mkdir()
            path = tmp_path / plan.start_from / f"{role}.safetensors"
            save_model(path, plan.type, build_networks(stage, seed=5)[role], {})
    weights = sr_data / "weights" / "vgg19_caffe_imagenet_relu3_4_fp16.pth"
    options = RunOptions(
        (shards,), tmp_path / name, real_lr=(sr_data / "real_lq",), device="cpu", threads=1, vgg_weights=weights
    )
    assert train(preset, options).kind == "finished"
    last = json.loads((tmp_path / name / "log.jsonl").read_text().splitlines()[-1])
    assert "lr_psnr" in last
    assert all(value == value for value in last["losses"].values())
