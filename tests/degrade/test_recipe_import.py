"""Option files of Real-ESRGAN and traiNNer-redux as recipes; what a hostile or careless YAML file must not do."""

from __future__ import annotations

import builtins
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from degrade.errors import UnsafeFileError, UsageError
from degrade.recipe import load_recipe, parse_recipe
from degrade.recipe.diff import differences
from degrade.recipe_import import import_recipe

# The degradation of train_realesrgan_x4plus.yml: names and numbers of the options, without the rest of that file.
OPTIONS = """
name: train_RealESRGANx4plus
model_type: RealESRGANModel
scale: 4
l1_gt_usm: True
percep_gt_usm: True
gan_gt_usm: False
resize_prob: [0.2, 0.7, 0.1]
resize_range: [0.15, 1.5]
gaussian_noise_prob: 0.5
noise_range: [1, 30]
poisson_scale_range: [0.05, 3]
gray_noise_prob: 0.4
jpeg_range: [30, 95]
second_blur_prob: 0.8
resize_prob2: [0.3, 0.4, 0.3]
resize_range2: [0.3, 1.2]
gaussian_noise_prob2: 0.5
noise_range2: [1, 25]
poisson_scale_range2: [0.05, 2.5]
gray_noise_prob2: 0.4
jpeg_range2: [30, 95]
gt_size: 256
datasets:
  train:
    type: RealESRGANDataset
    dataroot_gt: datasets/DF2K
    blur_kernel_size: 21
    kernel_list: [iso, aniso, generalized_iso, generalized_aniso, plateau_iso, plateau_aniso]
    kernel_prob: [0.45, 0.25, 0.12, 0.03, 0.12, 0.03]
    sinc_prob: 0.1
    blur_sigma: [0.2, 3]
    betag_range: [0.5, 4]
    betap_range: [1, 2]
    blur_kernel_size2: 21
    kernel_list2: [iso, aniso, generalized_iso, generalized_aniso, plateau_iso, plateau_aniso]
    kernel_prob2: [0.45, 0.25, 0.12, 0.03, 0.12, 0.03]
    sinc_prob2: 0.1
    blur_sigma2: [0.2, 1.5]
    betag_range2: [0.5, 4]
    betap_range2: [1, 2]
    final_sinc_prob: 0.8
network_g: {type: RRDBNet, num_block: 23}
train: {total_iter: 400000, optim_g: {lr: !!float 1e-4}}
"""
# What traiNNer-redux has beyond that: its own chances, kernel sizes, filters.
REDUX = """
name: 4x_redux
scale: 4
high_order_degradation: true
high_order_degradations_debug: false
lq_usm: true
lq_usm_radius_range: [1, 4]
thicklines_prob: 0.1
blur_prob: 0.5
resize_prob: [0, 0, 1]
resize_range: [0.4, 1.5]
gaussian_noise_prob: 0.0
noise_range: [0, 0]
poisson_scale_range: [0, 0]
jpeg_prob: 0.75
jpeg_range: [75, 95]
blur_prob2: 0.0
resize_prob2: [0.3, 0.4, 0.3]
resize_mode_list2: [bilinear, bicubic, nearest-exact, lanczos]
resize_mode_prob2: [0.5, 0.25, 0.25, 0]
resize_range2: [0.6, 1.2]
gaussian_noise_prob2: 1
noise_range2: [0, 4]
poisson_scale_range2: [0, 0]
gray_noise_prob2: 0
jpeg_prob2: 0
jpeg_range2: [75, 95]
resize_mode_list3: [bicubic]
resize_mode_prob3: [1]
datasets:
  train:
    blur_kernel_size: 12
    kernel_list: [iso, aniso]
    kernel_prob: [0.6, 0.4]
    kernel_range: [5, 13]
    sinc_prob: 0.2
    blur_sigma: [0.2, 2]
    final_sinc_prob: 0.0
    lq_size: 64
"""

Written = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str) -> Path:
        path = tmp_path / "options.yml"
        path.write_text(text)
        return path

    return write


def recipe_of(path: Path) -> dict[str, Any]:
    return tomllib.loads(import_recipe(path).text)


def step(table: dict[str, Any], id: str) -> dict[str, Any]:
    return next(step for step in table["lr"] if step.get("id") == id)


