"""The one door: card, gate and trust; and a list that many processes may write to at once."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import subprocess
import sys
import warnings
from importlib import resources
from pathlib import Path

import pytest

from degrade import trust
from degrade.card import Card, NoiseInput, ReferenceInput, write_degrader
from degrade.errors import IntegrityError, ResourceError, UnsafeFileError, UsageError


@pytest.fixture
def user_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "degrade" / "trusted"
    monkeypatch.setenv(trust.VARIABLE, str(path))
    return path


@pytest.fixture
def model(tiny: bytes, card: Card, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.pt"
    write_degrader(path, tiny, card)
    return path


def test_a_file_is_admitted_once_it_is_trusted(model: Path, card: Card, user_list: Path) -> None:
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    with pytest.raises(UnsafeFileError) as refusal:
        trust.admit(model)
    assert str(refusal.value) == (
        f"{model}: not in your list of trusted files (SHA-256 {digest[:16]}...)"
        " - if you know where it comes from: degrade trust tiny.pt"
    )
    assert not user_list.exists()
    trust.trust(model)
    admitted = trust.admit(model)
    assert (admitted.card, admitted.sha256, admitted.data) == (card, digest, model.read_bytes())
    model.rename(model.with_name("other.pt"))
    assert trust.admit(model.with_name("other.pt")) == admitted  # the bytes count, not the name


def test_a_changed_file_is_not_trusted_any_more(model: Path, card: Card, tiny: bytes, user_list: Path) -> None:
    trust.trust(model)
    write_degrader(model, tiny, dataclasses.replace(card, name="other"))
    with pytest.raises(UnsafeFileError, match="not in your list"):
        trust.admit(model)


def test_to_vouch_for_a_file_skips_the_list_alone(model: Path, card: Card, tiny: bytes, user_list: Path) -> None:
    assert trust.admit(model, trusted=True).card == card
    assert not user_list.exists()
    write_degrader(model, tiny, dataclasses.replace(card, inputs=()))
    with pytest.raises(UnsafeFileError, match="the card states the inputs image; its code takes image, noise"):
        trust.admit(model, trusted=True)
    write_degrader(model, tiny, dataclasses.replace(card, inputs=(NoiseInput(3, 0.1), ReferenceInput("LR"))))
    with pytest.raises(UnsafeFileError, match="the card states the inputs image, noise, reference"):
        trust.trust(model)
    assert not user_list.exists()


def test_torch_runs_the_bytes_that_were_admitted(model: Path, user_list: Path) -> None:
    import torch

    admitted = trust.trust(model)
    model.write_bytes(b"changed after the check")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.load(io.BytesIO(admitted.data))
    assert module(torch.zeros(1, 3, 8, 6), torch.zeros(1, 3, 8, 6)).shape == (1, 3, 4, 3)


def test_the_list_is_what_sha256sum_checks(model: Path, user_list: Path) -> None:
    for _ in range(3):
        trust.trust(model)
    assert user_list.read_text() == f"{hashlib.sha256(model.read_bytes()).hexdigest()}  tiny.pt\n"
    assert user_list.stat().st_mode & 0o777 == 0o600
    ran = subprocess.run(["sha256sum", "-c", user_list], cwd=model.parent, capture_output=True, text=True, check=False)
    assert ran.stdout == "tiny.pt: OK\n"


def test_lines_written_by_hand_are_read_and_others_passed_over(model: Path, user_list: Path) -> None:
    user_list.parent.mkdir(parents=True)
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    for text, is_in in [
        (digest, True),
        (f"# mine\r\n\r\n{digest} *tiny.pt\r\n", True),
        (f"{'0' * 64}  a.pt\n{digest}  tiny.pt", True),
        (f"# {digest}  tiny.pt\n", False),
        (f"{digest}0  tiny.pt\n", False),
        (f"{digest[:-1]}  tiny.pt\n", False),
        (digest.upper(), False),
        ("\udcff\n", False),
    ]:
        user_list.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert trust.is_trusted(digest) is is_in, text


def test_a_list_without_a_last_newline_is_continued_on_a_new_line(model: Path, user_list: Path) -> None:
    user_list.parent.mkdir(parents=True)
    user_list.write_text(f"{'0' * 64}  cut")
    trust.trust(model)
    assert [len(line.split("  ")[0]) for line in user_list.read_text().splitlines()] == [64, 64]
    assert trust.is_trusted("0" * 64)


def test_a_list_that_anybody_can_write_to_is_refused(model: Path, user_list: Path) -> None:
    trust.trust(model)
    user_list.chmod(0o666)
    with pytest.raises(UnsafeFileError, match="anybody can write to your list"):
        trust.admit(model)


def test_a_list_that_cannot_be_kept_is_said(model: Path, user_list: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user_list.parent.mkdir(parents=True)
    user_list.mkdir()
    with pytest.raises(ResourceError):
        trust.trust(model)
    (model.parent / "file").write_bytes(b"")
    monkeypatch.setenv(trust.VARIABLE, str(model.parent / "file" / "trusted"))
    with pytest.raises((UsageError, ResourceError)):
        trust.trust(model)


def test_names_in_the_list_hold_no_newlines(model: Path, user_list: Path) -> None:
    odd = model.rename(model.with_name(f"a\n{'1' * 64}.pt"))
    trust.trust(odd)
    assert len(user_list.read_text().splitlines()) == 1
    assert not trust.is_trusted("1" * 64)


def test_many_processes_may_write_at_once(user_list: Path) -> None:
    code = (
        "import sys; from degrade.trust import _append, trust_list\n"
        "for number in range(100): _append(trust_list(), f'{int(sys.argv[1]) * 1000 + number:064x}  {\"x\" * 50}\\n')"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(number)]) for number in range(4)]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 4
    lines = user_list.read_text().splitlines()
    expected = {f"{writer * 1000 + number:064x}" for writer in range(4) for number in range(100)}
    assert sorted(line.split()[0] for line in lines) == sorted(expected)
    assert all(map(trust.is_trusted, expected))


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "~/.config/degrade/trusted"),
        ("linux", {"XDG_CONFIG_HOME": "/settings"}, "/settings/degrade/trusted"),
        ("linux", {"XDG_CONFIG_HOME": ""}, "~/.config/degrade/trusted"),
        ("darwin", {}, "~/Library/Application Support/degrade/trusted"),
        ("win32", {"APPDATA": "/roaming"}, "/roaming/degrade/trusted"),
        ("linux", {"XDG_CONFIG_HOME": "/settings", "DEGRADE_TRUST": "/mine"}, "/mine"),
    ],
)
def test_the_list_lies_where_the_system_keeps_settings(
    platform: str, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "APPDATA", trust.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(trust.sys, "platform", platform)
    assert trust.trust_list() == Path(expected).expanduser()


def test_every_model_that_ships_is_listed_and_admitted(user_list: Path) -> None:
    folder = Path(str(resources.files("degrade"))) / "models"
    stated = dict(line.split("  ")[::-1] for line in (folder / "TRUSTED").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.pt")}
    assert stated == found
    for path in folder.glob("*.pt"):
        assert trust.admit(path).card.licence


def test_what_is_in_the_list_of_the_package_is_trusted(
    model: Path, user_list: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "packaged", lambda: frozenset({hashlib.sha256(model.read_bytes()).hexdigest()}))
    assert trust.admit(model)
    trust.trust(model)
    assert not user_list.exists()  # no need to


def test_damage_is_told_before_trust(model: Path, user_list: Path) -> None:
    model.write_bytes(model.read_bytes()[:-30])
    with pytest.raises(IntegrityError, match="zip"):
        trust.admit(model)


def test_no_torch_is_imported(model: Path, user_list: Path) -> None:
    code = (
        "import sys, pathlib, degrade.trust as t; t.trust(pathlib.Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(model)], check=False, timeout=60).returncode == 0
