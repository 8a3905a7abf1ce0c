"""Shards and runs small enough to train in a moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from degrade.shards.layout import Rows, ShardHeader, SourceRow
from degrade.shards.manifest import Manifest, write_manifest
from degrade.shards.writer import write_shard

SCALE, SIDE = 2, 16  # of HR patches


def write_tiny_shards(
    folder: Path,
    *,
    num_pairs: int = 24,
    num_sources: int = 6,
    seed: int = 0,
    side: int = SIDE,
    traces: Sequence[object] = ({},),
    dtype: type = np.uint8,
) -> Path:
    """A finished set in `folder`: smooth random pictures and their 2 x 2 means, in two shards; `traces` in turn."""
    random = np.random.Generator(np.random.PCG64(seed))
    coarse = random.integers(0, 256, (num_pairs, side // 4, side // 4, 3))
    hr = np.clip(
        coarse.repeat(4, axis=1).repeat(4, axis=2) + random.integers(-9, 9, (num_pairs, side, side, 3)), 0, 255
    )
    lr = hr.reshape(num_pairs, side // 2, 2, side // 2, 2, 3).mean((2, 4)).astype(dtype)
    return write_pairs(folder, lr, hr.astype(dtype), num_sources=num_sources, seed=seed, traces=traces)


def write_pairs(
    folder: Path,
    lr: NDArray,
    hr: NDArray,
    *,
    zoom: int = 1,
    num_sources: int = 6,
    seed: int = 0,
    traces: Sequence[object] = ({},),
) -> Path:
    """A finished set of `lr` (N, h, w, 3) and `hr` (N, H, W, 3) in `folder`, N even, in two shards."""
    folder.mkdir(parents=True)
    num_pairs, side, scale = len(lr), hr.shape[1], hr.shape[1] // lr.shape[1]
    sources = [
        SourceRow(
            root="", path=f"{n}.png", sha256=hashlib.sha256(b"%d %d" % (seed, n)).hexdigest(), height=99, width=99
        )
        for n in range(num_sources)
    ]
    half, records = num_pairs // 2, []
    made = {
        "scale": scale,
        "zoom": zoom,
        "recipe_digest": "ab" * 32,
        "seed": 0,
        "engine": 1,
        "libraries": "-",
        "tool": "test",
    }
    for number, first in enumerate((0, half)):
        header = ShardHeader(**made, first_pair=first, margin=0, hr_height=side, hr_width=side)
        rows = Rows(
            hr=hr[first : first + half],
            lr=lr[first : first + half],
            hr_index=np.arange(half),
            source_index=np.arange(first, first + half) % num_sources,
            origin=np.zeros((half, 2), np.int32),
            traces=[json.dumps(traces[k % len(traces)]) for k in range(first, first + half)],
            sources=sources,
            recipe='name = "test"\n',
        )
        records.append(write_shard(folder / f"test-{number:05d}.h5", header, rows))
    manifest = Manifest(
        **made,
        plan_sha256="cd" * 32,
        hr_height=side,
        hr_width=side,
        num_planned=num_pairs,
        num_skipped=0,
        complete=True,
        shards=tuple(records),
    )
    write_manifest(folder, manifest)
    return folder


TINY = """
name = "tiny"
source = "Our own, for tests."
objective = "supervised"
scale = 2
steps = 40
precision = "fp32"

[networks.generator]
type = "skipres"
blocks = 1
features = 4
ema = 0.9

[optimisers.generator]
networks = ["generator"]
learning_rate = 1e-2
schedule = "cosine"
warmup = 4

[data]
patch = 8
batch = 4

[watch]
log_every = 10
validate_every = 100
save_every = 100
sample_every = 100
pairs = 4
samples = 2
"""


@pytest.fixture(scope="session")
def tiny_shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pairs of 6 sources, HR 16 x 16, scale 2."""
    return write_tiny_shards(tmp_path_factory.mktemp("tiny") / "shards")


@pytest.fixture
def shard_writer() -> Callable[..., Path]:
    return write_tiny_shards


@pytest.fixture
def pairs_writer() -> Callable[..., Path]:
    return write_pairs


@pytest.fixture
def tiny_preset(tmp_path: Path) -> Path:
    """A preset of 40 steps that fits `tiny_shards`."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path