def changed(text: str, name: str, value: str) -> str:
    """`text` with another value of the option, which it has."""
    found = [line for line in text.splitlines() if line.strip().startswith(f"{name}:")]
    assert len(found) == 1
    return text.replace(f"{found[0]}\n", f"{found[0].split(':')[0]}: {value}\n")


def test_the_official_options_give_the_steps_of_the_packaged_recipe(written: Written) -> None:
    imported = import_recipe(written(OPTIONS))
    ours = tomllib.loads((resources.files("degrade") / "recipes" / "realesrgan.toml").read_text())
    mine = tomllib.loads(imported.text)
    assert {key: mine[key] for key in ("scale", "margin", "hr", "lr")} == {
        key: ours[key] for key in ("scale", "margin", "hr", "lr")
    }
    assert imported.notices == ()


def test_the_official_options_do_what_the_packaged_recipe_does(written: Written) -> None:
    mine = parse_recipe(import_recipe(written(OPTIONS)).text)
    assert mine.digest == load_recipe("realesrgan").digest
    assert differences(load_recipe("realesrgan"), mine) == []


def test_every_branch_names_the_options_its_numbers_come_from(written: Written) -> None:
    text = import_recipe(written(OPTIONS)).text
    for line in (
        "weight = 0.405  # kernel_prob iso, times 1 - sinc_prob",
        "weight = 0.0625  # sinc_prob, and the share of these sizes",
        "weight = 0.7  # resize_prob down",
    ):
        assert line in text
    assert "# poisson_scale_range2, gray_noise_prob2" in text


@pytest.mark.parametrize(
    ("model", "flags", "sides"),
    [
        ("RealESRGANModel", "l1_gt_usm: True\ngan_gt_usm: False", ["hr"]),
        ("RealESRGANModel", "l1_gt_usm: False", ["lr"]),  # the code makes LR of the sharpened photo in any case
        ("RealESRNetModel", "gt_usm: True", ["hr"]),
        ("RealESRNetModel", "gt_usm: False", []),
    ],
)
def test_sharpening_goes_where_the_training_code_has_it(
    model: str, flags: str, sides: list[str], written: Written
) -> None:
    lines = [line for line in changed(OPTIONS, "model_type", model).splitlines() if "_usm:" not in line]
    table = recipe_of(written("\n".join([flags, *lines])))
    assert [side for side in ("hr", "lr") for step in table.get(side, []) if step["op"] == "unsharp_mask"] == sides


def test_a_beta_range_that_ends_at_1_is_half_a_constant(written: Written) -> None:
    branches = step(recipe_of(written(changed(OPTIONS, "betag_range", "[0.5, 1]"))), "blur1")["branches"]
    betas = {inner["id"]: inner for branch in branches for inner in branch["steps"]}
    assert betas["blur1_generalized_iso_low"]["beta_range"] == [0.5, 1]
    assert betas["blur1_generalized_iso_high"]["beta"] == 1


def test_parts_of_no_chance_are_left_out(written: Written) -> None:
    text = changed(changed(changed(OPTIONS, "sinc_prob", "0"), "second_blur_prob", "0"), "gaussian_noise_prob", "1")
    table = recipe_of(written(changed(text, "final_sinc_prob", "0")))
    ids = [step.get("id") for step in table["lr"]]
    assert ids == ["blur1", "resize1", "noise1", "clip1", "jpeg1", "resize2", "noise2", "clip2", "last"]
    branches = [branch for part in ("blur1", "noise1") for branch in step(table, part)["branches"]]
    ops = {inner["op"] for branch in branches for inner in branch["steps"]}
    assert "sinc_blur" not in ops
    assert "scaled_poisson_noise" not in ops
    assert [inner["op"] for inner in step(table, "last")["groups"][0]["steps"]] == ["downsample"]


