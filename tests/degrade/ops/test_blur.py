"""What all blurs have in common (traces, reach, registration, folding), and those without a direction."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageFilter
from scipy import ndimage

from degrade.ops import DRAWS
from degrade.ops.anisotropic_blur import AnisotropicGaussianBlur, GeneralizedGaussianBlur, PlateauBlur
from degrade.ops.blur import BoxBlur, DiskBlur, GaussianBlur, MedianBlur, SincBlur
from degrade.ops.mixture_blur import MixtureBlur
from degrade.ops.motion_blur import MotionBlur, ShakeBlur
from degrade.ops.protocol import Context, Distribution, Options
from degrade.ops.resize import Downsample
from degrade.pipeline import run
from degrade.rng import Stream

SIZES = Distribution(choice=(3.0, 7.0, 13.0, 21.0))
SIGMA, ANGLE = Distribution(range=(0.2, 3.0)), Distribution(range=(-3.2, 3.2))
BETA = Distribution(range=(0.5, 4.0))
BLURS: dict[str, Any] = {
    "gaussian_blur": GaussianBlur(SIGMA, SIZES),
    "anisotropic_gaussian_blur": AnisotropicGaussianBlur(SIGMA, SIGMA, ANGLE, SIZES),
    "generalized_gaussian_blur": GeneralizedGaussianBlur(SIGMA, BETA, SIGMA, ANGLE, SIZES),
    "plateau_blur": PlateauBlur(SIGMA, BETA, None, ANGLE, SIZES),
    "box_blur": BoxBlur(SIZES),
    "disk_blur": DiskBlur(Distribution(range=(0.0, 6.0))),
    "motion_blur": MotionBlur(Distribution(range=(0.0, 15.0)), ANGLE, Distribution(range=(-0.3, 0.3))),
    "shake_blur": ShakeBlur(Distribution(range=(0.0, 40.0)), SIZES),
    "sinc_blur": SincBlur(Distribution(range=(0.7, 3.14)), SIZES),
    "median_blur": MedianBlur(Distribution(choice=(3.0, 5.0, 7.0, 9.0))),
    "mixture_blur": MixtureBlur(SIGMA, SIGMA, ANGLE, Distribution(3), SIZES, Distribution(20)),
}
LINEAR = sorted(set(BLURS) - {"median_blur"})
SHIFT_INVARIANT = sorted(set(BLURS) - {"median_blur", "mixture_blur"})


def drawn(op: Any, patch: int = 0) -> Any:
    (draw,) = op.draw(Stream(5, patch).step("blur0"), "blur0")
    return draw


def replayed(draw: Any) -> Any:
    entry = json.loads(json.dumps({"op": draw.op, **{name: getattr(draw, name) for name in draw.__slots__}}))
    return DRAWS[entry.pop("op")](**entry)


def scene(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, channels), dtype=np.float32)


@pytest.mark.parametrize("kind", BLURS)
@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from([1, 3]), st.integers(0, 1000))
def test_a_trace_gives_the_same_blur_again(kind: str, height: int, width: int, channels: int, patch: int) -> None:
    draw, image = drawn(BLURS[kind], patch), scene(height, width, channels)
    before = image.copy()
    made = draw.apply(image, Context((-3, 2)))
    assert made.shape == image.shape
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    assert np.isfinite(made).all()
    np.testing.assert_array_equal(replayed(draw).apply(image, Context((-3, 2))), made)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("kind", BLURS)
@given(st.integers(0, 1000))
def test_no_pixel_beyond_the_reach_counts(kind: str, patch: int) -> None:
    """The window with `reach` pixels around gives what the whole image gives, to the bit."""
    draw, image = drawn(BLURS[kind], patch), scene(64, 60, 3)
    reach = draw.reach
    inner = np.ascontiguousarray(image[25 - reach : 37 + reach, 26 - reach : 35 + reach])
    near = draw.apply(inner, Context((25 - reach, 26 - reach)))[reach : reach + 12, reach : reach + 9]
    np.testing.assert_array_equal(near, draw.apply(image, Context())[25:37, 26:35])


@pytest.mark.parametrize("kind", LINEAR)
@given(st.integers(0, 1000))
def test_a_linear_blur_keeps_the_mean_and_moves_nothing(kind: str, patch: int) -> None:
    """The centre of mass of a point's image is the point, to 1e-4 pixel: float32 sums."""
    draw, point = drawn(BLURS[kind], patch), np.zeros((61, 59, 1), np.float32)
    point[30, 29] = 1
    spread = draw.apply(point, Context())[..., 0].astype(float)
    flat = np.full((23, 21, 3), 0.4, np.float32)
    np.testing.assert_allclose(draw.apply(flat, Context()), flat, atol=1e-6)
    if kind in SHIFT_INVARIANT:
        assert spread.sum() == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(ndimage.center_of_mass(spread), (30, 29), atol=1e-4)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("filter", ["bilinear", "bicubic", "area", "nearest"])
