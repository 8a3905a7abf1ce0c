"""What `srzoo train --help` and `--list` say of the presets that ship."""

from __future__ import annotations

import subprocess
import sys

import pytest

from srzoo.cli.main import run
from srzoo.cli.presets import first_rank, listing
from srzoo.preset import preset_names

VARIANTS = ("-vgg34", "-half", "-small")


def test_the_list_names_every_preset_once_and_says_what_it_is() -> None:
    entries = dict(line.split(maxsplit=1) for line in listing().splitlines() if line.startswith("  "))
    assert sorted(entries) == preset_names()
    assert all(text.endswith(".") for text in entries.values())


def test_the_list_groups_by_kind() -> None:
    groups = [[line.split()[0] for line in group.splitlines()[1:]] for group in listing().split("\n\n")]
    assert not any(name.endswith(VARIANTS) for name in groups[0])
    for ending, group in zip(VARIANTS, groups[1:], strict=True):
        assert all(name.endswith(ending) for name in group)


def test_help_names_what_is_no_variant_in_a_few_short_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = first_rank().splitlines()
    assert " ".join(lines).split(", ") == [name for name in preset_names() if not name.endswith(VARIANTS)]
    assert len(lines) <= 5
    assert run(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {line}\n" in shown for line in lines)
    assert "srzoo train --list" in shown


def test_the_list_is_printed_without_loading_torch() -> None:
    lines = ["import sys", "from srzoo.cli.main import run", "code = run(['train', '--list'])"]
    code = "\n".join([*lines, "sys.exit(code or 'torch' in sys.modules)"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{listing()}\n"
