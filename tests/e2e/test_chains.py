"""The chains are whole: their commands exist, and their pages ask for nothing that no stage makes."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from srzoo.preset import preset_names
from srzoo.report.study_spec import read_study

ROOT = Path(__file__).resolve().parents[2]
CHAINS = sorted(path.stem for path in (ROOT / "chains").glob("*-small.mk"))


def planned(chain: str) -> str:
    """What make would run, with folders of data that are there in name only."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    arguments = ["make", "--dry-run", "--always-make", chain, "SR_DATA=/data", "READY="]
    said = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert said.returncode == 0, said.stderr
    return said.stdout


@pytest.mark.parametrize("chain", CHAINS)
def test_every_command_of_a_chain_takes_its_options(chain: str) -> None:
    lines = re.findall(r"bin/(degrade|srzoo) (.+?)(?: && |$)", planned(chain).replace("\\\n", " "), re.MULTILINE)
    assert len(lines) > 5
    for program, line in lines:
        words = line.split(" > ")[0].split()
        command = importlib.import_module(importlib.import_module(f"{program}.cli.main").COMMANDS[words[0]][0]).command
        known = {text for parameter in command.params for text in parameter.opts}
        assert {word for word in words[1:] if re.match(r"--?[a-z]", word)} <= known, line
        if words[:1] == ["train"]:
            assert words[1] in preset_names()


@pytest.mark.parametrize("chain", CHAINS)
def test_the_page_of_a_chain_asks_for_files_that_its_stages_make(chain: str) -> None:
    text = (ROOT / "chains" / f"{chain}.toml").read_text(encoding="utf-8")
    read_study(ROOT / "chains" / f"{chain}.toml")
    stages = planned(chain)
    for file in set(re.findall(r'"(results/[\w.-]+json)', text)):
        assert f"> build/{chain.removesuffix('-small')}/{file}.part" in stages, file
    for folder in set(re.findall(r'folder = "(.+?)"', text)):
        assert f"--out build/{chain.removesuffix('-small')}/{folder} " in stages, folder
    shown = f"build/{chain.removesuffix('-small')}/shown"
    for folder in set(re.findall(r'file = "shown/([\w-]+)/', text)):
        is_judged = f"--hr {folder}=" in stages and re.search(rf"--out {shown}\s", stages)  # evaluate-degrader --out
        assert is_judged or f"{shown}/{folder}" in stages, folder
