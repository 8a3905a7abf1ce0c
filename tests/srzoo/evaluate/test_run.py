"""Figures of whole folders: the published bicubic ones, each method by itself, and what stops an evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from degrade.functional.resample import imresize_uint8
from degrade.image import Pixels
from srzoo.errors import ImageError, UsageError
from srzoo.evaluate import BICUBIC, Figures, Measures, Method, evaluate, find_pairs, mean

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


def bicubic_figures(folder: Path, scale: int, protocol: str, lr: Path | None = None) -> list[Figures]:
    pairs = find_pairs(folder, lr, scale=scale)
    judged = evaluate(pairs, [Method(BICUBIC)], Measures(protocol), scale=scale)  # type: ignore[reportArgumentType]
    return [one.figures[BICUBIC] for one in judged]


@pytest.mark.parametrize(
    ("case", "figures"),
    [*ANCHORS.items(), *(pytest.param(*anchor, marks=pytest.mark.slow) for anchor in MORE_ANCHORS.items())],
)
def test_bicubic_gives_the_published_figures(
    sr_data: Path, case: tuple[str, int, str], figures: tuple[float, float]
) -> None:
    name, scale, protocol = case
    total = mean(bicubic_figures(sr_data / "test" / name / f"x{scale}" / "HR", scale, protocol))
    assert total["psnr"] == pytest.approx(figures[0], abs=6e-5)  # the table is rounded to these digits
    assert total["ssim"] == pytest.approx(figures[1], abs=6e-7)


def test_bicubic_gives_the_figures_of_every_picture_of_set5(sr_data: Path) -> None:
    figures = bicubic_figures(sr_data / "test" / "Set5" / "x4" / "HR", 4, "published")
    assert [one["psnr"] for one in figures] == pytest.approx([psnr for psnr, _ in SET5_X4], abs=6e-5)
    assert [one["ssim"] for one in figures] == pytest.approx([ssim for _, ssim in SET5_X4], abs=6e-7)


def test_the_lr_files_of_set5_pair_with_their_hr(sr_data: Path) -> None:
    folder = sr_data / "test" / "Set5" / "x4"
    given, made = (bicubic_figures(folder / "HR", 4, "network", lr) for lr in (folder / "LR", None))
    # An older MATLAB repeated the edge where today's mirrors it: only the border differs.
    assert [one["psnr"] for one in given] == pytest.approx([one["psnr"] for one in made], abs=0.02)
    assert given != made


def nearest(lr: Pixels) -> Pixels:
    return lr.repeat(2, axis=0).repeat(2, axis=1)


def test_every_method_is_judged_by_itself_and_the_mean_is_per_picture(folder: Callable[..., Path]) -> None:
    pairs = find_pairs(folder("hr", ["a.png", "b.png"]), scale=2)
    alone, together = (
        list(evaluate(pairs, methods, Measures("rgb"), scale=2))
        for methods in ([Method("nearest", nearest)], [Method(BICUBIC), Method("nearest", nearest)])
    )
    assert [judged.name for judged in together] == ["a.png", "b.png"]
    for one, both in zip(alone, together, strict=True):
        assert list(both.figures) == ["bicubic", "nearest"]
        assert both.figures["nearest"] == one.figures["nearest"] != both.figures["bicubic"]
        np.testing.assert_array_equal(both.sr["nearest"], nearest(both.lr))
    figures = [judged.figures["nearest"] for judged in together]
    assert mean(figures)["psnr"] == pytest.approx((figures[0]["psnr"] + figures[1]["psnr"]) / 2)
    assert mean(figures)["ssim"] == pytest.approx((figures[0]["ssim"] + figures[1]["ssim"]) / 2)


@pytest.mark.parametrize("protocol", ["published", "network", "rounded", "rgb", "realsr"])
def test_a_perfect_model_has_no_error(folder: Callable[..., Path], protocol: str) -> None:
    hr = folder("hr", ["a.png"], size=(33, 41))  # cropped to 32 x 40, the top left kept
    truth = np.asarray(Image.open(hr / "a.png"))[:32, :40]
    methods = [Method(BICUBIC), Method("truth", lambda lr: truth)]
    (judged,) = evaluate(find_pairs(hr, scale=2), methods, Measures(protocol), scale=2)  # type: ignore[reportArgumentType]
    assert judged.figures["truth"]["psnr"] == math.inf
    assert judged.figures["truth"]["ssim"] == pytest.approx(1)
    assert judged.figures["bicubic"]["psnr"] < 20


def test_a_model_gets_the_given_lr_and_grey_as_three_channels(folder: Callable[..., Path]) -> None:
    hr, lr = folder("hr", ["a.png"], mode="L"), folder("lr", ["a.png"], size=(16, 20), mode="L")
    seen: list[Pixels] = []

    def upscale(pixels: Pixels) -> Pixels:
        seen.append(pixels)
        return nearest(pixels)

    list(evaluate(find_pairs(hr, lr, scale=2), [Method("nearest", upscale)], Measures("network"), scale=2))
    np.testing.assert_array_equal(seen[0], np.asarray(Image.open(lr / "a.png"))[..., None].repeat(3, axis=2))


def test_a_model_that_keeps_the_size_gets_the_bicubic_enlargement(folder: Callable[..., Path]) -> None:
    hr = folder("hr", ["a.png"])
    methods = [Method(BICUBIC), Method("same", lambda pixels: pixels, keeps_size=True)]
    (judged,) = evaluate(find_pairs(hr, scale=2), methods, Measures("network"), scale=2)
    assert judged.figures["same"] == judged.figures["bicubic"]
    np.testing.assert_array_equal(judged.sr["same"], imresize_uint8(judged.lr, 32, 40))


def test_a_method_of_parts_is_given_what_they_made(folder: Callable[..., Path]) -> None:
    methods = [
        Method(BICUBIC),
        Method("nearest", nearest),
        Method("least", np.minimum, parts=("nearest", BICUBIC)),
    ]
    (judged,) = evaluate(find_pairs(folder("hr", ["a.png"]), scale=2), methods, Measures("network"), scale=2)
    least = np.minimum(nearest(judged.lr), imresize_uint8(judged.lr, 32, 40))
    np.testing.assert_array_equal(judged.sr["least"], least)


def test_a_partial_figure_has_a_mean_over_the_pictures_that_have_it() -> None:
    found = [(1.0, 1.0), (math.nan, math.nan), (3.0, 2.0)]
    figures: list[Figures] = [{"flat_noise": noise, "niqe": niqe} for noise, niqe in found]
    assert mean(figures)["flat_noise"] == 2
    assert math.isnan(mean(figures)["niqe"])  # too small for it: the set is no test of it
    assert math.isnan(mean(figures[1:2])["flat_noise"])


def test_sizes_that_do_not_fit_stop_with_one_line(folder: Callable[..., Path]) -> None:
    hr, lr = folder("hr", ["a.png"]), folder("lr", ["a.png"], size=(8, 10))
    with pytest.raises(UsageError, match=r"a\.png: 10 x 8, but its HR is 40 x 32: that is not x2 - state the --scale"):
        bicubic_figures(hr, 2, "rgb", lr)
    with pytest.raises(ImageError, match=r"a\.png: 18 x 40 is too small for x4 and SSIM's window"):
        bicubic_figures(folder("small", ["a.png"], size=(40, 18)), 4, "rgb")


def test_a_broken_picture_stops_the_evaluation(folder: Callable[..., Path]) -> None:
    hr = folder("hr", ["a.png", "b.png"])
    (hr / "b.png").write_bytes((hr / "b.png").read_bytes()[:200])
    with pytest.raises(ImageError, match=r"b\.png"):
        bicubic_figures(hr, 2, "rgb")
