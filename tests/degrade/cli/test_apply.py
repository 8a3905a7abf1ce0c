"""`degrade apply`: what is written, under which names, and what is left alone."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from degrade.cli.apply import find_photos, plan_jobs
from degrade.errors import UsageError
from degrade.pipeline import replay
from degrade.rng import source_key


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_folder_becomes_a_folder_of_lr_traces_and_hr(degrade, photos, tmp_path) -> None:
    ran = degrade("apply", photos, "-o", tmp_path / "lr", "--hr", tmp_path / "hr", "--scale", 7)
    assert (ran.code, ran.err) == (0, "")
    assert set(files(tmp_path / "lr")) == {
        f"{stem}.{kind}" for stem in ("a", "b", "more/c") for kind in ("png", "json")
    }
    assert set(files(tmp_path / "hr")) == {"a.png", "b.png", "more/c.png"}
    for name in ("a.png", "b.png", "more/c.png"):
        assert pixels(tmp_path / "lr" / name).shape == (60 // 7, 72 // 7, 3)
        assert np.array_equal(pixels(tmp_path / "hr" / name), pixels(photos / name)[:56, :70])


def test_the_trace_replays_to_the_lr_and_has_the_key_of_synth(degrade, photos, tmp_path) -> None:
    assert degrade("apply", photos / "a.png", "-o", tmp_path, "--seed", 9).code == 0
    record = json.loads((tmp_path / "a.json").read_text())
    sha256 = hashlib.sha256((photos / "a.png").read_bytes()).hexdigest()
    assert record["source"] == {"path": str(photos / "a.png"), "sha256": sha256, "height": 60, "width": 72}
    assert record["trace"]["key"] == f"{source_key(9, sha256):016x}"
    assert (record["trace"]["patch"], record["trace"]["variant"]) == (0, 0)
    margin = record["margin"]
    around = np.pad(pixels(photos / "a.png"), ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    again = replay(around, json.dumps(record["trace"]), scale=4, margin=margin)
    assert np.array_equal(again, pixels(tmp_path / "a.png"))


def test_the_same_content_is_degraded_alike_whatever_its_name_is(degrade, photos, tmp_path) -> None:
    (photos / "z.png").write_bytes((photos / "a.png").read_bytes())
    assert degrade("apply", photos, "-o", tmp_path / "x").code == 0
    assert degrade("apply", photos / "a.png", "-o", tmp_path / "y").code == 0
    assert degrade("apply", photos / "a.png", "-o", tmp_path / "z", "--seed", 1).code == 0
    first = pixels(tmp_path / "x/a.png")
    assert np.array_equal(first, pixels(tmp_path / "x/z.png"))
    assert np.array_equal(first, pixels(tmp_path / "y/a.png"))
    assert not np.array_equal(first, pixels(tmp_path / "z/a.png"))


def test_every_kind_of_photo_becomes_plain_srgb(degrade, tmp_path) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "in"
    folder.mkdir()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb = Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side
    rgb.save(folder / "turned.jpg", exif=exif, icc_profile=profile)
    rgb.convert("L").save(folder / "gray.png")
    rgb.convert("RGBA").save(folder / "alpha.png")
    Image.fromarray(rng.integers(0, 65536, (40, 48), dtype=np.uint16)).save(folder / "deep.png")
    assert degrade("apply", folder, "-o", tmp_path / "out").code == 0
    for name in ("turned", "gray", "alpha", "deep"):
        with Image.open(tmp_path / "out" / f"{name}.png") as image:
            assert image.mode == "RGB"
            assert image.size == ((10, 12) if name == "turned" else (12, 10))
            assert not {"icc_profile", "exif"} & set(image.info)


def test_bad_photos_are_named_and_skipped_and_the_others_do_not_notice(degrade, photos, tmp_path) -> None:
    assert degrade("apply", photos, "-o", tmp_path / "clean").code == 0
    (photos / "broken.png").write_bytes((photos / "a.png").read_bytes()[:200])
    (photos / "empty.jpg").touch()
    (photos / "page.png").write_text("<html>no</html>")
    os.mkfifo(photos / "pipe.png")
    Image.new("RGB", (3, 50)).save(photos / "tiny.png")
    ran = degrade("apply", photos, "-o", tmp_path / "out")
    assert ran.code == 3
    lines = ran.err.splitlines()
    for name in ("broken.png", "empty.jpg", "page.png", "pipe.png", "tiny.png"):
        assert [line for line in lines if line.startswith(f"degrade: skipped: {photos / name}: ") and " - " in line]
    assert lines[-1] == "degrade: error: 5 of 8 photos: left out, see above - mend or remove them"
    assert files(tmp_path / "out") == files(tmp_path / "clean")


def test_photos_that_differ_in_their_suffix_keep_it(degrade, photos, tmp_path) -> None:
    with Image.open(photos / "a.png") as image:
        image.save(photos / "A.webp", lossless=True)
    assert degrade("apply", photos, "-o", tmp_path / "out").code == 0
    assert {name for name in files(tmp_path / "out") if name.endswith(".png")} == {
        "a.png.png", "A.webp.png", "b.png", "more/c.png"
    }  # fmt: skip


def test_photos_of_two_folders_with_one_name_are_refused(degrade, photos, tmp_path) -> None:
    (photos / "more" / "b.png").write_bytes((photos / "a.png").read_bytes())
    ran = degrade("apply", photos / "b.png", photos / "more", "-o", tmp_path / "out")
    assert ran.code == 2
    assert f"{photos}/more/b.png: and {photos}/b.png would both become" in ran.err
    assert not (tmp_path / "out").exists()


def test_a_photo_named_twice_is_made_once(photos) -> None:
    assert len(find_photos([photos, photos / "a.png", photos / "more" / ".." / "a.png"])) == 3


def test_hidden_files_and_other_suffixes_are_passed_over(degrade, photos, tmp_path) -> None:
    (photos / ".hidden.png").write_bytes((photos / "a.png").read_bytes())
    (photos / ".folder").mkdir()
    (photos / ".folder" / "d.png").write_bytes((photos / "a.png").read_bytes())
    (photos / "notes.txt").write_text("x")
    (photos / "loop").symlink_to(photos)
    assert degrade("apply", photos, "-o", tmp_path / "out").code == 0
    assert len(files(tmp_path / "out")) == 6


def test_nothing_is_overwritten_without_force(degrade, photos, tmp_path) -> None:
    out = tmp_path / "out"
    assert degrade("apply", photos, "-o", out).code == 0
    before = files(out)
    ran = degrade("apply", photos, "-o", out, "--seed", 1)
    assert (ran.code, files(out)) == (2, before)
    assert "is there already - overwrite with --force, or choose another -o" in ran.err
    assert degrade("apply", photos, "-o", out, "--seed", 1, "--force").code == 0
    assert files(out) != before
    assert set(files(out)) == set(before)


def test_what_an_earlier_run_wrote_below_the_photos_is_no_input(degrade, photos) -> None:
    arguments = ("apply", photos, "-o", photos / "lr", "--hr", photos / "more" / "hr")
    assert degrade(*arguments).code == 0
    before = files(photos)
    assert degrade(*arguments, "--force").code == 0
    assert files(photos) == before


def test_a_photo_is_never_overwritten_by_its_own_lr(degrade, photos) -> None:
    before = files(photos)
    ran = degrade("apply", photos, "-o", photos, "--force")
    assert (ran.code, files(photos)) == (2, before)
    assert "is one of the photos to be read" in ran.err


def test_lr_and_hr_cannot_go_to_the_same_folder(tmp_path, photos) -> None:
    with pytest.raises(UsageError, match="is the folder of the LR images"):
        plan_jobs(find_photos([photos]), tmp_path / "x", hr=tmp_path / "x")


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["nowhere.png", "-o", "out"], 2, "nowhere.png: no such file or folder"),
        (["empty", "-o", "out"], 2, "no images in there"),
        (["photos/a.png"], 2, "Missing option '-o'"),
        (["photos/a.png", "-o", "out", "--recipe", "genric"], 2, "did you mean 'generic'?"),
        (["photos/a.png", "-o", "out", "--set", "lr.0.sgima=1"], 2, "did you mean 'sigma'?"),
        (["photos/a.png", "-o", "photos/b.png"], 5, "photos/b.png"),
    ],
)
def test_mistakes_are_one_line(arguments, code, part, degrade, photos, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    ran = degrade("apply", *arguments)
    assert ran.code == code
    assert part in ran.err
    assert ran.err.startswith("degrade: error: ")
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_json_tells_what_was_made_and_skipped(degrade, photos, tmp_path) -> None:
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    ran = degrade("apply", photos, "-o", tmp_path / "out", "--json", "--recipe", "bicubic")
    told = json.loads(ran.out)
    assert ran.code == 3
    assert (told["recipe"], told["scale"], told["seed"]) == ("matlab_bicubic", 4, 0)
    assert sorted(Path(made["lr"]).name for made in told["made"]) == ["a.png", "b.png", "c.png"]
    assert all(Path(made["lr"]).is_file() and Path(made["trace"]).is_file() for made in told["made"])
    assert [lost["photo"] for lost in told["skipped"]] == [str(photos / "broken.png")]
