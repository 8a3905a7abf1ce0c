"""Learned steps through the commands: synth with one and two workers, replay, apply, preview; refusals are one line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from degrade import OnTheFly, open_shards
from degrade.assets import places, reference
from degrade.card import NoiseInput, ReferenceInput
from degrade.functional.resample import imresize_uint8
from degrade.ops.learned import model as running
from degrade.recipe import load_recipe
from degrade.synthesize import cutter

NOISE = {"inputs": (NoiseInput(3, 0.05),)}
RECIPE = """
name = "mine"
source = "a test"
scale = 2
margin = 8
{header}
[[lr]]
op = "learned"
model = "{model}"
noise_range = [0.5, 2]
{more}
"""


class Small(nn.Module):
    """Noise beside the image, 3 x 3, a strided tail."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.tail = nn.Conv2d(6, 8, 3, padding=1), nn.Conv2d(8, 3, 2, stride=2)

    def forward(self, image: Tensor, noise: Tensor) -> Tensor:
        return F.avg_pool2d(image, 2) + 0.1 * self.tail(torch.relu(self.head(torch.cat((image, noise), 1))))


class Blends(nn.Module):
    """The image at half its size, and a little of the reference's contrast."""

    def forward(self, image: Tensor, noise: Tensor, reference: Tensor) -> Tensor:
        return F.avg_pool2d(image + noise, 2) + 0.2 * (reference - reference.mean((2, 3), keepdim=True))


