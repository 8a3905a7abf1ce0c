"""Alignment: known motions of a photograph are found, whatever moves in it and however bright it is."""

from __future__ import annotations

from math import radians

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from degrade.functional.alignment import align, pyramid
from degrade.functional.warp import Motion

HEIGHT, WIDTH = 141, 190


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """Twice as fine as the pictures that are made of it, so that none of them is interpolated from another."""
    return ndimage.gaussian_filter(data.camera().astype(float) / 255, 1.2)


def seen(photo: np.ndarray, motion: Motion, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """What the camera sees after `motion`: the inverse of its definition, at twice the resolution."""
    v = np.arange(height)[:, None] - (height - 1) / 2 - motion.y
    u = np.arange(width) - (width - 1) / 2 - motion.x
    cosine, sine = np.cos(motion.angle) / motion.scale, np.sin(motion.angle) / motion.scale
    places = 256 + 2 * (cosine * v - sine * u), 256 + 2 * (sine * v + cosine * u)
    return np.asarray(ndimage.map_coordinates(photo, np.broadcast_arrays(*places), order=3), np.float32)


def error(found: Motion, motion: Motion) -> float:
    """Pixels, at the corner."""
    corner = np.hypot(HEIGHT, WIDTH) / 2
    shift = np.hypot(found.y - motion.y, found.x - motion.x)
    return float(shift + corner * abs(found.angle - motion.angle) + corner * abs(found.scale - motion.scale))


@pytest.mark.parametrize(
    "motion",
    [
        Motion(),
        Motion(0.5, -0.25),
        Motion(-7.3, 4.1, radians(1)),
        Motion(31.0, -22.0),
        Motion(2.0, 3.0, radians(-4)),
        Motion(-1.0, 1.5, radians(0.5), 1.03),
    ],
)
def test_known_motions_are_found(photo, motion) -> None:
    found = align(pyramid(seen(photo, motion)), pyramid(seen(photo, Motion())), scale=True)
    assert error(found.motion, motion) < 0.02
    assert found.agreement > 0.99


def test_noise_in_both_costs_hundredths_of_a_pixel(photo) -> None:
    rng = np.random.default_rng(0)
    motion = Motion(3.3, -2.2, radians(0.7))
    frame, reference = (
        seen(photo, which) + rng.normal(0, 8 / 255, (HEIGHT, WIDTH)).astype(np.float32) for which in (motion, Motion())
    )
    assert error(align(pyramid(frame), pyramid(reference)).motion, motion) < 0.1


def test_a_large_moving_object_does_not_drag_the_alignment_along(photo) -> None:
    motion = Motion(3.3, -2.2, radians(0.7))
    frame, reference = seen(photo, motion), seen(photo, Motion())
    frame[20:80, 30:100] = 1.0
    reference[30:90, 70:140] = 1.0
    assert error(align(pyramid(frame), pyramid(reference)).motion, motion) < 0.05


def test_exposure_does_not_matter(photo) -> None:
    motion = Motion(-1.6, 2.4, radians(-0.4))
    frame = np.float32(0.7) * seen(photo, motion) + np.float32(0.1)
    assert error(align(pyramid(frame), pyramid(seen(photo, Motion()))).motion, motion) < 0.02


def test_what_is_not_asked_for_stays_put(photo) -> None:
    frame, still = pyramid(seen(photo, Motion(1.0, 2.0, radians(1), 1.02))), pyramid(seen(photo, Motion()))
    assert align(frame, still, rotation=False).motion.angle == 0
    assert align(frame, still, rotation=False).motion.scale == 1
    assert align(frame, still).motion.scale == 1
    assert align(frame, still).motion.angle == pytest.approx(radians(1), abs=radians(0.1))


def test_strangers_do_not_agree(photo) -> None:
    other = ndimage.gaussian_filter(data.coins()[:HEIGHT, :WIDTH].astype(np.float32) / 255, 0.6)
    assert align(pyramid(other), pyramid(seen(photo, Motion()))).agreement < 0.5


def test_large_pictures_are_aligned_on_a_smaller_level(photo, monkeypatch) -> None:
    monkeypatch.setattr("degrade.functional.alignment.MAX_PIXELS", 10_000)
    motion = Motion(-7.3, 4.1, radians(1))
    frame, reference = pyramid(seen(photo, motion)), pyramid(seen(photo, Motion()))
    assert reference.levels[0].shape == (HEIGHT // 2, WIDTH // 2)
    assert error(align(frame, reference).motion, motion) < 0.1
