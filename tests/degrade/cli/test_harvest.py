"""`degrade harvest`: a pool, or one line that says why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from degrade.assets import find, pool, register


@pytest.fixture
def flats(tmp_path) -> Path:
    folder = tmp_path / "flats"
    folder.mkdir()
    for number in range(2):
        noise = np.random.default_rng(number).normal(110, 3, (64, 96, 3))
        Image.fromarray(np.rint(noise).astype(np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def aligned(tmp_path) -> tuple[Path, Path]:
    """Folders of a blurred and of a sharp picture."""
    hr = np.kron(np.random.default_rng(0).integers(0, 256, (30, 30)), np.ones((4, 4)))
    for name, pixels in (("lr", ndimage.gaussian_filter(hr, 1.2)), ("hr", hr)):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / name / "a.png")
    return tmp_path / "lr", tmp_path / "hr"


def test_noise_and_kernels_go_into_one_pool(degrade, flats, aligned, tmp_path) -> None:
    out = tmp_path / "pool.npz"
    ran = degrade("harvest", flats, "--patch", 32, "--pairs", *aligned, "--kernel-size", 9, "-o", out)
    assert (ran.code, ran.err) == (0, "")
    assert "12 patches of 32 x 32 from 2 of 2 photos" in ran.out
    assert "1 of 1 pairs fit" in ran.out
    opened = pool(register(out))
    assert (opened.noise.shape, opened.kernels.shape) == ((12, 32, 32, 3), (1, 9, 9))
    assert opened.card["kernels"]["pairs"][0]["sigma"] == pytest.approx([1.2, 1.2], abs=0.15)
    again = degrade("harvest", flats, "--patch", 32, "-o", out)
    assert (again.code, "overwrite with --force" in again.err) == (2, True)


def test_json_tells_how_much_was_tried(degrade, flats, tmp_path) -> None:
    ran = degrade("harvest", flats, "--patch", 32, "--max-patches", 5, "-o", tmp_path / "p.npz", "--json")
    noise = json.loads(ran.out)["noise"]
    assert (noise["patches"], noise["found"], noise["tried"]) == (5, 12, 12)
    assert noise["sigma"] == pytest.approx([3.0] * 5, abs=0.15)


def test_files_left_out_are_named_with_exit_code_3(degrade, flats, tmp_path) -> None:
    (flats / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    ran = degrade("harvest", flats, "--patch", 32, "-o", tmp_path / "p.npz")
    assert ran.code == 3
    assert "broken.png" in ran.err
    assert (tmp_path / "p.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "nothing to collect from"),
        (["flats"], "all 2 photos are smaller than a patch of 256 x 256 - use --patch 64"),
        (["flats", "--patch", 32, "--max-variance", 0.5], "none of 12 patches of 32 x 32 is flat enough"),
        (["--pairs", "lr", "hr", "--kernel-size", 9, "--min-fit", 1], "none of 1 pairs gives a kernel"),
        (["--pairs", "lr", "hr", "--kernel-size", 8], "8 is even - use 9"),
        (["--pairs", "lr", "nowhere"], "nowhere: not a folder that can be read"),
    ],
)
def test_an_empty_pool_is_one_line(arguments, part, degrade, flats, aligned, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = degrade("harvest", *arguments, "-o", "pool.npz")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert part in ran.err
    assert not (tmp_path / "pool.npz").exists()


def test_a_pool_has_the_suffix_of_one(degrade, flats, tmp_path) -> None:
    assert "end it in .npz" in degrade("harvest", flats, "-o", tmp_path / "pool.zip").err


def test_the_pool_that_comes_along_is_small_and_states_its_origin() -> None:
    path = find("realsr")
    opened = pool(register(path))
    assert path.stat().st_size <= 600_000
    assert opened.noise.shape[1:] == (64, 64, 3)
    assert len(opened.noise) == len(opened.card["noise"]["patches"])
    assert len(opened.kernels) == 4 * len(opened.card["kernels"]["pairs"])
    assert np.abs(opened.noise.mean(axis=(1, 2)) / 256).max() < 0.01  # grey levels
    steps = np.arange(opened.kernels.shape[1]) - opened.kernels.shape[1] // 2
    assert np.abs(opened.kernels.sum(axis=1) @ steps).max() < 0.02  # centred: no recipe moves a picture
    assert opened.kernels.min() >= 0
    assert "MIT" in opened.card["origin"]
    assert "MIT" in (path.parent / "README.md").read_text()
