"""`degrade burst`: what is written, what is said, and what is refused before the work begins."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from scipy import ndimage

from degrade import codecs

SHOTS = 6


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Six noisy crops, each a pixel further to the right, of one smooth picture; the first with a profile."""
    folder, rng = tmp_path / "shots", np.random.default_rng(0)
    folder.mkdir()
    picture = np.stack([ndimage.gaussian_filter(rng.random((90, 110)), 1.5) for _ in range(3)], -1)
    picture = (picture - picture.min()) / np.ptp(picture)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for k in range(SHOTS):
        crop = 255 * picture[10:74, 10 + k : 90 + k] + rng.normal(0, 5, (64, 80, 3))
        image = Image.fromarray(np.rint(np.clip(crop, 0, 255)).astype(np.uint8))
        image.save(folder / f"shot{k}.png", **({"icc_profile": profile} if k == 0 else {}))
    return folder


def test_a_folder_of_shots_becomes_one_picture(degrade, shots, tmp_path) -> None:
    ran = degrade("burst", shots, "-o", tmp_path / "clean.png")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0].startswith(f"6 shots -> {tmp_path}/clean.png (on shot0.png, noise ")
    assert "moved by up to 5.0 pixels" in ran.out
    photo = codecs.read(tmp_path / "clean.png")
    assert photo.pixels.shape == (64, 80, 3)
    assert photo.depth == 8
    assert photo.icc is not None


def test_json_says_what_became_of_every_shot(degrade, shots, tmp_path) -> None:
    ran = degrade("burst", shots, "-o", tmp_path / "clean.png", "--json", "--no-rotation", "--reference", "shot2.png")
    said = json.loads(ran.out)
    assert said["reference"] == str(shots / "shot2.png")
    assert said["skipped"] == []
    assert [Path(frame["name"]).name for frame in said["frames"]] == [f"shot{k}.png" for k in range(SHOTS)]
    assert [round(frame["x"]) for frame in said["frames"]] == [2, 1, 0, -1, -2, -3]  # where the content lies
    assert all(abs(frame["y"]) < 0.05 and frame["angle"] == 0 for frame in said["frames"])
    assert said["frames"][0]["covered"] == pytest.approx(78 / 80, abs=0.02)
    assert all(0 <= frame["rejected"] < 0.2 for frame in said["frames"])


def test_sixteen_bits_keep_what_the_mean_gains(degrade, shots, tmp_path) -> None:
    assert degrade("burst", shots, "-o", tmp_path / "clean.tif", "--depth", 16).code == 0
    photo = codecs.read(tmp_path / "clean.tif")
    assert photo.depth == 16
    assert len(np.unique(photo.pixels)) > 256
    ran = degrade("burst", shots, "-o", tmp_path / "clean.jpg", "--depth", 16)
    assert ran.code == 2
    assert "only PNG and TIFF hold 16 bits" in ran.err


def test_a_shot_that_cannot_be_read_is_named_and_the_exit_code_is_3(degrade, shots, tmp_path) -> None:
    (shots / "shot9.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ran = degrade("burst", shots, "-o", tmp_path / "clean.png")
    assert ran.code == 3
    assert (tmp_path / "clean.png").exists()
    assert "degrade: skipped: " in ran.err
    assert "shot9.png" in ran.err.splitlines()[0]
    assert ran.err.splitlines()[-1].startswith("degrade: error: 1 of 7 shots: left out")


def test_shots_of_two_sizes_are_one_line_with_the_file(degrade, shots, tmp_path) -> None:
    Image.new("RGB", (80, 63)).save(shots / "shot9.png")
    ran = degrade("burst", shots, "-o", tmp_path / "clean.png")
    assert ran.code == 3
    assert not (tmp_path / "clean.png").exists()
    assert len(ran.err.splitlines()) == 1
    assert f"{shots}/shot9.png: 80 x 63 pixels" in ran.err


@pytest.mark.parametrize(
    ("name", "message"),
    [("clean.gif", "no suffix of a known format"), ("nowhere/clean.png", "its folder is not there")],
)
def test_what_could_not_be_written_is_refused_at_once(degrade, shots, tmp_path, name, message) -> None:
    ran = degrade("burst", shots, "-o", tmp_path / name)
    assert ran.code == 2
    assert message in ran.err


def test_nothing_is_overwritten_without_force(degrade, shots, tmp_path) -> None:
    (tmp_path / "clean.png").write_text("mine")
    ran = degrade("burst", shots, "-o", tmp_path / "clean.png")
    assert ran.code == 2
    assert "is there already" in ran.err
    assert (tmp_path / "clean.png").read_text() == "mine"
    assert degrade("burst", shots, "-o", tmp_path / "clean.png", "--force").code == 0


def test_an_output_among_the_shots_is_no_shot(degrade, shots) -> None:
    assert degrade("burst", shots, "-o", shots / "clean.png").code == 0
    again = degrade("burst", shots, "-o", shots / "clean.png", "--force", "--json")
    assert len(json.loads(again.out)["frames"]) == SHOTS


def test_help_has_examples(degrade) -> None:
    ran = degrade("burst", "--help")
    assert ran.code == 0
    assert "degrade burst shots/ -o clean.png --depth 16" in ran.out
