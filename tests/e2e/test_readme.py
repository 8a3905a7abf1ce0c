"""README.md is true: its Python runs as printed, and its commands, files and links are there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest

from degrade import codecs
from degrade.functional.dead_leaves import render

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("packages/*/README.md")),
    *sorted(ROOT.glob("packages/*/docs/*.md")),
    ROOT / "packages" / "degrade" / "src" / "degrade" / "recipes" / "README.md",
]


def blocks(page: Path, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [block for name, block in found if name == language]


def commands() -> list[tuple[str, list[str], list[str]]]:
    """(program, command and the word after it, options) of every line and of every code in a sentence or table."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        whole = [block.replace("\\\n", " ") for block in blocks(page, "")]  # lines that go on
        lines = [line.split("  #")[0] for block in whole for line in block.splitlines()]
        for line in [*lines, *re.findall(r"`([^`\n]+)`", text)]:
            words = line.split()
            if len(words) > 1 and words[0] in {"degrade", "srzoo"}:
                found.append((words[0], words[1:3], [w.split("=")[0] for w in words if re.match(r"--?[a-z]", w)]))
    return found


def test_the_python_snippets_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    codecs.write(tmp_path / "photo.png", codecs.Photo(pixels=render(160, 200, 3)))
    snippets = blocks(ROOT / "README.md", "python")
    assert len(snippets) == 2
    for snippet in snippets:
        exec(compile(snippet, "README.md", "exec"), {})
    assert (tmp_path / "runs/demo/generator.safetensors").is_file()


@pytest.mark.parametrize("page", ["packages/degrade/README.md", "packages/degrade/docs/sources.md"])
def test_the_python_snippets_of_degrade_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("photo.jpg", "photos/a.png", "photos/b.png"):
        codecs.write(tmp_path / name, codecs.Photo(pixels=render(160, 200, len(name))))
    snippets = blocks(ROOT / page, "python")
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, page, "exec"), {})


@pytest.mark.parametrize(("program", "names", "options"), commands())
def test_every_command_and_option_exists(program: str, names: list[str], options: list[str]) -> None:
    table = importlib.import_module(f"{program}.cli.main").COMMANDS
    assert names[0] in table
    command = importlib.import_module(table[names[0]][0]).command
    if isinstance(command, click.Group) and len(names) > 1:
        assert names[1] in command.commands
        command = command.commands[names[1]]
    known = {text for parameter in command.params for text in parameter.opts}
    assert set(options) <= known | {"--help", "--version"}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"], ids=str)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
