"""Kernels of a pool: orientation, centring, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from degrade.assets import PoolFile, register, write_pool
from degrade.errors import UsageError
from degrade.ops import DRAWS
from degrade.ops.kernel_blur import KernelBlur
from degrade.ops.protocol import Context
from degrade.rng import Stream


def some_kernels(count: int, size: int, offset: float = 0.0) -> np.ndarray:
    places = np.arange(size) - size // 2
    made = []
    for k in range(count):
        y, x = places[:, None] - offset * (1 + k / 7), places[None] + 0.3 * offset
        kernel = np.exp(-0.5 * (y**2 / (1 + k) + x**2 / 4 + y * x / 5))
        made.append(kernel / kernel.sum())
    return np.array(made, np.float32)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> PoolFile:
    return a_pool(tmp_path_factory.mktemp("pool"), some_kernels(4, 13, 1.4))


def a_pool(folder: Path, kernels: np.ndarray | None, noise: np.ndarray | None = None) -> PoolFile:
    path = folder / "mine.npz"
    write_pool(path, kernels=kernels, noise=noise, card={})
    return PoolFile("mine.npz", register(path))


def drawn(op: Any, patch: int = 0) -> Any:
    (draw,) = op.draw(Stream(5, patch).step("blur0"), "blur0")
    return draw


def replayed(draw: Any) -> Any:
    entry = json.loads(json.dumps({"op": draw.op, **{name: getattr(draw, name) for name in draw.__slots__}}))
    return DRAWS[entry.pop("op")](**entry)


def off_centre(kernel: np.ndarray) -> np.ndarray:
    return np.array(ndimage.center_of_mass(kernel)) - kernel.shape[0] // 2


def test_all_kernels_in_all_orientations_come_up(pool: PoolFile) -> None:
    draws = [drawn(KernelBlur(pool), patch) for patch in range(800)]
    seen = {(draw.index, draw.flip_y, draw.flip_x, draw.transpose) for draw in draws}
    assert len(seen) == 4 * 8
    assert {draw.pool for draw in draws} == {pool.sha256}
    upright = [drawn(KernelBlur(pool, flip=False), patch) for patch in range(50)]
    assert {(draw.flip_y, draw.flip_x, draw.transpose) for draw in upright} == {(False, False, False)}


def test_centred_kernels_move_nothing_and_their_traces_give_them_again(pool: PoolFile) -> None:
    image = np.random.default_rng(0).random((31, 45, 3), dtype=np.float32)
    for patch in range(20):
        draw = drawn(KernelBlur(pool), patch)
        kernel = draw.kernel()
        assert kernel.shape == (draw.size, draw.size)
        assert kernel.sum() == pytest.approx(1, abs=1e-12)
        assert np.abs(off_centre(kernel)).max() < 1e-9
        assert draw.shift == (0.0, 0.0)
        np.testing.assert_array_equal(replayed(draw).apply(image, Context()), draw.apply(image, Context()))


def test_kernels_left_off_centre_are_the_pool_s_and_say_so(pool: PoolFile) -> None:
    stored = some_kernels(4, 13, 1.4)
    for patch in range(20):
        draw = drawn(KernelBlur(pool, recentre=False), patch)
        expected = stored[draw.index].T if draw.transpose else stored[draw.index]
        expected = expected[:: -1 if draw.flip_y else 1, :: -1 if draw.flip_x else 1]
        np.testing.assert_allclose(draw.kernel(), expected, rtol=1e-5)
        assert draw.shift == pytest.approx(off_centre(expected), abs=1e-5)
        assert np.abs(draw.shift).max() > 0.3
        assert (draw.size, draw.reach) == (13, 6)


def test_gray_and_colour_are_blurred_alike(pool: PoolFile) -> None:
    draw, image = drawn(KernelBlur(pool)), np.random.default_rng(0).random((20, 17, 3), dtype=np.float32)
    gray = draw.apply(np.ascontiguousarray(image[..., 1:2]), Context())
    np.testing.assert_array_equal(gray[..., 0], draw.apply(image, Context())[..., 1])


def test_a_pool_without_kernels_or_with_too_wide_ones_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noise").mkdir()
    noise = a_pool(tmp_path / "noise", None, np.zeros((1, 8, 8, 3), np.int16))
    with pytest.raises(UsageError, match=r"mine\.npz: holds no kernels"):
        drawn(KernelBlur(noise))
    wide = a_pool(tmp_path, some_kernels(1, 41, 2.0))
    with pytest.raises(UsageError, match="kernel 0 is 45 pixels wide"):
        drawn(KernelBlur(wide))
