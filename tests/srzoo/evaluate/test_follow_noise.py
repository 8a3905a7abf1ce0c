"""Made noise against the reference's, with degraders whose noise is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from degrade.functional.resample import imresize_uint8
from srzoo.checkpoint import save_model
from srzoo.degraders import DEGRADERS
from srzoo.errors import UsageError
from srzoo.evaluate.follow_noise import Following, correlation, follow_noise, imitator, slope
from srzoo.evaluate.learned_degraders import load_learned
from srzoo.evaluate.scenes import Degrader, Scene

LEVELS = (1.0, 3.0, 6.0, 10.0)


def rounded(levels: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def photo(seed: int, height: int, width: int, sigma: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    clouds = ndimage.gaussian_filter(random.normal(size=(height, width, 3)), (9, 9, 0)) * 500
    return rounded(128 + clouds + random.normal(0, sigma, clouds.shape))


def copying(gain: float = 1.0) -> Degrader:
    """Bicubic LR and what is fine in the example, `gain` times."""

    def make(scene: Scene) -> np.ndarray:
        fine = scene.example - ndimage.gaussian_filter(scene.example.astype(float), (4, 4, 0))
        return rounded(scene.clean + gain * fine)

    return Degrader("copying", "a copier", make, 4)


def ignoring(scene: Scene) -> np.ndarray:
    return rounded(scene.clean + np.random.default_rng(scene.key).normal(0, 4, scene.clean.shape))


TRUTHS = {"a": photo(1, 200, 243), "b": photo(2, 163, 204)}
REFERENCES = {f"{sigma}": photo(7, 90, 40, sigma) for sigma in LEVELS}  # mirrored across, cut down


def test_a_copier_of_noise_follows_and_one_that_has_its_own_does_not() -> None:
    degraders = [copying(), Degrader("ignoring", "its own", ignoring)]
    made: list[None] = []
    found = follow_noise(degraders, TRUTHS, REFERENCES, 4, advance=lambda: made.append(None))
    assert len(made) == 2 * len(TRUTHS) * len(REFERENCES)
    assert found.reference == pytest.approx(LEVELS, rel=0.1)
    assert found.correlation("copying") > 0.999
    assert found.slope("copying") == pytest.approx(1, abs=0.05)  # a Gaussian of 4 takes 0.5 % of white noise
    assert math.isnan(found.correlation("ignoring"))
    assert found.slope("ignoring") == 0
    assert found.made["ignoring"] == pytest.approx((4,) * 4, rel=0.1)


def test_half_the_noise_is_a_slope_of_a_half() -> None:
    found = follow_noise([copying(0.5)], TRUTHS, REFERENCES, 4)
    assert found.slope("copying") == pytest.approx(0.5, abs=0.05)


def test_the_middle_of_a_reference_is_shown_at_the_size_of_lr() -> None:
    seen: list[np.ndarray] = []

    def make(scene: Scene) -> np.ndarray:
        seen.append(scene.example)
        np.testing.assert_array_equal(scene.clean, imresize_uint8(scene.hr, *scene.clean.shape[:2]))
        return scene.clean

    large = photo(3, 101, 120)
    follow_noise([Degrader("d", "d", make, 4)], {"a": TRUTHS["a"]}, {"large": large, **REFERENCES}, 4)
    np.testing.assert_array_equal(seen[0], large[25:75, 30:90])  # LR is 50 x 60
    assert {one.shape for one in seen} == {(50, 60, 3)}


def test_correlation_and_slope_are_scipys() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 9))
    wanted_slope, _, wanted_correlation, *_ = stats.linregress(x, y)
    assert correlation(x.tolist(), y.tolist()) == pytest.approx(wanted_correlation)
    assert slope(x.tolist(), y.tolist()) == pytest.approx(wanted_slope)
    same = Following((2.0, 2.0, 2.0), {"a": (1.0, 2.0, 3.0)})
    assert math.isnan(same.correlation("a"))
    assert math.isnan(same.slope("a"))


def test_too_little_to_judge_by_is_refused() -> None:
    with pytest.raises(ValueError, match="HR and at least 3 references, got 2 and 2"):
        follow_noise([copying()], TRUTHS, dict(list(REFERENCES.items())[:2]), 4)
    with pytest.raises(ValueError, match="got 0 and 4"):
        follow_noise([copying()], {}, REFERENCES, 4)


def test_the_ablation_without_reference_does_not_follow_and_other_degraders_are_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    for name, settings in (("dual_input", {"single": True, "features": 4, "blocks": 1}), ("h2l", {"features": 4})):
        config, network = DEGRADERS[name]
        save_model(tmp_path / f"{name}.safetensors", name, network(config(**settings)), {})
    zeros = imitator(load_learned(tmp_path / "dual_input.safetensors", torch.device("cpu")), "zeros")
    found = follow_noise([zeros], TRUTHS, REFERENCES, 4)
    assert math.isnan(found.correlation("zeros"))
    assert found.slope("zeros") == 0
    with pytest.raises(UsageError, match=r"h2l.safetensors: takes no reference - give a degrader that does"):
        imitator(load_learned(tmp_path / "h2l.safetensors", torch.device("cpu")), "h2l")
