"""Impulses, uniform, smooth and real noise: fields, traces, range."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from degrade import assets
from degrade.assets import PoolFile, register, write_pool
from degrade.errors import UsageError
from degrade.ops import DRAWS
from degrade.ops.pattern_noise import NoisePatch, SaltPepperNoise, SpatialNoise, UniformNoise
from degrade.ops.protocol import Context, Distribution, Options
from degrade.rng import Stream

TWO_MODES = Options(choice=("colour", "gray"))
NOISES = {
    "salt_pepper": SaltPepperNoise(Distribution(range=(0.0, 1.0)), mode=TWO_MODES),
    "uniform": UniformNoise(Distribution(range=(0.0, 40.0)), TWO_MODES),
    "spatial": SpatialNoise(
        Distribution(10.0), Distribution(range=(0.0, 3.0)), Distribution(range=(0.0, 1.0)), TWO_MODES
    ),
}


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> PoolFile:
    path = tmp_path_factory.mktemp("pool") / "mine.npz"
    noise = np.random.default_rng(0).integers(-1500, 1500, (5, 32, 32, 3)).astype(np.int16)
    write_pool(path, noise=noise, card={})
    return PoolFile("mine.npz", register(path))


def drawn(op: Any, patch: int = 0) -> Any:
    (draw,) = op.draw(Stream(5, patch).step("noise0"), "noise0")
    return draw


def replayed(draw: Any) -> Any:
    entry = json.loads(json.dumps({"op": draw.op, **{name: getattr(draw, name) for name in draw.__slots__}}))
    return DRAWS[entry.pop("op")](**entry)


def scene(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, channels), dtype=np.float32)


@pytest.mark.parametrize("kind", NOISES)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.integers(0, 1000))
def test_a_trace_gives_the_same_noise_again(kind: str, height: int, width: int, channels: int, patch: int) -> None:
    draw, image = drawn(NOISES[kind], patch), scene(height, width, channels)
    before = image.copy()
    made = draw.apply(image, Context((-3, 2)))
    assert made.shape == image.shape
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    np.testing.assert_array_equal(replayed(draw).apply(image, Context((-3, 2))), made)
    np.testing.assert_array_equal(image, before)


@given(st.integers(0, 1000))
def test_impulses_and_uniform_noise_keep_their_range(patch: int) -> None:
    image = scene(13, 21, 3)
    impulses = drawn(NOISES["salt_pepper"], patch).apply(image, Context())
    assert impulses.min() >= 0
    assert impulses.max() <= 1
    uniform = drawn(NOISES["uniform"], patch)
    difference = np.abs(uniform.apply(image, Context()).astype(np.float64) - image)
    assert difference.max() <= uniform.amplitude_8bit / 255 + 1e-7


def test_gray_smooth_noise_is_equal_in_all_channels() -> None:
    draw = drawn(SpatialNoise(Distribution(10.0), Distribution(1.5), mode=Options("gray")))
    assert draw.chroma == 0.0
    field = draw.apply(np.zeros((20, 31, 3), np.float32), Context())
    np.testing.assert_array_equal(field, field[..., :1].repeat(3, 2))
    assert field.any()


def test_real_noise_is_a_patch_of_the_pool_at_its_place(pool: PoolFile) -> None:
    for patch in range(60):
        draw = drawn(NoisePatch(pool, Distribution(0.5)), patch)
        source = assets.pool(pool.sha256).noise[draw.index].astype(np.float64) / (255 * 256)
        height, width = draw.y + 1 if draw.flip_y else 32 - draw.y, draw.x + 1 if draw.flip_x else 32 - draw.x
        rows = draw.y - np.arange(height) if draw.flip_y else draw.y + np.arange(height)
        columns = draw.x - np.arange(width) if draw.flip_x else draw.x + np.arange(width)
        field = draw.apply(np.zeros((height, width, 3), np.float32), Context())
        np.testing.assert_allclose(field, 0.5 * source[rows[:, None], columns], atol=1e-8)
        image = scene(45, 38, 1)
        np.testing.assert_array_equal(
            draw.apply(image, Context((-4, -5))), replayed(draw).apply(image, Context((-4, -5)))
        )


def test_every_patch_place_and_orientation_comes_up(pool: PoolFile) -> None:
    draws = [drawn(NoisePatch(pool), patch) for patch in range(1000)]
    for name, count in (("index", 5), ("y", 32), ("x", 32), ("flip_y", 2), ("flip_x", 2)):
        seen = np.unique([getattr(draw, name) for draw in draws], return_counts=True)[1]
        assert seen.size == count
        assert np.abs(seen / 1000 - 1 / count).max() < 5 * np.sqrt(1 / count / 1000)


def test_a_pool_without_noise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kernels.npz"
    write_pool(path, kernels=np.full((1, 3, 3), 1 / 9, np.float32), card={})
    with pytest.raises(UsageError, match=r"kernels\.npz: holds no noise"):
        drawn(NoisePatch(PoolFile("kernels.npz", register(path))))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SaltPepperNoise(Distribution(1.5)), "expected amount at least 0 and at most 1, got values from 1.5"),
        (lambda: SaltPepperNoise(Distribution(0.1), Distribution(2.0)), "expected salt at least 0 and at most 1"),
        (lambda: UniformNoise(Distribution(-1.0)), "expected amplitude_8bit at least 0"),
        (lambda: SpatialNoise(Distribution(1.0), Distribution(17.0)), "expected correlation at least 0 and at most 16"),
        (
            lambda: SpatialNoise(Distribution(1.0), Distribution(1.0), mode=Options("luma")),
            "expected mode to be one of",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
