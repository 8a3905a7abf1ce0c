"""What is read from the ops for help and schema."""

from __future__ import annotations

from dataclasses import MISSING, fields

import pytest

from degrade.ops import OPS
from degrade.recipe.fields import description, op_fields, summary
from degrade.recipe.limits import Limits, limits_of


@pytest.mark.parametrize("kind", OPS)
def test_every_op_says_what_it_does_and_has_its_fields_listed(kind: str) -> None:
    assert summary(kind)
    assert "Attributes:" not in description(kind)
    found = {field.name: field for field in op_fields(kind)}
    for field in fields(OPS[kind]):
        if field.name in found:
            assert (found[field.name].default is None) == (field.default is MISSING)
    assert {field.name for field in fields(OPS[kind])} - set(found) <= {"scale"}


def test_limits_come_from_the_ops_own_checks() -> None:
    assert limits_of(OPS["downsample"])["filter"].words[:3] == ("nearest", "area", "bilinear")
    assert limits_of(OPS["gaussian_noise"])["sigma_8bit"] == Limits(low=0)
    resize = limits_of(OPS["resize"])  # factor and divisor exclude each other
    assert resize["factor"] == Limits(0, 8, above=True)
    assert resize["divisor"] == Limits(low=1 / 8)
    assert "area" in resize["filter"].words


def test_limits_in_words() -> None:
    assert str(Limits()) == ""
    assert str(Limits(0, 8, above=True)) == "above 0, at most 8"
    assert str(Limits(0, 1)) == "0 to 1"
    assert str(Limits(low=2)) == "2 or more"
    assert str(Limits(high=2)) == "at most 2"
    assert str(Limits(words=("a", "b"))) == "a, b"


def test_descriptions_come_from_the_attributes_of_the_docstring() -> None:
    found = {field.name: field for field in op_fields("downsample")}
    assert found["cubic_a"].about.startswith("of bicubic: -0.5")
    assert found["antialias"].about.endswith("removed by a blur before.")  # three lines of the docstring
    assert found["light"].limits.words == ("srgb", "linear")
    assert "scale" not in found


def test_a_field_of_the_name_scale_that_is_drawn_is_listed() -> None:
    assert [field.name for field in op_fields("scaled_poisson_noise")] == ["scale", "mode"]
