"""The list of operators against what torch itself states of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from degrade.gate_torchscript.operators import IN_PLACE, KEYWORDS, OPERATORS, PRIMITIVES

# `forward` may not give them what they write to: `code.py` asks for a list of its own, and for eval mode.
WRITES = {"append"}


def schemas(name: str) -> list[Any]:
    return list(torch._C._jit_get_schemas_for_operator(name))


def writes(argument: Any) -> bool:
    return argument.alias_info is not None and argument.alias_info.is_write


@pytest.mark.parametrize("name", sorted(OPERATORS | IN_PLACE))
def test_torch_knows_the_operator(name: str) -> None:
    assert schemas(f"aten::{name}")


@pytest.mark.parametrize("name", sorted(OPERATORS - WRITES))
def test_it_writes_only_to_what_is_named_out(name: str) -> None:
    for schema in schemas(f"aten::{name}"):
        for argument in schema.arguments:
            if writes(argument):
                assert argument.kwarg_only, f"{schema}: {argument.name}"
                assert argument.name not in KEYWORDS, f"{schema}: {argument.name}"


@pytest.mark.parametrize("name", sorted(IN_PLACE))
def test_an_operator_in_place_writes_to_its_first_argument_alone(name: str) -> None:
    for schema in schemas(f"aten::{name}"):
        assert not any(map(writes, schema.arguments[1:]))


@pytest.mark.parametrize("name", sorted(OPERATORS | IN_PLACE))
def test_it_is_not_random_and_names_no_file(name: str) -> None:
    packet = getattr(torch.ops.aten, name, None)
    for overload in packet.overloads() if packet is not None else []:
        assert torch.Tag.nondeterministic_seeded not in getattr(packet, overload).tags
    for schema in schemas(f"aten::{name}"):
        assert not {argument.name for argument in schema.arguments} & {"generator", "filename"}


def test_the_primitives_are_registered() -> None:
    known = {schema.name for schema in torch._C._jit_get_all_schemas()}
    missing = {f"prim::{name}" for name in PRIMITIVES} - known
    assert missing <= {"prim::RaiseException", "prim::dtype", "prim::device"}  # without schema: part of the language


def test_the_hostile_operators_exist_and_are_not_listed() -> None:
    hostile = {
        "save",
        "from_file",
        "dropout",
        "rand",
        "randn",
        "normal",
        "bernoulli",
        "resize_",
        "set_",
        "copy_",
        "empty",
    }
    assert all(schemas(f"aten::{name}") for name in hostile)
    assert not hostile & (OPERATORS | IN_PLACE)
