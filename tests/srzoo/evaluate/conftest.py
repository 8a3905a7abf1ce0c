"""Folders of random pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, files: Iterable[str], size: tuple[int, int] = (32, 40), mode: str = "RGB") -> Path:
        random = np.random.default_rng(1)
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 256, (*size, len(mode)), dtype=np.uint8).squeeze()
            Image.fromarray(pixels, mode=None).save(path)
        return tmp_path / name

    return write
