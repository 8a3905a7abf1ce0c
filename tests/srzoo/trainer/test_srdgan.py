"""SRDGAN's joint stage as a run: it starts from two others, goes on to the same bits, and leaves two products."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from srzoo.checkpoint import load_degrader, load_model
from srzoo.errors import PresetError
from srzoo.upscale.resolve import LR_ROLES, resolve_model

H2L = """
name = "h2l"
source = "Our own, for tests."
objective = "degradation"
scale = 4
steps = 2
data = {patch = 48, batch = 4}
watch = {pairs = 2}
loss = {pixel = 0.1, adversarial = 0.005}
[networks.degrader]
type = "h2l"
blocks = 1
features = 4
[networks.critic]
type = "vgg_style"
features = 4
[optimisers]
degrader = {networks = ["degrader"], learning_rate = 1e-3}
critic = {networks = ["critic"], learning_rate = 1e-3}
"""
L2H = """
name = "l2h"
source = "Our own, for tests."
objective = "supervised"
scale = 4
steps = 2
data = {patch = 48, batch = 4}
watch = {pairs = 2}
loss = {pixel = 0.1, adversarial = 0.005}
[networks.generator]
type = "skipres"
blocks = 1
features = 4
[networks.critic]
type = "vgg_style"
features = 4
[optimisers]
generator = {networks = ["generator"], learning_rate = 1e-3}
critic = {networks = ["critic"], learning_rate = 1e-3}
"""
JOINT = """
name = "joint"
source = "Our own, for tests."
objective = "srdgan"
scale = 4
steps = 5
data = {patch = 48, batch = 4}
watch = {log_every = 1, pairs = 2, samples = 2}
[networks.h2l]
type = "h2l"
blocks = 1
features = 4
ema = 0.9
start_from = "h2l:degrader"
[networks.l2h]
type = "skipres"
blocks = 1
features = 4
ema = 0.9
start_from = "l2h:generator"
[networks.critic_lr]
type = "vgg_style"
features = 4
start_from = "h2l:critic"
[networks.critic_hr]
type = "vgg_style"
features = 4
start_from = "l2h:critic"
[optimisers]
generators = {networks = ["h2l", "l2h"], learning_rate = 1e-3}
critics = {networks = ["critic_lr", "critic_hr"], learning_rate = 1e-3}
[loss]
h2l = {pixel = 0.1, adversarial = 0.005}
l2h = {pixel = 0.1, adversarial = 0.005}
"""


@pytest.fixture
def joint(lab: Any, noise_pairs: tuple[Path, Path], tmp_path: Path) -> Any:
    """Runs of `JOINT` beside finished runs `h2l` and `l2h`."""
    labs = {}
    for name, text in (("h2l", H2L), ("l2h", L2H), ("joint", JOINT)):
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        labs[name] = type(lab)(path, noise_pairs[0], tmp_path / "runs", real_lr=(noise_pairs[1],))
    labs["h2l"].run("h2l")
    labs["l2h"].run("l2h")
    return labs["joint"]


def tensors(lab: Any, name: str, step: int) -> dict[str, torch.Tensor]:
    return load_file(lab.out(name) / "state" / f"step-{step:06d}" / "state.safetensors")


def test_stopping_at_every_step_changes_no_bit(joint: Any) -> None:
    joint.run("whole")
    for step in range(1, 5):
        stopped = joint.run("parts", at=lambda k, at=step: signal.raise_signal(signal.SIGTERM) if k == at else None)
        assert stopped.step == step
    assert joint.run("parts", workers=1).kind == "finished"
    assert joint.digest("parts", 5) == joint.digest("whole", 5)


def test_all_four_networks_begin_with_what_was_trained(joint: Any) -> None:
    still = [f"optimisers.{name}.learning_rate=1e-30" for name in ("generators", "critics")]
    joint.run("joint", "steps=1", *still)
    found, h2l, l2h = tensors(joint, "joint", 1), tensors(joint, "h2l", 2), tensors(joint, "l2h", 2)
    for role, there, other in (
        ("h2l", h2l, "degrader"),
        ("critic_lr", h2l, "critic"),
        ("l2h", l2h, "generator"),
        ("critic_hr", l2h, "critic"),
    ):
        parameters = [key for key in found if key.startswith(f"network/{role}/") and key.endswith("weight")]
        assert parameters
        for key in parameters:
            assert torch.equal(found[key], there[key.replace(f"/{role}/", f"/{other}/")]), key


def test_both_products_are_judged_shown_and_found(joint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    joint.run("joint", "watch.validate_every=2", "watch.sample_every=1")
    records = [json.loads(line) for line in (joint.out("joint") / "log.jsonl").read_text().splitlines()]
    judged = [record for record in records if "psnr" in record]
    assert [record["step"] for record in judged] == [2, 4, 5]
    assert all({"ssim", "psnr_bicubic", "lr_psnr", "lr_ssim", "lr_psnr_bicubic"} <= set(record) for record in judged)
    facts = json.loads((joint.out("joint") / "state" / "step-000005" / "facts.json").read_text())
    assert facts["best"]["psnr"] == max(record["psnr"] for record in judged)  # SR's, not LR's
    assert {path.name for path in (joint.out("joint") / "samples").iterdir()} == {
        f"{role}-step-{step:06d}.png" for role in ("h2l", "l2h") for step in (2, 4, 5)
    }
    monkeypatch.chdir(joint.root.parent)
    assert load_model(resolve_model("joint")[0]).name == "skipres"
    assert load_degrader(resolve_model("joint", roles=LR_ROLES)[0]).name == "h2l"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("networks.h2l.type=skipres", r"networks\.h2l: type: skipres makes no LR"),
        ("optimisers.generators.networks=['h2l']", r"generators\.networks: expected h2l, l2h, got h2l"),
        ("networks.critic_lr.patch=48", r"networks\.critic_lr\.patch: 48, but the stage has 12"),
        (
            "networks.critic_hr.start_from=gone:critic",
            r"start_from: no training state of a run 'gone:critic'",
        ),
        ("networks.critic_hr.start_from=l2h:judge", r"no whole state there has a 'judge'"),
        ("networks.critic_hr.features=5", r"its 'critic' is another network than critic_hr, vgg_style"),
    ],
)
def test_what_cannot_be_meant_is_one_line(change: str, said: str, joint: Any) -> None:
    with pytest.raises(PresetError, match=said) as caught:
        joint.run("joint", change)
    assert "\n" not in str(caught.value)
