"""`srzoo evaluate` from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from degrade.functional.resample import imresize_uint8, resize
from srzoo.checkpoint import save_model
from srzoo.cli.evaluate import command
from srzoo.errors import UsageError
from srzoo.networks.skipres import SkipRes, SkipResConfig


@pytest.fixture
def hr(tmp_path: Path) -> Path:
    y, x = np.mgrid[:48, :64, :3][:2]
    for number in (1, 2):
        pixels = np.rint(127 + 100 * np.sin(x / (4 + number)) * np.cos(y / 5)).astype(np.uint8)
        (tmp_path / "hr").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "hr" / f"wave{number}.png")
    return tmp_path / "hr"


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """A network that is the bicubic enlargement, edges repeated instead of mirrored."""
    torch.manual_seed(0)
    path = tmp_path / "untrained.safetensors"
    save_model(path, "skipres", SkipRes(SkipResConfig(scale=2, blocks=1, features=4)), {})
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


def test_json_gives_each_picture_and_the_mean(hr: Path) -> None:
    result = run("--model", "bicubic", "--hr", hr, "--scale", 2, "--protocol", "rgb", "--json")
    report = json.loads(result.stdout)
    assert {key: report[key] for key in ("model", "scale", "protocol", "lr")} == {
        "model": "bicubic", "scale": 2, "protocol": "rgb", "lr": None,
    }  # fmt: skip
    assert [image["name"] for image in report["images"]] == ["wave1.png", "wave2.png"]
    assert report["mean"]["psnr"] == pytest.approx(sum(image["psnr"] for image in report["images"]) / 2)
    assert 0.9 < report["mean"]["ssim"] < 1


def test_the_table_shows_each_picture_the_mean_and_where_lr_came_from(hr: Path) -> None:
    result = run("--model", "bicubic", "--hr", hr, "--scale", 2)
    for text in ("bicubic, x2, protocol published", "wave1.png", "wave2.png", "mean", "LR: made by MATLAB's bicubic"):
        assert text in result.stdout
    assert "gain" not in result.stdout


def test_a_model_file_is_evaluated_at_its_own_scale_beside_bicubic(hr: Path, untrained: Path) -> None:
    report = json.loads(run("--model", untrained, "--hr", hr, "--protocol", "rgb", "--json").stdout)
    assert report["scale"] == 2
    for image in report["images"]:
        truth = np.asarray(Image.open(hr / image["name"]))
        sr = resize(imresize_uint8(truth, 24, 32).astype(float), 48, 64, edge="edge")
        difference = (np.clip(np.floor(sr + 0.5), 0, 255) - truth)[2:-2, 2:-2]
        assert image["psnr"] == pytest.approx(10 * np.log10(255**2 / np.mean(difference**2)), abs=1e-3)
        assert image["psnr"] > image["psnr_bicubic"]  # that one rounds after every pass
    assert "gain dB" in run("--model", untrained, "--hr", hr).stdout


def test_infinite_psnr_is_null_in_json(hr: Path, tmp_path: Path) -> None:
    for path in hr.iterdir():
        Image.new("RGB", (64, 48), (9, 9, 9)).save(path)
    report = json.loads(run("--model", "bicubic", "--hr", hr, "--json").stdout)
    assert report["mean"]["psnr"] is None
    assert report["mean"]["ssim"] == pytest.approx(1)


def test_another_scale_than_the_models_is_refused(hr: Path, untrained: Path) -> None:
    with pytest.raises(UsageError, match=r"--scale 4: .*untrained\.safetensors is a model of x2 - use --scale 2"):
        run("--model", untrained, "--hr", hr, "--scale", 4)