@pytest.mark.parametrize("kind", SHIFT_INVARIANT)
def test_folded_into_the_downsampling_it_gives_the_same(kind: str, filter: str, antialias: bool) -> None:
    """Not for nearest after a Gaussian or its relatives: folded, those are evaluated between pixels."""
    pixels = (scene(88, 96, 3) * 255).astype(np.uint8)
    blur = drawn(BLURS[kind], 3)
    if filter == "nearest" and (hasattr(blur, "axis_map_at") or hasattr(blur, "kernel_at")):
        return
    for scale in (2, 3, 4):
        window = pixels[: 88 // (8 * scale) * 8 * scale, : 96 // (8 * scale) * 8 * scale]
        draws = [blur, *Downsample(Options(filter), scale, antialias).draw(Stream(0).step("d"), "d")]
        folded = run(window, draws, scale=scale, margin=4 * scale)
        unfolded = run(window, draws, scale=scale, margin=4 * scale, fold=False)
        reach = -(-blur.reach // scale)
        inside = (slice(max(0, reach - 2), folded.shape[0] - max(0, reach - 2)),) * 2
        np.testing.assert_allclose(folded[inside], unfolded[inside], atol=2e-6)


@pytest.mark.parametrize("kind", ["anisotropic_gaussian_blur", "generalized_gaussian_blur", "plateau_blur"])
def test_nearest_after_a_gaussian_takes_it_at_the_true_centres(kind: str) -> None:
    """A ramp comes out as the ramp's values at the centres of 4 x 4 blocks, not 0.5 pixel beside."""
    ramp = np.broadcast_to(np.arange(96, dtype=np.uint8)[:, None, None] * 2, (96, 96, 1)).copy()
    draws = [drawn(BLURS[kind], 3), *Downsample(Options("nearest"), 4).draw(Stream(0).step("d"), "d")]
    lr = run(ramp, draws, scale=4, margin=24)[..., 0] * 255
    np.testing.assert_allclose(lr, np.broadcast_to(2 * (24 + 4 * np.arange(12) + 1.5)[:, None], (12, 12)), atol=1e-3)


def test_gaussian_equals_opencv_s() -> None:
    image, draw = scene(41, 33, 3), drawn(GaussianBlur(Distribution(2.3), Distribution(13)))
    expected = cv2.GaussianBlur(image, (13, 13), 2.3, borderType=cv2.BORDER_REFLECT)
    np.testing.assert_allclose(draw.apply(image, Context()), expected, atol=1e-6)


def test_box_is_the_mean_as_pillow_s_inside() -> None:
    """Pillow rounds to 8 bits after each of its passes."""
    pixels = (scene(50, 44, 3) * 255).astype(np.uint8)
    theirs = np.asarray(PillowImage.fromarray(pixels).filter(ImageFilter.BoxBlur(3))).astype(float)
    ours = drawn(BoxBlur(Distribution(7))).apply(pixels.astype(np.float32), Context())
    assert np.abs(ours - theirs)[3:-3, 3:-3].max() < 1.5
    for c in range(3):
        expected = ndimage.uniform_filter(pixels[..., c].astype(float), 7, mode="reflect")
        np.testing.assert_allclose(ours[..., c], expected, atol=1e-4)


def test_median_turns_with_the_image_and_stays_in_its_range() -> None:
    image, draw = scene(23, 31, 3), drawn(BLURS["median_blur"])
    made = draw.apply(image, Context())
    turned = np.ascontiguousarray(image[::-1, ::-1])
    np.testing.assert_array_equal(draw.apply(turned, Context()), made[::-1, ::-1])
    assert np.isin(made, image).all()


def test_sizes_are_drawn_evenly_and_a_range_gives_odd_ones() -> None:
    sizes = [drawn(BLURS["gaussian_blur"], patch).size for patch in range(1000)]
    values, counts = np.unique(sizes, return_counts=True)
    assert values.tolist() == [3, 7, 13, 21]
    assert np.abs(counts / 1000 - 0.25).max() < 5 * np.sqrt(0.25 / 1000)
    ranged = {drawn(BoxBlur(Distribution(range=(5.0, 12.9))), patch).size for patch in range(200)}
    assert ranged == {5, 7, 9, 11}
    assert drawn(GaussianBlur(Distribution(1.0))).size == 15


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianBlur(Distribution(1.0), Distribution(14)), "expected an odd size from 3 to 41, got 14"),
        (lambda: BoxBlur(Distribution(43)), "expected size at least 3 and at most 41, got values from 43 to 43"),
        (lambda: BoxBlur(Distribution(choice=(3.0, 4.0))), "expected an odd size from 3 to 41, got 4"),
        (lambda: GaussianBlur(Distribution(range=(0.0, 1.0))), "expected sigma above 0"),
        (lambda: DiskBlur(Distribution(21.0)), "expected radius at least 0 and at most 20.5"),
        (lambda: SincBlur(Distribution(3.5)), "expected cutoff at least 0.1 and at most 3.1416"),
        (lambda: MedianBlur(Distribution(11)), "expected size at least 3 and at most 9"),
        (lambda: MotionBlur(Distribution(50.0)), "expected length at least 0 and at most 40"),
        (lambda: MotionBlur(Distribution(5.0), curvature=Distribution(2.0)), "expected curvature at least -1"),
        (lambda: PlateauBlur(Distribution(1.0), Distribution(0.0)), "expected beta above 0"),
        (
            lambda: MixtureBlur(SIGMA, SIGMA, count=Distribution(9)),
            "expected count at least 2 and at most 8, got values from 9",
        ),
    ],
)
def test_impossible_fields_are_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
