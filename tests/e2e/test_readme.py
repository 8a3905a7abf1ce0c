"""README.md is true: its Python runs as printed, and its commands, files and links are there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from degrade import codecs
from degrade.functional.dead_leaves import render

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def commands() -> list[tuple[str, str, list[str]]]:
    """(program, command, its options) of every line and of every code in a sentence or table."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line.split("  #")[0] for block in blocks(page, "") for line in block.splitlines()]
        for line in [*lines, *re.findall(r"`([^`\n]+)`", text)]:
            words = line.split()
            if len(words) > 1 and words[0] in {"degrade", "srzoo"}:
                found.append((words[0], words[1], [w.split("=")[0] for w in words if re.match(r"--?[a-z]", w)]))
    return found


def test_the_python_snippets_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    codecs.write(tmp_path / "photo.png", codecs.Photo(pixels=render(160, 200, 3)))
    snippets = blocks(ROOT / "README.md", "python")
    assert len(snippets) == 2
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), {})
    assert (tmp_path / "runs/demo/generator.safetensors").is_file()


@pytest.mark.parametrize(("program", "name", "options"), commands())
def test_every_command_and_option_exists(program: str, name: str, options: list[str]) -> None:
    table = importlib.import_module(f"{program}.cli.main").COMMANDS
    assert name in table
    command = importlib.import_module(table[name][0]).command
    known = {text for parameter in command.params for text in parameter.opts}
    assert set(options) <= known | {"--help", "--version"}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"], ids=str)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
