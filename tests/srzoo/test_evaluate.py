"""Scores of whole folders: the published bicubic figures, pairing, and what stops an evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from degrade.image import Pixels
from srzoo.errors import ImageError, UsageError
from srzoo.evaluate import Pair, Score, evaluate, find_pairs, mean

# Reference section 4.2. PSNR and SSIM of bicubic; `published` at x4 is Table 2 of SRDGAN.
ANCHORS = {
    ("Set5", 2, "published"): (33.6615, 0.929884),
    ("Set5", 4, "published"): (28.4211, 0.810402),
    ("Set14", 2, "published"): (30.2374, 0.868797),
    ("Set14", 4, "published"): (26.0043, 0.702732),
    ("Set5", 2, "network"): (33.6734, 0.930287),
    ("Set5", 4, "network"): (28.4290, 0.811135),
    ("Set5", 4, "rgb"): (26.6921, 0.773087),
}
MORE_ANCHORS = {
    ("Set14", 2, "network"): (30.3246, 0.869852),
    ("Set14", 4, "network"): (26.0884, 0.704799),
    ("Set14", 4, "rgb"): (24.4616, 0.663740),
}
SET5_X4 = [(31.7770, 0.856722), (30.1788, 0.873023), (22.0975, 0.736890), (31.5899, 0.753568), (26.4624, 0.831806)]


def bicubic_scores(folder: Path, scale: int, protocol: str, lr: Path | None = None) -> list[Score]:
    return list(evaluate(find_pairs(folder, lr, scale=scale), None, scale=scale, protocol=protocol))  # type: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("case", "figures"),
    [*ANCHORS.items(), *(pytest.param(*anchor, marks=pytest.mark.slow) for anchor in MORE_ANCHORS.items())],
)
def test_bicubic_gives_the_published_figures(
    sr_data: Path, case: tuple[str, int, str], figures: tuple[float, float]
) -> None:
    name, scale, protocol = case
    total = mean(bicubic_scores(sr_data / "test" / name / f"x{scale}" / "HR", scale, protocol))
    assert total.psnr == pytest.approx(figures[0], abs=6e-5)  # the table is rounded to these digits
    assert total.ssim == pytest.approx(figures[1], abs=6e-7)


def test_bicubic_gives_the_figures_of_every_picture_of_set5(sr_data: Path) -> None:
    scores = bicubic_scores(sr_data / "test" / "Set5" / "x4" / "HR", 4, "published")
    assert [score.psnr for score in scores] == pytest.approx([psnr for psnr, _ in SET5_X4], abs=6e-5)
    assert [score.ssim for score in scores] == pytest.approx([ssim for _, ssim in SET5_X4], abs=6e-7)


def test_the_lr_files_of_set5_pair_with_their_hr(sr_data: Path) -> None:
    folder = sr_data / "test" / "Set5" / "x4"
    given, made = (bicubic_scores(folder / "HR", 4, "network", lr) for lr in (folder / "LR", None))
    # An older MATLAB repeated the edge where today's mirrors it: only the border differs.
    assert [score.psnr for score in given] == pytest.approx([score.psnr for score in made], abs=0.02)
    assert given != made


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, files: Iterable[str], size: tuple[int, int] = (32, 40), mode: str = "RGB") -> Path:
        random = np.random.default_rng(1)
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (*size, len(mode)), dtype=np.uint8).squeeze()
            Image.fromarray(pixels, mode=None).save(path)
        return tmp_path / name

    return write


def nearest(lr: Pixels) -> Pixels:
    return lr.repeat(2, axis=0).repeat(2, axis=1)


def test_a_model_is_scored_beside_bicubic_and_the_mean_is_per_picture(folder: Callable[..., Path]) -> None:
    pairs = find_pairs(folder("hr", ["a.png", "b.png"]), scale=2)
    scores = list(evaluate(pairs, nearest, scale=2, protocol="rgb"))
    assert [score.name for score in scores] == ["a.png", "b.png"]
    for score in scores:
        assert score.psnr != score.psnr_bicubic
        assert score.ssim != score.ssim_bicubic
    total = mean(scores)
    assert total.psnr == pytest.approx((scores[0].psnr + scores[1].psnr) / 2)
    assert total.ssim_bicubic == pytest.approx((scores[0].ssim_bicubic + scores[1].ssim_bicubic) / 2)


@pytest.mark.parametrize("protocol", ["published", "network", "rgb"])
def test_a_perfect_model_has_no_error(folder: Callable[..., Path], protocol: str) -> None:
    hr = folder("hr", ["a.png"], size=(33, 41))  # cropped to 32 x 40, the top left kept
    truth = np.asarray(Image.open(hr / "a.png"))[:32, :40]
    pairs = find_pairs(hr, scale=2)
    (score,) = evaluate(pairs, lambda lr: truth, scale=2, protocol=protocol)  # type: ignore[reportArgumentType]
    assert score.psnr == math.inf
    assert score.ssim == pytest.approx(1)
    assert score.psnr_bicubic < 20


def test_a_model_gets_the_given_lr_and_grey_as_three_channels(folder: Callable[..., Path]) -> None:
    hr, lr = folder("hr", ["a.png"], mode="L"), folder("lr", ["a.png"], size=(16, 20), mode="L")
    seen: list[Pixels] = []

    def upscale(pixels: Pixels) -> Pixels:
        seen.append(pixels)
        return nearest(pixels)

    list(evaluate(find_pairs(hr, lr, scale=2), upscale, scale=2, protocol="network"))
    np.testing.assert_array_equal(seen[0], np.asarray(Image.open(lr / "a.png"))[..., None].repeat(3, axis=2))


def test_partners_are_found_by_name(folder: Callable[..., Path]) -> None:
    hr = folder("hr", ["img_001_SRF_4_HR.png", "0801.png", "plain.png", "sub/plain.png"])
    lr = folder("lr", ["img_001_SRF_4_LR.png", "0801x4.png", "plain.bmp", "sub/plain.png", "more.png"], size=(8, 10))
    pairs = find_pairs(hr, lr, scale=4)
    assert [(pair.name, str(pair.lr.relative_to(lr))) for pair in pairs if pair.lr is not None] == [
        ("0801.png", "0801x4.png"),
        ("img_001_SRF_4_HR.png", "img_001_SRF_4_LR.png"),
        ("plain.png", "plain.bmp"),
        ("sub/plain.png", "sub/plain.png"),
    ]
    one, other = hr / "0801.png", lr / "plain.bmp"
    assert find_pairs(one, other, scale=4) == [Pair("0801.png", one, other)]
    assert find_pairs(one, scale=4) == [Pair("0801.png", one)]


def test_what_does_not_pair_stops_with_one_line(folder: Callable[..., Path], tmp_path: Path) -> None:
    hr, lr = folder("hr", ["a.png", "b.png"]), folder("lr", ["a.png"], size=(16, 20))
    with pytest.raises(UsageError, match=r"lr: no partner for b\.png - give both folders the same names"):
        find_pairs(hr, lr, scale=2)
    with pytest.raises(UsageError, match=r"a\.png and a_HR\.png are the same by name"):
        find_pairs(folder("twice", ["a.png", "a_HR.png"]), scale=2)
    with pytest.raises(UsageError, match=r"nowhere: no such folder"):
        find_pairs(tmp_path / "nowhere", scale=2)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no pictures in this folder"):
        find_pairs(tmp_path / "empty", scale=2)


def test_sizes_that_do_not_fit_stop_with_one_line(folder: Callable[..., Path]) -> None:
    hr, lr = folder("hr", ["a.png"]), folder("lr", ["a.png"], size=(8, 10))
    with pytest.raises(UsageError, match=r"a\.png: 10 x 8, but its HR is 40 x 32: that is not x2 - state the --scale"):
        list(evaluate(find_pairs(hr, lr, scale=2), None, scale=2, protocol="rgb"))
    with pytest.raises(ImageError, match=r"a\.png: 18 x 40 is too small for x4 and SSIM's window"):
        bicubic_scores(folder("small", ["a.png"], size=(40, 18)), 4, "rgb")


def test_a_broken_picture_stops_the_evaluation(folder: Callable[..., Path]) -> None:
    hr = folder("hr", ["a.png", "b.png"])
    (hr / "b.png").write_bytes((hr / "b.png").read_bytes()[:200])
    with pytest.raises(ImageError, match=r"b\.png"):
        bicubic_scores(hr, 2, "rgb")
