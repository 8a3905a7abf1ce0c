"""`srzoo evaluate-degrader` from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from scipy import ndimage

from srzoo.checkpoint import save_model
from srzoo.cli.evaluate_degrader import command
from srzoo.cli.main import run as entry
from srzoo.degraders import DEGRADERS
from srzoo.errors import UsageError


def write(folder: Path, name: str, pixels: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)).save(folder / name)


def photo(seed: int, side: int = 128) -> np.ndarray:
    random = np.random.default_rng(seed)
    layers = [ndimage.gaussian_filter(random.normal(size=(side, side)), s) * s for s in (0.7, 2, 6)]
    return np.clip(128 + 60 * sum(layers), 20, 235)[..., None].repeat(3, axis=2)


@pytest.fixture
def blurred(tmp_path: Path) -> Path:
    """Folders `hr` and `lr`, the latter blurred by a Gaussian of 1.2."""
    for seed in range(2):
        write(tmp_path / "hr", f"p{seed}.png", photo(seed))
        write(
            tmp_path / "lr",
            f"p{seed}.png",
            ndimage.gaussian_filter(photo(seed).round(), (1.2, 1.2, 0), truncate=7 / 1.2),
        )
    return tmp_path


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """Folders `clean` and `noisy` of one size."""
    for seed in range(2):
        write(tmp_path / "clean", f"p{seed}.png", photo(seed, 256))
        write(
            tmp_path / "noisy", f"p{seed}.png", photo(seed, 256) + np.random.default_rng(9).normal(0, 7, (256, 256, 3))
        )
    return tmp_path


def saved(folder: Path, name: str, **config: object) -> Path:
    torch.manual_seed(0)
    path = folder / f"{name}.safetensors"
    save_model(path, name, DEGRADERS[name][1](DEGRADERS[name][0](**config)), {})
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


def report(*arguments: object) -> dict:
    return json.loads(run(*arguments, "--json").stdout)


def test_plain_degraders_of_same_size_pairs_need_no_model(blurred: Path) -> None:
    found = report("--hr", f"test={blurred / 'hr'}", "--lr", blurred / "lr")
    (one,) = found["sets"]
    assert (found["scale"], found["border"], found["models"], one["name"]) == (1, 7, [], "test")
    assert one["fitted_to"] == "the pairs evaluated"
    assert float(one["plain"]["gaussian"].rpartition(" ")[2]) == pytest.approx(1.2, rel=0.01)
    assert list(one["mean"]) == ["identity", "gaussian", "least_squares"]
    assert one["mean"]["gaussian"]["psnr"] > one["mean"]["identity"]["psnr"] + 10
    assert [image["name"] for image in one["images"]] == ["p0.png", "p1.png"]


def test_kernels_are_fitted_where_it_is_said(blurred: Path) -> None:
    fit = ("--fit-hr", blurred / "hr", "--fit-lr", blurred / "hr")
    (one,) = report("--hr", blurred / "hr", "--lr", blurred / "lr", *fit)["sets"]
    assert one["fitted_to"] == f"2 pairs of {blurred / 'hr'} and {blurred / 'hr'}"
    assert one["mean"]["gaussian"]["psnr"] == pytest.approx(one["mean"]["identity"]["psnr"], abs=0.01)


def test_a_model_stands_beside_them_under_its_name(blurred: Path) -> None:
    path = saved(blurred, "basis_kernels", kernels=2, features=4, init="unit")
    found = report("-m", f"dml={path}", "--hr", blurred / "hr", "--lr", blurred / "lr")
    assert [model["name"] for model in found["models"]] == ["dml"]
    assert list(found["sets"][0]["mean"]) == ["identity", "gaussian", "least_squares", "dml"]


def test_noise_of_nearest_lr_is_measured_and_fitted(noisy: Path) -> None:
    path = saved(noisy, "h2l", features=4, blocks=1, skip="mean")
    options = ("-m", f"h2l={path}", "--hr", f"p={noisy / 'clean'}", "--lr", noisy / "noisy", "--nearest", "--noise")
    found = report(*options)
    assert (found["scale"], found["nearest"]) == (4, True)
    table = found["sets"][0]["mean"]
    assert list(table) == ["real", "bicubic", "bicubic+noise", "h2l"]
    assert table["real"]["std"] == pytest.approx(7, rel=0.05)
    assert table["bicubic+noise"]["std_error"] < 0.1 < table["bicubic"]["std_error"]
    assert {"std_0", "band_7", "corr_gb"} <= set(table["real"])
    assert report(*options) == found
    assert report(*options, "--seed", 1)["sets"][0]["mean"]["h2l"] != table["h2l"]
    text = run(*options).stdout
    for part in ("p (2 pictures)", "bicubic+noise", "spectrum dB", "fitted to the pairs evaluated", "h2l x4"):
        assert part in text


def test_a_run_is_found_by_its_folder_and_restyles_bicubic_lr_at_its_size(noisy: Path) -> None:
    saved(noisy, "cycle_generator", features=4, blocks=1).rename(noisy / "degrader.safetensors")
    saved(noisy, "cycle_generator", features=4, blocks=1).rename(noisy / "generator.safetensors")
    found = report("-m", noisy, "-s", 4, "--hr", noisy / "clean", "--lr", noisy / "noisy", "--nearest")
    assert [model["name"] for model in found["models"]] == [noisy.name]
    assert found["models"][0]["what"].endswith("degrader.safetensors, from bicubic LR")
    assert list(found["sets"][0]["mean"]) == ["bicubic", "bicubic+noise", noisy.name]


def test_the_pictures_are_written_if_asked(noisy: Path) -> None:
    run("-s", 4, "--hr", f"p={noisy / 'clean'}", "--lr", noisy / "noisy", "--nearest", "--out", noisy / "made")
    names = {str(path.relative_to(noisy / "made")) for path in (noisy / "made").rglob("*.png")}
    assert names == {f"p/{model}/p{k}.png" for model in ("real", "bicubic", "bicubic+noise") for k in (0, 1)}
    real = np.asarray(Image.open(noisy / "made/p/real/p0.png"))
    np.testing.assert_array_equal(real, np.asarray(Image.open(noisy / "noisy/p0.png"))[2::4, 2::4])


def test_several_sets_have_figures_and_fits_of_their_own(blurred: Path) -> None:
    same = ("--hr", f"same={blurred / 'hr'}", "--lr", blurred / "hr")
    found = report("--hr", f"blurred={blurred / 'hr'}", "--lr", blurred / "lr", *same)
    assert [one["name"] for one in found["sets"]] == ["blurred", "same"]
    assert found["sets"][0]["plain"]["gaussian"] != found["sets"][1]["plain"]["gaussian"]
    assert found["sets"][1]["mean"]["identity"]["psnr"] is None  # infinite


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--hr", "hr", "--lr", "lr", "--lr", "lr"), "1 --hr but 2 --lr - give one --lr for each --hr"),
        (("--hr", "hr", "--lr", "lr", "--fit-hr", "hr"), "1 --fit-hr and 0 --fit-lr for 1 --hr"),
        (("--hr", "hr", "--lr", "lr", "--hr", "hr", "--lr", "lr"), "sets called .* - name them: --hr NAME=DIR"),
        (("--hr", "hr", "--lr", "lr", "-s", "2"), "add --nearest"),
        (("-m", "real=NET", "--hr", "hr", "--lr", "lr"), "the name 'real' is taken - give it another"),
        (("-m", "gaussian=NET", "--hr", "hr", "--lr", "lr"), "the name 'gaussian' is taken"),
        (("-m", "H2L", "--hr", "hr", "--lr", "lr", "-s", "2"), "H2L: makes LR of x4, the comparison is at x2"),
    ],
)
def test_misuse_is_one_line(
    blurred: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], line: str
) -> None:
    monkeypatch.chdir(blurred)
    saved(blurred, "basis_kernels", kernels=2, features=4).rename("NET")
    saved(blurred, "h2l", features=4, blocks=1).rename("H2L")
    with pytest.raises(UsageError, match=line):
        run(*arguments)


def test_a_network_that_enlarges_is_refused_with_a_cure(
    blurred: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(blurred)
    assert entry(["evaluate-degrader", "-m", "4x-compact", "--hr", "hr", "--lr", "lr"]) == 4
    assert "which makes SR - give a degrader" in capsys.readouterr().err
