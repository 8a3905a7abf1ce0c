"""packages/degrade/README.md, "Your own recipe in five minutes": typed as it is printed, in an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from degrade import codecs
from degrade.sources import samples

PAGE = Path(__file__).resolve().parents[2] / "packages" / "degrade" / "README.md"
SECTION = PAGE.read_text(encoding="utf-8").split("## Your own recipe in five minutes\n")[1].split("\n## ")[0]
PATIENCE = 300  # seconds for one command on a busy machine


@pytest.mark.skipif(not samples.photographs(), reason="needs scikit-image's photographs")
def test_a_newcomers_recipe_from_the_first_command_to_the_verdict(tmp_path: Path) -> None:
    photos(tmp_path)
    said: dict[str, str] = {}
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE):
        match language:
            case "":
                said |= {line.split("#")[0].strip(): typed(line, tmp_path) for line in block.splitlines()}
            case "diff":
                change(tmp_path / "mine.toml", block)
            case "toml":
                with (tmp_path / "mine.toml").open("a", encoding="utf-8") as file:
                    file.write(f"\n{block}")
            case _:
                pytest.fail(f"what does a reader do with a block of {language}?")

    assert said["degrade recipes validate mine.toml"] == "mine.toml: fine\n"
    assert "'jpeg0' only in B" in said["degrade recipes diff generic mine.toml"]
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    assert "jpeg0" in said["degrade stats trial"]
    assert "verdict: fine: 100 pairs" in said["degrade check trial"]
    assert (tmp_path / "recipe.schema.json").is_file()


def typed(line: str, folder: Path) -> str:
    """What a shell in `folder` prints for `line`, which must succeed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def change(path: Path, block: str) -> None:
    """Lines with - replaced by the + lines that follow them; a line may be the end of a longer one."""
    text = path.read_text(encoding="utf-8")
    for old, new in re.findall(r"^-(.*)\n\+(.*)$", block, re.MULTILINE):
        assert text.count(f"{old}\n") == 1, old
        text = text.replace(f"{old}\n", f"{new}\n")
    path.write_text(text, encoding="utf-8")


def photos(folder: Path) -> None:
    """What the reader has: photo.jpg, and photos/ with some more."""
    (folder / "photos").mkdir()
    for name in ("astronaut.png", "chelsea.png", "rocket.jpg"):
        shutil.copyfile(samples.folder() / name, folder / "photos" / name)
    codecs.write(folder / "photo.jpg", codecs.read(folder / "photos" / "astronaut.png"))
