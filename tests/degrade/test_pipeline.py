"""Pairs: against a float64 reference written apart, folded against unfolded, replayed against stored."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats

from degrade import pipeline
from degrade.errors import IntegrityError
from degrade.functional.resample import imresize_uint8
from degrade.image import to_pixels, window
from degrade.ops.protocol import Context
from degrade.pipeline import PairKey, degrade_image, degrade_window, replay, run
from degrade.recipe import load_recipe, parse_recipe
from degrade.rng import Stream

GENERIC = load_recipe("generic")


def scene(side: int = 256, seed: int = 0) -> np.ndarray:
    """Detail at every scale, from integers alone: the same bytes on every machine."""
    rng = np.random.Generator(np.random.Philox(seed))
    levels = [rng.integers(0, 256, (side >> k, side >> k, 3)).repeat(1 << k, 0).repeat(1 << k, 1) for k in range(6)]
    return (sum(levels) // len(levels)).astype(np.uint8)


def noise_free(trace: str, hr_window: np.ndarray, scale: int, margin: int) -> np.ndarray:
    """Blur and downsample in float64 as the trace says, from formulas: SciPy's correlation, then point sampling."""
    steps = json.loads(trace)["steps"]
    sigma, size = steps[0]["sigma"], steps[0]["size"]
    image = hr_window.astype(np.float64) / 255
    patch = (hr_window.shape[0] - 2 * margin) // scale
    centres = (np.arange(patch) + 0.5) * scale - 0.5 + margin
    if steps[1]["op"] == "nearest_downsample":
        rows = np.zeros((patch, image.shape[0]))
        for i, centre in enumerate(centres):
            j = np.arange(image.shape[0])
            weight = np.where(np.abs(j - centre) <= size / 2, np.exp(-((j - centre) ** 2 - 0.25) / (2 * sigma**2)), 0)
            rows[i] = weight / weight.sum()
    else:
        kernel = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
        kernel /= kernel.sum()
        for axis in (0, 1):
            image = ndimage.correlate1d(image, kernel, axis=axis, mode="mirror")
        rows = np.zeros((patch, image.shape[0]))
        for i, centre in enumerate(centres):
            distance = np.abs(np.arange(image.shape[0]) - centre)
            rows[i] = WEIGHTS[steps[1]["filter"]](distance)
            rows[i] /= rows[i].sum()
    return np.tensordot(rows, np.tensordot(rows, image, (1, 0)), (1, 1)).swapaxes(0, 1)


def _cubic(x: np.ndarray, a: float = -0.75) -> np.ndarray:
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


WEIGHTS = {
    "bilinear": lambda x: np.maximum(0, 1 - x),
    "bicubic": _cubic,
    "lanczos": lambda x: np.where(x < 4, np.sinc(x) * np.sinc(x / 4), 0),
}


def test_200_pairs_equal_a_float64_reference_before_noise() -> None:
    hr = window(scene(), 32, 32, 192, 192, 32)
    seen = set()
    for patch in range(200):
        key = PairKey(7, patch)
        pair = degrade_window(hr, GENERIC, key)
        draws = [draw for step in GENERIC.lr for draw in step.draw(Stream(7, patch, 0))]
        made = run(hr, draws[:2], scale=4, margin=32)
        np.testing.assert_allclose(made, noise_free(pair.trace, hr, 4, 32), atol=1e-4)
        seen.add(json.loads(pair.trace)["steps"][1].get("filter", "nearest"))
    assert seen == {"nearest", "bilinear", "bicubic", "lanczos"}


