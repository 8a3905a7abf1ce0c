"""Registration: known shifts of real photographs are found, and what has no answer says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import fft, ndimage
from skimage import data
from skimage.registration import phase_cross_correlation

from degrade import codecs
from degrade.functional.registration import Shift, shift

SHIFTS = [(0.0, 0.0), (0.5, -0.5), (-0.31, 0.22), (1.25, 2.75), (-3.6, 0.1)]


def luminance(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(pixels, np.float64).mean(axis=2) / 255 if pixels.ndim == 3 else np.asarray(pixels, float) / 255


def moved(photo: np.ndarray, y: float, x: float) -> np.ndarray:
    """The whole photo moved down and right by the Fourier shift theorem: exact, independent of splines and fits."""
    phase = fft.fftfreq(photo.shape[0])[:, None] * y + fft.fftfreq(photo.shape[1]) * x
    return fft.ifft2(fft.fft2(photo) * np.exp(-2j * np.pi * phase)).real


def crop(photo: np.ndarray, height: int, width: int, y: int = 150, x: int = 130) -> np.ndarray:
    return photo[y : y + height, x : x + width]


def error(found: Shift, y: float, x: float) -> float:
    return max(abs(found.y - y), abs(found.x - x))


@pytest.fixture(scope="module", params=["astronaut", "camera", "coffee"])
def photo(request: pytest.FixtureRequest) -> np.ndarray:
    return luminance(getattr(data, request.param)())


@pytest.mark.parametrize(("height", "width"), [(48, 48), (63, 90), (128, 101), (224, 200)])
@pytest.mark.parametrize(("y", "x"), SHIFTS)
def test_a_known_shift_is_found_to_a_hundredth_of_a_pixel(photo, height, width, y, x) -> None:
    found = shift(crop(moved(photo, y, x), height, width), crop(photo, height, width))
    assert error(found, y, x) < 0.01
    assert found.confidence > 0.9


@pytest.mark.parametrize("sigma", [0.7, 1.2, 2.0])
def test_a_symmetric_blur_of_one_of_the_two_moves_nothing(photo, sigma) -> None:
    blurred = ndimage.gaussian_filter(moved(photo, 0.37, -1.6), sigma)
    assert error(shift(crop(blurred, 64, 64), crop(photo, 64, 64)), 0.37, -1.6) < 0.02
    assert error(shift(crop(blurred, 128, 128), crop(photo, 128, 128)), 0.37, -1.6) < 0.01


@pytest.mark.parametrize("is_reference_noisy", [False, True])
def test_blurred_and_noisy_patches_of_128_pixels_are_placed_within_two_hundredths(photo, is_reference_noisy) -> None:
    rng = np.random.default_rng(0)
    errors = []
    for y, x in SHIFTS * 3:
        noisy = ndimage.gaussian_filter(moved(photo, y, x), 1.0) + rng.normal(0, 3 / 255, photo.shape)
        reference = photo + rng.normal(0, 3 / 255, photo.shape) * is_reference_noisy
        errors.append(error(shift(crop(noisy, 128, 128), crop(reference, 128, 128)), y, x))
    assert np.sqrt(np.mean(np.square(errors))) < 0.02  # one draw of noise may lie at two standard errors


def test_gain_and_offset_move_nothing(photo) -> None:
    found = shift(0.5 * crop(moved(photo, -0.4, 0.7), 96, 96) + 0.3, crop(photo, 96, 96))
    assert error(found, -0.4, 0.7) < 0.01
    assert found.confidence > 0.9


def test_the_sign_is_where_the_content_of_moving_lies() -> None:
    reference = np.zeros((32, 40))
    reference[10:14, 12:19] = 1
    below_and_left = np.roll(reference, (3, -2), axis=(0, 1))
    found = shift(below_and_left, reference)
    assert (round(found.y, 2), round(found.x, 2)) == (3, -2)
    back = shift(reference, below_and_left)
    assert (round(back.y, 2), round(back.x, 2)) == (-3, 2)


def test_it_is_more_accurate_than_scikit_image_and_of_opposite_sign(photo) -> None:
    ours, theirs = [], []
    for y, x in SHIFTS:
        moving, reference = crop(moved(photo, y, x), 200, 200), crop(photo, 200, 200)
        there, _, _ = phase_cross_correlation(reference, moving, upsample_factor=100, normalization=None)
        theirs.append(max(abs(there[0] + y), abs(there[1] + x)))
        ours.append(error(shift(moving, reference), y, x))
    assert max(theirs) < 1  # the same shift, the sign turned; without a window it is drawn to whole pixels
    assert max(ours) <= max(theirs)
    assert max(ours) < 0.005


def test_large_shifts_are_found_from_the_overlap(photo) -> None:
    found = shift(crop(moved(photo, 20, -31), 128, 128), crop(photo, 128, 128))
    assert error(found, 20, -31) < 0.01


def test_flat_unrelated_and_one_edged_patches_have_no_confidence(photo) -> None:
    rng = np.random.default_rng(0)
    flat = [0.5 + rng.normal(0, 0.01, (64, 64)) for _ in range(2)]
    assert shift(*flat).confidence < 0.05
    assert shift(np.full((32, 32), 0.5), np.full((32, 32), 0.5)) == Shift(0.0, 0.0, 0.0)
    assert shift(crop(photo, 64, 64), crop(photo, 64, 64, y=20, x=300)).confidence < 0.2
    edge = ndimage.gaussian_filter(np.repeat(np.arange(64) > 31, 64).reshape(64, 64).astype(float), 1.0)
    one_edge = shift(edge + rng.normal(0, 0.03, edge.shape), edge + rng.normal(0, 0.03, edge.shape))
    assert one_edge.confidence < 0.3  # nothing is known of the shift along it
    assert abs(one_edge.y) < 0.05


def test_the_confidence_falls_with_noise(photo) -> None:
    rng = np.random.default_rng(1)
    confidences = [
        shift(crop(moved(photo, 0.4, 0.4), 64, 64) + rng.normal(0, sigma, (64, 64)), crop(photo, 64, 64)).confidence
        for sigma in (0, 0.05, 0.15, 0.5)
    ]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] > 0.95
    assert confidences[-1] < 0.2


def test_float32_and_views_are_taken_and_left_alone(photo) -> None:
    moving = moved(photo, 0.2, 0.3).astype(np.float32)[100:180:1, 120:200]
    before = moving.copy()
    assert error(shift(moving, photo.astype(np.float32)[100:180, 120:200]), 0.2, 0.3) < 0.01
    assert np.array_equal(moving, before)


@pytest.mark.parametrize(
    ("moving", "reference", "message"),
    [
        (np.zeros((32, 32)), np.zeros((32, 33)), r"of one size, got \(32, 32\) and \(32, 33\)"),
        (np.zeros((32, 32, 1)), np.zeros((32, 32, 1)), "expected two"),
        (np.zeros((15, 32)), np.zeros((15, 32)), "at least 16 x 16"),
    ],
)
def test_what_cannot_be_compared_is_refused(moving, reference, message) -> None:
    with pytest.raises(ValueError, match=message):
        shift(moving, reference)


def test_real_photographs_are_placed_by_their_own_information(sr_data: Path) -> None:
    """The root mean square over patches of many photographs, each error in units of the patch's Cramer-Rao bound."""
    rng = np.random.default_rng(2)
    sigma, ratios, errors = 4 / 255, [], []
    for path in sorted((sr_data / "hr_train").glob("*.webp"))[::16]:
        photo = luminance(codecs.read(path).pixels)
        y, x = rng.uniform(-3, 3, 2)
        reference = crop(photo, 96, 96)
        moving = crop(moved(photo, y, x), 96, 96) + rng.normal(0, sigma, (96, 96))
        slopes = np.stack([slope.ravel() for slope in np.gradient(reference)])
        bound = sigma * np.sqrt(np.linalg.eigvalsh(np.linalg.inv(slopes @ slopes.T))[-1])
        if bound < 0.03:
            errors.append(error(shift(moving, reference), y, x))
            ratios.append(errors[-1] / bound)
    assert len(ratios) >= 6
    assert np.sqrt(np.mean(np.square(ratios))) < 2.5
    assert np.median(errors) < 0.02
