"""SRDGAN's presets: a chain of three, in which the last one goes on with what the first two minimise."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from srzoo.checkpoint import State, save_model, save_state
from srzoo.objectives.srdgan import TermsConfig
from srzoo.preset import Stage, build_networks, build_objective, build_optimisers, load_preset
from srzoo.trainer import RunOptions, train

ENDINGS = ("", "-vgg34", "-small")


def only_stage(name: str) -> Stage:
    (stage,) = load_preset(name).stages
    return stage


@pytest.mark.parametrize("ending", ENDINGS)
def test_srdgan_l2h_is_l2h(ending: str) -> None:
    ours, other = only_stage(f"srdgan-l2h{ending}"), only_stage(f"l2h{ending}")
    named = {"name", "description"}
    assert {k: v for k, v in ours.table.items() if k not in named} == {
        k: v for k, v in other.table.items() if k not in named
    }


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_joint_stage_minimises_what_both_starts_do(ending: str) -> None:
    joint, h2l, l2h = (only_stage(f"srdgan-{part}{ending}") for part in ("joint", "h2l", "l2h"))
    for start, terms in ((h2l.loss, joint.loss.h2l), (l2h.loss, joint.loss.l2h)):
        assert terms == TermsConfig(start.pixel, start.perceptual, start.adversarial)
        for key in ("pixel_distance", "features", "gan", "half"):
            assert getattr(joint.loss, key) == getattr(start, key)
    assert (joint.scale, joint.data.patch) == (l2h.scale, l2h.data.patch)


@pytest.mark.parametrize("ending", ENDINGS)
def test_all_four_networks_are_those_of_the_runs_they_start_from(ending: str) -> None:
    joint = only_stage(f"srdgan-joint{ending}")
    starts = {"h2l": "h2l:degrader", "critic_lr": "h2l:critic", "l2h": "l2h:generator", "critic_hr": "l2h:critic"}
    for role, start in starts.items():
        plan, (part, _, other) = joint.networks[role], start.partition(":")
        assert plan.start_from == f"srdgan-{part}{ending}:{other}"
        there = only_stage(f"srdgan-{part}{ending}").networks[other]
        assert (plan.type, plan.config, plan.ema) == (there.type, there.config, there.ema)


def test_on_vgg34_only_the_perceptual_terms_and_the_starts_differ() -> None:
    full, short = only_stage("srdgan-joint").table, only_stage("srdgan-joint-vgg34").table
    assert {key for key in full if full[key] != short[key]} == {"name", "description", "source", "networks", "loss"}
    assert full["loss"]["h2l"] | {"perceptual": 0.1} == short["loss"]["h2l"] == short["loss"]["l2h"]


def test_the_twin_says_what_is_our_own() -> None:
    twin = only_stage("srdgan-joint-small")
    sizes = {role: sum(p.numel() for p in one.parameters()) for role, one in build_networks(twin, seed=0).items()}
    assert max(sizes["h2l"], sizes["l2h"]) < 500_000
    assert twin.steps <= 1500
    assert "our own" in twin.source
    assert "for two CPU cores" in twin.table["description"]


@pytest.mark.slow
def test_the_twin_trains_from_its_starts_on_real_photographs(sr_data: Path, tmp_path: Path) -> None:
    from degrade.cli.main import run

    shards = tmp_path / "shards"
    photos = [str(photo) for photo in sorted((sr_data / "hr_train").glob("*.webp"))[:8]]
    command = ["synth", *photos, "--recipe", "bicubic", "--patch", "96", "--pairs", "32", "--out", str(shards)]
    assert run([*command, "--workers", "1"]) == 0
    for name, role in (("srdgan-h2l-small", "degrader"), ("srdgan-l2h-small", "generator")):
        stage, out = only_stage(name), tmp_path / name
        networks = build_networks(stage, seed=5)
        (out / "state").mkdir(parents=True)
        save_model(out / f"{role}.safetensors", stage.networks[role].type, networks[role], {})
        critic = {f"network/critic/{key}": value for key, value in networks["critic"].state_dict().items()}
        save_state(out / "state", State(1, critic, {}))
    preset = load_preset("srdgan-joint-small", overrides=["steps=2", "data.batch=2", "watch.pairs=2"])
    weights = sr_data / "weights" / "vgg19_caffe_imagenet_relu3_4_fp16.pth"
    options = RunOptions((shards,), tmp_path / "joint", device="cpu", threads=1, vgg_weights=weights)
    assert train(preset, options).kind == "finished"
    assert {path.name for path in (tmp_path / "joint").glob("*.safetensors")} == {"h2l.safetensors", "l2h.safetensors"}


def test_one_optimiser_steps_both_networks_and_one_both_critics() -> None:
    stage = load_preset("srdgan-joint-small", overrides=["loss.h2l.perceptual=0", "loss.l2h.perceptual=0"]).stages[0]
    networks = build_networks(stage, seed=0)
    objective = build_objective(stage, networks, vgg_weights=None)
    for name, optimiser in build_optimisers(stage, networks).items():
        owned = {id(p) for group in optimiser.param_groups for p in group["params"]}
        roles = {"generators": ("h2l", "l2h"), "critics": ("critic_lr", "critic_hr")}[name]
        assert owned == {id(p) for role in roles for p in objective.networks[role].parameters()}
        assert isinstance(optimiser, torch.optim.Adam)
