"""`degrade trust` and `degrade inspect` of learned degraders."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest

from degrade.card import Card, write_degrader


@pytest.fixture(autouse=True)
def user_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEGRADE_TRUST", str(tmp_path / "trusted"))
    return tmp_path / "trusted"


@pytest.fixture
def model(tiny: bytes, card: Card, tmp_path: Path) -> Path:
    write_degrader(tmp_path / "tiny.pt", tiny, card)
    return tmp_path / "tiny.pt"


def test_trust_says_what_it_trusts(degrade, model, user_list) -> None:
    ran = degrade("trust", model)
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"{model}: tiny-x2 (SRDGAN H2L), x2: Two convolutions of random weights.",
        "  trained on nothing; licence: CC0-1.0",
        f"  SHA-256 {digest} is in {user_list}",
    ]
    assert user_list.read_text() == f"{digest}  tiny.pt\n"


def test_what_the_gate_refuses_cannot_be_trusted(degrade, model, tiny, card, user_list) -> None:
    write_degrader(model, tiny, dataclasses.replace(card, inputs=()))
    ran = degrade("trust", model)
    assert ran.code == 4
    assert ran.err.startswith(f"degrade: error: {model}: the card states the inputs image")
    assert not user_list.exists()
    assert degrade("trust", model.with_name("none.pt")).code == 2


def test_inspect_shows_the_card_the_gate_and_trust(degrade, model, card) -> None:
    before = json.loads(degrade("inspect", model, "--json").out)
    assert (before["kind"], before["gate"], before["trusted"]) == ("degrader", "passed", False)
    assert before["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert before["bytes"] == model.stat().st_size
    stated = json.loads(json.dumps(dataclasses.asdict(card)))
    assert {key: before[key] for key in stated} == stated
    degrade("trust", model)
    lines = [line.split(None, 1) for line in degrade("inspect", model).out.splitlines()]
    facts = {line[0]: line[1] for line in lines if len(line) == 2}
    assert facts["degrader:"] == str(model)
    assert (facts["gate"], facts["trusted"]) == ("passed", "yes")
    assert facts["inputs"] == "image; noise (channels 3, sigma 0.05)"
    assert facts["metrics"] == "psnr 12.5"
    assert facts["licence"] == "CC0-1.0"


def test_inspect_tells_why_the_gate_refuses(degrade, torchscript, card, model) -> None:
    import torch

    class Random(torch.nn.Module):
        def forward(self, image: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
            return image + torch.randn_like(noise)

    write_degrader(model, torchscript(Random()), card)
    facts = json.loads(degrade("inspect", model, "--json").out)
    assert facts["gate"].startswith("refused: code/")
    assert "torch.randn_like is not an operator" in facts["gate"]
    assert facts["trusted"] is False


def test_inspect_of_what_is_no_degrader_fails_in_one_line(degrade, tmp_path) -> None:
    (tmp_path / "x.pt").write_bytes(b"\x80\x02.")
    ran = degrade("inspect", tmp_path / "x.pt")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
