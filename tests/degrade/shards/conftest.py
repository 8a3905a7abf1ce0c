"""Small shards of random pixels, and folders of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from degrade.shards.layout import Rows, ShardHeader
from degrade.shards.manifest import Manifest, write_manifest
from degrade.shards.writer import write_shard


def make_shard(
    num_pairs: int = 12,
    variants: int = 2,
    *,
    size: int = 24,
    scale: int = 4,
    seed: int = 0,
    first_pair: int = 0,
    dtype: type = np.uint8,
    channels: int = 3,
) -> tuple[ShardHeader, Rows]:
    """A header and rows of random pixels; `variants` pairs share an HR patch."""
    random = np.random.Generator(np.random.Philox(seed))
    num_hr, top = num_pairs // variants, np.iinfo(dtype).max
    header = ShardHeader(
        scale=scale,
        recipe_digest="ab" * 32,
        seed=7,
        first_pair=first_pair,
        margin=32,
        engine=1,
        libraries="numpy 2.0, opencv 5.0",
        tool="degrade 0.1.0",
        hr_height=size,
        hr_width=size + 2 * scale,
        colour="rgb" if channels == 3 else "gray",
    )
    lr_height, lr_width = header.lr_size
    rows = Rows(
        hr=random.integers(0, top, (num_hr, *header.hr_size, channels), dtype, endpoint=True),
        lr=random.integers(0, top, (num_pairs, lr_height, lr_width, channels), dtype, endpoint=True),
        hr_index=np.arange(num_pairs) // variants,
        source_index=np.arange(num_hr) % 3,
        origin=random.integers(0, 500, (num_hr, 2)),
        traces=[json.dumps({"patch": i, "steps": [{"op": "gaussian_blur", "sigma": i / 7}]}) for i in range(num_pairs)],
        sources=[
            {"root": "/photos", "path": f"é{i}\udcff.png", "sha256": f"{i:064x}", "height": 600, "width": 700 + i}
            for i in range(3)
        ],
        recipe='name = "generic"\n',
    )
    return header, rows


def make_folder(folder: Path, num_shards: int = 3, *, complete: bool = True, **settings: object) -> list[Rows]:
    """A finished set of `num_shards` shards under `folder`; the rows of each."""
    folder.mkdir(parents=True, exist_ok=True)
    records, contents, header, first = [], [], None, 0
    for number in range(num_shards):
        header, rows = make_shard(seed=number, first_pair=first, **settings)  # type: ignore[arg-type]  # settings of make_shard
        records.append(write_shard(folder / f"generic-x{header.scale}-{number:05d}.h5", header, rows))
        contents.append(rows)
        first += len(rows.lr)
    assert header is not None
    manifest = Manifest(
        plan_sha256=hashlib.sha256(b"{}").hexdigest(),
        recipe_digest=header.recipe_digest,
        seed=header.seed,
        scale=header.scale,
        hr_height=header.hr_height,
        hr_width=header.hr_width,
        colour=header.colour,
        num_planned=first,
        num_skipped=0,
        complete=complete,
        engine=header.engine,
        libraries=header.libraries,
        tool=header.tool,
        shards=tuple(records),
    )
    write_manifest(folder, manifest)
    return contents


@pytest.fixture
def shard_maker() -> Callable[..., tuple[ShardHeader, Rows]]:
    return make_shard


@pytest.fixture
def folder_maker() -> Callable[..., list[Rows]]:
    return make_folder
