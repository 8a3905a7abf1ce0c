import numpy as np
import pytest
from scipy import ndimage, signal

from degrade.functional.statistics import luma
from srzoo.kernelgan.crops import CRITIC_CROP, GENERATOR_CROP, centre_probabilities, detail_map, draw_crops

RNG = np.random.default_rng(0)


def flat_but_for(*spots: tuple[int, int], height: int = 160, width: int = 200) -> np.ndarray:
    """Grey, with small checkerboards around `spots`."""
    image = np.full((height, width, 3), 0.5, np.float32)
    for y, x in spots:
        board = np.indices((12, 12)).sum(0) // 2 % 2
        image[y - 6 : y + 6, x - 6 : x + 6] = board[..., None]
    return image


def test_crops_lie_inside_at_even_corners() -> None:
    image = RNG.random((70, 94, 3)).astype(np.float32)
    crops = draw_crops(image, 400, np.random.default_rng(1))
    for corners, side in ((crops.generator, GENERATOR_CROP), (crops.critic, CRITIC_CROP)):
        assert corners.shape == (400, 2)
        assert (corners >= 0).all()
        assert (corners + side <= (70, 94)).all()
        assert (corners % 2 == 0).all()
    assert np.ptp(crops.critic, axis=0).min() > 30


def test_crops_show_what_has_detail() -> None:
    crops = draw_crops(flat_but_for((50, 60), (110, 150)), 300, np.random.default_rng(1))
    for corners, side in ((crops.generator, GENERATOR_CROP), (crops.critic, CRITIC_CROP)):
        middles = corners + side / 2
        near = [np.abs(middles - spot).max(1) < side / 2 + 10 for spot in ((50, 60), (110, 150))]
        assert (near[0] | near[1]).all()
        assert 75 < near[0].sum() < 225


def test_crops_are_drawn_in_proportion() -> None:
    image = RNG.random((68, 70, 3)).astype(np.float32)
    crops = draw_crops(image, 20_000, np.random.default_rng(1))
    chances = centre_probabilities(detail_map(luma(image)), CRITIC_CROP)
    rows = np.bincount(crops.critic[:, 0], minlength=68)[::2] / 20_000
    expected = chances.sum(1)[CRITIC_CROP // 2 :]
    expected = expected[: len(expected) // 2 * 2].reshape(-1, 2).sum(1)
    np.testing.assert_allclose(rows[: len(expected)], expected, atol=0.012)  # 4 sigma of a share of 1 / 20


def test_the_detail_map_is_the_box_mean_of_the_strongest_gradients() -> None:
    plane = ndimage.gaussian_filter(RNG.random((60, 80)), 1.5)
    down, across = np.gradient(plane)
    total = np.zeros_like(plane)
    for kind in (abs(down), abs(across), np.hypot(down, across)):
        inner = np.zeros_like(plane)
        inner[5:-5, 5:-5] = kind[5:-5, 5:-5]
        strong = inner > np.sort(inner, axis=None)[int(0.97 * inner.size)]
        total += strong / strong.sum()
    expected = signal.convolve2d(total, np.ones((5, 5)), "same")
    np.testing.assert_allclose(detail_map(plane), expected / expected.mean(), atol=1e-9)


def test_the_same_seed_draws_the_same_crops() -> None:
    image = RNG.random((80, 80, 1)).astype(np.float32)
    first, again, other = (draw_crops(image, 50, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first.generator, again.generator)
    assert np.array_equal(first.critic, again.critic)
    assert not np.array_equal(first.generator, other.generator)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((64, 80, 3), np.float32), "even sides of at least 66 pixels, got 64 x 80"),
        (np.zeros((81, 80, 3), np.float32), "even sides"),
        (np.full((80, 80, 3), 0.5, np.float32), "a picture with detail"),
    ],
)
def test_pictures_without_crops_are_refused(image: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_crops(image, 5, np.random.default_rng(0))
