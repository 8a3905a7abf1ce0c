"""A fresh critic, on pictures whose difference is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from srzoo.errors import ImageError, UsageError
from srzoo.evaluate.tell_apart import FOLDS, Picture, Separation, Trial, auc, deal, read_pictures, tell_apart


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before


def pictures(seeds: range, *, noise: float = 0.0, offset: float = 0.0) -> list[Picture]:
    """Smooth clouds, some with noise."""
    found = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        clouds = ndimage.gaussian_filter(random.normal(size=(64, 56, 3)), (4, 4, 0)) * 300
        levels = 128 + clouds + offset + np.random.default_rng(-seed % 999).normal(0, 1 + noise, clouds.shape)
        found.append(Picture(f"{seed}.png", str(seed), np.clip(np.rint(levels), 0, 255).astype(np.uint8)))
    return found


@pytest.mark.slow
def test_halves_of_one_set_cannot_be_told_apart() -> None:
    found = tell_apart(pictures(range(12)), pictures(range(20, 32)), Trial(crop=32, steps=60))
    assert found.accuracy == pytest.approx(0.5, abs=0.1)  # 192 crops of 12 pictures a side
    assert found.auc == pytest.approx(0.5, abs=0.12)


@pytest.mark.slow
def test_noisy_pictures_are_told_from_clean_ones_of_other_scenes() -> None:
    found = tell_apart(pictures(range(6)), pictures(range(20, 26), noise=11), Trial(crop=24, steps=60))
    assert found.accuracy > 0.95


def test_noise_is_seen_within_a_few_steps() -> None:
    found = tell_apart(pictures(range(4)), pictures(range(20, 24), noise=11), Trial(crop=16, steps=15))
    assert found.auc > 0.95


def test_a_cast_alone_is_not_seen() -> None:
    real = pictures(range(4))
    brief = Trial(crop=24, steps=8)
    same = tell_apart(real, pictures(range(4, 8)), brief)
    lighter = tell_apart(real, pictures(range(4, 8), offset=20), brief)
    assert lighter.auc == pytest.approx(same.auc, abs=0.02)  # but for rounding: float32 means


def test_the_same_seed_gives_the_same_bits_whatever_torch_drew_before() -> None:
    real, made = pictures(range(2)), pictures(range(5, 8), noise=2)
    brief = Trial(crop=24, steps=3)
    torch.manual_seed(1)
    first = tell_apart(real, made, brief)
    drawn = torch.rand(1)
    torch.manual_seed(1)
    torch.rand(1)
    assert tell_apart(real, made, brief) == first
    torch.manual_seed(1)
    assert torch.rand(1) == drawn  # the caller's generator stayed as it was
    assert tell_apart(real, made, Trial(crop=24, steps=3, seed=1)) != first


def test_every_picture_is_tested_once_and_every_step_told() -> None:
    steps: list[None] = []
    real = pictures(range(5))
    found = tell_apart(real, pictures(range(5)), Trial(crop=24, steps=2), advance=lambda: steps.append(None))
    assert len(steps) == 2 * FOLDS
    assert set(found.recognised) == {one.name for one in real}
    assert isinstance(found, Separation)
    assert found.accuracy == pytest.approx(sum(fold.accuracy for fold in found.folds) / FOLDS)


def test_scenes_of_both_sides_have_one_fold_and_folds_are_even() -> None:
    real, made = {f"r{i}" for i in range(7)}, {f"m{i}" for i in range(10)}
    shared = {f"s{i}" for i in range(5)}
    on_real, on_made = deal(real | shared, made | shared)
    assert all(on_real[name] == on_made[name] for name in shared)
    for folds in (on_real, on_made):
        counts = np.bincount(list(folds.values()), minlength=FOLDS)
        assert np.ptp(counts) <= 1
    assert deal(sorted(real | shared), sorted(made | shared, reverse=True)) == (on_real, on_made)


def test_auc_is_the_share_of_pairs_in_order() -> None:
    random = np.random.default_rng(0)
    above, below = random.integers(0, 9, 40).astype(float), random.integers(-3, 6, 31).astype(float)
    pairs = [(a > b) + 0.5 * (a == b) for a in above for b in below]
    assert auc(above, below) == pytest.approx(np.mean(pairs))
    assert auc(np.zeros(3), np.zeros(4)) == 0.5
    assert auc(np.ones(3), np.zeros(4)) == 1


def test_pictures_are_read_with_the_scene_their_pair_shares(folder: Callable[..., Path]) -> None:
    found = read_pictures("--real", folder("real", ["a_LR.png", "b.png"]), 32)
    assert [(one.name, one.scene) for one in found] == [("a_LR.png", "a"), ("b.png", "b")]
    assert found[0].pixels.shape == (32, 40, 3)


def test_too_few_and_too_small_are_refused(folder: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--real .*one: a single picture - give at least 2"):
        read_pictures("--real", folder("one", ["a.png"]), 32)
    with pytest.raises(ImageError, match=r"a.png: 40 x 32 is smaller than a crop of 48 - leave it out"):
        read_pictures("--real", folder("two", ["a.png", "b.png"]), 48)
    with pytest.raises(UsageError, match=r"--real .*: no such folder"):
        read_pictures("--real", tmp_path / "none", 48)
    with pytest.raises(ValueError, match="a crop of at least 16 and at least 1 step, got 15 and 0"):
        Trial(crop=15, steps=0)
