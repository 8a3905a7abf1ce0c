"""`srzoo evaluate` from end to end."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from degrade.functional.resample import imresize_uint8, resize
from srzoo.checkpoint import load_model, save_model
from srzoo.cli.contestants import named
from srzoo.cli.evaluate import command
from srzoo.errors import UsageError
from srzoo.metrics.protocol import compared, luma
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


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """A dark picture and a bright one."""
    y, x = np.mgrid[:48, :64, :3][:2]
    waves = 20 * np.sin(x / 5) * np.cos(y / 4)
    for name, level in (("dark", 30), ("noon", 180)):
        (tmp_path / "night").mkdir(exist_ok=True)
        Image.fromarray(np.rint(level + waves).astype(np.uint8)).save(tmp_path / "night" / f"{name}.png")
    return tmp_path / "night"


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two networks that differ."""
    paths = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for seed, path in enumerate(paths):
        torch.manual_seed(seed)
        network = SkipRes(SkipResConfig(scale=2, blocks=1, features=4))
        torch.nn.init.normal_(network.tail.weight, std=0.05)
        save_model(path, "skipres", network, {})
    return paths


def test_a_fused_model_is_judged_on_the_fusion_of_what_its_parts_made(
    night: Path, two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, real = [], Upscaler.image
    monkeypatch.setattr(Upscaler, "image", lambda self, *a, **k: runs.append(self) or real(self, *a, **k))
    models = ("-m", "fused=ren2020:r,s", "-m", f"r={two[0]}", "-m", f"s={two[1]}")
    found = report(*models, "--hr", night, "--protocol", "rgb", "--cost", "--html", tmp_path / "page.html")
    assert len(runs) == 4  # each network once on each picture
    (one,) = found["sets"]
    assert list(one["mean"]) == ["bicubic", "r", "s", "fused"]
    for image in one["images"]:
        truth = np.asarray(Image.open(night / image["name"]))
        lr = imresize_uint8(truth, 24, 32)
        first, second = (Upscaler(load_model(path), precision="fp32").image(lr) for path in two)
        is_dark = np.median(luma(first)) < 64  # type: ignore[reportArgumentType]  uint8 in, uint8 out
        fused = (6 * first.astype(int) + 4 * second.astype(int) + 5) // 10 if is_dark else first
        assert is_dark == (image["name"] == "dark.png")
        expected = peak_signal_noise_ratio(truth[2:-2, 2:-2], fused.astype(np.uint8)[2:-2, 2:-2])
        assert image["figures"]["fused"]["psnr"] == pytest.approx(expected)
        assert (image["figures"]["fused"] == image["figures"]["r"]) == (not is_dark)
    first, second, fused = found["models"][1:]
    assert fused["parameters"] == first["parameters"] + second["parameters"]
    assert fused["what"] == "ren2020, 0.6 r + 0.4 s where Y_med of r < 64, else r"
    assert fused["seconds"] > 0
    html = (tmp_path / "page.html").read_text()
    assert len(re.findall(r"<td[^>]*>fused</td>", html)) == 1
    assert html.count("<figcaption>fused<br>") == html.count("<figcaption>r<br>") >= 2  # crops of both pictures


def test_the_numbers_of_a_fused_model_can_be_given(night: Path, two: tuple[Path, Path]) -> None:
    models = ("-m", two[0], "-m", two[1], "-m", "ren2020:a,b,gamma=16", "-m", "s=ren2020:a,b,alpha=0,beta=1,gamma=256")
    (one,) = report(*models, "--hr", night)["sets"]
    assert list(one["mean"]) == ["bicubic", "a", "b", "ren2020", "s"]
    assert one["mean"]["ren2020"] == one["mean"]["a"]
    assert one["mean"]["s"] == one["mean"]["b"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("f=ren2020:a,x", "--model f=ren2020:a,x: 'x' is no model of this comparison - known: a, b, bicubic"),
        ("f=ren2020:a,b,a", "fuses two models, not 3 - f=ren2020:R,S"),
        ("f=ren2020:a,gamma=9", "fuses two models, not 1 - f=ren2020:R,S"),
        ("a=ren2020:a,b", "the name is taken - give it another"),
        ("f=ren2020:a,b,delta=1", "no setting 'delta'"),
    ],
)
def test_what_cannot_be_fused_is_one_line(night: Path, two: tuple[Path, Path], text: str, line: str) -> None:
    with pytest.raises(UsageError, match=re.escape(line)):
        run("-m", two[0], "-m", two[1], "-m", text, "--hr", night)


