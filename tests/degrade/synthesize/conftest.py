"""A folder of small photographs, and what a set of shards holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from degrade.synthesize import Summary, plan, synthesize

NUM_PHOTOS = 8
PATCHES = 6  # a photo: 48 pairs in all, so three shards of
SHARD_PAIRS = 16


def write_photo(path: Path, number: int, height: int = 60, width: int = 72) -> None:
    """Blocks of random colour, another picture for each number."""
    rng = np.random.default_rng(number)
    blocks = rng.integers(0, 256, (-(-height // 6), -(-width // 6), 3), dtype=np.uint8)
    pixels = np.kron(blocks, np.ones((6, 6, 1), np.uint8))[:height, :width]
    Image.fromarray(pixels).save(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(NUM_PHOTOS):
        write_photo(folder / f"p{number}.png", number)
    return folder


@pytest.fixture
def make(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Summary]:
    """Synthesize into `out` in this process, from all photos, small patches."""

    monkeypatch.setattr(plan, "LEAST_PAIRS", SHARD_PAIRS)

    def function(out: str = "out", hr: Any = None, recipe: str = "generic", **changes: Any) -> Summary:
        settings = {"patch": 16, "per_image": PATCHES, "workers": 1, **changes}
        return synthesize([photos] if hr is None else hr, recipe, tmp_path / out, **settings)

    return function


def contents(folder: Path) -> dict[str, bytes]:
    """Name -> bytes of everything in a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def files() -> Callable[[Path], dict[str, bytes]]:
    return contents


@pytest.fixture
def photo_writer() -> Callable[..., None]:
    return partial(write_photo)
