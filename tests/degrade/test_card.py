"""The card of a degrader: what is written is read, and everything else is refused in one line."""

from __future__ import annotations

import dataclasses
import io
import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from degrade.card import ENTRY, Card, NoiseInput, ReferenceInput, card_json, read_card, write_degrader
from degrade.errors import IntegrityError, ResourceError


def file_with(path: Path, text: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"x/{ENTRY}", text)
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"inputs": ()},
        {"inputs": (ReferenceInput("a real LR patch"), NoiseInput(1, 0.0)), "name": "zwölf"},
        {"receptive_field": "whole", "colour": "y", "scale": 1, "zoom": 4, "metrics": {}},
    ],
)
def test_a_card_is_read_as_it_was_written(changes: dict[str, Any], card: Card, tmp_path: Path) -> None:
    card = dataclasses.replace(card, **changes)
    assert read_card(file_with(tmp_path / "x.pt", card_json(card))) == card


def test_the_text_is_plain_json_with_every_field(card: Card) -> None:
    table = json.loads(card_json(card))
    assert table["format"] == "degrade-degrader"
    assert (table["format_version"], table["runtime"]) == (1, "torchscript")
    assert table["inputs"] == [{"kind": "noise", "channels": 3, "sigma": 0.05}]
    assert set(table) == {field.name for field in dataclasses.fields(Card)}
    assert card_json(card).isascii()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", "degrade-pool", "format 'degrade-pool', this degrade reads 'degrade-degrader'"),
        ("format_version", 2, "format_version 2, this degrade reads 1"),
        ("format_version", True, "format_version True, this degrade reads 1"),
        ("runtime", "onnx", "runtime 'onnx', this degrade reads 'torchscript'"),
        ("licens", "MIT", "licens: unknown key - "),
        ("name", " ", "name: expected some text"),
        ("scale", "2", "scale: Input should be a valid integer, got '2'"),
        ("scale", 0, "scale: expected at least 1, got 0"),
        ("multiple", 3, "multiple: expected a multiple of the scale 2, got 3"),
        ("zoom", 2, "zoom: expected 1 where scale is 2, got 2"),
        ("receptive_field", "hole", "receptive_field"),
        ("receptive_field", -1, "receptive_field: expected no negative number"),
        ("batch", 0, "batch: expected at least 1"),
        ("colour", "bgr", "colour: Input should be 'rgb' or 'y'"),
        ("inputs", [{"kind": "noise", "channels": 3}], "sigma: missing"),
        ("inputs", [{"kind": "mask"}], "inputs.0"),
        ("inputs", [{"kind": "noise", "channels": 0, "sigma": 1.0}], "expected channels >= 1"),
        ("metrics", {"psnr": "high"}, "metrics.psnr"),
        ("steps", None, "steps"),
    ],
)
def test_what_a_card_may_not_say_is_refused(key: str, value: object, said: str, card: Card, tmp_path: Path) -> None:
    text = json.dumps({**json.loads(card_json(card)), key: value})
    with pytest.raises(IntegrityError) as refusal:
        read_card(file_with(tmp_path / "x.pt", text))
    assert said in str(refusal.value)
    assert str(refusal.value).startswith(f"{tmp_path / 'x.pt'}: card: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"\xff", "not valid JSON"),
        (b"", "not valid JSON"),
        (b"[" * 30_000, "nested too deep"),
        (b"[]", "not a JSON object"),
        (b'{"a": 1, "a": 2}', "a key is stated twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "not valid JSON"),
        (b" " * 70_000, "at most 65,536 are read"),
    ],
)
def test_text_that_is_no_card_is_refused(text: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=said):
        read_card(file_with(tmp_path / "x.pt", text))


def test_a_file_without_a_card_is_no_degrader(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as file:
        file.writestr("x/data.pkl", b"")
    with pytest.raises(IntegrityError, match=r"no extra/card\.json in it"):
        read_card(tmp_path / "x.pt")


def test_a_card_cannot_be_made_wrongly(card: Card) -> None:
    with pytest.raises(ValueError, match="finite"):
        dataclasses.replace(card, metrics={"psnr": float("inf")})
    with pytest.raises(ValueError, match="sigma"):
        NoiseInput(3, float("nan"))


def test_a_degrader_is_written_without_paths_dates_or_source_text(card: Card, tiny: bytes, tmp_path: Path) -> None:
    path, again = tmp_path / "x.pt", tmp_path / "again.pt"
    write_degrader(path, tiny, card)
    write_degrader(again, tiny, card)
    assert read_card(path) == card
    assert path.read_bytes() == again.read_bytes()
    assert str(Path(__file__).parent).encode() in unpacked(tiny)  # what torch writes names the tests' own folder
    assert str(Path(__file__).parent).encode() not in unpacked(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_torch_loads_what_was_written_with_the_same_result(card: Card, tiny: bytes, tmp_path: Path) -> None:
    import torch

    write_degrader(tmp_path / "x.pt", tiny, card)
    inputs = [torch.rand(2, 3, 8, 6, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    results = [loaded(data)(*inputs) for data in (tiny, (tmp_path / "x.pt").read_bytes())]
    assert results[0].shape == (2, 3, 4, 3)
    assert torch.equal(*results)


def test_a_folder_that_is_not_there_is_said(card: Card, tiny: bytes, tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="the folder is not there"):
        write_degrader(tmp_path / "none" / "x.pt", tiny, card)


def unpacked(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return b"".join(map(file.read, file.namelist()))


def loaded(data: bytes) -> Callable[..., Any]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return torch.jit.load(io.BytesIO(data))