class Normalises(nn.Module):
    """As CycleGAN's generator: a norm sees the whole picture."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(3)

    def forward(self, image: Tensor, noise: Tensor) -> Tensor:
        return F.avg_pool2d(0.5 + 0.2 * self.norm(image) + noise, 2)


@pytest.fixture(scope="module")
def small(degraders: Callable[..., Path]) -> Path:
    torch.manual_seed(3)
    return degraders(Small(), name="small.pt", receptive_field=2, batch=4)


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[..., Path]:
    """Write a recipe that names a model."""

    def function(model: Path, header: str = "", more: str = "") -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(RECIPE.format(model=model, header=header, more=more))
        return path

    return function


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.h5"))}


def learned_steps(folder: Path) -> list[dict[str, Any]]:
    stored = open_shards(folder)
    return [stored.trace(index)["steps"][0] for index in range(len(stored))]


def forget() -> None:
    """As in a process that has just begun."""
    places._places.clear()
    places._folders.clear()
    reference.cache_clear()
    running.card_of.cache_clear()
    running._module.cache_clear()


def synth(degrade: Any, photos: Path, recipe: Path, out: Path, *more: Any) -> Any:
    return degrade("synth", photos, "--recipe", recipe, "--out", out, "--patch", 16, "--per-image", 5, *more)


def test_a_set_is_made_alike_alone_batched_and_on_the_fly_and_replays(
    degrade: Any, photos: Path, small: Path, recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = recipe(small)
    ran = synth(degrade, photos, mine, tmp_path / "set", "--workers", 1, "--variants", 2)
    assert (ran.code, ran.err) == (0, "")
    steps = learned_steps(tmp_path / "set")
    assert {step["model"] for step in steps} == {load_recipe(mine).learned[0].model.sha256}
    assert len({step["key"] for step in steps}) == len(steps) == 30
    assert all(0.5 <= step["noise"] <= 2 and step["reference"] is None for step in steps)

    monkeypatch.setattr(cutter, "TOGETHER", 1)
    assert synth(degrade, photos, mine, tmp_path / "alone", "--workers", 1, "--variants", 2).code == 0
    assert shards(tmp_path / "alone") == shards(tmp_path / "set")

    stored, pairs = open_shards(tmp_path / "set"), OnTheFly(photos, mine, patch=16, per_image=5, variants=2)
    for index in range(30):
        np.testing.assert_array_equal(pairs[index].lr, stored.read(index)[0])

    forget()
    assert "30 of 30 pairs made again, bit-equal" in degrade("replay", tmp_path / "set", "all").out
    assert f"torch {torch.__version__.partition('+')[0]}" in degrade("inspect", tmp_path / "set").out


@pytest.mark.slow
def test_two_workers_make_the_same_bytes(
    degrade: Any, photos: Path, small: Path, recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from degrade.synthesize import plan

    monkeypatch.setattr(plan, "LEAST_PAIRS", 5)  # three shards
    mine = recipe(small)
    for workers in (1, 2):
        assert synth(degrade, photos, mine, tmp_path / f"set{workers}", "--workers", workers).code == 0
    assert len(shards(tmp_path / "set1")) == 3
    assert shards(tmp_path / "set1") == shards(tmp_path / "set2")


def test_apply_and_preview_run_it(degrade: Any, photos: Path, small: Path, recipe: Any, tmp_path: Path) -> None:
    mine = recipe(small)
    for out in ("lr", "again"):
        assert degrade("apply", photos, "-o", tmp_path / out, "--recipe", mine).code == 0
    first, second = (Image.open(tmp_path / out / "a.png") for out in ("lr", "again"))
    assert first.size == (36, 30)
    assert first.tobytes() == second.tobytes()
    ran = degrade("preview", photos / "a.png", "--recipe", mine, "--patch", 32, "-n", 2, "-o", tmp_path / "sheet.png")
    assert (ran.code, ran.err) == (0, "")


def test_references_are_recorded_and_found_again(
    degrade: Any, photos: Path, degraders: Any, recipe: Any, tmp_path: Path
) -> None:
    inputs = NoiseInput(3, 0.02), ReferenceInput("real LR")
    model = degraders(Blends(), inputs=inputs, receptive_field=1)
    folder = tmp_path / "references"
    folder.mkdir()
    for number in range(3):
        noisy = np.random.default_rng(number).integers(0, 256, (24, 28, 3), np.uint8)
        Image.fromarray(noisy).save(folder / f"{number}.png")
    mine = recipe(model, more='reference = "references"')
    assert synth(degrade, photos, mine, tmp_path / "set", "--workers", 1).code == 0
    steps = learned_steps(tmp_path / "set")
    assert len({step["reference"] for step in steps}) == 3
    assert all(0 <= step["y"] < 24 and 0 <= step["x"] < 28 for step in steps)
    forget()
    assert degrade("replay", tmp_path / "set", "all").code == 0
    moved = folder.rename(tmp_path / "moved")
    forget()
    lost = degrade("replay", tmp_path / "set", "all")
    assert (lost.code, lost.err.count("\n")) == (4, 1)
    forget()
    assert degrade("replay", tmp_path / "set", "all", "--pool", moved).code == 0


def test_another_model_and_other_references_are_another_recipe(
    photos: Path, degraders: Any, recipe: Any, tmp_path: Path
) -> None:
    model = degraders(Small(), description="one")
    before = load_recipe(recipe(model)).digest
    model.write_bytes(degraders(Small(), description="two").read_bytes())
    assert load_recipe(recipe(model)).digest != before

    model = degraders(Blends(), inputs=(NoiseInput(3, 0.02), ReferenceInput("real LR")), receptive_field=1)
    mine = recipe(model, more=f'reference = "{photos}"')
    before = load_recipe(mine).digest
    (photos / "a.png").rename(photos / "z.png")
    assert load_recipe(mine).digest == before
    (photos / "z.png").unlink()
    assert load_recipe(mine).digest != before


def test_a_whole_picture_model_runs_on_whole_photos_only(
    degrade: Any, photos: Path, degraders: Any, recipe: Any, tmp_path: Path
) -> None:
    model = degraders(Normalises(), receptive_field="whole")
    refused = synth(degrade, photos, recipe(model), tmp_path / "set", "--workers", 1)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert 'sees the whole picture at once - state unit = "photo"' in refused.err
    ran = synth(degrade, photos, recipe(model, header='unit = "photo"'), tmp_path / "set", "--workers", 1)
    assert (ran.code, ran.err) == (0, "")
    assert degrade("replay", tmp_path / "set", "all").code == 0


def test_the_zoom_of_a_same_size_model_stands_in_the_shard(
    degrade: Any, photos: Path, degraders: Any, tmp_path: Path
) -> None:
    class Dims(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return 0.5 * image

    model = degraders(Dims(), scale=1, zoom=3, multiple=2, inputs=(), receptive_field=0)
    ran = synth(degrade, photos, Path("dml"), tmp_path / "set", "--workers", 1, "--set", f"lr.0.model={model}")
    assert (ran.code, ran.err) == (0, "")
    stored = open_shards(tmp_path / "set")
    header, (lr, hr) = stored.header(0), stored.read(0)
    assert (header.scale, header.zoom, lr.shape) == (1, 3, hr.shape)
    assert {step["sigma_8bit"] for step in stored.trace(0)["steps"][1:]} == {5}
    ran = synth(degrade, photos, Path("dml-x4"), tmp_path / "x4", "--workers", 1, "--set", f"lr.0.model={model}")
    assert (ran.code, ran.err) == (0, "")
    header = open_shards(tmp_path / "x4").header(0)
    assert (header.scale, header.zoom) == (4, 1)


def test_a_model_that_nobody_vouched_for_is_refused_in_one_line(
    degrade: Any, photos: Path, degraders: Any, recipe: Any, tmp_path: Path
) -> None:
    strange = degraders(Small(), trusted=False, name="strange.pt", licence="unknown")
    ran = synth(degrade, photos, recipe(strange), tmp_path / "set")
    assert (ran.code, ran.err.count("\n")) == (4, 1)
    assert "strange.pt: not in your list of trusted files" in ran.err
    assert not (tmp_path / "set").exists()
    strange.write_bytes(b"PK\x03\x04 no zip")
    assert synth(degrade, photos, recipe(strange), tmp_path / "set").code == 4
    strange.unlink()
    gone = synth(degrade, photos, recipe(strange), tmp_path / "set")
    assert gone.code == 2
    assert "no such model" in gone.err


class Restyles(nn.Module):
    """As CycleGAN's generator in small: the size stays, in multiples of 4, and the norm sees the whole picture."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.norm = nn.Conv2d(3, 8, 4, stride=4), nn.InstanceNorm2d(8)
        self.up = nn.ConvTranspose2d(8, 3, 4, stride=4)

    def forward(self, image: Tensor) -> Tensor:
        return image + 0.2 * self.up(self.norm(self.down(image)))


