"""WebP and AVIF in memory, against Pillow called by hand."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, features

from degrade.errors import UsageError
from degrade.functional import recompress

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")


def scene(height: int = 45, width: int = 62, channels: int = 3) -> np.ndarray:
    y, x, c = np.ogrid[:height, :width, :channels]
    waves = 128 + 90 * np.sin(0.21 * y + 1.3 * c) * np.cos(0.17 * x - 0.4 * c)
    return (waves + np.random.default_rng(0).normal(0, 6, waves.shape)).clip(0, 255).astype(np.uint8)


def test_webp_is_pillows() -> None:
    buffer = BytesIO()
    Image.fromarray(scene()).save(buffer, "WEBP", quality=35, method=2)
    np.testing.assert_array_equal(recompress.webp(scene(), 35, 2), np.asarray(Image.open(buffer).convert("RGB")))


def test_webp_begun_inside_a_macroblock_is_that_of_the_image_with_its_edge_repeated() -> None:
    padded = np.pad(scene(), ((5, 0), (11, 0), (0, 0)), mode="edge")
    result = recompress.webp(scene(), 35, 0, before=(5, 11))
    np.testing.assert_array_equal(result, recompress.webp(padded, 35, 0)[5:, 11:])
    assert (result != recompress.webp(scene(), 35, 0)).any()


def test_quality_says_how_much_is_lost() -> None:
    def loss(result: np.ndarray) -> float:
        return float(np.square(result.astype(float) - scene()).mean())

    webp = [loss(recompress.webp(scene(), quality, 0)) for quality in (10, 50, 90)]
    assert webp[0] > webp[1] > webp[2] > 0


@needs_avif
def test_avif_is_pillows() -> None:
    buffer = BytesIO()
    Image.fromarray(scene()).save(buffer, "AVIF", quality=40, speed=9, subsampling="4:4:4")
    expected = np.asarray(Image.open(buffer).convert("RGB"))
    np.testing.assert_array_equal(recompress.avif(scene(), 40, 9, "4:4:4"), expected)


@needs_avif
def test_gray_comes_back_as_one_channel_and_close() -> None:
    gray = scene(channels=1)
    for result in (recompress.webp(gray, 90, 0), recompress.avif(gray, 90, 9)):
        assert result.shape == gray.shape
        assert result.dtype == np.uint8
        assert result.flags.c_contiguous
        assert np.sqrt(np.square(result.astype(float) - gray).mean()) < 6  # the noise in it has sigma 6


def test_a_pillow_without_avif_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recompress, "has_avif", lambda: False)
    with pytest.raises(UsageError, match=r"avif: this Pillow was built without AVIF - install Pillow 11.3 or later"):
        recompress.avif(scene(), 40)
