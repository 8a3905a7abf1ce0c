"""`srzoo upscale` as a user meets it: files in, files out, one line and an exit code for what fails."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from degrade import codecs
from degrade.functional.resample import imresize_uint8
from srzoo.checkpoint import save_model
from srzoo.cli.batch import upscale_file
from srzoo.cli.main import run
from srzoo.networks import NETWORKS
from srzoo.upscale.upscaler import Upscaler

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (12, 20, 3), np.uint8)
ORIENTATION = 0x0112


@pytest.fixture(autouse=True)
def _work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model() -> str:
    """A small network as a file, far from its own bicubic start."""
    config, network = NETWORKS["skipres"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        small = network(config(blocks=1, features=8))
        torch.nn.init.normal_(small.tail.weight, std=0.05)
    save_model(Path("small.safetensors"), "skipres", small, {})
    return "small.safetensors"


def save(name: str, image: Image.Image | None = None, **settings: object) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or Image.fromarray(RGB)).save(path, **settings)
    return path


def upscale(*arguments: str) -> int:
    return run(["upscale", "--device", "cpu", *arguments])


def opened(name: str) -> Image.Image:
    with Image.open(name) as image:
        image.load()
        return image


def test_one_photo_beside_itself(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    save("photo.png")
    assert upscale("photo.png", "--model", model) == 0
    assert opened("photo_x4.png").size == (80, 48)
    said = capsys.readouterr()
    assert said.out.startswith("photo.png -> photo_x4.png  (20 x 12 -> 80 x 48, ")
    assert said.out.count("\n") == 1
    assert said.err == f"model {model}: skipres x4, 4,896 parameters, on cpu\n"


def test_the_newest_run_is_used_without_a_model(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    save("photo.png")
    Path("runs/mine").mkdir(parents=True)
    Path(model).rename("runs/mine/generator.safetensors")
    assert upscale("photo.png") == 0
    assert "model runs/mine/generator.safetensors, the only run under runs/" in capsys.readouterr().err


def test_peers_names_of_options_work(model: str) -> None:
    save("photo.png")
    assert upscale("-i", "photo.png", "-o", "out", "-n", model, "--outscale", "2", "-t", "16") == 0
    assert opened("out/photo_x2.png").size == (40, 24)


def test_a_folder_into_a_folder_with_bad_pictures_among_them(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    save("in/good.png")
    save("in/deep/fine.jpg")
    Path("in/cut.jpg").write_bytes(Path("in/deep/fine.jpg").read_bytes()[:300])
    Path("in/empty.png").touch()
    Path("in/page.png").write_text("<html>not found</html>")
    assert upscale("in", "missing.png", "-o", "out", "-m", model) == 3
    made = sorted(str(path) for path in Path("out").rglob("*.*"))
    assert made == ["out/deep/fine_x4.png", "out/good_x4.png"]
    said = capsys.readouterr()
    lines = said.err.splitlines()[1:]
    assert [line.split(": ")[2] for line in lines[:-1]] == ["in/cut.jpg", "in/empty.png", "in/page.png", "missing.png"]
    assert lines[-1].startswith("srzoo: error: 4 of 6 pictures: left out, see above - ")
    assert said.out.splitlines()[-1].startswith("2 of 6 pictures, ")


def test_a_good_picture_is_the_same_alone_and_among_bad_ones(model: str) -> None:
    save("in/a.png")
    Path("in/b.png").touch()
    upscale("in", "-o", "many", "-m", model)
    upscale("in/a.png", "-o", "one.png", "-m", model)
    assert Path("many/a_x4.png").read_bytes() == Path("one.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["none.jpg"], 3, "srzoo: error: none.jpg: no such file or folder - check the path"),
        ([], 2, "srzoo: error: srzoo upscale: no picture given - srzoo upscale photo.jpg"),
        (["p.png", "-m", "no-such"], 2, "srzoo: error: --model no-such: no such file, run or shipped model - "),
        (["p.png", "-m", "junk.safetensors"], 4, "srzoo: error: junk.safetensors: not a whole safetensors file"),
        (["p.png", "-m", "net.pth"], 4, "srzoo: error: net.pth: not a whole file of tensors"),
        (["p.png", "-o", "p.gif"], 2, "srzoo: error: p.gif: .gif is not written - use "),
        (["p.png", "-o", "p.png", "--force"], 2, "srzoo: error: p.png: is one of the pictures to be read - "),
        (["p.png", "-o", "old.png"], 2, "srzoo: error: old.png: is there already - overwrite with --force"),
        (["old.png", "-o", "p.png/x/y.png"], 5, "srzoo: error: p.png/x: the folder is not there - "),
        (["p.png", "--device", "tpu"], 2, "srzoo: error: --device tpu: unknown - use auto, cpu"),
        (["p.png", "--tile", "3"], 2, "srzoo: error: --tile 3: too small - use 0, or 16 and more"),
        (["p.png", "--scale", "0"], 2, "srzoo: error: srzoo upscale: "),
        (["p.png", "--tyle", "64"], 2, "srzoo: error: srzoo upscale: no such option --tyle - did you mean '--tile'?"),
        (["junk.png"], 3, "srzoo: error: junk.png: its content is no image of a known format - "),
    ],
)
def test_failures_are_one_line_with_a_cure(
    arguments: list[str], code: int, line: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save("p.png")
    save("old.png")
    for name in ("junk.safetensors", "junk.png", "net.pth"):
        Path(name).write_bytes(b"junk" * 9)
    before = {path: path.read_bytes() for path in Path().glob("*.*")}
    given = arguments if "-m" in arguments else [*arguments, "-m", model]
    assert run(["upscale", *([] if "--device" in given else ["--device", "cpu"]), *given]) == code
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(line)
    assert " - " in last
    assert len(last) <= 200
    assert {path: path.read_bytes() for path in Path().glob("*.*")} == before


def test_a_batch_of_one_kind_of_failure_has_its_code(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "b.png"):
        save(name)
        save(name.replace(".", "_x4."))
    assert upscale("a.png", "b.png", "-m", model) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("srzoo: error: all 2 pictures: left out, see above")
    assert upscale("a.png", "b.png", "-m", model, "--force") == 0


def test_16_bits_gray_and_alpha_are_kept(model: str) -> None:
    gray16 = RNG.integers(0, 65536, (9, 11), np.uint16)
    save("gray16.png", Image.fromarray(gray16))
    save("gray.png", Image.fromarray(RGB[..., 0]))
    rgba = np.dstack([RGB, np.where(RGB[..., :1] > 99, 255, 0).astype(np.uint8)])
    save("rgba.webp", Image.fromarray(rgba), lossless=True)
    save("palette.png", Image.fromarray(RGB).quantize(16))
    assert upscale("gray16.png", "gray.png", "rgba.webp", "palette.png", "-m", model) == 0
    assert opened("gray16_x4.png").mode.startswith("I")
    assert np.asarray(opened("gray16_x4.png")).max() > 255
    assert opened("gray_x4.png").mode == "L"
    assert opened("rgba_x4.png").mode == "RGBA"
    assert opened("palette_x4.png").mode == "RGB"


def test_profile_exif_resolution_and_the_turn_are_kept(model: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x010E] = "a description"
    save("turned.jpg", icc_profile=profile, exif=exif, dpi=(300, 300), quality=95)
    assert upscale("turned.jpg", "-m", model) == 0
    made = opened("turned_x4.png")
    assert made.size == (48, 80)
    assert made.info["icc_profile"] == profile
    assert made.getexif()[0x010E] == "a description"
    assert made.getexif().get(ORIENTATION, 1) == 1
    assert made.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    upright = np.asarray(opened("turned.jpg").transpose(Image.Transpose.ROTATE_270), int)
    small = np.asarray(made.resize((12, 20), Image.Resampling.BOX), int)
    assert np.abs(small - upright).mean() < np.abs(small[::-1, ::-1] - upright).mean() / 2


def test_the_format_follows_the_name_of_the_output(model: str) -> None:
    save("photo.png")
    for name, format in (("large.jpg", "JPEG"), ("large.webp", "WEBP"), ("large.tif", "TIFF")):
        assert upscale("photo.png", "-o", name, "-m", model) == 0
        assert opened(name).format == format
    assert upscale("photo.png", "-o", "small.jpg", "-m", model, "--quality", "20") == 0
    assert Path("small.jpg").stat().st_size < Path("large.jpg").stat().st_size / 2


def test_a_result_too_large_for_its_format_fails_before_the_work(
    model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Upscaler, "photo", lambda *_, **__: pytest.fail("the network ran"))
    save("wide.png", Image.new("RGB", (5000, 1)))
    assert upscale("wide.png", "-o", "wide.webp", "-m", model) == 3
    assert "would be 20000 x 4, more than .webp can hold - write .png or .tif" in capsys.readouterr().err


def test_lack_of_memory_is_said_for_the_picture(
    model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Upscaler, "photo", full)
    save("photo.png")
    assert upscale("photo.png", "-m", model) == 3
    assert "photo.png: not enough memory for a result of 80 x 48 - " in capsys.readouterr().err


def test_a_failing_write_leaves_nothing(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    save("photo.png")
    monkeypatch.setattr("degrade.atomic._write_all", full)
    assert upscale("photo.png", "-m", model) == 5
    assert not list(Path().glob("*photo_x4*"))


def test_what_a_killed_run_left_is_removed(model: str) -> None:
    save("photo.png")
    dead = Path(f".tmp.{socket.gethostname()}.999999999.photo_x4.png")
    dead.touch()
    assert upscale("photo.png", "-m", model) == 0
    assert not dead.exists()


def test_names_that_a_terminal_should_not_see_are_escaped(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    save("a\x1b[31m.png")
    assert upscale("a\x1b[31m.png", "-m", model) == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert Path("a\x1b[31m_x4.png").exists()


def test_notes_of_the_decoder_are_passed_on(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    save("film.webp", save_all=True, append_images=[Image.fromarray(RGB[::-1].copy())], lossless=True)
    assert upscale("film.webp", "-m", model) == 0
    assert "film.webp: animated: the first frame is read" in capsys.readouterr().err


def test_tiles_of_a_pooling_network_say_what_they_change(capsys: pytest.CaptureFixture[str]) -> None:
    config, network = NETWORKS["rcan"]
    save_model(Path("rcan.safetensors"), "rcan", network(config(scale=2, groups=1, blocks=1, features=16)), {})
    save("photo.png", Image.fromarray(RNG.integers(0, 256, (40, 40, 3), np.uint8)))
    assert upscale("photo.png", "-m", "rcan.safetensors", "--tile", "20") == 0
    said = capsys.readouterr().err
    assert "photo.png: 4 tiles blended over an overlap of 64 pixels, which changes " in said
    assert "against the whole picture run at once" in said
    assert upscale("photo.png", "-m", "rcan.safetensors", "--force") == 0
    assert "blended" not in capsys.readouterr().err


def test_how_tiles_join_is_said_when_asked(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    save("photo.png", Image.fromarray(RNG.integers(0, 256, (40, 40, 3), np.uint8)))
    lines = {
        (): "photo.png: run at once",
        ("--tile", "20"): "photo.png: 4 tiles with an overlap of 4 pixels, exact",
        ("--tile", "20", "--overlap", "5"): "photo.png: 4 tiles with an overlap of 5 pixels, exact",
        ("--tile", "20", "--tile-pad", "3"): "photo.png: 4 tiles blended over an overlap of 3 pixels, which changes ",
    }
    for arguments, line in lines.items():
        assert upscale("photo.png", "-m", model, "--force", "-v", *arguments) == 0
        assert capsys.readouterr().err.splitlines()[1].startswith(line)


def test_json_is_one_line_for_each_picture(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "b.png"):
        save(name)
    assert upscale("a.png", "b.png", "-m", model, "--json") == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["source"], first["target"]) == ("a.png", "a_x4.png")
    assert (second["from"], second["to"]) == ([20, 12], [80, 48])
    assert (second["tiles"], second["is_exact"], second["difference"]) == (1, True, None)


def test_the_same_command_gives_the_same_bytes(model: str) -> None:
    save("photo.jpg")
    digests = set()
    for _ in range(2):
        assert upscale("photo.jpg", "-m", model, "--force") == 0
        digests.add(hashlib.sha256(Path("photo_x4.png").read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.fixture
def two(model: str) -> tuple[str, str]:
    """Two networks that differ."""
    config, network = NETWORKS["skipres"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        other = network(config(blocks=1, features=8))
        torch.nn.init.normal_(other.tail.weight, std=0.05)
    save_model(Path("other.safetensors"), "skipres", other, {})
    return model, "other.safetensors"


def pixels_of(name: str) -> np.ndarray:
    return codecs.read(Path(name)).pixels


def test_two_models_are_fused_on_dark_pictures_only(
    two: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save("dark.png", Image.fromarray(RGB // 8))
    save("bright.png", Image.fromarray(RGB // 2 + 128))
    for name, path in zip("rs", two, strict=True):
        assert upscale("dark.png", "bright.png", "-o", name, "-m", path) == 0
    capsys.readouterr()
    images, real = [], Upscaler.image
    monkeypatch.setattr(Upscaler, "image", lambda self, *a, **k: images.append(self) or real(self, *a, **k))
    models = [text for path in two for text in ("--model", path)]
    assert upscale("dark.png", "bright.png", "-o", "fused", "--fuse", "ren2020", *models, "--json", "-v") == 0
    assert len(images) == 3  # the second model does not run on the bright one
    said = capsys.readouterr()
    dark, bright = (json.loads(line) for line in said.out.splitlines())
    assert (dark["is_fused"], bright["is_fused"]) == (True, False)
    assert 16 <= dark["y_med"] < 64 <= bright["y_med"] <= 235
    assert (dark["gamma"], dark["first"]["tiles"], dark["second"]["tiles"], bright["second"]) == (64, 1, 1, None)
    assert said.err.splitlines()[:3] == [
        f"first model {two[0]}: skipres x4, 4,896 parameters, on cpu",
        f"second model {two[1]}: skipres x4, 4,896 parameters, on cpu",
        "fused as 0.6 first + 0.4 second where Y_med of first < 64, else first",
    ]
    assert f"dark.png: Y_med {dark['y_med']:.1f}, below 64: fused" in said.err
    assert f"bright.png: Y_med {bright['y_med']:.1f}, not below 64: the first model alone" in said.err
    first, second = (pixels_of(f"{name}/dark_x4.png").astype(int) for name in "rs")
    np.testing.assert_array_equal(pixels_of("fused/dark_x4.png"), (6 * first + 4 * second + 5) // 10)
    assert Path("fused/bright_x4.png").read_bytes() == Path("r/bright_x4.png").read_bytes()


def test_the_numbers_of_the_fusion_can_be_given(two: tuple[str, str]) -> None:
    save("photo.png")
    models = ("-m", two[0], "-m", two[1])
    for name, path in zip("rs", two, strict=True):
        assert upscale("photo.png", "-o", f"{name}.png", "-m", path) == 0
    assert upscale("photo.png", "-o", "same.png", "--fuse", "ren2020:gamma=10", *models) == 0
    assert Path("same.png").read_bytes() == Path("r.png").read_bytes()
    assert upscale("photo.png", "-o", "s2.png", "--fuse", "ren2020:alpha=0,beta=1,gamma=256", *models) == 0
    np.testing.assert_array_equal(pixels_of("s2.png"), pixels_of("s.png"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-m", "A", "-m", "B"], "srzoo upscale: 2 --model - give one, or fuse two with --fuse ren2020"),
        (
            ["--fuse", "ren2020", "-m", "A"],
            "--fuse ren2020: needs two --model, the relativistic GAN first, but 1 given",
        ),
        (["--fuse", "ren2020"], "--fuse ren2020: needs two --model, the relativistic GAN first, but 0 given"),
        (["--fuse", "ren", "-m", "A", "-m", "B"], "--fuse ren: no such fusion - use ren2020"),
        (["--fuse", "ren2020:gama=9", "-m", "A", "-m", "B"], "no setting 'gama' - did you mean 'gamma'?"),
        (["--fuse", "ren2020:gamma=x", "-m", "A", "-m", "B"], "gamma is 'x', not a finite number - e.g. gamma=64"),
        (["--fuse", "ren2020:gamma=nan", "-m", "A", "-m", "B"], "gamma is 'nan', not a finite number"),
        (["--fuse", "ren2020:A,B"], "--fuse ren2020:A,B: names models - give them as --model R --model S"),
        (["--fuse", "ren2020", "-m", "A", "-m", "X2"], "A is of x4, X2 of x2 - give two models of one scale"),
    ],
)
def test_what_cannot_be_fused_is_one_line(
    arguments: list[str], line: str, two: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    save("p.png")
    config, network = NETWORKS["skipres"]
    save_model(Path("x2.safetensors"), "skipres", network(config(scale=2, blocks=1, features=8)), {})
    names = {"A": two[0], "B": two[1], "X2": "x2.safetensors"}
    assert upscale("p.png", *(names.get(text, text) for text in arguments)) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    for letter in ("A", "X2"):
        line = line.replace(f"{letter} is", f"{names[letter]} is").replace(f"{letter} of", f"{names[letter]} of")
    assert line in last


@pytest.mark.parametrize(("arguments", "size", "name"), [([], (80, 48), "x4"), (["-s", "3"], (60, 36), "x3")])
def test_bicubic_is_degrades_resampling(
    arguments: list[str], size: tuple[int, int], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save("photo.png")
    assert upscale("photo.png", "--model", "bicubic", *arguments) == 0
    np.testing.assert_array_equal(pixels_of(f"photo_{name}.png"), imresize_uint8(RGB, *size[::-1]))
    assert capsys.readouterr().err == "model bicubic: MATLAB's imresize, no network\n"


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["upscale", "--help"]) == 0
    assert "srzoo upscale photos/ more.tif -o large/" in capsys.readouterr().out


@pytest.mark.slow
def test_memory_stays_bounded_on_a_large_picture(tmp_path: Path) -> None:
    """24 Mpx in a process of its own: input, result (288 MB) and one window, not activations of the whole picture."""
    import subprocess
    import sys

    code = """
