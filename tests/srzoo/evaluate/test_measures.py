"""Each figure is that of its metric, on what the protocol says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from srzoo.evaluate import COLUMNS, Measures
from srzoo.features.lpips import LPIPS
from srzoo.features.lpips_trunks import TRUNKS, Trunk
from srzoo.metrics.niqe import Pristine
from srzoo.metrics.protocol import compared

RNG = np.random.default_rng(3)


def pictures(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """SR, HR and LR at x2."""
    lr = RNG.integers(0, 256, (side // 2, side // 2, 3), np.uint8)
    hr = lr.repeat(2, axis=0).repeat(2, axis=1)
    sr = np.clip(hr.astype(int) + RNG.integers(-20, 21, hr.shape), 0, 255).astype(np.uint8)
    return sr, hr, lr


def random_lpips() -> LPIPS:
    torch.manual_seed(0)
    return LPIPS(Trunk("squeeze"), [torch.rand(channels) for channels in TRUNKS["squeeze"].channels])


def test_psnr_and_ssim_are_scikit_images_on_the_planes_of_the_protocol() -> None:
    sr, hr, lr = pictures(64)
    planes = compared("rgb", sr, hr, 2)
    figures = Measures("rgb").of(planes, sr, hr, lr)
    assert set(figures) == {"psnr", "ssim"}
    assert figures["psnr"] == pytest.approx(peak_signal_noise_ratio(hr[2:-2, 2:-2], sr[2:-2, 2:-2], data_range=255))
    maps = structural_similarity(
        hr[2:-2, 2:-2], sr[2:-2, 2:-2], data_range=255, channel_axis=2, gaussian_weights=True,
        sigma=1.5, use_sample_covariance=False, full=True,
    )[1]  # fmt: skip
    assert figures["ssim"] == pytest.approx(maps[5:-5, 5:-5].mean(), abs=1e-9)


def test_the_odd_form_of_ssim_is_taken_where_it_is_asked_for() -> None:
    sr, hr, lr = pictures(64)
    planes = compared("realsr", sr, hr, 2)
    inflated = Measures("realsr", "skimage_float2").of(planes, sr, hr, lr)["ssim"]
    plain = (plane[..., 0] / 255 for plane in planes)
    assert inflated == pytest.approx(structural_similarity(*plain, data_range=2, win_size=7), abs=1e-3)
    with pytest.raises(ValueError, match="ssim: expected one of gaussian, "):
        Measures(ssim="ms")


def test_lpips_niqe_and_colour_shift_look_at_the_whole_picture() -> None:
    sr, hr, lr = pictures(192)
    pristine = Pristine(np.zeros(36), np.eye(36))
    measures = Measures("network", lpips=random_lpips(), niqe=pristine, color_shift=True)
    figures = measures.of(compared("network", sr, hr, 2), sr, hr, lr)
    assert set(figures) == {"psnr", "ssim", "lpips", "niqe", "shift"} <= set(COLUMNS)
    same = measures.of(compared("network", hr, hr, 2), hr, hr, lr)
    assert same["lpips"] == 0 < figures["lpips"]
    brighter = measures.of(compared("network", hr, hr, 2), np.clip(hr // 2 + 90, 0, 255).astype(np.uint8), hr, lr)
    assert brighter["shift"] > same["shift"] + 5
    assert math.isfinite(figures["niqe"])


def test_a_picture_too_small_for_a_metric_has_none() -> None:
    sr, hr, lr = pictures(16)
    measures = Measures("rgb", lpips=random_lpips(), niqe=Pristine(np.zeros(36), np.eye(36)))
    figures = measures.of((sr.astype(float), hr.astype(float)), sr, hr, lr)
    assert math.isnan(figures["niqe"])
    assert math.isnan(figures["lpips"])


def test_flat_noise_is_of_luma_where_the_truth_is_flat() -> None:
    hr = np.full((64, 64, 3), 120, np.uint8)
    sr = (hr + RNG.normal(0, 6, (64, 64, 1)) + 0.5).astype(np.uint8)
    figures = Measures("rgb", flat_noise=True).of(compared("rgb", sr, hr, 2), sr, hr, hr[::2, ::2])
    assert set(figures) == {"psnr", "ssim", "flat_noise"} <= set(COLUMNS)
    assert figures["flat_noise"] == pytest.approx(6 * 219 / 255, rel=0.03)  # studio luma: 219 levels of 255
