"""The sensor as a step: its published numbers, its trace, its range."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from degrade.functional.camera_matrix import camera_from_srgb
from degrade.ops import DRAWS
from degrade.ops.protocol import Context, Distribution, Options
from degrade.ops.sensor import Sensor
from degrade.rng import Stream


def drawn(op: Sensor, patch: int = 0) -> Any:
    (draw,) = op.draw(Stream(5, patch).step("sensor0"), "sensor0")
    return draw


ANY = Sensor(
    exposure=Distribution(range=(-3.0, 1.0)),
    ccm=Options(choice=("mixed", "nexus_6p", "identity")),
    bits=Distribution(choice=(10.0, 12.0, 14.0)),
    demosaic=Options(choice=("bilinear", "malvar")),
)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.integers(0, 1000))
def test_a_trace_gives_the_same_picture_again_in_range(height: int, width: int, channels: int, patch: int) -> None:
    image = np.random.default_rng(0).uniform(-0.2, 1.2, (height, width, channels)).astype(np.float32)
    before, draw = image.copy(), drawn(ANY, patch)
    made = draw.apply(image, Context((-3, 2)))
    entry = json.loads(json.dumps({"op": draw.op, **{name: getattr(draw, name) for name in draw.__slots__}}))
    again = DRAWS[entry.pop("op")](**entry).apply(image, Context((-3, 2)))
    assert made.shape == image.shape
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    assert made.min() >= 0
    assert made.max() <= 1
    np.testing.assert_array_equal(again, made)
    np.testing.assert_array_equal(image, before)


def test_the_defaults_are_the_paper_s() -> None:
    draws = [drawn(Sensor(), patch) for patch in range(2000)]
    shot, read = np.log([d.shot for d in draws]), np.log([d.read for d in draws])
    assert stats.kstest(shot, "uniform", (np.log(1e-4), np.log(0.012 / 1e-4))).pvalue > 1e-3
    assert stats.kstest((read - 2.18 * shot - 1.20) / 0.26, "norm").pvalue > 1e-3
    assert stats.kstest([d.red_gain for d in draws], "uniform", (1.9, 0.5)).pvalue > 1e-3
    assert stats.kstest([d.blue_gain for d in draws], "uniform", (1.5, 0.4)).pvalue > 1e-3
    patterns = np.unique([d.pattern for d in draws], return_counts=True)
    assert list(patterns[0]) == ["BGGR", "GBRG", "GRBG", "RGGB"]
    assert stats.chisquare(patterns[1]).pvalue > 1e-3
    np.testing.assert_allclose([np.sum(d.to_camera, 1) for d in draws], 1, atol=1e-12)
    assert len({d.to_camera for d in draws}) == 2000


def test_a_named_camera_and_a_stated_read_noise_are_taken() -> None:
    draw = drawn(Sensor(read=Distribution(1e-4), ccm=Options("sony_a7r")))
    assert draw.read == 1e-4
    assert draw.to_camera == camera_from_srgb([0, 1, 0, 0])
    assert drawn(Sensor(ccm=Options("identity"))).to_camera == ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def test_a_margin_of_the_stated_reach_is_enough() -> None:
    image = np.random.default_rng(0).random((50, 60, 3), dtype=np.float32)
    for patch in range(8):
        draw = drawn(ANY, patch)
        wide = draw.apply(image, Context((-12, -11)))
        inner = np.ascontiguousarray(image[12 - draw.reach : 40 + draw.reach, 11 - draw.reach : 45 + draw.reach])
        near = draw.apply(inner, Context((-draw.reach, -draw.reach)))
        np.testing.assert_array_equal(
            near[draw.reach : -draw.reach, draw.reach : -draw.reach], wide[12:40, 11:45], err_msg=draw.pattern
        )


def test_gray_and_colour_get_noise_of_the_same_order() -> None:
    """A gray image lacks the gains and the matrix, which amplify, and the demosaicing, which averages."""
    op = Sensor(shot=Distribution(0.003))
    gray = np.full((120, 130, 1), 0.5, np.float32)
    colour = gray.repeat(3, 2)
    stds = [drawn(op).apply(image, Context()).std((0, 1)).mean() for image in (gray, colour)]
    assert 0.8 < stds[1] / stds[0] < 2.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sensor(shot=Distribution(0.0)), "expected shot above 0 and at most 1"),
        (lambda: Sensor(read=Distribution(-1.0)), "expected read at least 0 and at most 1, got values from -1 to -1"),
        (lambda: Sensor(bits=Distribution(20.0)), "expected bits at least 8 and at most 16"),
        (lambda: Sensor(pattern=Options("RGBG")), "expected pattern to be one of RGGB, GRBG, GBRG, BGGR, got 'RGBG'"),
        (lambda: Sensor(demosaic=Options("ahd")), "expected demosaic to be one of bilinear, malvar"),
        (lambda: Sensor(ccm=Options("leica")), "expected ccm to be one of mixed, nexus_6p"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
