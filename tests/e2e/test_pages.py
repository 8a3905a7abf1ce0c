"""packages/degrade/docs is true: its recipes load and run, its tables are the code's, its pictures are the tool's."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tomli_w
from PIL import Image

from degrade.errors import MissingModelError
from degrade.functional.dead_leaves import render
from degrade.ops import OPS
from degrade.pipeline import degrade_image
from degrade.recipe import list_recipes, parse_recipe
from degrade.recipe.fields import op_fields

PACKAGE = Path(__file__).resolve().parents[2] / "packages" / "degrade"
DOCS = PACKAGE / "docs"
PAGES = sorted(DOCS.glob("*.md"))
LANGUAGE = PACKAGE / "src" / "degrade" / "recipes" / "README.md"
TOML = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in [*PAGES, LANGUAGE]
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]
SECTIONS = {
    name: body
    for page in PAGES
    for name, body in re.findall(
        r"^## `([\w-]+)`\n(.*?)(?=^## |\Z)", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
}
MOST_BYTES, MOST_BYTES_IN_ALL = 120_000, 2_500_000


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    """make_pictures.py as a module."""
    spec = importlib.util.spec_from_file_location("make_pictures", DOCS / "make_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("text", TOML)
def test_every_recipe_and_every_step_of_the_pages_runs(text: str) -> None:
    table = tomllib.loads(text)
    if "name" not in table:  # steps alone: they get a header, and an end at LR size
        table |= {"name": "steps", "source": "a page", "scale": 4}
        table["lr"] = [*table.get("lr", []), {"op": "downsample", "filter": "area", "id": "the_end"}]
    try:
        recipe = parse_recipe(tomli_w.dumps(table))
    except MissingModelError as lack:
        pytest.skip(str(lack))
    hr = render(48, 64, 1)
    pair = degrade_image(hr, recipe, key=3)
    each = recipe.scale * recipe.reduction
    assert pair.lr.shape == (48 // each, 64 // each, 3)


def test_every_op_has_a_section_with_an_example_of_it_and_a_picture() -> None:
    assert set(OPS) <= set(SECTIONS)
    for kind in OPS:
        assert f'op = "{kind}"' in SECTIONS[kind], kind
        if kind not in {"clip", "one_of", "learned"}:
            assert "(pictures/" in SECTIONS[kind], kind


@pytest.mark.parametrize("kind", OPS)
def test_the_table_of_an_op_has_its_fields_defaults_and_limits(kind: str) -> None:
    rows = re.findall(r"^\| `(\w+)`( \*)? \| (.*?) \| (.*?) ?\| .+ \|$", SECTIONS[kind], re.MULTILINE)
    words = {"yes": "true", "no": "false", "()": "none"}
    fields = op_fields(kind)
    assert [(name, bool(star)) for name, star, _, _ in rows] == [
        (field.name, field.kind in {"number", "word"}) for field in fields
    ]
    for (_, _, default, allowed), field in zip(rows, fields, strict=True):
        assert default == ("required" if field.default is None else words.get(field.default, field.default))
        if str(field.limits):
            assert allowed == str(field.limits)


def test_every_recipe_has_a_section_with_its_sheet() -> None:
    for path in LANGUAGE.parent.glob("*.toml"):
        assert path.stem in SECTIONS
    for recipe in list_recipes():
        if not recipe.learned:
            assert f"(pictures/recipe_{recipe.short_name}.webp)" in SECTIONS[recipe.short_name]


def test_the_pictures_are_those_that_the_pages_show_and_the_script_draws(pictures: ModuleType) -> None:
    shown = {name for page in PAGES for name in re.findall(r"\(pictures/(\w+)\.webp\)", page.read_text("utf-8"))}
    files = {path.stem: path.stat().st_size for path in (DOCS / "pictures").iterdir()}
    assert shown == set(files) == set(pictures.stated())
    assert max(files.values()) <= MOST_BYTES
    assert sum(files.values()) <= MOST_BYTES_IN_ALL


@pytest.mark.parametrize("name", ["gaussian_blur", "downsample", "gaussian_noise_mode", "sensor", "jpeg", "saturation"])
def test_a_picture_shows_what_the_library_does_now(pictures: ModuleType, name: str) -> None:
    pytest.importorskip("skimage")
    drawn = pictures.drawn(name, pictures.stated()[name])
    kept = decoded((DOCS / "pictures" / f"{name}.webp").read_bytes())
    assert kept.shape == drawn.shape
    here = decoded(pictures.encoded(drawn)).astype(int)  # lossy, so compared as a file too
    assert np.abs(here - kept).mean() < 0.5  # another libwebp; another key or level moves this by 2 and more


def decoded(data: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
