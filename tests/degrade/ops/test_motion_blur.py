"""Motion: its trace names its path, and every pair shakes in its own way."""

from __future__ import annotations

from typing import Any

import numpy as np

from degrade.ops.motion_blur import MotionBlur, ShakeBlur
from degrade.ops.protocol import Distribution
from degrade.rng import Stream


def drawn(op: Any, patch: int = 0) -> Any:
    (draw,) = op.draw(Stream(5, patch).step("blur0"), "blur0")
    return draw


def test_plain_motion_is_straight_and_along_x() -> None:
    draw = drawn(MotionBlur(Distribution(6.0)))
    assert (draw.angle, draw.curvature, draw.reach) == (0.0, 0.0, 3)
    assert np.count_nonzero(draw.kernel().sum(1) > 1e-12) == 1


def test_reach_is_that_of_the_kernel() -> None:
    for patch in range(50):
        motion = drawn(MotionBlur(Distribution(range=(0.0, 40.0)), curvature=Distribution(range=(-1.0, 1.0))), patch)
        shake = drawn(ShakeBlur(Distribution(range=(0.0, 60.0)), Distribution(choice=(9.0, 25.0))), patch)
        for draw in (motion, shake):
            assert draw.kernel().shape == (2 * draw.reach + 1,) * 2


def test_every_pair_shakes_in_its_own_way() -> None:
    draws = [drawn(ShakeBlur(Distribution(20.0), Distribution(25)), patch) for patch in range(50)]
    assert len({draw.key for draw in draws}) == 50
    assert all(len(draw.key) == 16 for draw in draws)
