"""The descriptors are true: every file is there, is licensed, and is in one split only."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

DATASETS = Path(__file__).resolve().parents[2] / "datasets"
DESCRIPTORS = sorted(DATASETS.glob("*.toml"))


def prepare(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DATASETS / "prepare.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("path", DESCRIPTORS, ids=lambda path: path.stem)
def test_a_descriptor_states_a_licence_and_one_split_for_every_file(path: Path) -> None:
    descriptor = tomllib.loads(path.read_text(encoding="utf-8"))
    files = [photograph["file"] for split in ("train", "test") for photograph in descriptor[split]]
    assert descriptor["name"] == path.stem
    assert len(files) == len(set(files))
    assert all(photograph["licence"] for split in ("train", "test") for photograph in descriptor[split])


def test_the_samples_are_laid_out_again_with_no_file_in_both_splits(tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    descriptor = tomllib.loads((DATASETS / "samples.toml").read_text(encoding="utf-8"))
    kept_out = descriptor["test"][0]["file"]
    for _ in range(2):
        run = prepare("samples", str(tmp_path))
        assert run.returncode == 0, run.stderr
        for split in ("train", "test"):
            found = {path.name for path in (tmp_path / split).iterdir()}
            assert found == {photograph["file"] for photograph in descriptor[split]}
        (tmp_path / "train" / kept_out).write_bytes(b"was on the other side once")


def test_an_unknown_data_set_is_refused_with_the_known_names(tmp_path: Path) -> None:
    run = prepare("nothing", str(tmp_path))
    assert run.returncode == 2
    assert "samples" in run.stderr
