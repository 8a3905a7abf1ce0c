"""What is wrong with a set is found, what is right is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from degrade.measure.check import Thresholds, check_set, judge

NUM = 12


@pytest.fixture
def good(scene, lr_of):
    """LR and HR lists of pairs without a fault."""
    hr = [scene(seed) for seed in range(NUM)]
    return [lr_of(one) for one in hr], hr


def test_plain_bicubic_pairs_are_fine_and_registered(good, pairs_of) -> None:
    verdict = check_set(pairs_of(*good))
    assert verdict.is_fine
    assert verdict.registration.length < 0.02  # LR pixels
    assert verdict.registration.num_confident == NUM
    assert max(map(abs, verdict.colour)) < 0.1
    assert verdict.as_dict()["is_fine"]


@pytest.mark.parametrize(("axis", "sign"), [(0, 1), (1, -1)])
def test_hr_rolled_by_one_pixel_is_found_as_a_quarter_of_an_lr_pixel(good, pairs_of, axis, sign) -> None:
    lr, hr = good
    verdict = check_set(pairs_of(lr, [np.roll(one, sign, axis) for one in hr]))
    shift = (verdict.registration.y, verdict.registration.x)
    assert not verdict.is_fine
    assert shift[axis] == pytest.approx(-sign / 4, abs=0.02)
    assert abs(shift[1 - axis]) < 0.02
    assert not verdict.counts.get("shifted")  # all alike: a fault of the set, not of one pair


def test_a_stride_without_centring_is_found_as_three_eighths_of_an_lr_pixel(good, pairs_of) -> None:
    """[::4] takes the first pixel of each block, 1.5 HR pixels before its centre: content moves down and right."""
    _, hr = good
    verdict = check_set(pairs_of([np.ascontiguousarray(one[::4, ::4]) for one in hr], hr))
    assert verdict.registration.is_suspicious
    assert (verdict.registration.y, verdict.registration.x) == pytest.approx((0.375, 0.375), abs=0.08)  # aliased


def test_one_shifted_pair_is_named(good, pairs_of, lr_of) -> None:
    lr, hr = good
    lr[5] = lr_of(np.roll(hr[5], 2, axis=1))
    verdict = check_set(pairs_of(lr, hr))
    assert [(one.index, one.reason) for one in verdict.remarks] == [(5, "shifted")]
    assert verdict.remarks[0].figure == pytest.approx(0.5, abs=0.05)
    assert not verdict.registration.is_suspicious
    assert verdict.remarks[0].source == "/photos/a.png"


def test_an_lr_of_another_patch_is_named(good, pairs_of) -> None:
    lr, hr = good
    lr[3], lr[4] = lr[4], lr[3]
    verdict = check_set(pairs_of(lr, hr))
    assert {(one.index, one.reason) for one in verdict.remarks} == {(3, "unlike"), (4, "unlike")}


def test_a_colour_cast_is_named_and_noise_is_none(good, pairs_of) -> None:
    lr, hr = good
    random = np.random.default_rng(0)
    lr[1] = np.clip(lr[1] + np.array([5, 0, -1]), 0, 255).astype(np.uint8)
    lr[2] = np.clip(np.rint(lr[2] + random.normal(0, 20, lr[2].shape)), 0, 255).astype(np.uint8)
    verdict = check_set(pairs_of(lr, hr))
    assert [(one.index, one.reason) for one in verdict.remarks] == [(1, "colour")]
    assert verdict.remarks[0].figure == pytest.approx(5, abs=0.2)
    assert verdict.remarks[0].text.startswith("LR minus HR is +5.")


def test_noise_pushed_off_the_scale_is_no_colour_cast(scene, lr_of) -> None:
    """Clipped noise lifts black by 8 levels at sigma 20, level 8 by 4: such pixels do not count."""
    hr = scene(0) // 16
    noisy = lr_of(hr) + np.random.default_rng(0).normal(0, 20, lr_of(hr).shape)
    found = judge(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), hr)
    assert np.clip(np.rint(noisy), 0, 255).mean() - lr_of(hr).mean() > 3
    assert found.colour is None


def test_blank_and_clipped_patches_are_named(good, pairs_of) -> None:
    lr, hr = good
    hr[0], lr[0] = np.full_like(hr[0], 90), np.full_like(lr[0], 90)
    hr[1] = hr[1].copy()
    hr[1][:60] = 255
    lr[1] = lr[1].copy()
    lr[1][:15] = 255
    verdict = check_set(pairs_of(lr, hr))
    reasons = {(one.index, one.reason) for one in verdict.remarks}
    assert {(0, "blank"), (1, "clipped")} <= reasons
    assert {index for index, _ in reasons} == {0, 1}


def test_exact_duplicates_are_named_and_variants_are_none(good, pairs_of) -> None:
    lr, hr = good
    hr[7] = hr[2].copy()
    lr[7] = lr[2].copy()
    verdict = check_set(pairs_of([*lr, lr[0]], hr, hr_index=[*range(NUM), 0]))  # the last is a variant of the first
    assert [(one.index, one.reason, one.other) for one in verdict.remarks] == [(7, "duplicate", 2)]
    assert verdict.num_patches == NUM


def test_gray_pairs_and_small_patches_are_judged(scene, lr_of, pairs_of) -> None:
    hr = [scene(seed, 48, 32, channels=1) for seed in range(6)]  # LR of 12 x 8: compared at HR size
    verdict = check_set(pairs_of([lr_of(one) for one in hr], hr))
    assert verdict.is_fine
    assert verdict.registration.num_confident > 0
    assert len(verdict.colour) == 1


def test_patches_too_small_for_a_shift_are_not_registered(scene, lr_of, pairs_of) -> None:
    hr = [scene(seed, 12, 12) for seed in range(3)]
    verdict = check_set(pairs_of([lr_of(one) for one in hr], hr))
    assert verdict.registration.num_measured == 0
    assert not verdict.registration.is_suspicious


def test_thresholds_decide(good, pairs_of) -> None:
    verdict = check_set(pairs_of(*good), thresholds=Thresholds(min_deviation=1000))
    assert verdict.counts == {"blank": NUM}
