"""`degrade inspect`: what it says is what is there."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from degrade.cli.inspect import profile_name
from degrade.recipe import load_recipe
from degrade.shards.reader import open_shards

PAIRS = 18  # of the fixture: 3 photos, 3 patches, 2 variants


def told(degrade, *arguments) -> dict:
    ran = degrade("inspect", *arguments, "--json")
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def test_a_set_is_summed_up(degrade, shards, photos) -> None:
    facts = told(degrade, shards)
    sizes = [path.stat().st_size for path in shards.glob("*.h5")]
    assert (facts["kind"], facts["state"]) == ("set of shards", "complete")
    assert (facts["pairs"], facts["photos"], facts["shards"], facts["bytes"]) == (PAIRS, 3, len(sizes), sum(sizes))
    assert (facts["hr_size"], facts["lr_size"], facts["scale"], facts["seed"]) == ("32 x 32", "8 x 8", 4, 0)
    assert facts["recipe_digest"] == load_recipe("generic").digest
    text = degrade("inspect", shards).out
    assert text.startswith(f"set of shards: {shards}\n")
    assert "  state          complete\n" in text
    assert "sigma" in text


def test_draws_are_counted_as_numpy_counts_them(degrade, shards) -> None:
    steps = told(degrade, shards)["steps"]
    traces = [open_shards(shards).trace(index)["steps"] for index in range(PAIRS)]
    sigmas = [step["sigma"] for trace in traces for step in trace if step["op"] == "gaussian_blur"]
    (blur,) = [step for step in steps.values() if step["op"] == "gaussian_blur"]
    assert blur["ran"] == len(sigmas) == PAIRS
    assert set(blur["values"]) == {"sigma"}  # `size` is not drawn, keys are no values
    expected = [np.min(sigmas), np.mean(sigmas), np.max(sigmas)]
    assert [blur["values"]["sigma"][key] for key in ("least", "mean", "most")] == pytest.approx(expected)
    assert sum(step["ran"] for step in steps.values() if "downsample" in step["op"]) == PAIRS
    assert next(iter(steps)) == "gaussian_blur0"  # the recipe's order


def test_a_pair_tells_its_photo_place_and_draws(degrade, shards, photos, tmp_path) -> None:
    pairs = open_shards(shards)
    facts = told(degrade, shards, 7, "--save", tmp_path / "look")
    path = Path(facts["source"]["root"], facts["source"]["path"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == facts["source"]["sha256"]
    y, x = facts["origin"]
    with Image.open(path) as image:
        patch = np.asarray(image)[y : y + 32, x : x + 32]
    for name, expected in (("hr", patch), ("lr", pairs.read(7)[0])):
        with Image.open(tmp_path / "look" / f"000007_{name}.png") as image:
            assert np.array_equal(np.asarray(image), expected)
    assert facts["trace"] == pairs[7].trace
    text = degrade("inspect", shards, 7).out
    assert text.startswith(f"pair 7 of {PAIRS}: {shards}\n")
    assert f"gaussian blur  sigma {facts['trace']['steps'][0]['sigma']:.3g}" in text


def test_a_single_shard_and_the_last_pair(degrade, shards) -> None:
    file = sorted(shards.glob("*.h5"))[-1]
    facts = told(degrade, file)
    assert (facts["kind"], facts["pairs"]) == ("shard", open_shards(shards).sizes[-1])
    ran = degrade("inspect", file, "--json", "--", "-1")
    assert json.loads(ran.out)["trace"] == open_shards(shards)[-1].trace


def test_an_unfinished_set_says_so(degrade, shards) -> None:
    (shards / "manifest.json").unlink()
    facts = told(degrade, shards)
    assert facts["state"].startswith("not finished")
    assert facts["pairs"] == PAIRS


@pytest.mark.parametrize(
    ("name", "mode", "colour"),
    [("a.png", "RGB", "rgb"), ("a.jpg", "L", "gray"), ("a.png", "RGBA", "rgb with alpha"), ("a.webp", "RGB", "rgb")],
)
def test_an_image(name, mode, colour, degrade, tmp_path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGBA", (30, 20), "red").convert(mode).save(
        tmp_path / name, dpi=(72, 72), **({} if mode == "L" else {"icc_profile": profile})
    )
    facts = told(degrade, tmp_path / name)
    assert (facts["size"], facts["colour"], facts["depth"]) == ("30 x 20", colour, 8)
    assert facts["format"] == {"png": "PNG", "jpg": "JPEG", "webp": "WebP"}[name[2:]]
    assert facts["sha256"] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    assert (facts["profile"] is None) == (mode == "L")
    assert re.search(r"^  size +30 x 20$", degrade("inspect", tmp_path / name).out, re.MULTILINE)


def test_a_photo_stored_on_its_side(degrade, tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg", exif=exif)
    facts = told(degrade, tmp_path / "a.jpg")
    assert (facts["size"], facts["orientation"]) == ("20 x 30", 6)
    assert "turned upright (EXIF orientation 6)" in degrade("inspect", tmp_path / "a.jpg").out


def test_a_16_bit_image(degrade, tmp_path) -> None:
    Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30)).save(tmp_path / "deep.png")
    assert told(degrade, tmp_path / "deep.png")["depth"] == 16


def test_profiles_are_named() -> None:
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    assert profile_name(made.tobytes()) == ImageCms.getProfileDescription(made).strip()
    text = b"Display P3\0"
    tag = b"desc" + bytes(4) + len(text).to_bytes(4, "big") + text
    version_2 = bytes(128) + (1).to_bytes(4, "big") + b"desc" + (144).to_bytes(4, "big") + len(tag).to_bytes(4, "big")
    assert profile_name(version_2 + tag) == "Display P3"
    for cut in range(len(version_2 + tag)):
        profile_name((version_2 + tag)[:cut])  # whatever it is, no failure
    assert profile_name(b"") == "unnamed"


def test_a_recipe_is_shown_with_its_ranges(degrade, tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(load_recipe("generic").text)
    assert told(degrade, file)["digest"] == load_recipe("generic").digest
    text = degrade("inspect", file).out
    assert "gaussian blur  sigma 0.2 to 3  size 15" in text
    assert "        poisson noise  peak 50 to 150" in text


def test_a_trace_of_apply(degrade, photos, tmp_path) -> None:
    assert degrade("apply", photos / "a.png", "-o", tmp_path / "lr").code == 0
    facts = told(degrade, tmp_path / "lr" / "a.json")
    assert facts["trace"] == json.loads((tmp_path / "lr" / "a.json").read_text())["trace"]
    assert "gaussian blur  sigma" in degrade("inspect", tmp_path / "lr" / "a.json").out


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["nowhere"], 2, "nowhere: no such file or folder"),
        (["photos"], 2, "photos: no shards here"),
        (["shards", 18], 2, "pair 18 of 18 - give 0 to 17"),
        (["photos/a.png", 1], 2, "only a set of shards has pairs"),
        (["shards", "--save", "look"], 2, "no pair given"),
        (["text.txt"], 3, "give a folder of shards, a .h5 shard, an image"),
        (["text.h5"], 4, "not an HDF5 file"),
        (["text.json"], 4, "not a trace"),
        (["text.toml"], 2, "not valid TOML"),
        (["text.png"], 3, "no image of a known format"),
    ],
)
def test_mistakes_are_one_line(arguments, code, part, degrade, shards, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for suffix in ("txt", "h5", "json", "toml", "png"):
        (tmp_path / f"text.{suffix}").write_text("nothing of the kind")
    ran = degrade("inspect", *arguments)
    assert ran.code == code
    assert part in ran.err
    assert ran.err.startswith("degrade: error: ")
    assert ran.err.count("\n") == 1


def test_a_damaged_shard_is_named(degrade, shards) -> None:
    file = sorted(shards.glob("*.h5"))[0]
    data = bytearray(file.read_bytes())
    start = data.find(b'{"key"')
    data[start + 2] ^= 1
    file.write_bytes(data)
    ran = degrade("inspect", shards)
    assert ran.code == 4
    assert file.name in ran.err
