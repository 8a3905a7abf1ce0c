"""Noise and kernels out of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from degrade.assets import pool, register, write_pool
from degrade.errors import UsageError
from degrade.measure.harvest import (
    NoiseRule,
    blocking,
    harvest_kernels,
    harvest_noise,
    is_noise,
    noise_of,
    pool_card,
    shading,
    stored,
)

RULE = NoiseRule(patch=32)


def flat(sigma: float, mean: float = 120, seed: int = 0, side: int = 32, channels: int = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(mean, sigma, (side, side, channels))
    return np.clip(np.rint(noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("patch", "is_kept"),
    [
        (flat(4), True),
        (flat(4, channels=1), True),
        (flat(12), False),  # luma variance: 144 * (0.299^2 + 0.587^2 + 0.114^2) = 64
        (np.full((32, 32, 3), 9, np.uint8), False),
        (flat(4, mean=1), False),  # clipped
        (flat(4, mean=45), True),
    ],
)
def test_the_rule(patch, is_kept) -> None:
    assert is_noise(patch, RULE) == is_kept


def test_the_mean_of_dped_and_the_published_rule_alone() -> None:
    assert not is_noise(flat(4, mean=45), NoiseRule(patch=32, min_mean=50))
    assert is_noise(flat(4, mean=1), NoiseRule(patch=32, published_only=True))


def test_shades_things_and_blocks_are_left_out() -> None:
    ramp = np.linspace(-6, 6, 32)[:, None, None]
    shaded = np.rint(flat(1.5) + ramp).astype(np.uint8)
    thing = flat(2)
    thing[4:7, 20:23] = (150, 110, 120)
    blocks = np.rint(flat(0.6) + 3 * np.kron(np.random.default_rng(0).choice([-1, 1], (4, 4, 1)), np.ones((8, 8, 1))))
    for patch in (shaded, thing, blocks.astype(np.uint8)):
        assert is_noise(patch, NoiseRule(patch=32, published_only=True))
        assert not is_noise(patch, RULE)
    assert is_noise(shaded, NoiseRule(patch=32, detrend=True))


def test_shading_and_blocking_of_white_noise_and_of_pure_cases() -> None:
    noise = np.random.default_rng(0).normal(0, 3, (64, 64))
    assert shading(noise) == pytest.approx(16 / 64**2, rel=1)
    assert shading(np.kron(np.arange(16.0).reshape(4, 4), np.ones((8, 8)))) == pytest.approx(1)
    assert blocking(noise) == pytest.approx(1, abs=0.4)
    assert blocking(noise + 12 * np.kron(np.random.default_rng(1).normal(0, 1, (8, 8)), np.ones((8, 8)))) > 5


def test_noise_is_the_patch_minus_its_channel_means() -> None:
    patch = flat(4)
    made = stored(noise_of(patch))
    assert made.dtype == np.int16
    assert np.abs(made / 256 - (patch - patch.mean(axis=(0, 1)))).max() <= 0.5 / 256
    grey = stored(noise_of(flat(4, channels=1)))
    assert np.array_equal(grey[..., 0], grey[..., 2])


def test_detrending_takes_a_quadratic_surface_off() -> None:
    y, x = np.mgrid[:64, :64] / 63
    surface = 100 + 30 * x + 9 * y * y - 8 * x * y
    noise = np.random.default_rng(0).normal(0, 2, (64, 64))
    found = noise_of(np.rint(surface + noise).astype(np.uint8)[..., None], detrend=True)[..., 0]
    assert np.corrcoef(found.ravel(), noise.ravel())[0, 1] > 0.98  # rounding to levels is all that differs


def save(path: Path, pixels: np.ndarray) -> str:
    Image.fromarray(pixels).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def photos(tmp_path) -> Path:
    """Two photos of 2 x 3 patches: all flat noise but one patch; one too small; one that is no picture."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(2):
        pixels = flat(3, seed=number, side=96)[:70]
        pixels[:32, 32:64] = np.random.default_rng(5).integers(0, 255, (32, 32, 3))
        save(folder / f"{number}.png", pixels)
    save(folder / "small.png", flat(3, side=20))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    return folder


def test_flat_patches_of_a_grid_are_collected_with_their_places(photos) -> None:
    found = harvest_noise([photos], RULE)
    assert (found.num_photos, found.num_small, found.num_tried, found.num_found) == (3, 1, 12, 10)
    assert [str(Path(error.subject).name) for error in found.skipped] == ["broken.png"]
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in photos.glob("?.png")}
    assert {place[1:] for place in found.places} == {(0, 0), (0, 64), (32, 0), (32, 32), (32, 64)}
    for patch, (sha256, y, x) in zip(found.patches, found.places, strict=True):
        pixels = np.asarray(Image.open(files[sha256]))[y : y + 32, x : x + 32]
        assert np.array_equal(patch, stored(noise_of(pixels)))
    assert found.names == {sha256: path.name for sha256, path in files.items()}


def test_too_many_are_thinned_out_evenly_and_always_alike(photos) -> None:
    all_of_them, few = (harvest_noise([photos], NoiseRule(patch=32, max_patches=n)) for n in (100, 4))
    assert few.places == tuple(all_of_them.places[i] for i in (0, 3, 6, 9))
    assert few.num_found == 10


def test_a_pool_opens_again_with_its_card(photos, tmp_path) -> None:
    found = harvest_noise([photos], RULE)
    write_pool(tmp_path / "pool.npz", noise=found.patches, card=pool_card(RULE, found, [], min_fit=0.7))
    opened = pool(register(tmp_path / "pool.npz"))
    assert np.array_equal(opened.noise, found.patches)
    card = opened.card["noise"]
    assert (card["patch"], card["max_variance"], card["min_mean"]) == (32, 20.0, 0.0)
    shas = list(card["photos"])
    assert [(shas[number], y, x) for number, y, x in card["patches"]] == list(found.places)


def test_kernels_of_paired_files(scene, tmp_path) -> None:
    for name in ("lr", "hr"):
        (tmp_path / name).mkdir()
    hr = scene(0, 120, 130)
    save(tmp_path / "hr" / "a.png", hr)
    save(tmp_path / "lr" / "a.png", ndimage.gaussian_filter(hr, (1.3, 1.3, 0)))
    save(tmp_path / "hr" / "b.png", hr)
    save(tmp_path / "lr" / "bx2.png", hr[:50])
    save(tmp_path / "lr" / "lonely.png", hr)
    found, skipped = harvest_kernels(tmp_path / "lr", tmp_path / "hr", size=9)
    assert [one.name for one in found] == ["a"]
    assert found[0].found.sigma == pytest.approx((1.3, 1.3), abs=0.15)
    assert found[0].lr_sha256 == hashlib.sha256((tmp_path / "lr" / "a.png").read_bytes()).hexdigest()
    assert {Path(error.subject).name for error in skipped} == {"bx2.png", "lonely.png"}


def test_folders_without_a_pair_are_refused(tmp_path, photos) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no file belongs to one in"):
        harvest_kernels(photos, tmp_path / "empty")
    with pytest.raises(UsageError, match="not a folder that can be read"):
        harvest_kernels(photos, tmp_path / "nowhere")


def test_an_impossible_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="patch >= 8"):
        NoiseRule(patch=4)
