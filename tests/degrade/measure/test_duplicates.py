"""Which patches count as the same."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from degrade.functional.statistics import levels, luma
from degrade.measure.duplicates import detail_of, exact_duplicates, fingerprint, near_duplicates


def found_among(patches: list[np.ndarray]) -> list[tuple[int, int]]:
    planes = [luma(levels(patch)) for patch in patches]
    hashes = [fingerprint(patch, plane).gradient_hash for patch, plane in zip(patches, planes, strict=True)]
    return [(later, earlier) for later, earlier, _ in near_duplicates(hashes, lambda i: detail_of(planes[i]))]


def as_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def change(kind: str, pixels: np.ndarray) -> np.ndarray:
    if kind == "compressed":
        return as_jpeg(pixels, 60)
    if kind == "noisy":
        noisy = pixels + np.random.default_rng(0).normal(0, 4, pixels.shape)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return np.clip(0.9 * pixels + 12, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["compressed", "noisy", "brighter"])
def test_a_changed_copy_is_found(kind, scene) -> None:
    patches = [scene(seed) for seed in range(10)]
    assert found_among([*patches, change(kind, patches[4])]) == [(10, 4)]


def test_neighbouring_patches_and_like_skies_are_none(scene) -> None:
    large = scene(0, 120, 150)
    overlapping = [large[:96, :128], large[24:, :128], large[:96, 22:], large[24:, 22:]]
    ramp = np.linspace(90, 170, 96)[:, None, None]
    skies = [
        np.rint(ramp + np.random.default_rng(seed).normal(0, 2, (96, 128, 3))).astype(np.uint8) for seed in range(4)
    ]
    assert found_among([*overlapping, *skies]) == []


def test_the_hash_is_that_of_block_means(scene) -> None:
    patch = scene(3, 64, 72)
    plane = luma(levels(patch))
    means = plane.reshape(8, 8, 9, 8).mean(axis=(1, 3))
    bits = "".join("1" if step > 0 else "0" for step in np.diff(means, axis=1).ravel())
    assert fingerprint(patch, plane).gradient_hash == int(bits, 2)


def test_each_copy_points_to_the_first() -> None:
    assert exact_duplicates([b"a", b"b", b"a", b"a", b"b"]) == [(2, 0), (3, 0), (4, 1)]