def test_10000_pairs_draw_uniformly_over_the_published_ranges() -> None:
    values: dict[str, list[float]] = {}
    choices: dict[str, list[str]] = {"down": [], "noise": []}
    for patch in range(10_000):
        stream = Stream(99, patch, 0)
        blur, down, noise = (draw for step in GENERIC.lr for draw in step.draw(stream))
        choices["down"].append(getattr(down, "filter", "nearest"))
        choices["noise"].append(noise.op)
        values.setdefault("blur sigma", []).append(blur.sigma)  # type: ignore[attr-defined]
        for name in ("sigma_8bit", "peak", "sigma"):
            if hasattr(noise, name):
                values.setdefault(f"{noise.op} {name}", []).append(getattr(noise, name))
    ranges = {
        "blur sigma": (0.2, 3.0),
        "gaussian_noise sigma_8bit": (0, 25),
        "poisson_noise peak": (50, 150),
        "poisson_gaussian_noise peak": (50, 150),
        "poisson_gaussian_noise sigma": (0, 5),
    }
    assert set(values) == set(ranges)
    for name, (low, high) in ranges.items():
        assert stats.kstest(values[name], "uniform", (low, high - low)).pvalue > 1e-3, name
    for name, count in (("down", 4), ("noise", 3)):
        observed = np.unique(choices[name], return_counts=True)[1]
        assert observed.size == count
        assert stats.chisquare(observed).pvalue > 1e-3, name


@pytest.mark.parametrize("patch", range(12))
def test_folding_changes_nothing_beyond_rounding(patch: int) -> None:
    hr = window(scene(seed=patch), 40, 24, 96, 96, 32)
    blur, down, noise = (draw for step in GENERIC.lr for draw in step.draw(Stream(3, patch, 0)))
    draws = [blur, noise] if down.op == "nearest_downsample" else [blur, down]  # alone, nearest means another place
    scale = 1 if down.op == "nearest_downsample" else 4
    folded = run(hr, draws, scale=scale, margin=32)
    stepwise = run(hr, draws, scale=scale, margin=32, fold=False)
    np.testing.assert_allclose(folded, stepwise, atol=5e-6)


def test_noise_is_added_after_folding_without_a_change() -> None:
    hr = window(scene(), 40, 24, 96, 96, 32)
    for patch in range(40):
        draws = [draw for step in GENERIC.lr for draw in step.draw(Stream(3, patch, 0))]
        clean = run(hr, draws[:2], scale=4, margin=32)
        np.testing.assert_array_equal(run(hr, draws, scale=4, margin=32), draws[2].apply(clean, Context((0, 0))))


