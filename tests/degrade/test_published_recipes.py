"""2,000 draws of every recipe against the published ranges and chances, which are stated here a second time."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from scipy import stats

from degrade.recipe import list_recipes, load_recipe
from degrade.rng import Stream

DRAWS = 2000
PI = math.pi
ODD = {
    "7..21": list(range(7, 22, 2)),
    "7..25": list(range(7, 26, 2)),
    "7..11": [7, 9, 11],
    "13..21": [13, 15, 17, 19, 21],
}
Expected = dict[str, tuple[float, dict[str, Any]]]  # id: chance to run, field: (low, high) uniform or [choices]


def real_esrgan() -> Expected:
    """train_realesrgan_x4plus.yml: kernel_prob [.45 .25 .12 .03 .12 .03], sinc_prob .1, sizes 7 to 21."""
    table: Expected = {}
    for n, sigma, ran in ((1, (0.2, 3.0), 1.0), (2, (0.2, 1.5), 0.8)):
        isotropic, turned = {"sigma_x": sigma}, {"sigma_x": sigma, "sigma_y": sigma, "angle": (-PI, PI)}
        table[f"blur{n}_iso"] = 0.9 * 0.45 * ran, {"sigma": sigma, "size": ODD["7..21"]}
        table[f"blur{n}_aniso"] = 0.9 * 0.25 * ran, {**turned, "size": ODD["7..21"]}
        for kind, fields, share in (("iso", isotropic, 0.12), ("aniso", turned, 0.03)):
            chance = 0.9 * share / 2 * ran
            table[f"blur{n}_generalized_{kind}_low"] = chance, {**fields, "beta": (0.5, 1)}
            table[f"blur{n}_generalized_{kind}_high"] = chance, {**fields, "beta": (1, 4)}
            table[f"blur{n}_plateau_{kind}_low"] = chance, {**fields, "beta": [1]}
            table[f"blur{n}_plateau_{kind}_high"] = chance, {**fields, "beta": (1, 2)}
        table[f"blur{n}_sinc_small"] = 0.1 * 3 / 8 * ran, {"cutoff": (PI / 3, PI), "size": ODD["7..11"]}
        table[f"blur{n}_sinc_large"] = 0.1 * 5 / 8 * ran, {"cutoff": (PI / 5, PI), "size": ODD["13..21"]}
    filters = ["area", "bilinear", "bicubic"]
    table["resize1_up"] = 0.2, {"factor": (1, 1.5), "filter": filters}
    table["resize1_down"] = 0.7, {"factor": (0.15, 1), "filter": filters}
    table["resize2_up"] = 0.3, {"factor": (1 / 4, 1.2 / 4), "filter": filters}  # of LR, as shares of HR
    table["resize2_down"] = 0.4, {"factor": (0.3 / 4, 1 / 4), "filter": filters}
    table["resize2_keep"] = 0.3, {"factor": [0.25], "filter": filters}
    for n, sigma, scale in ((1, (1, 30), (0.05, 3)), (2, (1, 25), (0.05, 2.5))):
        table[f"noise{n}_gaussian"] = 0.5, {"sigma_8bit": sigma}
        table[f"noise{n}_poisson"] = 0.5, {"scale": scale}
        table[f"jpeg{n}"] = 1.0, {}
    table["downsample0"] = 1.0, {"filter": filters}
    table["last_sinc"] = 0.8, {"cutoff": (PI / 3, PI), "size": ODD["7..21"]}
    return table


def bsrgan() -> Expected:
    """degradation_bsrgan for scale 4; one image in four is halved first and goes on as for scale 2."""
    table: Expected = {"last_jpeg": (1.0, {}), "halve_plain": (0.125, {}), "halve_matlab": (0.125, {})}
    for prefix, scale, chance in (("", 4, 0.75), ("half_", 2, 0.25)):
        widest, isotropic = (1e-6, 4.0 + scale), (1e-6, 2 + 0.2 * scale)
        for n in (1, 2):
            turned = {"variance_x": widest, "variance_y": widest, "angle": (0, PI), "size": ODD["7..25"]}
            table[f"{prefix}blur{n}_anisotropic"] = chance / 2, turned
            table[f"{prefix}blur{n}_isotropic"] = chance / 2, {"sigma": isotropic, "size": ODD["7..25"]}
        table[f"{prefix}reduce_any"] = 0.75 * chance, {"1/factor": (1, 2 * scale)}
        table[f"{prefix}reduce_nearest"] = 0.25 * chance, {"factor": [1 / scale]}
        table[f"{prefix}reduce_blur"] = 0.25 * chance, {"sigma": (0.1, 0.6 * scale)}
        table[f"{prefix}force"] = chance, {"filter": ["bilinear", "bicubic", "area"]}
        table[f"{prefix}gaussian"] = chance, {"sigma_8bit": list(range(2, 26))}
        table[f"{prefix}jpeg"] = 0.9 * chance, {}
        table[f"{prefix}sensor"] = 0.25 * chance, {}
    return table


def bsrgan_plus() -> Expected:
    table: Expected = {"last_jpeg": (1.0, {}), "downsample0": (1.0, {"filter": ["bilinear", "bicubic", "area"]})}
    for prefix, chance in (("global_", 0.1), ("local_", 0.9)):
        table[f"{prefix}jpeg"] = chance, {}
        for n in (1, 2):
            table[f"{prefix}blur{n}_isotropic"] = chance / 2, {"sigma": (1e-6, 2.8)}
            table[f"{prefix}resize{n}_up"] = 0.2 * chance, {"factor": (1, 2)}
            table[f"{prefix}resize{n}_down"] = 0.7 * chance, {"factor": (0.125, 1)}
            table[f"{prefix}{n}_gaussian"] = chance, {"sigma_8bit": list(range(2, 26))}
            table[f"{prefix}{n}_poisson"] = 0.1 * chance, {"log10 peak": (2, 4)}
            table[f"{prefix}{n}_speckle"] = 0.1 * chance, {}
            table[f"{prefix}{n}_sensor"] = 0.1 * chance, {}
    return table


PUBLISHED: dict[str, Expected] = {
    "bicubic": {"downsample0": (1.0, {})},
    "nearest": {"downsample0": (1.0, {})},
    "generic": {  # Ren et al. 2020, section 3.1.1
        "gaussian_blur0": (1.0, {"sigma": (0.2, 3.0), "size": [15]}),
        **{f"downsample{n}": (0.25, {}) for n in range(4)},
        "gaussian_noise0": (1 / 3, {"sigma_8bit": (0, 25)}),
        "poisson_noise0": (1 / 3, {"peak": (50, 150)}),
        "poisson_gaussian_noise0": (1 / 3, {"peak": (50, 150), "sigma": (0, 5)}),
    },
    "srmd": {  # section 4.1, scale 4
        "gaussian_blur0": (0.5, {"sigma": (0.2, 4.0), "size": [15]}),
        "anisotropic_gaussian_blur0": (0.5, {"variance_x": (0.5, 10), "variance_y": (0.5, 10), "angle": (0, PI)}),
        "gaussian_noise0": (1.0, {"sigma_8bit": (0, 75)}),
    },
    "usrnet": {  # dataset_usrnet.py
        "shake_blur0": (0.5, {"size": [25]}),
        "anisotropic_gaussian_blur0": (0.5, {"variance_x": (0.6, 12), "variance_y": (0.6, 12), "angle": (0, PI)}),
        "gaussian_noise0": (8 / 9, {"sigma_8bit": list(range(25))}),
    },
    "cleanup": {"resize0": (1.0, {"factor": [0.5]}), "downsample0": (1.0, {})},
    "dml_noise": {"gaussian_noise0": (1.0, {"sigma_8bit": [5]})},
    "denoise": {"gaussian_noise0": (1.0, {"sigma_8bit": (0, 55)})},
    "deblur": {
        "shake_blur0": (0.5, {"size": [25]}),
        "motion_blur0": (0.25, {"length": (3, 25), "angle": (0, PI)}),
        "disk_blur0": (0.25, {"radius": (0.5, 8)}),
        "gaussian_noise0": (1.0, {"sigma_8bit": (0, 24)}),
    },
    "realsr": {"kernel_blur0": (1.0, {}), "downsample0": (1.0, {}), "noise_patch0": (1.0, {})},
    "realesrgan": real_esrgan(),
    "realesrnet": real_esrgan(),
    "bsrgan": bsrgan(),
    "bsrgan_plus": bsrgan_plus(),
    "phone": {
        "lens": (1.0, {"sigma": (0.8, 2.4)}),
        "disk_blur0": (0.2, {"radius": (1, 5)}),
        "motion_blur0": (0.1, {"length": (3, 13)}),
        "sensor0": (1.0, {}),
        "halo0": (0.6, {"amount": (0.1, 0.8)}),
        "jpeg0": (1.0, {}),
    },
    "web": {
        "jpeg0": (0.5, {}),
        "jpeg1": (0.8, {}),
        "webp1": (0.2, {}),
        "jpeg2": (0.7, {}),
        "webp2": (0.3, {}),
        "resize0": (1.0, {"factor": (0.3, 0.9)}),
        "halo0": (0.4, {"sigma": (0.5, 1.0), "amount": (0.1, 0.6)}),
    },
}

JPEG_QUALITIES = {
    "realesrgan": (["jpeg1", "jpeg2"], 30, 95),
    "bsrgan": (["jpeg", "last_jpeg"], 30, 95),
    "bsrgan_plus": (["local_jpeg", "last_jpeg"], 30, 95),
    "phone": (["jpeg0"], 75, 97),
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, dict[str, list[Any]]]:
    """Recipe: step id: the draws of 2,000 patches."""
    found: dict[str, dict[str, list[Any]]] = {}
    for recipe in list_recipes():
        by_id: dict[str, list[Any]] = defaultdict(list)
        for patch in range(DRAWS):
            for step in (*recipe.hr, *recipe.lr):
                for draw in step.draw(Stream(2020, patch, 0)):
                    by_id[draw.id].append(draw)
        found[recipe.short_name] = by_id
    return found


def test_every_recipe_has_its_numbers_here() -> None:
    assert {recipe.short_name for recipe in list_recipes() if not recipe.learned} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_draws_follow_the_published_ranges_and_chances(name: str, drawn: dict[str, dict[str, list[Any]]]) -> None:
    for step, (chance, fields) in PUBLISHED[name].items():
        draws = drawn[name][step]
        assert len(draws) == pytest.approx(DRAWS * chance, abs=1e-9 + 4.5 * math.sqrt(DRAWS * chance * (1 - chance))), (
            step
        )
        for field, expected in fields.items():
            _check_values(f"{step}.{field}", [_value(draw, field) for draw in draws], expected)


@pytest.mark.parametrize("name", JPEG_QUALITIES)
def test_jpeg_qualities_are_uniform_whole_numbers(name: str, drawn: dict[str, dict[str, list[Any]]]) -> None:
    steps, low, high = JPEG_QUALITIES[name]
    for step in steps:
        qualities = np.array([draw.quality for draw in drawn[name][step]])
        assert (qualities.min(), qualities.max()) == (low, high)
        spread = qualities + np.random.default_rng(0).random(qualities.size)
        assert stats.kstest(spread, "uniform", (low, high + 1 - low)).pvalue > 1e-5


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_source_is_cited(name: str) -> None:
    recipe = load_recipe(name)
    assert len(recipe.source) > 15
    assert recipe.description


def test_the_second_reduction_of_bsrgan_never_comes_first() -> None:
    recipe = load_recipe("bsrgan")
    orders = set()
    for patch in range(300):
        ids = [draw.id.removeprefix("half_") for step in recipe.lr for draw in step.draw(Stream(1, patch, 0))]
        reduce = next(i for i, id in enumerate(ids) if id in ("reduce_any", "reduce_nearest"))
        assert reduce < ids.index("force")
        orders.add(tuple(id for id in ids if id in ("force", "gaussian", "jpeg")))
    assert len(orders) >= 6  # whatever else is shuffled


def test_the_last_jpeg_of_realesrgan_comes_before_and_after_the_last_resize_alike() -> None:
    recipe = load_recipe("realesrgan")
    last = [[draw.id for step in recipe.lr for draw in step.draw(Stream(1, patch, 0))][-1] for patch in range(2000)]
    assert last.count("jpeg2") == pytest.approx(1000, abs=101)  # 4.5 standard deviations


def _value(draw: Any, field: str) -> Any:
    if field == "1/factor":
        return 1 / draw.factor
    if field.startswith("variance"):
        return getattr(draw, field.replace("variance", "sigma")) ** 2
    if field == "log10 peak":
        return math.log10(draw.peak)
    if field == "filter" and not hasattr(draw, "filter"):
        return "nearest"
    return getattr(draw, field)


def _check_values(name: str, values: list[Any], expected: tuple[float, float] | list[Any]) -> None:
    if isinstance(expected, list):
        counts = [values.count(option) for option in expected]
        assert sum(counts) == len(values), f"{name}: {set(values) - set(expected)}"
        assert len(expected) == 1 or stats.chisquare(counts).pvalue > 1e-5, name
    else:
        low, high = expected
        assert low - 1e-9 <= min(values), name
        assert max(values) <= high + 1e-9, name
        assert stats.kstest(values, "uniform", (low, high - low)).pvalue > 1e-5, name
