import hashlib
from pathlib import Path

import numpy as np
import pytest

from degrade import assets, codecs
from degrade.errors import ImageError, UsageError
from degrade.recipe import load_recipe
from degrade.sources.source import Source
from srzoo.kernelgan import KernelPool, PhotoKernel, Settings, add_kernel, find_photos
from srzoo.kernelgan import pool as pools
from srzoo.kernelgan.kernel import finished

RNG = np.random.default_rng(0)


@pytest.fixture
def photos(tmp_path: Path) -> list[Source]:
    """Three of 70 x 80 pixels."""
    for name in ("a.png", "b.png", "c.png"):
        codecs.write(tmp_path / "photos" / name, codecs.Photo(RNG.integers(0, 256, (70, 80, 3), np.uint8)))
    return find_photos([tmp_path / "photos"])[0]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Estimation in no time: a Gaussian whose width depends on the photo; the seeds it was called with."""
    seeds: list[int] = []

    def estimate(pixels, *, steps, seed, advance):
        seeds.append(seed)
        rows, columns = np.indices((13, 13)) - 6
        return np.exp(-(rows**2 + columns**2) / (2 + pixels[0, 0, 0] / 128)).astype(np.float32)

    monkeypatch.setattr(pools, "estimate", estimate)
    return seeds


def test_the_pool_opens_in_degrade(tmp_path: Path, photos: list[Source], quick: list[int]) -> None:
    pool = KernelPool(tmp_path / "pool.npz", Settings(scale=4, seed=5))
    made = [add_kernel(pool, photo) for photo in photos]
    held = assets.pool(assets.register(tmp_path / "pool.npz"))
    assert held.kernels.shape == (3, 33, 33)
    assert len(held.noise) == 0
    assert np.array_equal(held.kernels, np.stack([one.kernel for one in made]))
    stated = held.card["kernels"]
    assert (stated["scale"], stated["steps"], stated["seed"]) == (4, 3000, 5)
    path = tmp_path / "photos" / "a.png"
    assert stated["photos"][0] == {"name": "a.png", "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert quick == [5, 5, 5]


def test_the_recipe_realsr_draws_from_the_pool(tmp_path: Path, photos: list[Source], quick: list[int]) -> None:
    path = tmp_path / "pool.npz"
    pool = KernelPool(path, Settings(scale=4))
    for photo in photos:
        add_kernel(pool, photo)
    recipe = load_recipe("realsr", overrides=[f"lr.0.pool={path}"])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest in str(recipe)


def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path: Path, photos: list[Source], quick: list[int]) -> None:
    whole, stopped = tmp_path / "whole.npz", tmp_path / "stopped.npz"
    pool = KernelPool(whole, Settings())
    for photo in photos:
        add_kernel(pool, photo)
    add_kernel(KernelPool(stopped, Settings()), photos[0])
    again = KernelPool(stopped, Settings())
    assert [photo in again for photo in photos] == [True, False, False]
    for photo in photos[1:]:
        add_kernel(again, photo)
    assert whole.read_bytes() == stopped.read_bytes()


def test_a_run_stopped_in_the_middle_of_a_photo_leaves_the_kernels_before(
    tmp_path: Path, photos: list[Source], quick: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pool.npz"
    pool = KernelPool(path, Settings())
    add_kernel(pool, photos[0])
    before = path.read_bytes()

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pools, "estimate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add_kernel(pool, photos[1])
    assert path.read_bytes() == before
    assert len(KernelPool(path, Settings()).kernels) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos", "pool.npz"]


def test_other_settings_need_another_pool(tmp_path: Path, photos: list[Source], quick: list[int]) -> None:
    path = tmp_path / "pool.npz"
    add_kernel(KernelPool(path, Settings(seed=3)), photos[0])
    with pytest.raises(UsageError, match=r"pool.npz: was made with seed 3 - use the same settings, another name"):
        KernelPool(path, Settings())
    assert KernelPool(path, Settings(), start_over=True).kernels == []


def test_pools_of_others_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "noise.npz"
    assets.write_pool(path, noise=np.zeros((1, 8, 8, 3), np.int16), card={})
    with pytest.raises(UsageError, match="holds something else"):
        KernelPool(path, Settings())
    with pytest.raises(UsageError, match=r"end it in \.npz"):
        KernelPool(tmp_path / "pool.mat", Settings())


def test_photos_are_found_once_in_the_order_given(tmp_path: Path, photos: list[Source]) -> None:
    folder = tmp_path / "photos"
    (folder / "z.png").write_bytes((folder / "a.png").read_bytes())
    found, refused = find_photos([folder, folder / "a.png", folder / "missing.png"])
    assert [photo.path for photo in found] == ["a.png", "b.png", "c.png"]
    assert [str(error) for error in refused] == [f"{folder}/missing.png: not there - check the name"]


def test_a_photo_too_small_is_named(tmp_path: Path) -> None:
    codecs.write(tmp_path / "photos" / "small.png", codecs.Photo(np.zeros((40, 90, 3), np.uint8)))
    photos, _ = find_photos([tmp_path / "photos"])
    with pytest.raises(ImageError, match=r"small.png: expected even sides of at least 66 pixels, got 40 x 90 - "):
        add_kernel(KernelPool(tmp_path / "pool.npz", Settings()), photos[0])


def test_kernels_are_the_finished_ones(tmp_path: Path, photos: list[Source]) -> None:
    """Without the shortcut of the other tests: two steps for real."""
    from srzoo.kernelgan import estimate

    one = add_kernel(KernelPool(tmp_path / "pool.npz", Settings(steps=2, seed=1)), photos[0])
    pixels = codecs.rgb8(codecs.read(tmp_path / "photos" / "a.png"))
    assert isinstance(one, PhotoKernel)
    assert np.array_equal(one.kernel, finished(estimate(pixels, steps=2, seed=1)))


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="a scale of 2 or 4 and at least 1 step, got 3 and 0"):
        Settings(scale=3, steps=0)  # type: ignore[reportArgumentType]
