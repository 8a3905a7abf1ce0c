"""Strict tables: every mistake is one line with the path; nothing is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from degrade import schema
from degrade.errors import UsageError


@dataclass(frozen=True)
class Inner:
    rate: float
    kind: Literal["a", "b"] = "a"

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError("expected a rate above 0")


@dataclass(frozen=True)
class Outer:
    inner: Inner
    steps: tuple[Inner, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    name: str = ""


def refused(table: dict) -> str:
    with pytest.raises(UsageError) as caught:
        schema.build(Outer, table, origin="run.toml")
    line = str(caught.value)
    assert line.startswith("run.toml: ")
    assert "\n" not in line
    return line


def test_a_table_becomes_the_dataclass_with_defaults() -> None:
    built = schema.build(Outer, {"inner": {"rate": 1}, "steps": [{"rate": 2.5, "kind": "b"}]}, origin="x")
    assert built == Outer(Inner(1.0), (Inner(2.5, "b"),))
    assert isinstance(built.inner.rate, float)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"inner": {"rate": 1, "knid": "a"}}, ["inner.knid", "unknown key", "'kind'"]),
        ({"inner": {"rate": 1}, "nmae": "x"}, ["nmae", "'name'"]),
        ({"inner": {}}, ["inner.rate", "missing"]),
        ({"inner": {"rate": "1"}}, ["inner.rate", "number", "'1'"]),
        ({"inner": {"rate": True}}, ["inner.rate"]),
        ({"inner": {"rate": 1, "kind": "c"}}, ["inner.kind", "'a' or 'b'"]),
        ({"inner": {"rate": 0}}, ["inner", "above 0"]),
        ({"inner": {"rate": 1}, "steps": [{"rate": 1}, {"rate": -1}]}, ["steps.1", "above 0"]),
        ({"inner": {"rate": 1}, "pair": [1]}, ["pair"]),
        ({"inner": {"rate": 1}, "name": 3}, ["name", "string"]),
    ],
)
def test_mistakes_name_their_path(table: dict, words: list[str]) -> None:
    line = refused(table)
    assert all(word in line for word in words), line


def test_plain_construction_is_not_slowed_or_changed() -> None:
    schema.build(Outer, {"inner": {"rate": 1}}, origin="x")
    assert Inner(True).rate is True  # only `build` checks types
    with pytest.raises(TypeError):
        Inner(rate=1.0, other=2)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = 1\na = 2", ["overwrite"]),
        ("a = ", ["Invalid value"]),
        ("a = " + "[" * 20_000, ["nested"]),
        ("a = 1" + "0" * 5000, ["number"]),
        ("a = 1 # " + "x" * schema.MAX_TEXT, ["characters"]),
    ],
)
def test_text_that_is_no_toml_is_one_short_line(text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        schema.read_toml(text, origin="f.toml")
    line = str(caught.value)
    assert len(line) < 200
    assert all(word in line for word in words), line


def test_a_number_in_toml_keeps_its_type() -> None:
    assert schema.read_toml("a = 1e-4\nb = 0.5", origin="f") == {"a": 1e-4, "b": 0.5}


def test_overrides_assign_in_a_copy() -> None:
    table = {"a": {"b": [1, {"c": 2}]}}
    changed = schema.override(table, ["a.b.1.c=[3, 4]", "a.d=word", "e.f=true"], origin="x")
    assert changed == {"a": {"b": [1, {"c": [3, 4]}], "d": "word"}, "e": {"f": True}}
    assert table == {"a": {"b": [1, {"c": 2}]}}


@pytest.mark.parametrize("assignment", ["a", "=1", "a.b.7=1", "a.b.x=1", "a.b.0.c.d=1"])
def test_an_override_that_leads_nowhere_is_refused(assignment: str) -> None:
    with pytest.raises(UsageError, match="override"):
        schema.override({"a": {"b": [1]}}, [assignment], origin="x")


def test_merging_lays_tables_over_and_replaces_lists() -> None:
    assert schema.merged({"a": {"x": 1, "y": [1]}, "b": 1}, {"a": {"y": [2]}}) == {"a": {"x": 1, "y": [2]}, "b": 1}
