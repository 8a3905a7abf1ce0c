"""Figures of a set."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.functional.resample import imresize
from degrade.measure.pairs import evenly
from degrade.measure.stats import QUANTITIES, figures_of, measure_set


def test_figures_of_a_pair_against_their_definitions(scene, lr_of) -> None:
    hr = scene(0)
    lr = lr_of(hr)
    found = figures_of(lr, hr)
    enlarged = np.clip(imresize(lr, *hr.shape[:2]), 0, 255)
    error = np.mean((enlarged - hr) ** 2)
    assert found["psnr"] == pytest.approx(10 * np.log10(255**2 / error), abs=1e-3)  # float32 against float64
    assert set(found) == set(QUANTITIES)
    assert abs(found["difficulty"]) < 0.1  # LR is the plain bicubic, rounded to 8 bits


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_makes_a_pair_harder_and_is_found(scene, lr_of, channels) -> None:
    hr = scene(1, channels=channels)
    noisy = lr_of(hr) + np.random.default_rng(0).normal(0, 15, lr_of(hr).shape)
    found = figures_of(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), hr)
    assert found["difficulty"] > 0.5
    assert found["lr_noise"] > figures_of(lr_of(hr), hr)["lr_noise"] + 3


def test_tiny_patches_have_no_noise_level(scene) -> None:
    assert "lr_noise" not in figures_of(scene(0, 2, 2), scene(0, 8, 8))


def test_all_traces_and_an_even_sample_of_pixels_are_measured(scene, lr_of, pairs_of) -> None:
    hr = [scene(seed, 32, 32) for seed in range(9)]
    traces = [{"steps": [{"op": "blur", "id": "blur0", "sigma": i / 2}]} for i in range(9)]
    seen: list[int] = []
    found = measure_set(
        pairs_of([lr_of(one) for one in hr], hr, traces=traces), limit=3, advance=lambda: seen.append(1)
    )
    assert found.measured == (0, 4, 8)
    assert found.figures["psnr"][1] == pytest.approx(figures_of(lr_of(hr[4]), hr[4])["psnr"])
    assert found.steps["blur0"].ran == 9
    assert len(seen) == 9 + 3
    assert found.as_dict()["steps"]["blur0"]["values"]["sigma"]["most"] == 4


def test_an_even_sample_holds_both_ends() -> None:
    assert evenly(5, 9) == [0, 1, 2, 3, 4]
    assert evenly(1000, 3) == [0, 499, 999]
    assert evenly(10, 1) == [0]
    assert evenly(0, 4) == []
