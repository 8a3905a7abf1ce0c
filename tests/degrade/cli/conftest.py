"""A folder of small photographs, a small set of shards made of it, and the command as a function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from degrade.cli.main import run
from degrade.synthesize import synthesize

SIDE, PER_IMAGE, VARIANTS = 32, 3, 2


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def picture(number: int, height: int = 60, width: int = 72) -> np.ndarray:
    """Blocks of random colour, another picture for each number."""
    blocks = np.random.default_rng(number).integers(0, 256, (-(-height // 6), -(-width // 6), 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((6, 6, 1), np.uint8))[:height, :width]


@pytest.fixture
def degrade(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `degrade ...` in this process."""

    def function(*arguments: object) -> Ran:
        code = run([str(argument) for argument in arguments])
        return Ran(code, *capfd.readouterr())

    return function


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(["a.png", "b.png", "more/c.png"]):
        Image.fromarray(picture(number)).save(folder / name)
    return folder


@pytest.fixture
def shards(photos: Path, tmp_path: Path) -> Path:
    """18 pairs, x4: 3 photos, 3 patches of each, 2 variants of each patch."""
    folder = tmp_path / "shards"
    synthesize([photos], "generic", folder, patch=SIDE, per_image=PER_IMAGE, variants=VARIANTS, workers=1)
    return folder
