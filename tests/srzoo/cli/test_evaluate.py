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
from srzoo.checkpoint import load_model, save_model
from srzoo.cli.contestants import named
from srzoo.cli.evaluate import command
from srzoo.errors import UsageError
from srzoo.networks import NETWORKS
from srzoo.networks.skipres import SkipRes, SkipResConfig
from srzoo.upscale.upscaler import Upscaler

WEIGHTS = "weights/niqe_pris_params.npz"


@pytest.fixture
def hr(tmp_path: Path) -> Path:
    y, x = np.mgrid[:48, :64, :3][:2]
    for number in (1, 2):
        pixels = np.rint(127 + 100 * np.sin(x / (4 + number)) * np.cos(y / 5)).astype(np.uint8)
        (tmp_path / "waves").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "waves" / f"wave{number}.png")
    return tmp_path / "waves"


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """A network that is the bicubic enlargement, edges repeated instead of mirrored."""
    torch.manual_seed(0)
    path = tmp_path / "untrained.safetensors"
    save_model(path, "skipres", SkipRes(SkipResConfig(scale=2, blocks=1, features=4)), {})
    return path


def saved(folder: Path, name: str, **config: object) -> Path:
    torch.manual_seed(1)
    path = folder / f"{name}.safetensors"
    network = NETWORKS[name][1](NETWORKS[name][0](**config))
    if name == "srcnn":
        torch.nn.init.constant_(network.get_parameter("conv3.bias"), 0.45)  # else untrained it is black
    save_model(path, name, network, {})
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


def report(*arguments: object) -> dict:
    return json.loads(run(*arguments, "--json").stdout)


def test_json_gives_each_picture_and_the_mean_of_each_model(hr: Path, untrained: Path) -> None:
    found = report("-m", untrained, "--hr", hr, "--hr", f"again={hr}", "--protocol", "rgb")
    assert (found["scale"], found["protocol"]) == (2, "rgb")
    assert [model["name"] for model in found["models"]] == ["bicubic", "untrained"]
    assert found["models"][1]["parameters"] == sum(p.numel() for p in SkipRes(SkipResConfig(2, 1, 4)).parameters())
    assert [one["name"] for one in found["sets"]] == ["waves", "again"]
    for one in found["sets"]:
        assert [image["name"] for image in one["images"]] == ["wave1.png", "wave2.png"]
        each = [image["figures"]["untrained"]["psnr"] for image in one["images"]]
        assert one["mean"]["untrained"]["psnr"] == pytest.approx(sum(each) / 2)
        gain = one["mean"]["untrained"]["psnr"] - one["mean"]["bicubic"]["psnr"]
        assert one["mean"]["untrained"]["gain"] == pytest.approx(gain)


def test_the_table_shows_every_set_and_model_and_where_lr_came_from(hr: Path, untrained: Path) -> None:
    text = run("-m", untrained, "--hr", hr, "--each").stdout
    for part in ("x2, protocol published", "waves (2 pictures)", "untrained", "gain dB", "wave1.png"):
        assert part in text
    assert "LR made by MATLAB's bicubic" in text
    assert "wave1.png" not in run("-m", untrained, "--hr", hr).stdout
    assert "gain" not in run("--model", "bicubic", "--hr", hr, "--scale", 2).stdout


def test_markdown_is_a_table_and_nothing_else_on_stdout(hr: Path) -> None:
    lines = run("--model", "bicubic", "--hr", hr, "--scale", 2, "--format", "markdown").stdout.splitlines()
    assert lines[2] == "| set | model | PSNR dB | SSIM |"
    assert lines[4].startswith("| waves (2 pictures) | bicubic | ")
    assert "".join(lines[5:]) == ""


def test_a_model_file_is_evaluated_at_its_own_scale(hr: Path, untrained: Path) -> None:
    (one,) = report("--model", untrained, "--hr", hr, "--protocol", "rgb")["sets"]
    for image in one["images"]:
        truth = np.asarray(Image.open(hr / image["name"]))
        sr = resize(imresize_uint8(truth, 24, 32).astype(float), 48, 64, edge="edge")
        difference = (np.clip(np.floor(sr + 0.5), 0, 255) - truth)[2:-2, 2:-2]
        figures = image["figures"]
        expected = 10 * np.log10(255**2 / np.mean(difference**2))
        assert figures["untrained"]["psnr"] == pytest.approx(expected, abs=1e-3)
        assert figures["untrained"]["psnr"] > figures["bicubic"]["psnr"]  # that one rounds after every pass


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("srcnn", {"scale": 2, "features": (4, 4)}),
        ("vdsr", {"scale": 2, "convs": 3, "features": 4}),
        ("rcan_dml", {"scale": 2, "groups": 1, "blocks": 1, "features": 4, "reduction": 2}),
    ],
)
def test_a_network_on_luma_leaves_the_chroma_of_colour_pictures_to_bicubic(
    hr: Path, tmp_path: Path, name: str, config: dict[str, object]
) -> None:
    path = saved(tmp_path, name, **config)
    (one,) = report("-m", path, "--hr", hr, "--protocol", "network")["sets"]
    assert one["mean"][name]["psnr"] != one["mean"]["bicubic"]["psnr"]
    lr = np.random.default_rng(0).integers(90, 166, (24, 32, 3), np.uint8)
    sr = Upscaler(load_model(path), precision="fp32").image(lr)
    change = (sr - resize(lr.astype(float), 48, 64))[6:-6, 6:-6]  # the edge is mirrored by one and cut by the other
    inner = sr[6:-6, 6:-6]
    whole = (inner.min(axis=2) > 0) & (inner.max(axis=2) < 255)  # not clipped
    assert whole.any()
    assert np.ptp(change, axis=2)[whole].max() <= 1.01  # every channel moves alike, but for rounding


