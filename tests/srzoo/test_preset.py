import re
from pathlib import Path

import pytest
import torch

import srzoo
from srzoo.errors import PresetError
from srzoo.networks.rcan import RCANConfig
from srzoo.objectives import OBJECTIVES
from srzoo.objectives.supervised import SupervisedConfig
from srzoo.preset import (
    Stage,
    build_networks,
    build_objective,
    build_optimisers,
    load_preset,
    preset_names,
)

RESTYLING = {name for name, (_, objective) in OBJECTIVES.items() if objective.restyles}


@pytest.fixture
def stage(tiny_preset: Path) -> Stage:
    return load_preset(str(tiny_preset)).stages[0]


@pytest.mark.parametrize("name", preset_names())
def test_every_shipped_preset_loads_cites_a_source_and_says_its_name(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name
    for stage in preset.stages:
        assert len(stage.source) > 20
        for role in OBJECTIVES[stage.objective][1].products:
            scale = getattr(stage.networks[role].config, "scale", None)  # some degraders have one size only
            assert scale == stage.scale or (scale is None and (stage.scale == 1 or stage.objective in RESTYLING))
        assert "extends" not in stage.table


@pytest.mark.parametrize("name", preset_names())
def test_the_full_text_of_a_preset_is_the_same_preset(name: str, tmp_path: Path) -> None:
    preset = load_preset(name)
    path = tmp_path / "copy.toml"
    path.write_text(preset.text)
    assert load_preset(str(path)) == preset


def test_rcan_keeps_the_published_values() -> None:
    stage = load_preset("rcan-psnr").stages[0]
    optimiser = stage.optimisers["generator"]
    assert stage.networks["generator"].config == RCANConfig(scale=4)
    assert (optimiser.learning_rate, optimiser.betas, optimiser.epsilon) == (1e-4, (0.9, 0.999), 1e-8)
    assert (optimiser.factor, optimiser.milestones) == (0.5, (200_000, 400_000, 600_000, 800_000))
    assert (stage.steps, stage.data.patch // stage.scale, stage.data.batch) == (1_000_000, 48, 16)
    assert stage.loss == SupervisedConfig(pixel=1.0, pixel_distance="l1")


def test_the_gan_stage_starts_from_the_psnr_stage_with_the_same_network() -> None:
    first, last = load_preset("compact-x4").stages
    assert last.networks["generator"].start_from == first.name
    assert last.networks["generator"].config == first.networks["generator"].config
    assert (last.loss.pixel, last.loss.adversarial) == (0.01, 0.005)


def test_the_critic_takes_the_patch_of_the_data() -> None:
    preset = load_preset("compact-gan-x4", overrides=["data.patch=128"])
    assert preset.stages[0].networks["critic"].config.patch == 128


def test_overrides_reach_one_stage_or_all_that_have_the_table() -> None:
    overrides = ["data.batch=2", "stages.1.steps=7", "networks.critic.features=8", "steps=3"]
    first, last = load_preset("compact-x4", overrides=overrides).stages
    assert (first.data.batch, last.data.batch) == (2, 2)
    assert (first.steps, last.steps) == (3, 3)  # the last word is the shared one
    assert last.networks["critic"].config.features == 8
    assert set(first.networks) == {"generator"}
    assert load_preset("compact-x4", overrides=["stages.1.steps=7"]).steps == 20_007


def test_an_extended_preset_states_its_changes(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "demo"\nname = "mine"\nsteps = 5\n[optimisers.generator]\nlearning_rate = 1e-3\n')
    mine, demo = load_preset(str(path)).stages[0], load_preset("demo").stages[0]
    assert (mine.name, mine.steps, mine.optimisers["generator"].learning_rate) == ("mine", 5, 1e-3)
    assert mine.optimisers["generator"].schedule == demo.optimisers["generator"].schedule
    assert mine.networks == demo.networks


def test_watching_is_no_part_of_what_decides_the_weights(stage: Stage) -> None:
    assert "watch" in stage.table
    assert "watch" not in stage.settings()
    assert {"steps", "scale", "networks", "optimisers", "data"} <= set(stage.settings())


def test_one_seed_gives_one_start(stage: Stage) -> None:
    one, other, third = (build_networks(stage, seed=seed)["generator"].state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert any(not torch.equal(one[key], third[key]) for key in one)


def test_the_objective_and_its_optimisers_are_built_over_the_networks(stage: Stage) -> None:
    networks = build_networks(stage, seed=0)
    objective = build_objective(stage, networks, vgg_weights=None)
    assert objective.networks["generator"] is networks["generator"]
    owned = [p for group in build_optimisers(stage, networks)["generator"].param_groups for p in group["params"]]
    assert {id(p) for p in owned} == {id(p) for p in networks["generator"].parameters()}


GAN = "loss.adversarial=0.1"
CASES = {
    ("stepps=3",): "stepps: unknown key - did you mean 'steps'?",
    ("steps='many'",): "steps: .*integer",
    ("steps=0",): "expected at least 1",
    ("objective=superwised",): "unknown 'superwised' - did you mean 'supervised'?",
    ("networks.generator.type=rkan",): "networks.generator: type: unknown 'rkan' - did you mean 'rcan'?",
    ("networks.generator.block=3",): "networks.generator: block: unknown key - did you mean 'blocks'?",
    ("networks.generator.ema=1.5",): "ema: expected 0 < ema < 1",
    ("loss.pixle=1",): "loss: pixle: unknown key - did you mean 'pixel'?",
    ("loss.pixel=-1",): "expected weights >= 0",
    (GAN,): "networks: expected critic, generator, got generator",
    (GAN, "networks.critic.type=vgg_style"): "optimisers: expected critic, generator, got generator",
    ("optimisers.generator.networks=['generator', 'generator']",): (
        "optimisers.generator.networks: expected generator, got generator, generator"
    ),
    ("optimisers.generator.learning_rate=-1",): "learning_rate: expected > 0",
    ("optimisers.generator.schedule=cosines",): "schedule",
    ("data.patch=0",): "expected at least 1",
    ("watch.pairs=0",): "at least 1",
    ("precision=fp16",): "precision",
    ("scale=5",): "scale",
    ("nonsense",): "write it as path=value",
}


@pytest.mark.parametrize("overrides", CASES)
def test_what_cannot_be_meant_is_one_line_with_the_path_and_the_nearest_name(
    overrides: tuple[str, ...], tiny_preset: Path
) -> None:
    with pytest.raises(PresetError, match=CASES[overrides].replace("?", r"\?")) as caught:
        load_preset(str(tiny_preset), overrides=overrides)
    assert "tiny.toml" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_files_that_are_no_preset_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PresetError, match="no such preset - did you mean 'demo'"):
        load_preset("demos")
    with pytest.raises(PresetError, match=r"nowhere.toml: cannot be read"):
        load_preset(str(tmp_path / "nowhere.toml"))
    for text, message in {
        "a = ": "not valid TOML",
        'extends = "nothing"': "no such preset",
        f'extends = "{tmp_path}/it.toml"': "extends itself",
        'extends = "compact-x4"': "has stages of its own",
        "extends = 3": "expected the name of a preset",
        'name = "x"\nsource = "y"\nstages = []': "empty list",
        'name = "x"\nsource = "y"\n[[stages]]\nextends = "demo"\n[[stages]]\nextends = "demo"': "repeat",
        'name = "x"\nsource = "y"\nsteps = 3\n[[stages]]\nextends = "demo"': "steps: unknown key",
    }.items():
        (tmp_path / "it.toml").write_text(text)
        with pytest.raises(PresetError, match=re.escape(message)):
            load_preset(str(tmp_path / "it.toml"))
    (tmp_path / "it.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PresetError, match="not UTF-8"):
        load_preset(str(tmp_path / "it.toml"))


def test_the_examples_of_the_readme_are_presets(tmp_path: Path) -> None:
    readme = (Path(srzoo.__file__).parent / "presets" / "README.md").read_text(encoding="utf-8")
    texts = re.findall(r"```toml\n(.*?)```", readme, flags=re.DOTALL)
    assert len(texts) == 2
    for text in texts:
        (tmp_path / "it.toml").write_text(text)
        preset = load_preset(str(tmp_path / "it.toml"))
        assert preset.steps in (3000, 23_000)
