"""Compiled code is kept where only its owner can write, and a broken cache costs a compilation, never a failure."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = "from degrade.jit import jit\n\n@jit\ndef add(a, b):\n    return a + b\n"
CODE = "from added import add; print(add(1, 2), sum(add.stats.cache_hits.values()))"


def run(cache: Path) -> list[str]:
    """What a fresh process computes, and how often it found compiled code."""
    source = cache.parent / "source"
    if not source.exists():
        source.mkdir()
        (source / "added.py").write_text(MODULE)
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    env |= {"DEGRADE_CACHE": str(cache), "PYTHONPATH": str(source)}
    done = subprocess.run([sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_second_run_loads_what_the_first_compiled(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run(cache) == ["3", "0"]
    assert run(cache) == ["3", "1"]
    folder = cache / "degrade" / "numba"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("nbi", b"garbage"),
        ("nbc", None),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [("nbi", b""), ("nbi", None), ("nbc", b""), ("nbc", b"x")]
        ),
    ],
)
def test_a_damaged_cache_is_dropped(tmp_path: Path, suffix: str, content: bytes | None) -> None:
    cache = tmp_path / "cache"
    run(cache)
    found = list(cache.rglob(f"*.{suffix}"))
    assert found
    for path in found:
        path.write_bytes(path.read_bytes()[:40] if content is None else content)
    assert run(cache)[0] == "3"
    assert run(cache) == ["3", "1"]


def test_a_folder_that_cannot_be_made_means_no_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    assert run(blocked)[0] == "3"