def test_flat_noise_is_a_column_and_null_where_nothing_is_flat(hr: Path, untrained: Path) -> None:
    flat = Image.new("RGB", (64, 48), (90, 90, 90))
    flat.save(hr / "wave2.png")  # the other has no flat block
    found = report("-m", untrained, "--hr", hr, "--flat-noise")
    waves, still = (image["figures"]["untrained"]["flat_noise"] for image in found["sets"][0]["images"])
    assert waves is None
    assert still == pytest.approx(0, abs=1e-9)
    assert found["sets"][0]["mean"]["untrained"]["flat_noise"] == still
    lines = run("-m", untrained, "--hr", hr, "--flat-noise", "--each", "--format", "markdown").stdout.splitlines()
    assert lines[2].split(" | ")[4] == "flat noise"
    assert next(line for line in lines if "wave1.png" in line).split(" | ")[4] == "- |"
    flat.save(hr / "wave1.png")
    assert "flat noise" not in run("-m", untrained, "--hr", hr).stdout


def test_overlap_is_as_for_upscale(hr: Path, tmp_path: Path) -> None:
    path = saved(tmp_path, "rcan", scale=2, groups=1, blocks=1, features=4, reduction=2)
    options = ("-m", path, "--hr", hr, "--tile", 16)
    (narrow,), (wide,) = (report(*options, "--overlap", overlap)["sets"] for overlap in (0, 16))
    assert narrow["mean"]["rcan"]["psnr"] != wide["mean"]["rcan"]["psnr"]
    for image in narrow["images"]:
        truth = np.asarray(Image.open(hr / image["name"]))
        made = Upscaler(load_model(path), 16, precision="fp32", overlap=0).image(imresize_uint8(truth, 24, 32))
        expected = compared("published", made, truth, 2)  # type: ignore[reportArgumentType]  uint8 in, uint8 out
        assert image["figures"]["rcan"]["psnr"] == pytest.approx(peak_signal_noise_ratio(*expected, data_range=255))


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
    assert named("x=ren2020:r,s,gamma=9") == ("x", "ren2020:r,s,gamma=9")
    assert named("ren2020:r,s,gamma=9") == ("", "ren2020:r,s,gamma=9")
    (tmp_path / "a=b").touch()
    assert named(str(tmp_path / "a=b")) == ("", str(tmp_path / "a=b"))


def test_a_model_of_another_scale_is_resized_only_when_asked(hr: Path, untrained: Path) -> None:
    arguments = ("-m", untrained, "--hr", hr, "--lr", hr, "--scale", 1)
    with pytest.raises(UsageError, match=r"is a model of x2 - use --scale 2, or --resize"):
        run(*arguments)
    found = report(*arguments, "--resize", "--protocol", "rgb")
    photo = np.asarray(Image.open(hr / "wave1.png"))
    sr = Upscaler(load_model(untrained), precision="fp32").image(photo, scale=1)
    expected = peak_signal_noise_ratio(photo[1:-1, 1:-1], sr[1:-1, 1:-1])
    assert found["sets"][0]["images"][0]["figures"]["untrained"]["psnr"] == pytest.approx(expected, abs=1e-9)
    with pytest.raises(UsageError, match="to which scale"):
        run("-m", untrained, "--hr", hr, "--resize")
