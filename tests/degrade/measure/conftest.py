"""Sets made of arrays, so that a test knows what is wrong with them; and scenes with detail at every size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from degrade.functional.resample import imresize_uint8
from degrade.shards.layout import Rows, ShardHeader
from degrade.shards.manifest import Manifest, write_manifest
from degrade.shards.reader import ShardSet, open_shards
from degrade.shards.writer import write_shard

SCALE = 4


def make_scene(seed: int, height: int = 96, width: int = 128, channels: int = 3) -> np.ndarray:
    """A picture of blobs and edges at several sizes, mean 128, nothing clipped."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, channels))
    for sigma in (0.7, 2.0, 6.0, 16.0):
        layer = ndimage.gaussian_filter(random.standard_normal((height, width, channels)), (sigma, sigma, 0))
        total += layer / layer.std()
    total += 2.0 * (np.roll(total, 7, axis=1) > 0.5)
    return np.clip(128 + 22 * (total - total.mean()), 1, 254).astype(np.uint8)


def reduced(hr: np.ndarray, scale: int = SCALE) -> np.ndarray:
    """MATLAB's bicubic LR."""
    return imresize_uint8(hr, hr.shape[0] // scale, hr.shape[1] // scale)


def make_set(
    folder: Path,
    lr: list[np.ndarray],
    hr: list[np.ndarray],
    *,
    hr_index: list[int] | None = None,
    traces: list[dict] | None = None,
) -> ShardSet:
    """One finished shard of pairs; patch i lies at (0, i) of its photo."""
    folder.mkdir(parents=True)
    header = ShardHeader(
        scale=hr[0].shape[0] // lr[0].shape[0],
        recipe_digest="ab" * 32,
        seed=0,
        first_pair=0,
        margin=0,
        engine=1,
        libraries="",
        tool="test",
        hr_height=hr[0].shape[0],
        hr_width=hr[0].shape[1],
        colour="rgb" if hr[0].shape[2] == 3 else "gray",
    )
    rows = Rows(
        hr=np.stack(hr),
        lr=np.stack(lr),
        hr_index=np.array(hr_index if hr_index is not None else range(len(lr))),
        source_index=np.zeros(len(hr), int),
        origin=np.stack([np.zeros(len(hr), int), np.arange(len(hr))], axis=1),
        traces=[json.dumps(trace) for trace in traces or [{"steps": []}] * len(lr)],
        sources=[{"root": "/photos", "path": "a.png", "sha256": f"{1:064x}", "height": 600, "width": 700}],
        recipe='name = "none"\n',
    )
    record = write_shard(folder / "none-x4-00000.h5", header, rows)
    manifest = Manifest(
        plan_sha256=hashlib.sha256(b"{}").hexdigest(),
        recipe_digest=header.recipe_digest,
        seed=0,
        scale=header.scale,
        hr_height=header.hr_height,
        hr_width=header.hr_width,
        colour=header.colour,
        num_planned=len(lr),
        num_skipped=0,
        complete=True,
        engine=1,
        libraries="",
        tool="test",
        shards=(record,),
    )
    write_manifest(folder, manifest)
    return open_shards(folder)


@pytest.fixture
def scene() -> Callable[..., np.ndarray]:
    return make_scene


@pytest.fixture
def lr_of() -> Callable[..., np.ndarray]:
    return reduced


@pytest.fixture
def pairs_of(tmp_path: Path) -> Callable[..., ShardSet]:
    """`pairs_of(lr, hr)`: an opened set of those pairs."""
    return lambda lr, hr, **settings: make_set(tmp_path / "set", lr, hr, **settings)