def test_a_model_of_the_same_size_takes_part_at_any_scale(hr: Path, tmp_path: Path, untrained: Path) -> None:
    same = saved(tmp_path, "rcan_dml", groups=1, blocks=1, features=4, reduction=2)
    found = report("-m", same, "-m", untrained, "--hr", hr)
    assert (found["scale"], list(found["sets"][0]["mean"])) == (2, ["bicubic", "rcan_dml", "untrained"])
    with pytest.raises(UsageError, match="needed at scale 1"):
        run("-m", same, "--hr", hr)
    (one,) = report("-m", same, "--hr", hr, "--lr", hr, "--protocol", "realsr")["sets"]
    assert one["mean"]["bicubic"]["psnr"] is None  # LR is the truth


def test_infinite_psnr_is_null_in_json(hr: Path) -> None:
    for path in hr.iterdir():
        Image.new("RGB", (64, 48), (9, 9, 9)).save(path)
    (one,) = report("--model", "bicubic", "--hr", hr)["sets"]
    assert one["mean"]["bicubic"]["psnr"] is None
    assert one["mean"]["bicubic"]["ssim"] == pytest.approx(1)


def test_colour_shift_and_cost_have_columns(hr: Path, untrained: Path) -> None:
    found = report("-m", untrained, "--hr", hr, "--color-shift", "--cost")
    assert found["models"][1]["seconds"] > 0
    assert "seconds" not in found["models"][0]
    means = found["sets"][0]["mean"]
    assert 0 <= means["bicubic"]["shift"] < 0.5
    assert 0 <= means["untrained"]["shift"] < 0.5


def test_niqe_and_lpips_take_their_weights_from_files(sr_data: Path, untrained: Path) -> None:
    photo = sr_data / "test" / "Set5" / "x2" / "HR" / "img_003.png"
    squeeze = sr_data / "weights" / "squeezenet1_1_caffe_imagenet_features.pth"
    options = ("--niqe", sr_data / WEIGHTS, "--lpips", "squeeze", "--lpips-weights", squeeze)
    found = report(
        "-m", untrained, "--hr", photo, *options, "--lpips-heads", sr_data / "weights" / "lpips_lin" / "v0.1"
    )
    figures = found["sets"][0]["mean"]["untrained"]
    assert 0 < figures["lpips"] < 0.3
    assert 2 < figures["niqe"] < 12
    assert "not the published distance" in found["lpips"]  # Caffe's SqueezeNet


def test_a_papers_rows_stand_beside_ours(sr_data: Path) -> None:
    text = run(
        "-m", "bicubic", "--hr", sr_data / "test/Set5/x4/HR", "--against", "srdgan", "--against", "ren2020"
    ).stdout
    for part in ("SRDGAN", "30.37", "ours: bicubic", "28.4211", "0.7552", "ours: data not here"):
        assert part in text


def test_the_page_holds_tables_and_crops(hr: Path, untrained: Path, tmp_path: Path) -> None:
    run("-m", untrained, "--hr", hr, "--html", tmp_path / "pages" / "it.html")
    html = (tmp_path / "pages" / "it.html").read_text()
    assert html.count("<table>") == 1
    assert html.count("data:image/webp") >= 2 * 5  # an overview, input, bicubic, ours, truth of each
    assert "http" not in html.replace("http-equiv", "")


def test_what_cannot_be_meant_is_one_line(hr: Path, untrained: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--scale 4: .*untrained\.safetensors is a model of x2 - use --scale 2"):
        run("--model", untrained, "--hr", hr, "--scale", 4)
    with pytest.raises(UsageError, match="1 --hr but 2 --lr"):
        run("-m", untrained, "--hr", hr, "--lr", hr, "--lr", hr)
    with pytest.raises(UsageError, match=r"sets called waves, waves - name them"):
        run("-m", untrained, "--hr", hr, "--hr", hr)
    with pytest.raises(UsageError, match="given twice"):
        run("-m", untrained, "-m", untrained, "-m", untrained, "--hr", hr)
    with pytest.raises(UsageError, match="is no name for a page"):
        run("-m", untrained, "--hr", hr, "--html", tmp_path / "page.txt")
    with pytest.raises(UsageError, match="no such paper"):
        run("-m", untrained, "--hr", hr, "--against", "nobody")


def test_a_name_may_stand_before_a_path(tmp_path: Path) -> None:
    assert named("ours=runs/a") == ("ours", "runs/a")
    assert named("runs/a=b") == ("", "runs/a=b")
    (tmp_path / "a=b").touch()
    assert named(str(tmp_path / "a=b")) == ("", str(tmp_path / "a=b"))
