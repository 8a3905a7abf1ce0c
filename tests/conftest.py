"""What every test shares: where real photographs are, and settings that make runs small and alike."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]

# Set before any library reads them, and inherited by the commands that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch: one thread, the workers of the test run share the cores
os.environ.setdefault("DEGRADE_CACHE", str(ROOT / "build" / "test-cache"))  # compiled once per checkout
if os.environ.get("SR_DATA"):  # stated relative to the repository; tests change folders
    os.environ["SR_DATA"] = str((ROOT / os.environ["SR_DATA"]).resolve())

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=50)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def sr_data() -> Path:
    """The folder of real photographs, or a skip that says how to give one."""
    stated = os.environ.get("SR_DATA")
    if not stated:
        pytest.skip("needs real photographs: set SR_DATA to their folder")
    folder = Path(stated)
    if not folder.is_dir():
        pytest.fail(f"SR_DATA={stated} is not a folder", pytrace=False)
    return folder
