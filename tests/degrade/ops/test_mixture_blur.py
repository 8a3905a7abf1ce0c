"""The varying blur: every kernel has its own draw, every pixel its own mixture, whatever the window."""

from __future__ import annotations

from typing import Any

import numpy as np

from degrade.ops.mixture_blur import MixtureBlur
from degrade.ops.protocol import Context, Distribution
from degrade.rng import Stream

BLUR = MixtureBlur(
    Distribution(range=(0.3, 4.0)),
    Distribution(range=(0.3, 4.0)),
    Distribution(range=(0.0, 3.14)),
    Distribution(choice=(2.0, 5.0)),
    Distribution(13),
    Distribution(range=(20.0, 60.0)),
)


def drawn(op: Any, patch: int = 0) -> Any:
    (draw,) = op.draw(Stream(5, patch).step("blur0"), "blur0")
    return draw


def test_each_kernel_is_drawn_by_itself() -> None:
    for patch in range(20):
        draw = drawn(BLUR, patch)
        assert len(draw.sigma_x) == len(draw.sigma_y) == len(draw.angle) in (2, 5)
        assert len({*draw.sigma_x, *draw.sigma_y}) == 2 * len(draw.sigma_x)
        assert 20 <= draw.period <= 60


def test_a_blurred_pixel_depends_on_its_place_in_the_patch_alone() -> None:
    draw, image = drawn(BLUR), np.random.default_rng(0).random((70, 80, 3), dtype=np.float32)
    whole = draw.apply(image, Context((-20, -16)))
    part = draw.apply(np.ascontiguousarray(image[10:60, 20:75]), Context((-10, 4)))
    np.testing.assert_array_equal(part[6:-6, 6:-6], whole[16:54, 26:69])


def test_the_same_content_is_blurred_differently_in_different_places() -> None:
    draw = drawn(BLUR, 3)
    dots = np.zeros((120, 120, 1), np.float32)
    dots[10::20, 10::20] = 1
    peaks = draw.apply(dots, Context())[10::20, 10::20, 0]
    assert peaks.max() > 1.5 * peaks.min()
