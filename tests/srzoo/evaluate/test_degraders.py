"""A degrader's figures against a camera's LR, one by one and together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio

from degrade.image import Pixels
from srzoo.evaluate.degraders import DegraderJudge, fidelity
from srzoo.evaluate.linear_part import LinearPart
from srzoo.evaluate.scenes import Degrader, Scene, taken_nearest
from srzoo.metrics.noise_statistics import compare, measure_noise
from srzoo.metrics.protocol import luma

SIGMA = 6.0


def photo(seed: int) -> Pixels:
    random = np.random.default_rng(seed)
    layers = [ndimage.gaussian_filter(random.normal(size=(256, 192, 3)), (s, s, 0)) * s for s in (0.8, 3, 8)]
    return np.clip(128 + 80 * sum(layers), 40, 210).astype(np.uint8)  # type: ignore[operator]  three arrays


def noisy(clean: Pixels, sigma: float, seed: int) -> Pixels:
    noise = np.random.default_rng(seed).normal(0, sigma, clean.shape)
    return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)


def scene(seed: int) -> Scene:
    hr = photo(seed)
    clean = taken_nearest(hr, 4)
    real = noisy(clean, SIGMA, seed + 100)
    return Scene(f"{seed}.png", hr, real, clean, real, seed)


SCENES = [scene(seed) for seed in range(6)]
LIKE = Degrader("like", "the camera again", lambda one: noisy(one.clean, SIGMA, one.key + 200))
STRONG = Degrader("strong", "twice as strong", lambda one: noisy(one.clean, 2 * SIGMA, one.key + 400))
CLEAN = Degrader("clean", "no noise", lambda one: one.clean)


@pytest.fixture(scope="module")
def judge() -> DegraderJudge:
    judge = DegraderJudge([LIKE, STRONG, CLEAN], border=3, noise=True)
    for one in SCENES:
        judge.add(one)
    return judge


def test_psnr_and_ssim_are_those_of_luma_inside_the_border(judge: DegraderJudge) -> None:
    one = SCENES[0]
    planes = [luma(picture)[3:-3, 3:-3] for picture in (one.real, LIKE.make(one))]
    figures = judge.results().pictures[0][1]["like"]
    assert figures["psnr"] == pytest.approx(peak_signal_noise_ratio(*planes, data_range=255), abs=1e-9)
    assert fidelity(one.real, one.real, 3) == {"psnr": math.inf, "ssim": 1.0}
    each = [figures["clean"]["psnr"] for _, figures in judge.results().pictures]
    assert judge.results().summary()["clean"]["psnr"] == pytest.approx(np.mean(each))


def test_a_degrader_like_the_camera_has_its_noise(judge: DegraderJudge) -> None:
    table = judge.results().summary()
    assert list(table) == ["real", "like", "strong", "clean"]
    assert table["real"]["std"] == pytest.approx(SIGMA, rel=0.03)
    like = table["like"]
    assert like["std_error"] < 0.05
    assert like["spectrum_error"] < 1.5  # 36 blocks of some 4 independent values in the coarsest band: 0.5 dB
    assert like["correlation_error"] < 0.1
    assert like["psnr"] < table["clean"]["psnr"]  # the noise of another moment is no nearer


def test_what_differs_is_told(judge: DegraderJudge) -> None:
    table = judge.results().summary()
    assert table["strong"]["std_error"] == pytest.approx(1, abs=0.1)
    assert table["strong"]["spectrum_error_mean"] == pytest.approx(6, abs=0.5)
    assert table["strong"]["spectrum_shape_error"] < 0.6
    assert table["clean"]["std_error"] > 0.9


def test_the_noise_of_a_set_is_pooled_over_its_pictures(judge: DegraderJudge) -> None:
    pairs = [(one.real - LinearPart(one.hr, 4).of(one.real) + one.clean, one.clean) for one in SCENES]
    real = measure_noise(pairs)
    found = judge.results()
    assert found.noise["real"].std == pytest.approx(real.std, rel=1e-9)
    assert found.noise["real"].spectrum == pytest.approx(real.spectrum, abs=1e-6)
    distance = compare(found.noise["real"], found.noise["strong"])
    assert found.summary()["strong"]["std_error_worst"] == distance.std_worst


def test_every_bin_band_and_correlation_has_a_figure(judge: DegraderJudge) -> None:
    real = judge.results().summary()["real"]
    noise = judge.results().noise["real"]
    for k in range(8):
        stated = noise.std_by_brightness[k]
        assert math.isnan(real[f"std_{k}"]) if stated is None else real[f"std_{k}"] == stated
        assert real[f"band_{k}"] == noise.spectrum[k]
    assert (real["corr_rg"], real["corr_gb"], real["corr_rb"]) == noise.channel_correlation
    assert "psnr" not in real


def test_without_noise_there_are_no_figures_of_it() -> None:
    judge = DegraderJudge([CLEAN], border=3)
    made = judge.add(SCENES[0])
    np.testing.assert_array_equal(made["clean"], SCENES[0].clean)
    table = judge.results().summary()
    assert set(table) == {"clean"}
    assert set(table["clean"]) == {"psnr", "ssim"}


def test_names_are_their_own() -> None:
    for names in (["a", "a"], ["real"]):
        with pytest.raises(ValueError, match="names of their own"):
            DegraderJudge([Degrader(name, "", CLEAN.make) for name in names])
    with pytest.raises(ValueError, match="at least one scene"):
        DegraderJudge([CLEAN]).results()
