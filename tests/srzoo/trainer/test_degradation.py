"""Degraders in training: they go on to the same bits, noise, unpaired LR and critic included."""

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
from scipy.signal import convolve

from degrade.shards.reader import open_shards
from srzoo.checkpoint import load_degrader
from srzoo.cli.watching import verdicts
from srzoo.errors import PresetError, UsageError
from srzoo.preset import load_preset
from srzoo.tensors import luma, to_tensor
from srzoo.trainer import RunOptions, check, train
from srzoo.trainer.stage import StageRun

H2L = """
name = "tiny-h2l"
source = "Our own, for tests."
objective = "degradation"
scale = 2
steps = 5
precision = "fp32"

[networks.degrader]
type = "h2l"
blocks = 1
features = 4
ema = 0.9

[networks.critic]
type = "vgg_style"
features = 4

[optimisers.degrader]
networks = ["degrader"]
learning_rate = 1e-3

[optimisers.critic]
networks = ["critic"]
learning_rate = 1e-3

[loss]
pixel = 0.1
adversarial = 0.005

[data]
patch = 24
batch = 4

[watch]
log_every = 1
pairs = 2
"""
DML = """
name = "tiny-dml"
source = "Our own, for tests."
objective = "degradation"
scale = 1
steps = 3

[networks.degrader]
type = "basis_kernels"
kernels = 2
size = 5
features = 4

[optimisers.degrader]
networks = ["degrader"]
learning_rate = 1e-3

[loss]
border = 2

[data]
patch = 16
batch = 4

[watch]
pairs = 2
validate_every = 1
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three noisy photographs."""
    folder = tmp_path / "noisy"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(60, 200, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def h2l(lab: Any, tmp_path: Path, shard_writer: Callable[..., Path], photos: Path) -> Any:
    """Runs of `H2L`; hand in `real_lr=(photos,)` for unpaired LR."""
    preset = tmp_path / "tiny-h2l.toml"
    preset.write_text(H2L)
    return type(lab)(preset, shard_writer(tmp_path / "shards", side=48), tmp_path / "runs")


@pytest.fixture
def dml(lab: Any, tmp_path: Path, pairs_writer: Callable[..., Path]) -> Any:
    """Runs of `DML` on pairs whose LR is the mean of each HR pixel and the one below it."""
    preset = tmp_path / "tiny-dml.toml"
    preset.write_text(DML)
    hr = np.random.default_rng(0).integers(0, 256, (12, 24, 24, 3), np.uint8)
    lr = ((hr.astype(int) + np.roll(hr, -1, 1)) // 2).astype(np.uint8)
    return type(lab)(preset, pairs_writer(tmp_path / "pairs", lr, hr, zoom=3), tmp_path / "runs")


def logged(lab: Any, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (lab.out(name) / "log.jsonl").read_text().splitlines()]


def stop(at: int) -> Callable[[int], object]:
    return lambda step: signal.raise_signal(signal.SIGTERM) if step == at else None


@pytest.mark.parametrize("unpaired", [False, True])
def test_stopping_at_every_step_changes_no_bit(unpaired: bool, h2l: Any, photos: Path) -> None:
    data = {"real_lr": (photos,) if unpaired else ()}
    h2l.run("whole", **data)
    for step in range(1, 5):
        name = f"parts-{step}"
        assert h2l.run(name, at=stop(step), **data).step == step
        assert h2l.run(name, workers=step % 3, **data).kind == "finished"
        assert h2l.digest(name, 5) == h2l.digest("whole", 5), f"stopped at step {step}"


def test_unpaired_lr_reaches_the_critic_and_other_photographs_are_another_run(h2l: Any, photos: Path) -> None:
    h2l.run("paired")
    h2l.run("unpaired", real_lr=(photos,))
    first, other = (logged(h2l, name)[0]["losses"] for name in ("paired", "unpaired"))
    assert first["pixel"] == other["pixel"]
    assert first["critic"] != other["critic"]
    h2l.run("stopped", at=stop(2), real_lr=(photos,))
    (photos / "1.png").unlink()
    with pytest.raises(PresetError, match=r"shards\.tiny-h2l\.real_lr was"):
        h2l.run("stopped", real_lr=(photos,))
    with pytest.raises(PresetError, match=r"shards\.tiny-h2l\.real_lr was .*, is not stated"):
        h2l.run("stopped")


def test_parts_and_workers_leave_the_noise_of_each_sample_alone(h2l: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    noise: dict[str, list[torch.Tensor]] = {}
    update = StageRun._update

    def recorded(self: StageRun, batch: Any) -> None:
        given = noise.setdefault(str(self.context.options.out), [])
        hook = self.networks["degrader"].register_forward_pre_hook(lambda _, inputs: given.append(inputs[1]))
        update(self, batch)
        hook.remove()

    monkeypatch.setattr(StageRun, "_update", recorded)
    h2l.run("whole", workers=0)
    h2l.run("parts", "data.accumulate=2", workers=2)
    whole, parts = (torch.cat(noise[str(h2l.out(name))]) for name in ("whole", "parts"))
    assert whole.shape == (20, 3, 24, 24)
    assert torch.equal(whole, parts)
    assert len({row.numpy().tobytes() for row in whole}) == 20  # none comes twice


def test_lr_psnr_is_that_of_the_lr_the_degrader_makes(dml: Any) -> None:
    dml.run("run")
    last = logged(dml, "run")[-1]
    assert {"lr_psnr", "lr_ssim", "lr_psnr_identity"} <= set(last)
    assert "psnr" not in last
    pairs = open_shards(dml.shards)
    model = load_degrader(dml.out("run") / "degrader.safetensors")
    weights = torch.tensor((65.481, 128.553, 24.966), dtype=torch.float64)

    def y(pixels: np.ndarray) -> torch.Tensor:
        return 16 + torch.from_numpy(pixels.astype(np.float64)) @ weights / 255

    from srzoo.data import hold_out

    held_out = hold_out(pairs).held_out
    made, identity = [], []
    for number in held_out[np.linspace(0, len(held_out) - 1, 2).round().astype(int)]:
        lr, hr = pairs.read(int(number))
        change = model.network((y(hr) / 255).float()[None, None])[0, 0].double() * 255 - y(hr)
        rgb = (torch.from_numpy(hr).double() + change[..., None] * 255 / 219).clamp(0, 255).add(0.5).floor()
        for ours, found in ((rgb.numpy(), made), (hr, identity)):
            error = (y(ours) - y(lr))[2:-2, 2:-2].square().mean()
            found.append(10 * torch.log10(255**2 / error).item())
    assert last["lr_psnr"] == pytest.approx(np.mean(made), abs=0.02)  # a level rounded the other way here and there
    assert last["lr_psnr_identity"] == pytest.approx(np.mean(identity), abs=1e-4)


def test_the_best_step_is_that_of_the_largest_lr_psnr(dml: Any) -> None:
    dml.run("run", "steps=6", "watch.save_every=1")
    best = max(logged(dml, "run"), key=lambda record: record["lr_psnr"])["step"]
    facts = json.loads((dml.out("run") / "state" / "step-000006" / "facts.json").read_text())
    assert facts["best"] == {"lr_psnr": pytest.approx(max(r["lr_psnr"] for r in logged(dml, "run"))), "step": best}


def test_samples_show_bicubic_lr_made_lr_and_real_lr(h2l: Any) -> None:
    h2l.run("run", "watch.samples=2")
    with Image.open(h2l.out("run") / "samples" / "step-000005.png") as picture:
        assert picture.size == (3 * 24, 2 * 24)


def test_scores_are_called_what_they_are() -> None:
    assert verdicts({"psnr": 28.0, "ssim": 0.8, "psnr_bicubic": 26.5}) == [
        "PSNR 28.00 dB (+1.50 over bicubic), SSIM 0.8000"
    ]
    assert verdicts({"lr_psnr": 35.0, "lr_ssim": 0.9, "lr_psnr_identity": 33.0}) == [
        "LR PSNR 35.00 dB (+2.00 over HR itself), SSIM 0.9000"
    ]
    assert verdicts({"lr_psnr": 35.0, "lr_ssim": 0.9, "lr_psnr_bicubic": 36.0}) == [
        "LR PSNR 35.00 dB (-1.00 over bicubic LR), SSIM 0.9000"
    ]


def test_a_degrader_begins_with_the_weights_of_another_run(dml: Any) -> None:
    dml.run("first")
    dml.run("second", "networks.degrader.start_from=first", "optimisers.degrader.learning_rate=1e-30")
    first, second = (load_degrader(dml.out(name) / "degrader.safetensors") for name in ("first", "second"))
    assert first.metadata["sha256"] == second.metadata["sha256"]


def test_the_model_file_says_where_it_comes_from(h2l: Any, dml: Any, photos: Path) -> None:
    h2l.run("h2l", real_lr=(photos,))
    model = load_degrader(h2l.out("h2l") / "degrader.safetensors")
    assert (model.name, model.scale, model.overlap) == ("h2l", 2, 3)
    shards, real = json.loads(model.metadata["trained_on"])
    assert shards == f"shards: shards, SHA-256 {open_shards(h2l.shards).digest}"
    assert real.startswith("noisy: unpaired LR, SHA-256 ")
    assert str(h2l.root) not in "".join(model.metadata.values())
    assert {"lr_psnr", "lr_psnr_bicubic"} <= set(json.loads(model.metadata["metrics"]))
    dml.run("dml")
    assert load_degrader(dml.out("dml") / "degrader.safetensors").metadata["zoom"] == "3"


@pytest.mark.slow
def test_dml_recovers_a_planted_kernel(pairs_writer: Callable[..., Path], tmp_path: Path) -> None:
    """15 x 15, not symmetric: a long Gaussian and a short one off the middle. Seen by held-out LR, and as it stands."""
    rows, columns = np.mgrid[-7:8, -7:8]
    long = np.exp(-((rows + columns) ** 2) / 4 - (rows - columns) ** 2 / 25)
    short = np.exp(-((rows - 2) ** 2 + (columns + 3) ** 2) / 1.3)
    planted = 0.7 * long / long.sum() + 0.3 * short / short.sum()
    random = np.random.default_rng(0)
    coarse = random.random((40, 16, 16, 1)).repeat(4, 1).repeat(4, 2)
    wide = 0.5 * random.random((40, 64, 64, 1)) + 0.5 * coarse
    blurred = convolve(wide, planted[None, :, :, None], mode="same")
    hr, lr = ((255 * part[:, 8:-8, 8:-8].repeat(3, 3)).round().astype(np.uint8) for part in (wide, blurred))
    pairs_writer(tmp_path / "shards", lr, hr, num_sources=10)
    data = ["data.patch=48", "data.batch=4", "data.augment=false"]  # turned, it would be another kernel
    changes = ["steps=150", *data, "optimisers.degrader.warmup=10", "networks.degrader.ema=0.9"]
    preset = load_preset("dml-small", overrides=changes)
    train(preset, RunOptions((tmp_path / "shards",), tmp_path / "run", device="cpu", threads=1))
    model: Any = load_degrader(tmp_path / "run" / "degrader.safetensors")
    scores = json.loads(model.metadata["metrics"])
    assert scores["lr_psnr_identity"] < 18
    assert scores["lr_psnr"] > 36
    weights = model.network.weight_maps(luma(to_tensor(hr[0])))[0].mean((1, 2))
    found = (weights[:, None, None] * model.network.basis[:, 0]).sum(0).numpy()
    turned = planted[::-1, ::-1]  # a network correlates where NumPy convolves
    assert found.sum() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(found.ravel(), turned.ravel())[0, 1] > 0.8
    assert np.corrcoef(found.ravel(), planted.ravel())[0, 1] < 0.7


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("networks.degrader.type=rrdb", r"networks\.degrader: type: rrdb makes no LR - use one of basis_kernels"),
        ("networks.degrader={type='direct_net'}", r"direct_net keeps the size, but the stage's scale is 2"),
        ("networks.critic.patch=24", r"networks\.critic\.patch: 24, but the stage has 12"),
        ("loss.border=7", r"LR patches of 24 x 24 cannot be validated inside a border of 7"),
        ("data.needs=['lr', 'hr', 'real_lr']", r"shards have no real_lr - add --real-lr DIR"),
        ("data.real_lr=['nowhere']", r"real_lr: nowhere: no photograph here"),
    ],
)
def test_what_cannot_be_trained_is_one_line_before_the_first_step(change: str, said: str, h2l: Any) -> None:
    def check_all() -> None:
        preset = load_preset(str(h2l.preset), overrides=[change])
        check(preset, RunOptions((h2l.shards,), h2l.out("run"), device="cpu"))

    with pytest.raises((PresetError, UsageError), match=said) as caught:
        check_all()
    assert "\n" not in str(caught.value)
    assert not h2l.out("run").exists()


def test_photographs_smaller_than_the_crops_are_one_line(h2l: Any, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    Image.new("RGB", (11, 40)).save(tmp_path / "small" / "one.png")
    with pytest.raises(UsageError, match="none of 1 pictures holds a crop of 12 x 12"):
        h2l.run("run", real_lr=(tmp_path / "small",))


def test_the_check_says_what_unpaired_lr_there_is(h2l: Any, photos: Path) -> None:
    said = check(load_preset(str(h2l.preset)), RunOptions((h2l.shards,), h2l.out("run"), real_lr=(photos,)))
    assert said[-1] == f"unpaired LR: 3 pictures of {photos}"