def test_redux_has_chances_sizes_and_filters_of_its_own(written: Written) -> None:
    imported = import_recipe(written(REDUX))
    table = tomllib.loads(imported.text)
    assert [inner.get("id", inner["op"]) for inner in table["lr"]] == [
        "sharpen", "blur1", "jpeg1", "resize2", "noise2", "clip2", "downsample",
    ]  # fmt: skip
    # Sizes 1, 2, 3 and 4, even ones plus 1: 1 does nothing, 3 twice, 5 once.
    sharpen = step(table, "sharpen")
    assert (sharpen["probability"], sharpen["size_choice"], sharpen["size_weights"]) == (0.75, [3, 5], [2, 1])
    blur = step(table, "blur1")
    weights = {branch["steps"][0]["id"]: branch["weight"] for branch in blur["branches"]}
    assert blur["probability"] == 0.5
    assert weights == {  # of the sizes 5, 7, 9, 11 and 13 one is large
        "blur1_iso": 0.48, "blur1_aniso": 0.32, "blur1_sinc_small": 0.16, "blur1_sinc_large": 0.04,
    }  # fmt: skip
    assert step(table, "jpeg1")["probability"] == 0.75
    up, _, keep = step(table, "resize2")["branches"]
    assert keep["steps"] == []  # as large as it is; Real-ESRGAN goes to LR size there
    assert up["steps"][0]["filter_choice"] == ["bilinear", "bicubic", "nearest"]
    assert up["steps"][0]["filter_weights"] == [0.5, 0.25, 0.25]
    assert up["steps"][0]["antialias"]
    assert step(table, "noise2")["branches"][0]["steps"][0]["mode"] == "colour"
    assert table["lr"][-1] == {"op": "downsample", "filter": "bicubic", "antialias": True}
    assert imported.notices == ("thicklines_prob: not known here, left out of the recipe",)


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        (f"motion_blur_range: [3, 9]\n{OPTIONS}", "motion_blur_range: not known here, left out of the recipe"),
        (OPTIONS.replace("  train:\n", "  train:\n    odd: 1\n"), "odd: not known here, left out of the recipe"),
        (changed(OPTIONS, "blur_kernel_size", "15"), "blur_kernel_size: the training code never uses it"),
        (f"sinc_prob: 0.5\n{OPTIONS}", "sinc_prob: stated twice, and not alike"),
        (changed(OPTIONS, "percep_gt_usm", "false"), "percep_gt_usm: unlike l1_gt_usm"),
    ],
)
def test_options_the_recipe_does_not_follow_are_named(text: str, notice: str, written: Written) -> None:
    (told,) = import_recipe(written(text)).notices
    assert told.startswith(notice)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("jpeg_range", "[95, 30]", "jpeg_range: expected low <= high, got 95 and 30"),
        ("jpeg_range", "[30]", "jpeg_range: expected two numbers"),
        ("noise_range", "30", "noise_range: expected a list, got 30"),
        ("sinc_prob", "1.5", "sinc_prob: expected a number from 0 to 1, got 1.5"),
        ("sinc_prob", ".nan", "sinc_prob: expected a number, got nan"),
        ("sinc_prob", "1" * 400, "sinc_prob: expected a number, got 111"),
        ("kernel_prob", "[1, 2]", "kernel_prob: expected 6 numbers, got 2"),
        ("resize_prob", "[0, 0, 0]", "resize_prob: expected one number above 0"),
        ("kernel_list", "[iso, skew]", "kernel_list: expected some of iso, aniso"),
        ("l1_gt_usm", "'yes'", "l1_gt_usm: expected true or false, got 'yes'"),
        ("final_sinc_prob", "~", "final_sinc_prob: missing"),
        ("scale", "2.5", "scale: expected a whole number, got 2.5"),
    ],
)
def test_a_wrong_option_is_named_with_what_was_expected(name: str, value: str, problem: str, written: Written) -> None:
    path = written(changed(OPTIONS, name, value))
    with pytest.raises(UsageError) as caught:
        import_recipe(path)
    assert str(caught.value).startswith(f"{path}: {problem}")
    assert len(f"{caught.value}".removeprefix(str(path))) <= 200


