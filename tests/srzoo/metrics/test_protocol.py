"""What the protocols compare: luma, rounding, borders."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from srzoo.metrics.protocol import compared, luma, published_bicubic

COLOURS = {
    (255, 0, 0): 81.481,
    (0, 255, 0): 144.553,
    (0, 0, 255): 40.966,
    (255, 255, 255): 235,
    (0, 0, 0): 16,
    (128, 64, 32): 84.266165,
}


def pictures(height: int = 24, width: int = 28, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (2, height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize(("rgb", "value"), COLOURS.items())
def test_luma_of_known_colours(rgb: tuple[int, int, int], value: float) -> None:
    assert luma(np.array([[rgb]], np.uint8)).item() == pytest.approx(value, abs=5e-7)


def test_luma_is_scikit_images_and_grey_is_three_equal_channels() -> None:
    colour, _ = pictures()
    np.testing.assert_allclose(luma(colour)[..., 0], rgb2ycbcr(colour)[..., 0], atol=1e-9)
    grey = colour[..., :1]
    np.testing.assert_allclose(luma(grey), luma(grey.repeat(3, axis=2)), atol=1e-12)


def test_each_protocol_compares_its_own_planes_inside_the_border() -> None:
    sr, hr = pictures()
    for scale in (2, 3):
        within = (slice(scale, 24 - scale), slice(scale, 28 - scale))
        for picture, plane in ((sr, 0), (hr, 1)):
            y = rgb2ycbcr(picture)[within][..., :1]
            np.testing.assert_allclose(compared("network", sr, hr, scale)[plane], y, atol=1e-9)
            np.testing.assert_array_equal(compared("published", sr, hr, scale)[plane], np.floor(y + 0.5))
            np.testing.assert_array_equal(compared("rounded", sr, hr, scale)[plane], np.floor(y + 0.5))
            np.testing.assert_array_equal(compared("rgb", sr, hr, scale)[plane], picture[within])
            whole = np.floor(rgb2ycbcr(picture)[..., :1] + 0.5)
            np.testing.assert_array_equal(compared("realsr", sr, hr, scale)[plane], whole)


def test_the_published_bicubic_is_clamped_and_rounded_luma() -> None:
    hr = np.zeros((24, 24, 3), np.uint8)
    hr[:, 12:] = 255  # bicubic overshoots beside this edge
    large, truth = published_bicubic(hr, 4)
    assert large.shape == truth.shape == (16, 16, 1)
    assert set(np.unique(truth)) == {16, 235}
    assert (large.min(), large.max()) == (16, 235)
    np.testing.assert_array_equal(large, np.round(large))


def test_published_bicubic_takes_a_grey_picture_as_its_own_luma_and_can_start_from_a_file() -> None:
    hr, _ = pictures(channels=1)
    np.testing.assert_array_equal(published_bicubic(hr, 2)[1], hr[2:-2, 2:-2])
    lr = np.full((12, 14, 3), 255, np.uint8)
    assert (published_bicubic(hr, 2, lr=lr)[0] == 235).all()


def test_what_cannot_be_compared_is_refused() -> None:
    sr, hr = pictures()
    with pytest.raises(ValueError, match="expected two alike"):
        compared("rgb", sr[1:], hr, 2)
    with pytest.raises(ValueError, match="protocol: expected one of published, network, rounded, rgb, realsr, got 'Y'"):
        compared("Y", sr, hr, 2)  # type: ignore[reportArgumentType]
