from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from degrade.shards.reader import open_shards
from srzoo.data import hold_out
from srzoo.errors import UsageError
from srzoo.networks.skipres import SkipRes, SkipResConfig
from srzoo.preset import WatchConfig
from srzoo.trainer.validation import Validator

CPU = torch.device("cpu")


def luma(pixels: np.ndarray) -> np.ndarray:
    return 16 + pixels.astype(np.float64) @ np.array((65.481, 128.553, 24.966)) / 255


@pytest.fixture
def shards(tmp_path: Path, shard_writer: Callable[..., Path]) -> Path:
    return shard_writer(tmp_path / "shards", num_pairs=80)


def test_scores_are_scikit_images_means_over_the_held_out_pairs(shards: Path) -> None:
    pairs = open_shards(shards)
    held_out = hold_out(pairs).held_out
    validator = Validator(pairs, held_out, watch=WatchConfig(pairs=5), scale=2)
    torch.manual_seed(0)
    network = SkipRes(SkipResConfig(scale=2, blocks=1, features=4)).eval()
    torch.nn.init.normal_(network.tail.weight, std=0.05)
    scores = validator.scores(network, CPU, None)
    ratios, similarities = [], []
    for place in np.linspace(0, len(held_out) - 1, 5).round().astype(int):
        lr, hr = pairs.read(int(held_out[place]))
        with torch.no_grad():
            sr = network(torch.from_numpy(lr / np.float32(255)).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
        made = np.floor(sr.numpy().clip(0, 1) * 255 + 0.5).astype(np.uint8)
        one, other = luma(made)[2:-2, 2:-2], luma(hr)[2:-2, 2:-2]
        ratios.append(peak_signal_noise_ratio(other, one, data_range=255))
        settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
        full = structural_similarity(other, one, full=True, **settings)[1]
        similarities.append(full[5:-5, 5:-5].mean())
    assert scores["psnr"] == pytest.approx(np.mean(ratios), abs=1e-3)
    assert scores["ssim"] == pytest.approx(np.mean(similarities), abs=1e-4)
    assert 10 < scores["psnr_bicubic"] < 60


def test_the_picture_shows_bicubic_ours_and_the_truth(shards: Path) -> None:
    pairs = open_shards(shards)
    held_out = hold_out(pairs).held_out
    network = SkipRes(SkipResConfig(scale=2, blocks=1, features=4)).eval()  # untrained: bicubic
    picture = Validator(pairs, held_out, watch=WatchConfig(samples=3), scale=2).picture(network, CPU, None)
    assert picture.shape == (3 * 16, 3 * 16, 3)
    assert picture.dtype == np.uint8
    bicubic, ours, truth = np.split(picture, 3, axis=1)
    np.testing.assert_array_equal(truth[:16], pairs.read(int(held_out[0]))[1])
    np.testing.assert_array_equal(truth[-16:], pairs.read(int(held_out[-1]))[1])
    inside = np.s_[3:13, 3:13]
    assert np.abs(bicubic[:16][inside].astype(int) - ours[:16][inside]).max() <= 2  # MATLAB rounds between the passes


def test_patches_smaller_than_the_window_of_ssim_are_refused(shards: Path) -> None:
    pairs = open_shards(shards)
    with pytest.raises(UsageError, match="16 x 16 cannot be validated"):
        Validator(pairs, np.arange(3), watch=WatchConfig(), scale=4)