def test_files_without_a_degradation_are_refused_with_a_reason(written: Written) -> None:
    with pytest.raises(UsageError, match=r"high_order_degradation is false.*`degrade pack`"):
        import_recipe(written(f"high_order_degradation: False\n{OPTIONS}"))
    with pytest.raises(UsageError, match="states no degradation that is known here"):
        import_recipe(written("name: EDSR\nscale: 4\nnetwork_g: {type: EDSR}\n"))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]" for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TRAPS = {  # text: the error, and a part of its line
    "python object": ("x: !!python/object/apply:os.mkdir [canary]", UnsafeFileError, "asks for more than plain values"),
    "python name": ("x: !!python/name:os.system", UnsafeFileError, "nothing was run"),
    "billion laughs": (BOMB, UnsafeFileError, "more than 10,000 values, aliases written out"),
    "alias of itself": ("x: &a [*a]", UnsafeFileError, "contains itself"),
    "merge of itself": ("x: &a {<<: *a}", UnsafeFileError, "contains itself"),
    "key twice": (
        "sinc_prob: 0.1\nsinc_prob: 0.2",
        UsageError,
        "line 2: the key 'sinc_prob' stands here",
    ),
    "deep": ("x: " + "[" * 2000, UsageError, "nested more than 50 deep"),
    "long": ("x: " + "y" * (1 << 20), UsageError, "more than 1 MiB"),
    "own tag": ("x: !include /etc/passwd", UnsafeFileError, "the tag '!include'"),
    "two documents": ("a: 1\n---\nb: 2", UsageError, "not valid YAML: line 2"),
    "not a number": ("x: !!float abc", UsageError, "not valid YAML"),
    "empty number": ("x: !!int ''", UsageError, "not valid YAML"),
    "no such day": ("x: 2024-13-45", UsageError, "not valid YAML"),
    "tab": ("x:\n\t- 1", UsageError, "not valid YAML: line 2"),
    "list": ("- 1", UsageError, "expected options (key: value), got list"),
    "nothing": ("", UsageError, "expected options (key: value), got NoneType"),
    "control bytes": ("x: \x01", UsageError, "not valid YAML"),
}


@pytest.mark.parametrize("name", TRAPS)
def test_traps_in_yaml_are_refused_on_one_line_and_nothing_is_run(
    name: str, written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text, kind, part = TRAPS[name]
    path = written(text)
    with pytest.raises(kind) as caught:
        import_recipe(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["options.yml"]


@pytest.mark.parametrize(("number", "value"), [("1e-4", 1e-4), ("1E-1", 0.1), ("!!float 2e-4", 2e-4), ("5.e-1", 0.5)])
def test_numbers_that_yaml_takes_for_words_are_numbers(number: str, value: float, written: Written) -> None:
    table = recipe_of(written(changed(OPTIONS, "second_blur_prob", number)))
    assert step(table, "blur2")["probability"] == value


def test_no_is_false_and_no_number(written: Written) -> None:
    with pytest.raises(UsageError, match="second_blur_prob: expected a number, got False"):
        import_recipe(written(changed(OPTIONS, "second_blur_prob", "no")))
    table = recipe_of(written(changed(OPTIONS, "l1_gt_usm", "no")))
    assert "hr" not in table


def test_anchors_and_merges_of_honest_size_are_followed(written: Written) -> None:
    text = changed(OPTIONS, "jpeg_range", "&quality [40, 90]")
    table = recipe_of(written(changed(text, "jpeg_range2", "*quality")))
    assert step(table, "jpeg1")["quality_range"] == [40, 90]
    assert step(table, "last")["groups"][1]["steps"][0]["quality_range"] == [40, 90]


def test_unreadable_files_say_why(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.yml: cannot be read: No such file or directory - check the path"):
        import_recipe(tmp_path / "no.yml")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        import_recipe(tmp_path)
    (tmp_path / "latin.yml").write_bytes(b"name: \xe9")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        import_recipe(tmp_path / "latin.yml")


def test_without_pyyaml_the_cure_is_the_command(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_yaml(name: str, *rest: Any, **named: Any) -> Any:
        if name == "yaml":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_yaml)
    with pytest.raises(UsageError, match=r'PyYAML - pip install "degrade\[import\]"'):
        import_recipe(written(OPTIONS))


def test_names_with_quotes_and_controls_stay_text(written: Written) -> None:
    table = recipe_of(written(changed(OPTIONS, "name", r'"a \"quoted\" name \x7f \u20ac [[lr]]"')))
    assert table["name"] == 'a "quoted" name \x7f € [[lr]]'
