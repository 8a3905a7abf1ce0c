"""What a bare import and `--help` load, in a fresh process: never a heavy library."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "timm", "numba", "llvmlite", "cv2", "scipy", "h5py", "skimage", "PIL", "jinja2", "tensorboard"}

HELP = """
import sys, {package}.cli.main as entry
sys.argv = ["{package}", "--help"]
try:
    entry.main()
except SystemExit as end:
    assert end.code in (0, None), end.code
"""


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after `code`."""
    tail = "\nimport sys; print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.rsplit("LOADED", 1)[1].split())


@pytest.mark.parametrize("package", ["degrade", "srzoo"])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    loaded = loaded_by(f"import {package}; {package}.__version__")
    assert package in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("package", ["degrade", "srzoo"])
def test_help_loads_nothing_heavy(package: str) -> None:
    loaded = loaded_by(HELP.format(package=package))
    assert "click" in loaded
    assert not loaded & HEAVY


def test_the_probe_sees_a_heavy_library() -> None:
    assert "h5py" in loaded_by("import h5py") & HEAVY