@pytest.mark.parametrize("name", ["generic", "bicubic"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_replay_gives_the_stored_lr(name: str, scale: int) -> None:
    recipe = load_recipe(name, scale=scale)
    margin = recipe.margin
    for patch in range(8):
        hr = window(scene(seed=patch), 0, 100, 12 * scale, 20 * scale, margin)
        pair = degrade_window(hr, recipe, PairKey(5, patch, 1))
        assert pair.lr.shape == (12, 20, 3)
        assert pair.hr.shape == (12 * scale, 20 * scale, 3)
        np.testing.assert_array_equal(replay(hr, pair.trace, scale=scale, margin=margin), pair.lr)


def test_bicubic_patches_equal_matlab_on_the_whole_photo_at_its_edges_too() -> None:
    photo = scene(128)
    whole = imresize_uint8(photo, 32, 32)
    recipe = load_recipe("bicubic")
    np.testing.assert_array_equal(degrade_image(photo, recipe).lr, whole)
    for y, x in [(0, 0), (0, 64), (64, 64), (32, 16)]:
        pair = degrade_window(window(photo, y, x, 64, 64, recipe.margin), recipe, PairKey(0))
        np.testing.assert_array_equal(pair.lr, whole[y // 4 : y // 4 + 16, x // 4 : x // 4 + 16])


def test_a_wider_margin_changes_nothing() -> None:
    """So the margin covers everything that the recipe's filters reach."""
    photo = scene()
    for patch in range(20):
        key = PairKey(1, patch)
        pairs = [degrade_window(window(photo, 96, 64, 64, 64, m), GENERIC, key, m) for m in (32, 64)]
        np.testing.assert_array_equal(pairs[0].lr, pairs[1].lr)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("filter", ["nearest", "bilinear", "bicubic", "lanczos", "area"])
def test_lr_and_hr_stay_registered(filter: str, scale: int) -> None:
    """A blob's centre of mass stays where it is, to a hundredth of an LR pixel, for every filter after a blur."""
    side = 24 * scale
    yy, xx = np.mgrid[:side, :side]
    centre = (side / 2 + 1.3, side / 2 - 2.1)
    blob = np.exp(-((yy - centre[0]) ** 2 + (xx - centre[1]) ** 2) / (2 * (1.5 * scale) ** 2))
    hr = np.repeat((blob * 250)[..., None], 3, 2).astype(np.uint8)
    recipe = parse_recipe(
        'name = "t"\nsource = "t"\n[[lr]]\nop = "gaussian_blur"\nsigma = 1.0\n'
        f'[[lr]]\nop = "downsample"\nfilter = "{filter}"\nantialias = {str(filter == "area").lower()}\n',
        scale=scale,
    )
    lr = degrade_image(hr, recipe).lr[..., 0].astype(float)
    at = [(hr[..., 0] * grid).sum() / hr[..., 0].sum() for grid in (yy, xx)]
    small = np.mgrid[:24, :24]
    got = [((lr * grid).sum() / lr.sum() + 0.5) * scale - 0.5 for grid in small]
    np.testing.assert_allclose(got, at, atol=0.02 * scale)


def test_an_hr_step_that_halves_makes_pairs_of_the_halved_photo() -> None:
    recipe, photo = load_recipe("cleanup"), scene(seed=3)[:248, :240]
    whole = degrade_image(photo, recipe)
    assert (whole.hr.shape, whole.lr.shape) == ((124, 120, 3), (31, 30, 3))
    pillow = np.asarray(Image.fromarray(photo).resize((120, 124), Image.Resampling.BICUBIC)).astype(int)
    inner = slice(2, -2), slice(2, -2)  # at the edge Pillow leaves taps out where we mirror
    assert np.abs(pillow[inner] - whole.hr[inner]).max() <= 1  # it rounds after each pass
    np.testing.assert_array_equal(whole.lr, imresize_uint8(whole.hr, 31, 30))
    for y, x in [(0, 0), (28, 56), (60, 56)]:
        around = window(photo, 2 * y, 2 * x, 128, 128, 2 * recipe.margin)
        pair = degrade_window(around, recipe, PairKey(0))
        np.testing.assert_array_equal(pair.hr, whole.hr[y : y + 64, x : x + 64])
        np.testing.assert_array_equal(pair.lr, whole.lr[y // 4 : y // 4 + 16, x // 4 : x // 4 + 16])
        np.testing.assert_array_equal(replay(around, pair.trace, scale=4, margin=recipe.margin), pair.lr)


def test_noise_under_hr_lies_where_the_pixel_lies_before_and_after_the_size_changes() -> None:
    noise = '[[hr]]\nop = "gaussian_noise"\nsigma_8bit = 20\n'
    halve = '[[hr]]\nop = "resize"\nfilter = "area"\ndivisor = 2\n'
    text = f'name = "t"\nsource = "t"\nscale = 2\n{noise}{halve}{noise}[[lr]]\nop = "downsample"\nfilter = "area"\n'
    recipe, photo = parse_recipe(text), scene()
    pairs = [degrade_window(window(photo, 64, 64, 64, 64, 2 * m), recipe, PairKey(1), m) for m in (8, 16)]
    np.testing.assert_array_equal(pairs[0].hr, pairs[1].hr)
    assert pairs[0].hr.shape == (32, 32, 3)


@pytest.mark.parametrize("reduction", [0, 17, 1.5, "2", True])
def test_a_trace_with_an_impossible_reduction_is_refused(reduction: object) -> None:
    trace = json.dumps({"key": "0", "patch": 0, "variant": 0, "reduction": reduction, "steps": []})
    with pytest.raises(IntegrityError, match="reduction"):
        replay(scene(64), trace, scale=4, margin=0)


def test_gray_photos_make_gray_pairs_with_the_first_channel_s_noise() -> None:
    gray = scene()[..., :1]
    colour = np.repeat(gray, 3, 2)
    for key in range(6):
        np.testing.assert_array_equal(degrade_image(gray, key=key).lr, degrade_image(colour, key=key).lr[..., :1])


def test_odd_sizes_are_cropped_to_a_multiple_of_the_scale() -> None:
    pair = degrade_image(scene()[:103, :78])
    assert pair.hr.shape == (100, 76, 3)
    assert pair.lr.shape == (25, 19, 3)


@pytest.mark.parametrize(
    ("bad", "error"),
    [(np.zeros((8, 8, 3), np.float32), TypeError), (np.zeros((8, 8), np.uint8), ValueError), (scene()[:3], ValueError)],
)
def test_what_is_no_photo_is_refused(bad: np.ndarray, error: type[Exception]) -> None:
    with pytest.raises(error):
        degrade_image(bad)


def test_an_unknown_step_in_a_trace_names_it() -> None:
    trace = json.dumps({"key": "0", "patch": 0, "variant": 0, "steps": [{"op": "warp", "id": "w"}]})
    with pytest.raises(IntegrityError, match="warp"):
        replay(scene(64), trace, scale=4, margin=0)


def test_a_one_patch_key_per_variant_shares_nothing() -> None:
    hr = window(scene(), 32, 32, 64, 64, 32)
    sigmas = {json.loads(degrade_window(hr, GENERIC, PairKey(1, 0, v)).trace)["steps"][0]["sigma"] for v in range(8)}
    assert len(sigmas) == 8


def golden() -> str:
    """SHA-256 over LR and trace of eight pairs of `generic`."""
    digest = hashlib.sha256()
    for patch in range(8):
        pair = degrade_window(window(scene(seed=patch), 20, 20, 192, 192, 32), GENERIC, PairKey(2020, patch))
        digest.update(pair.lr.tobytes() + pair.trace.encode())
    return digest.hexdigest()


GOLDEN = "78229dd58b85adce410005f50f4a855c95a76b4f7825d4fa1c586006cf82dce8"


def test_golden_pairs() -> None:
    """A change here changes every data set: then raise `pipeline.ENGINE`."""
    assert pipeline.ENGINE == 1
    assert golden() == GOLDEN


@pytest.mark.parametrize(
    "processor",
    [
        {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": ""},
        {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_SKX AVX512_ICL AVX512_SPR"},
        {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 X86_V3 X86_V4 AVX512_SKX AVX512_ICL AVX512_SPR"},
    ],
    ids=["old processor", "numpy without AVX-512", "numpy without AVX2"],
)
def test_golden_pairs_hold_on_other_processors(processor: dict[str, str], tmp_path: Path) -> None:
    available = _numpy_features()
    if "NPY_DISABLE_CPU_FEATURES" in processor:
        kept = [name for name in processor["NPY_DISABLE_CPU_FEATURES"].split() if name in available]
        processor = {"NPY_DISABLE_CPU_FEATURES": " ".join(kept)}
    code = (
        "import sys, importlib.util as u; s = u.spec_from_file_location('t', sys.argv[1]); "
        "m = u.module_from_spec(s); s.loader.exec_module(m); print(m.golden())"
    )
    env = {**os.environ, **processor, "DEGRADE_CACHE": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", code, __file__], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == GOLDEN


def _numpy_features() -> set[str]:
    """What this NumPy dispatches on here and can be told to leave out."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return {name for name in __cpu_dispatch__ if __cpu_features__.get(name)}


def test_opencv_s_blur_and_resize_come_close_to_ours() -> None:
    """What most repositories do, on one pair: filter2D, then INTER_CUBIC; they differ in borders and rounding only."""
    hr = window(scene(), 32, 32, 192, 192, 32)
    draws = [draw for step in GENERIC.lr for draw in step.draw(Stream(0, 0, 0))]
    recipe = parse_recipe(
        'name = "t"\nsource = "t"\n[[lr]]\nop = "gaussian_blur"\nsigma = 1.7\n'
        '[[lr]]\nop = "downsample"\nfilter = "bicubic"\ncubic_a = -0.75\n'
    )
    draws = [draw for step in recipe.lr for draw in step.draw(Stream(0, 0, 0))]
    kernel = cv2.getGaussianKernel(15, 1.7, cv2.CV_32F)
    blurred = cv2.filter2D(hr.astype(np.float32) / 255, -1, kernel @ kernel.T)
    theirs = cv2.resize(blurred, (64, 64), interpolation=cv2.INTER_CUBIC)[8:-8, 8:-8]
    ours = run(hr, draws, scale=4, margin=32)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert to_pixels(ours).dtype == np.uint8
