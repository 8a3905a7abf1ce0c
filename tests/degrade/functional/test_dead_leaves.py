"""Dead leaves: the same bytes anywhere, and statistics like those of photographs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from numpy._core import _multiarray_umath

from degrade.functional.dead_leaves import VERSION, render

KEYS = [0x9E3779B97F4A7C15 * k % 2**64 for k in range(1, 9)]
GOLDEN = "6cc8c934c5159667e9af1333b9ef14230cf04cdbc36ca671f1d92dde5eac4273"


@pytest.fixture(scope="module")
def scenes() -> list[np.ndarray]:
    return [render(256, 256, key) for key in KEYS]


def gray(scene: np.ndarray) -> np.ndarray:
    return scene.mean(axis=2) / 255


def power_slope(image: np.ndarray) -> float:
    """Exponent of the radial power spectrum, by a Fourier transform of the windowed picture."""
    size = len(image)
    power = np.abs(np.fft.fft2((image - image.mean()) * np.outer(np.hanning(size), np.hanning(size)))) ** 2
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))) * size
    rings = np.round(frequency).astype(int)
    mean = np.bincount(rings.ravel(), power.ravel()) / np.bincount(rings.ravel())
    ring = np.arange(3, int(0.4 * size))
    return float(np.polyfit(np.log(ring), np.log(mean[ring]), 1)[0])


@pytest.mark.parametrize("size", [(1, 1), (7, 33), (40, 21)])
def test_any_size_is_made(size: tuple[int, int]) -> None:
    scene = render(*size, 5)
    assert scene.shape == (*size, 3)
    assert scene.dtype == np.uint8
    assert scene.flags.c_contiguous


def test_a_key_names_a_scene() -> None:
    assert np.array_equal(render(60, 70, 3), render(60, 70, 3))
    assert not np.array_equal(render(60, 70, 3), render(60, 70, 4))
    assert not np.array_equal(render(60, 70, 3), render(60, 70, 3 + 2**32))


def test_the_bytes_are_pinned() -> None:
    """Stored plans name scenes by version: other bytes need another `VERSION`."""
    assert (VERSION, hashlib.sha256(render(96, 128, KEYS[0]).tobytes()).hexdigest()) == (1, GOLDEN)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
        {"NPY_DISABLE_CPU_FEATURES": " ".join(_multiarray_umath.__cpu_dispatch__)},
    ],
    ids=["numba", "numpy"],
)
def test_the_bytes_do_not_depend_on_the_processor(settings: dict[str, str], tmp_path: object) -> None:
    code = (
        "import hashlib; from degrade.functional.dead_leaves import render;"
        f"print(hashlib.sha256(render(96, 128, {KEYS[0]}).tobytes()).hexdigest())"
    )
    environment = os.environ | settings | {"DEGRADE_CACHE": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == GOLDEN


def test_the_spectrum_falls_like_that_of_photographs(scenes: list[np.ndarray]) -> None:
    """Photographs: exponents of -1.5 to -3, -2 on average (Ruderman and Bialek 1994)."""
    slopes = [power_slope(gray(scene)) for scene in scenes]
    assert -2.6 < np.mean(slopes) < -1.8
    assert min(slopes) > -3.2
    assert max(slopes) < -1.3


def test_gradients_have_the_heavy_tails_of_edges(scenes: list[np.ndarray]) -> None:
    """A Gaussian field of any spectrum has kurtosis 3; photographs have more than 6."""
    for scene in scenes:
        step = np.diff(gray(scene), axis=1)
        assert (step**4).mean() / (step**2).mean() ** 2 > 6


def test_there_are_smooth_places_and_fine_detail(scenes: list[np.ndarray]) -> None:
    for scene in scenes:
        image = gray(scene)
        blocks = image.reshape(32, 8, 32, 8).std(axis=(1, 3))
        assert np.quantile(blocks, 0.1) < 0.06
        assert np.quantile(blocks, 0.9) > 0.06
        fine = image[1:-1, 1:-1] - (image[:-2, 1:-1] + image[2:, 1:-1] + image[1:-1, :-2] + image[1:-1, 2:]) / 4
        assert fine.std() > 0.01  # contrast that a downsampled picture no longer has


def test_colours_differ_within_and_between_scenes(scenes: list[np.ndarray]) -> None:
    means = np.array([scene.mean(axis=(0, 1)) for scene in scenes])
    assert means.std(axis=0).min() > 8
    chroma = [(scene.max(axis=2).astype(int) - scene.min(axis=2)).mean() for scene in scenes]
    assert 8 < np.mean(chroma) < 90
    assert all(30 < scene.mean() < 225 for scene in scenes)


def test_a_scene_is_drawn_fast() -> None:
    render(16, 16, 1)  # compiled
    start = time.process_time()
    render(512, 512, KEYS[0])
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("size", [(0, 5), (5, -1)])
def test_no_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"expected a size of at least 1 x 1, got"):
        render(*size, 1)
