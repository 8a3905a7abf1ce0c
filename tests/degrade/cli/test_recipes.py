"""`degrade recipes`: list, show, validate, diff, ops, schema, import."""

from __future__ import annotations

import json
import tomllib

import pytest

from degrade.ops import OPS
from degrade.recipe import load_recipe


def test_list_names_every_recipe_with_scale_source_and_a_line(degrade) -> None:
    ran = degrade("recipes", "list")
    assert ran.code == 0
    for name in ("generic", "bicubic"):
        recipe = load_recipe(name)
        (line,) = [line for line in ran.out.splitlines() if line.startswith(name)]
        assert f"x{recipe.scale} per {recipe.unit}" in line
        assert recipe.description in line
        assert f"{recipe.name}: {recipe.source}" in ran.out


def test_list_as_json(degrade) -> None:
    told = {entry["short_name"]: entry for entry in json.loads(degrade("recipes", "list", "--json").out)}
    assert told["generic"]["name"] == "ren2020_generic"
    assert told["generic"]["digest"] == load_recipe("generic").digest


def test_show_prints_a_file_that_is_the_same_recipe(degrade, tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(degrade("recipes", "show", "ren2020_generic").out)
    assert load_recipe(file).digest == load_recipe("generic").digest
    file.write_text(degrade("recipes", "show", file, "--set", "lr.0.sigma_range=[1.0, 2.0]").out)
    assert tomllib.loads(file.read_text())["lr"][0]["sigma_range"] == [1.0, 2.0]


def test_show_as_json_fills_the_defaults_in(degrade) -> None:
    told = json.loads(degrade("recipes", "show", "generic", "--scale", "2", "--json").out)
    assert (told["scale"], told["lr"][0]["probability"]) == (2, 1.0)
    assert told["lr"][0]["sigma"] == {"range": [0.2, 3.0]}


MISTAKES = {
    "op": ('[[lr]]\nop = "gausian_blur"', "lr[0].op: unknown op 'gausian_blur' - did you mean 'gaussian_blur'?"),
    "key": ('[[lr]]\nop = "gaussian_blur"\nsigma = 1\nsiez = 3', "lr[0].siez: unknown key - did you mean 'size'?"),
    "toml": ("[[lr]", "not valid TOML"),
    "range": ('[[lr]]\nop = "gaussian_blur"\nsigma_range = [3.0, 0.2]', "expected low <= high"),
    "none": ("", "lr: no steps"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_validate_names_place_and_cure(kind, degrade, tmp_path) -> None:
    text, line = MISTAKES[kind]
    file = tmp_path / "mine.toml"
    file.write_text(f'name = "mine"\nsource = "ours"\n{text}')
    ran = degrade("recipes", "validate", file)
    assert ran.code == 2
    assert ran.err.startswith(f"degrade: error: {file}: ")
    assert line in ran.err
    assert ran.err.count("\n") == 1


def test_validate_looks_at_every_file(degrade, tmp_path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text('name = "x"')
    ran = degrade("recipes", "validate", tmp_path / "one.toml", "generic", tmp_path / "two.toml", tmp_path / "no.toml")
    assert ran.code == 2
    assert ran.out == "generic: fine\n"
    assert len(ran.err.splitlines()) == 3
    assert degrade("recipes", "validate", "generic", "bicubic").code == 0


def test_an_unknown_name_gives_the_nearest(degrade) -> None:
    ran = degrade("recipes", "show", "genric")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "did you mean 'generic'?" in ran.err


def test_list_keeps_its_columns_with_every_recipe(degrade) -> None:
    lines = [line for line in degrade("recipes", "list").out.splitlines() if "needs a model" not in line]
    assert len({line.index(" per p") for line in lines[::2]}) == 1
    assert len({len(line) - len(line.lstrip()) for line in lines[1::2]}) == 1


def test_validate_names_a_mistake_of_every_step(degrade, tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "mine"\nsource = "ours"\n[[lr]]\nop = "gausian_blur"\n[[lr]]\nop = "downsample"\nfliter = "area"'
    )
    ran = degrade("recipes", "validate", file)
    assert ran.code == 2
    assert [line.removeprefix(f"degrade: error: {file}: ").split(":")[0] for line in ran.err.splitlines()] == [
        "lr[0].op",
        "lr[1].fliter",
    ]


def test_diff_says_what_changes_and_ends_well_either_way(degrade, tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "generic"\nname = "mild"\n[set]\n"lr.0.sigma_range" = [0.2, 1.5]')
    ran = degrade("recipes", "diff", "generic", file)
    assert (ran.code, ran.out, ran.err) == (0, "lr, gaussian_blur0: sigma: 0.2 to 3 -> 0.2 to 1.5\n", "")
    told = json.loads(degrade("recipes", "diff", "generic", file, "--json").out)
    assert (told["equal"], told["same_digest"]) == (False, False)
    assert told["differences"] == [{"where": "lr, gaussian_blur0", "what": "sigma", "a": "0.2 to 3", "b": "0.2 to 1.5"}]
    same = degrade("recipes", "diff", "generic", "ren2020_generic")
    assert (same.code, same.out) == (0, "equal\n")
    file.write_text('extends = "generic"\n[set]\n"lr.2.branches.0.weight" = 1.0\n"lr.0.sigma_range" = [0.2, 3]')
    assert degrade("recipes", "diff", "generic", file).out == "equal\n"


def test_diff_of_a_faulty_recipe_is_a_usage_error(degrade, tmp_path) -> None:
    ran = degrade("recipes", "diff", "generic", tmp_path / "no.toml")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be read" in ran.err


def test_ops_lists_every_op_and_the_fields_of_one(degrade) -> None:
    ran = degrade("recipes", "ops")
    assert ran.code == 0
    for kind in OPS:
        assert f"\n{kind} " in f"\n{ran.out}"
    assert max(map(len, ran.out.splitlines())) <= 120
    one = degrade("recipes", "ops", "downsample").out
    assert "cubic_a    default -0.5. of bicubic" in one
    assert "must be stated; one of nearest, area" in one
    told = json.loads(degrade("recipes", "ops", "gaussian_noise", "--json").out)
    assert told["gaussian_noise"]["fields"]["sigma_8bit"]["default"] is None


def test_an_unknown_op_gives_the_nearest(degrade) -> None:
    ran = degrade("recipes", "ops", "gausian_blur")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "did you mean 'gaussian_blur'?" in ran.err


def test_schema_is_printed_or_written(degrade, tmp_path) -> None:
    printed = json.loads(degrade("recipes", "schema").out)
    file = tmp_path / "recipe.schema.json"
    ran = degrade("recipes", "schema", "-o", file)
    assert f"#:schema {file}" in ran.out
    assert json.loads(file.read_text()) == printed
    assert degrade("recipes", "schema", "-o", file).code == 0  # made anew after an update


OPTIONS = """
name: mine
scale: 4
high_order_degradation: true
blur_prob: 0
resize_prob: [0, 0, 1]
resize_range: [1, 1]
gaussian_noise_prob: 1
noise_range: [0, 30]
poisson_scale_range: [0, 0]
gray_noise_prob: 0
jpeg_prob: 0
blur_prob2: 0
resize_prob2: [0, 0, 1]
resize_range2: [1, 1]
gaussian_noise_prob2: 1
noise_range2: [0, 0]
jpeg_prob2: 0
resize_mode_list3: [bicubic]
resize_mode_prob3: [1]
final_sinc_prob: 0
thicklines_prob: 0.2
"""


def test_import_writes_a_recipe_that_validates_and_names_what_is_left_out(degrade, tmp_path) -> None:
    file, mine = tmp_path / "options.yml", tmp_path / "mine.toml"
    file.write_text(OPTIONS)
    ran = degrade("recipes", "import", file, "-o", mine)
    assert (ran.code, ran.out) == (0, f"{mine}: x4, 3 steps\n")
    assert (
        ran.err == f"degrade: note: {tmp_path}/options.yml: thicklines_prob: not known here, left out of the recipe\n"
    )
    assert degrade("recipes", "validate", mine).out == f"{mine}: fine\n"
    assert load_recipe(mine).name == "mine"
    printed = degrade("recipes", "import", file)
    assert printed.out == mine.read_text()

    again = degrade("recipes", "import", file, "-o", mine)
    assert (again.code, "is there already - overwrite with --force" in again.err) == (2, True)
    assert degrade("recipes", "import", file, "-o", mine, "--force").code == 0


def test_import_of_a_bomb_or_to_a_wrong_name_fails_in_one_line(degrade, tmp_path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("x: !!python/object/apply:os.mkdir [canary]")
    ran = degrade("recipes", "import", bad, "-o", tmp_path / "mine.toml")
    assert (ran.code, ran.err.count("\n"), ran.out) == (4, 1, "")
    assert not (tmp_path / "mine.toml").exists()
    named = degrade("recipes", "import", bad, "-o", tmp_path / "mine.json")
    assert (named.code, "use -o mine.toml" in named.err) == (2, True)


def test_import_of_a_number_no_op_takes_names_the_file_and_the_step(degrade, tmp_path) -> None:
    file = tmp_path / "options.yml"
    enlarging = OPTIONS.replace("resize_prob: [0, 0, 1]", "resize_prob: [1, 0, 0]")
    file.write_text(enlarging.replace("resize_range: [1, 1]", "resize_range: [1, 100]"))
    ran = degrade("recipes", "import", file)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    place = f"degrade: error: {file}, as a recipe: lr[0].branches[0].steps[0]"
    assert ran.err.startswith(f"{place}: expected factor above 0 and at most 8")


@pytest.mark.parametrize(
    "words",
    [["list"], ["show", "generic"], ["validate", "generic"], ["diff", "generic", "bicubic"], ["ops"], ["schema"]],
)
def test_debug_may_stand_last(words, degrade) -> None:
    assert degrade("recipes", *words, "--debug").code == 0
