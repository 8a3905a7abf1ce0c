"""Objectives without pairs in training: they go on to the same bits, are validated, and their degraders exported."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from degrade.functional.resample import imresize_uint8
from degrade.shards.reader import open_shards
from degrade.trust import VARIABLE
from srzoo.checkpoint import load_degrader, load_model
from srzoo.data import hold_out
from srzoo.errors import PresetError, UsageError
from srzoo.export import export_degrader
from srzoo.tensors import to_tensor

COMMON = """
name = "tiny"
source = "Our own, for tests."
steps = 5
precision = "fp32"

[data]
needs = ["lr", "hr", "real_lr"]
patch = {patch}
batch = 2

[watch]
log_every = 1
pairs = 2
samples = 1
"""
OPTIMISER = """
[optimisers.{name}]
networks = [{networks}]
learning_rate = 1e-3
betas = [0.5, 0.999]
schedule = "linear"
"""
CYCLEGAN = """
objective = "cyclegan"
scale = 2
[networks.degrader]
type = "cycle_generator"
blocks = 1
features = 2
ema = 0.9
[networks.restorer]
type = "cycle_generator"
blocks = 1
features = 2
[networks.critic_real]
type = "patch"
norm = "instance"
features = 2
[networks.critic_clean]
type = "patch"
norm = "instance"
features = 2
[loss]
pool = 3
"""
JOINT = """
[networks.generator]
type = "skipres"
blocks = 1
features = 4
[networks.critic]
type = "patch"
features = 2
[loss.sr]
pixel = 1.0
perceptual = 0.0
adversarial = 0.01
"""
DSGAN = """
objective = "dsgan"
scale = 2
[networks.degrader]
type = "dsgan"
blocks = 1
features = 4
[networks.critic]
type = "high_pass"
features = 2
[loss]
lpips = 0.0
"""
DDNSR = """
objective = "ddnsr"
scale = 4
[networks.degrader]
type = "dual_input"
blocks = 1
features = 2
[networks.generator]
type = "skipres"
blocks = 1
features = 4
[networks.critic_lr]
type = "ddnsr_critic"
features = 2
[networks.critic_hr]
type = "patch"
features = 2
[loss]
content = 0.0
cycle = 0.0
[loss.sr]
perceptual = 0.0
adversarial = 0.01
"""
TWO = {"translators": '"degrader", "restorer"', "critics": '"critic_real", "critic_clean"'}
PRESETS = {
    "cyclegan": (CYCLEGAN, TWO),
    "csrgan": (CYCLEGAN + JOINT, {**TWO, "generator": '"generator"', "critic": '"critic"'}),
    "dsgan": (DSGAN, {role: f'"{role}"' for role in ("degrader", "critic")}),
    "ddnsr": (DDNSR, {role: f'"{role}"' for role in ("degrader", "generator", "critic_lr", "critic_hr")}),
}
SIDE = 64  # of HR; LR has half, a quarter for DDNSR


def preset(kind: str) -> str:
    networks, optimisers = PRESETS[kind]
    head, _, data = COMMON.format(patch=32 if kind == "ddnsr" else 48).partition("[data]")
    stated = "".join(OPTIMISER.format(name=name, networks=roles) for name, roles in optimisers.items())
    scale_and_objective, _, tables = networks.partition("[networks")
    return f"{head}{scale_and_objective}\n[networks{tables}{stated}\n[data]{data}"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three photographs of coarse noise."""
    folder = tmp_path / "real"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(60, 200, (44, 50, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def unpaired(lab: Any, photos: Path, pairs_writer: Callable[..., Path], tmp_path: Path) -> Callable[..., Any]:
    """`unpaired(kind)`: runs of it on pairs whose LR is bicubic."""

    def made(kind: str) -> Any:
        scale = 4 if kind == "ddnsr" else 2
        coarse = np.random.default_rng(0).integers(0, 256, (12, SIDE // 8, SIDE // 8, 3), np.uint8)
        hr = np.stack([imresize_uint8(picture, SIDE, SIDE) for picture in coarse])
        lr = np.stack([imresize_uint8(picture, SIDE // scale, SIDE // scale) for picture in hr])
        path, shards = tmp_path / f"{kind}.toml", tmp_path / f"shards-{kind}"
        path.write_text(preset(kind))
        runs = type(lab)(path, pairs_writer(shards, lr, hr), tmp_path / "runs")
        run = runs.run
        runs.run = lambda name, *changes, **options: run(name, *changes, **{"real_lr": (photos,), **options})
        return runs

    return made


def stop(at: int) -> Callable[[int], object]:
    return lambda step: signal.raise_signal(signal.SIGTERM) if step == at else None


def logged(lab: Any, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (lab.out(name) / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("kind", PRESETS)
def test_stopping_at_every_step_changes_no_bit(kind: str, unpaired: Callable[..., Any]) -> None:
    lab = unpaired(kind)
    lab.run("whole")
    for step in range(1, 5):  # one run, stopped after every step
        assert lab.run("parts", at=stop(step), workers=step % 2).step == step
    assert lab.run("parts").kind == "finished"
    assert lab.digest("parts", 5) == lab.digest("whole", 5)


def test_the_pools_are_part_of_the_state(unpaired: Callable[..., Any]) -> None:
    lab = unpaired("cyclegan")
    lab.run("run")
    state = load_file(lab.out("run") / "state" / "step-000005" / "state.safetensors")
    pools = {key: tuple(value.shape) for key, value in state.items() if key.startswith("objective/")}
    assert pools == {f"objective/0/{role}": (3, 3, 24, 24) for role in ("critic_real", "critic_clean")}


@pytest.mark.parametrize("kind", ["cyclegan", "ddnsr"])
def test_parts_of_a_batch_take_the_same_path(kind: str, unpaired: Callable[..., Any]) -> None:
    """Critics of instance norm, or whose batch norms are frozen, see each picture alone."""
    lab = unpaired(kind)
    changes = []
    if kind == "ddnsr":
        changes = ["networks.critic_lr.norm=keras_frozen", "networks.critic_hr.norm=instance", "loss.sr.gan=standard"]
    lab.run("whole", *changes, "steps=1")
    lab.run("parts", *changes, "steps=1", "data.accumulate=2")
    (one,), (other,) = (logged(lab, name) for name in ("whole", "parts"))
    assert one["losses"] == pytest.approx(other["losses"], rel=1e-4, abs=2e-6)
    first, last = (load_file(lab.out(name) / "state/step-000001/state.safetensors") for name in ("whole", "parts"))
    for key in first:
        if key.startswith("objective/"):
            torch.testing.assert_close(first[key], last[key], atol=1e-5, rtol=1e-4)


def test_a_degrader_of_lr_is_validated_from_bicubic_lr(unpaired: Callable[..., Any]) -> None:
    lab = unpaired("cyclegan")
    lab.run("run")
    last = logged(lab, "run")[-1]
    assert "psnr" not in last
    pairs = open_shards(lab.shards)
    network: Any = load_degrader(lab.out("run") / "degrader.safetensors").network
    weights = np.array((65.481, 128.553, 24.966)) / 255
    held_out, ratios = hold_out(pairs).held_out, []
    for number in held_out[np.linspace(0, len(held_out) - 1, 2).round().astype(int)]:
        lr, hr = pairs.read(int(number))
        with torch.no_grad():
            made = network(to_tensor(imresize_uint8(hr.astype(np.uint8), 32, 32)))[0].permute(1, 2, 0).double().numpy()
        levels = np.floor(255 * made.clip(0, 1) + 0.5)
        ratios.append(10 * np.log10(255**2 / np.square((levels - lr) @ weights).mean()))
    assert last["lr_psnr"] == pytest.approx(np.mean(ratios), abs=0.02)
    assert last["lr_psnr_bicubic"] == 100  # the LR of these pairs: how far the degrader goes from it is what is said
    assert list((lab.out("run") / "samples").iterdir()) == [lab.out("run") / "samples" / "step-000005.png"]


def test_pairs_of_the_real_camera_say_how_near_to_it_the_made_lr_comes(
    unpaired: Callable[..., Any], pairs_writer: Callable[..., Path], tmp_path: Path
) -> None:
    random = np.random.default_rng(9)
    hr = random.integers(60, 200, (4, SIDE, SIDE, 3), np.uint8)
    lr = (np.stack([imresize_uint8(one, 32, 32) for one in hr]) * 0.7).astype(np.uint8)
    camera = pairs_writer(tmp_path / "camera", lr, hr, seed=4)
    lab = unpaired("cyclegan")
    lab.run("run", validate=(camera,))
    assert 5 < logged(lab, "run")[-1]["lr_psnr_bicubic"] < 20


def test_a_degrader_with_a_reference_is_validated_with_real_lr_always_the_same(unpaired: Callable[..., Any]) -> None:
    lab = unpaired("ddnsr")
    lab.run("one", "watch.validate_every=1", "optimisers.degrader.learning_rate=1e-30")
    scores = [(record["lr_psnr"], record["lr_ssim"]) for record in logged(lab, "one")]
    assert len(set(scores)) == 1
    assert {"psnr", "ssim", "psnr_bicubic", "lr_psnr_bicubic"} <= set(logged(lab, "one")[0])
    assert {path.name for path in (lab.out("one") / "samples").iterdir()} == {
        "generator-step-000005.png",
        "degrader-step-000005.png",
    }


@pytest.mark.parametrize(
    ("kind", "products"),
    [
        ("cyclegan", {"degrader"}),
        ("csrgan", {"degrader", "generator"}),
        ("dsgan", {"degrader"}),
        ("ddnsr", {"degrader", "generator"}),
    ],
)
def test_the_products_are_saved_and_the_degrader_is_exported(
    kind: str, products: set[str], unpaired: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "settings" / "trusted"))
    lab = unpaired(kind)
    lab.run("run", "steps=1")
    assert {path.stem for path in lab.out("run").glob("*.safetensors")} == products
    if "generator" in products:
        assert load_model(lab.out("run") / "generator.safetensors").scale == (4 if kind == "ddnsr" else 2)
    card = export_degrader(lab.out("run") / "degrader.safetensors", tmp_path / "x.pt").card
    assert card.scale == (4 if kind == "ddnsr" else 1)
    assert [one.kind for one in card.inputs] == (["reference"] if kind == "ddnsr" else [])
    assert (card.receptive_field == "whole") == (kind in ("cyclegan", "csrgan"))
    assert any("unpaired LR" in text for text in card.trained_on)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("data.patch=44", r"data\.patch: LR crops of 22, but CycleGenerator takes multiples of 4 pixels - use .* 8"),
        ("networks.degrader={type='h2l'}", r"H2L does not take a picture alone"),
        ("networks.degrader={type='direct_net'}", r"DirectNet does not take a picture alone, in RGB"),
        ("networks.degrader={type='rrdb'}", r"rrdb makes no LR"),
        ("optimisers.critics.networks=['critic_real']", r"optimisers\.critics\.networks: expected critic_clean, crit"),
    ],
)
def test_what_cannot_be_trained_is_one_line(change: str, said: str, unpaired: Callable[..., Any]) -> None:
    with pytest.raises((PresetError, UsageError), match=said) as caught:
        unpaired("cyclegan").run("run", change)
    assert "\n" not in str(caught.value)


def test_unpaired_photographs_are_asked_for(unpaired: Callable[..., Any]) -> None:
    with pytest.raises(PresetError, match=r"shards have no real_lr - add --real-lr DIR"):
        unpaired("dsgan").run("run", real_lr=())


@pytest.mark.slow
def test_cyclegan_runs_from_the_command_line_to_a_file_that_recipes_run(
    sr_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from degrade.cli.main import run as degrade
    from srzoo.cli.main import run as srzoo

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "settings" / "trusted"))
    photos = [str(photo) for photo in sorted((sr_data / "hr_train").glob("*.webp"))[:6]]
    synth = ["synth", *photos, "--recipe", "bicubic", "--patch", "192", "--pairs", "24", "--out", "shards"]
    assert degrade([*synth, "--workers", "1"]) == 0
    command = ["train", "cyclegan-small", "--shards", "shards", "--real-lr", str(sr_data / "real_lq"), "--steps", "3"]
    settings = ["--device", "cpu", "--threads", "1", "--set", "watch.log_every=1", "--set", "watch.pairs=2"]
    assert srzoo([*command, *settings]) == 0
    said = capsys.readouterr().err
    assert "unpaired LR:" in said
    assert "LR PSNR" in said
    assert "srzoo export-degrader runs/cyclegan-small" in said
    assert srzoo(["export-degrader", "runs/cyclegan-small", "-o", "cyclegan.pt"]) == 0
    assert degrade(["inspect", "cyclegan.pt"]) == 0
    assert "whole" in capsys.readouterr().out