import resource, sys, numpy as np, torch
from srzoo.checkpoint import Model
from srzoo.networks import NETWORKS
from srzoo.upscale.upscaler import Upscaler
config, network = NETWORKS["compact"]
net = network(config(scale=2, convs=2, features=16)).eval()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
Upscaler(Model(net, "compact", 2, 4, {}), device="cpu").image(np.zeros((4000, 6000, 3), np.uint8))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    kilobytes = int(done.stdout)
    assert kilobytes < 288e6 / 1024 + 72e6 / 1024 + 200e3  # result, input, one window


def test_a_picture_read_through_the_library_equals_the_command(model: str) -> None:
    from srzoo.checkpoint import load_model
    from srzoo.upscale.files import Job

    save("photo.png")
    photo, result = upscale_file(
        Job(Path("photo.png"), Path("lib.png")), Upscaler(load_model(Path(model)), device="cpu")
    )
    assert upscale("photo.png", "-m", model) == 0
    np.testing.assert_array_equal(codecs.read(Path("photo_x4.png")).pixels, result.pixels)
    np.testing.assert_array_equal(photo.pixels, RGB)


def test_a_bar_waits_for_its_time_and_is_gone_after(monkeypatch: pytest.MonkeyPatch) -> None:
    import rich.console

    from srzoo.cli import batch as cli

    shown = BytesIO()
    text = TextIOWrapper(shown, encoding="utf-8")
    real = rich.console.Console
    monkeypatch.setattr(rich.console, "Console", lambda **_: real(file=text, force_terminal=True, width=80))
    monkeypatch.setattr(cli, "PATIENCE", 0.05)
    with cli._progress("photo.jpg") as on_tile:
        on_tile(1, 4)
    text.flush()
    assert b"photo.jpg" not in shown.getvalue()
    with cli._progress("photo.jpg") as on_tile:
        on_tile(1, 4)
        time.sleep(0.3)
    text.flush()
    assert b"photo.jpg" in shown.getvalue()