@pytest.fixture(scope="module")
def restyles(degraders: Callable[..., Path]) -> Path:
    torch.manual_seed(7)
    return degraders(Restyles(), name="restyles.pt", scale=1, multiple=4, inputs=(), receptive_field="whole")


def test_cyclegan_restyles_whole_bicubic_lr_in_half_of_the_photographs(
    degrade: Any, photos: Path, restyles: Path, tmp_path: Path
) -> None:
    chosen = Path("cyclegan"), tmp_path / "set", "--workers", 1, "--variants", 12, "--set", f"lr.1.model={restyles}"
    ran = synth(degrade, photos, *chosen)
    assert (ran.code, ran.err) == (0, "")
    stored, restyled = open_shards(tmp_path / "set"), {}
    for index in range(len(stored)):
        trace, (lr, hr) = stored.trace(index), stored.read(index)
        (y, x), photo = stored.origin(index), stored.source_row(index)["path"]
        pixels = np.asarray(Image.open(photos / photo))
        np.testing.assert_array_equal(hr, pixels[y : y + 16, x : x + 16])
        bicubic = imresize_uint8(pixels, 15, 18)[y // 4 : y // 4 + 4, x // 4 : x // 4 + 4]
        is_restyled = len(trace["steps"]) == 2
        assert np.array_equal(lr, bicubic) != is_restyled
        restyled[photo, trace["variant"]] = is_restyled
    assert 9 <= sum(restyled.values()) <= 27  # 36 coins: 18, and three standard deviations
    forget()
    assert degrade("replay", tmp_path / "set", "all").code == 0


def test_cyclegan_runs_in_apply_and_preview_and_on_the_fly(
    degrade: Any, photos: Path, restyles: Path, tmp_path: Path
) -> None:
    settings = f"lr.1.model={restyles}", "lr.1.probability=1"
    stated = [word for setting in settings for word in ("--set", setting)]
    assert synth(degrade, photos, Path("cyclegan"), tmp_path / "set", "--workers", 1, *stated).code == 0
    assert degrade("apply", photos, "-o", tmp_path / "lr", "--recipe", "cyclegan", *stated).code == 0
    stored, pairs = (
        open_shards(tmp_path / "set"),
        OnTheFly(photos, "cyclegan", patch=16, per_image=5, overrides=settings),
    )
    for index in range(len(stored)):
        (y, x), lr = (start // 4 for start in stored.origin(index)), stored.read(index)[0]
        whole = np.asarray(Image.open(tmp_path / "lr" / stored.source_row(index)["path"]))
        np.testing.assert_array_equal(lr, whole[y : y + 4, x : x + 4])
        np.testing.assert_array_equal(lr, pairs[index].lr)
    sheet = "--patch", 32, "-n", 2, "-o", tmp_path / "sheet.png", *stated
    ran = degrade("preview", photos / "a.png", "--recipe", "cyclegan", *sheet)
    assert (ran.code, ran.err) == (0, "")


def test_dsgan_and_ddnsr_make_sets_once_they_have_a_model(
    degrade: Any, photos: Path, degraders: Any, tmp_path: Path
) -> None:
    class Sharpens(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return 2 * image - F.avg_pool2d(image, 3, 1, 1)

    class Borrows(nn.Module):
        def forward(self, image: Tensor, reference: Tensor) -> Tensor:
            return F.avg_pool2d(image, 4) + reference - reference.mean((2, 3), keepdim=True)

    same = degraders(Sharpens(), scale=1, multiple=1, inputs=(), receptive_field=18)
    takes = degraders(Borrows(), scale=4, multiple=4, inputs=(ReferenceInput("real LR"),), receptive_field=92)
    for name, stated in (
        ("dsgan", [f"lr.1.model={same}"]),
        ("ddnsr", [f"lr.0.model={takes}", f"lr.0.reference={photos}"]),
    ):
        settings = [word for setting in stated for word in ("--set", setting)]
        ran = synth(degrade, photos, Path(name), tmp_path / name, "--workers", 1, *settings)
        assert (ran.code, ran.err) == (0, "")
        assert "15 of 15 pairs made again, bit-equal" in degrade("replay", tmp_path / name, "all").out
    lost = synth(degrade, photos, Path("ddnsr"), tmp_path / "no", "--set", f"lr.0.model={takes}")
    assert lost.err == (
        "degrade: error: ddnsr.toml: lr[0].reference: real_lr: no such folder here"
        " - name a folder of real LR photographs\n"
    )


@pytest.mark.parametrize(
    ("name", "step", "preset", "more"),
    [
        ("cyclegan", 1, "cyclegan", ""),
        ("dsgan", 1, "dsgan", ""),
        ("ddnsr", 0, "ddnsr-paper", " --set lr.0.reference=DIR (real LR)"),
    ],
)
def test_a_recipe_for_a_model_of_ones_own_is_listed_shown_and_says_how_to_have_one(
    name: str, step: int, preset: str, more: str, degrade: Any, photos: Path, tmp_path: Path
) -> None:
    cure = f"train one (`srzoo train {preset}`, `srzoo export-degrader`) and --set lr.{step}.model=FILE{more}"
    lack = f"{name}.toml: lr[{step}].model: model '{name}' does not come with degrade - {cure}"
    ran = synth(degrade, photos, Path(name), tmp_path / "set")
    assert (ran.code, ran.err) == (2, f"degrade: error: {lack}\n")
    assert degrade("recipes", "validate", name).err == f"degrade: error: {lack}\n"
    assert f"needs a model: {cure}\n" in degrade("recipes", "list").out
    listed = {entry["short_name"]: entry for entry in json.loads(degrade("recipes", "list", "--json").out)}
    assert (listed[name]["digest"], listed[name]["lacks"]) == (None, lack)
    assert (listed["generic"]["lacks"], listed["h2l"]["lacks"]) == (None, None)
    shown = degrade("recipes", "show", name)
    assert (shown.code, shown.err) == (0, f"degrade: note: {lack}\n")
    assert tomllib.loads(shown.out)["lr"][step]["model"] == name
    assert degrade("recipes", "show", name, "--json").code == 2
