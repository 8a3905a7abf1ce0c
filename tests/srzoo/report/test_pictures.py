"""What is shown of a photograph, and that crops are chosen without looking at results."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from degrade import codecs
from srzoo.checkpoint import Model
from srzoo.errors import UsageError
from srzoo.metrics.psnr import psnr
from srzoo.networks import NETWORKS
from srzoo.report.pictures import Case, choose_crops, embedded, pair_case, photo_case, show, step_in_words
from srzoo.upscale.upscaler import Upscaler

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def upscaler() -> Upscaler:
    config, network = NETWORKS["skipres"]
    with torch.random.fork_rng(devices=[]):
        built = network(config(blocks=1, features=8))  # untrained: the bicubic enlargement, edges repeated
    return Upscaler(Model(built.eval(), "skipres", 4, 4, {}), device="cpu")


def picture(height: int, width: int) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def save(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def decoded(uri: str) -> np.ndarray:
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    return codecs.decode(base64.b64decode(data), "embedded").pixels


def test_a_pair_is_shown_with_its_scores(upscaler: Upscaler) -> None:
    hr = np.kron(picture(30, 40), np.ones((4, 4, 1), np.uint8))
    shown = show(Case("photo", hr[1::4, 1::4].copy(), hr), upscaler)
    assert shown.size == (120, 160)
    assert [view.label for view in shown.whole] == ["Input", "Bicubic", "Ours", "Truth"]
    assert shown.ours is not None
    assert shown.bicubic is not None
    assert shown.gain == pytest.approx(0, abs=0.3)  # the same filter, but for edges and rounding
    studio = hr.astype(float) @ (np.array([65.481, 128.553, 24.966]) / 255) + 16
    bicubic = decoded(next(view.uri for view in shown.whole if view.label == "Bicubic"))  # lossy, so near only
    made = bicubic.astype(float) @ (np.array([65.481, 128.553, 24.966]) / 255) + 16
    assert shown.bicubic.psnr == pytest.approx(psnr(made[4:-4, 4:-4], studio[4:-4, 4:-4]), abs=0.3)


def test_crops_show_the_same_place_in_every_view_without_loss(upscaler: Upscaler) -> None:
    hr = picture(200, 240)
    lr = hr[::4, ::4].copy()
    shown = show(Case("photo", lr, hr), upscaler)
    for (_, views), (_, y, x, side) in zip(shown.crops, choose_crops(hr, 96, step=4), strict=True):
        assert [view.label for view in views] == ["Input", "Bicubic", "Ours", "Truth"]
        np.testing.assert_array_equal(decoded(views[3].uri), hr[y : y + side, x : x + side])
        np.testing.assert_array_equal(decoded(views[0].uri), lr[y // 4 : (y + side) // 4, x // 4 : (x + side) // 4])


def test_crops_are_the_most_detailed_and_the_smoothest_place() -> None:
    pixels = np.full((400, 400, 3), 128, np.uint8)
    pixels[100:196, 200:296] = picture(96, 96)
    pixels[300:396, 0:96] = picture(96, 96) // 4 + 96
    pixels[0:96, 0:400] = 255  # smoother still, but white
    chosen = {name: (y, x) for name, y, x, _ in choose_crops(pixels, 96, step=4)}
    assert np.abs(np.subtract(chosen["Most detail"], (100, 200))).max() <= 12
    assert np.abs(np.subtract(chosen["Second most detail"], (300, 0))).max() <= 12
    y, x = chosen["Smoothest"]
    assert (pixels[y : y + 96, x : x + 96] == 128).all()


def test_crops_do_not_overlap_and_a_small_picture_has_one() -> None:
    chosen = choose_crops(picture(300, 300), 96, step=4)
    corners = [(y, x) for _, y, x, _ in chosen]
    assert len(corners) == 3
    for i, (y, x) in enumerate(corners):
        assert all(max(abs(y - v), abs(x - u)) >= 96 for v, u in corners[:i])
        assert y % 4 == x % 4 == 0
    assert len(choose_crops(picture(96, 96), 96, step=4)) == 1


def test_a_photo_without_truth_has_no_scores(upscaler: Upscaler, tmp_path: Path) -> None:
    shown = show(photo_case(save(tmp_path / "old.png", picture(33, 50)), 4), upscaler)
    assert [view.label for view in shown.whole] == ["Input", "Bicubic", "Ours"]
    assert shown.ours is shown.bicubic is shown.gain is None


def test_a_tiny_photo_can_be_shown(upscaler: Upscaler) -> None:
    shown = show(Case("dot", picture(1, 2), picture(4, 8)), upscaler)
    assert shown.size == (4, 8)
    assert shown.ours is None  # too small for SSIM


def test_large_photos_show_their_middle_and_say_so(tmp_path: Path) -> None:
    pixels = picture(520, 1030)
    case = photo_case(save(tmp_path / "large.png", pixels), 4)
    np.testing.assert_array_equal(case.lr, pixels[4:516, 259:771])
    assert case.note == "the middle 512 x 512 pixels of 1030 x 520"


def test_large_results_are_made_smaller_for_the_page(upscaler: Upscaler) -> None:
    shown = show(Case("large", picture(20, 400)), upscaler)
    assert shown.size == (80, 1600)
    assert shown.view_size == (64, 1280)
    assert decoded(shown.whole[1].uri).shape == (64, 1280, 3)


def test_pairs_must_fit(tmp_path: Path) -> None:
    lr, hr = save(tmp_path / "lr.png", picture(10, 12)), save(tmp_path / "hr.png", picture(43, 50))
    case = pair_case(lr, hr, 4)
    assert case.hr is not None
    assert case.hr.shape == (40, 48, 3)
    with pytest.raises(UsageError, match=r"12 x 10, but hr.png is 50 x 43: that is not x3"):
        pair_case(lr, hr, 3)


def test_what_degrade_apply_drew_is_told(tmp_path: Path) -> None:
    lr, hr = save(tmp_path / "lr.png", picture(10, 12)), save(tmp_path / "hr.png", picture(40, 48))
    steps = [
        {"op": "gaussian_blur", "id": "gaussian_blur0", "sigma": 1.8437, "size": 15},
        {"op": "downsample", "filter": "lanczos", "scale": 4},
        {"op": "poisson_gaussian_noise", "peak": 100.0, "sigma": 3.1, "sigma_unit": "grey", "key": "0" * 16},
    ]
    record = {"format": "degrade-trace", "trace": {"steps": steps}}
    (tmp_path / "lr.json").write_text(json.dumps(record))
    assert pair_case(lr, hr, 4).made_by == (
        "gaussian blur, sigma 1.84 pixels",
        "downsample (lanczos)",
        "poisson gaussian noise, sigma 3.1 grey levels, peak 100",
    )
    for other in ("{}", "[1]", "{", json.dumps({**record, "trace": {"steps": [1]}})):
        (tmp_path / "lr.json").write_text(other)
        assert pair_case(lr, hr, 4).made_by == ()


def test_units_of_noise() -> None:
    assert step_in_words({"op": "gaussian_noise", "sigma_8bit": 12.34}) == "gaussian noise, sigma 12.3 grey levels"


def test_embedding_without_loss_keeps_every_bit() -> None:
    pixels = picture(17, 9)
    np.testing.assert_array_equal(decoded(embedded(pixels, 100)), pixels)
