"""Shards are plain HDF5 to anyone else, equal to the byte however they are made, and never half there."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import resource
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from degrade.errors import ResourceError
from degrade.shards.layout import DATASETS, FORMAT, FORMAT_VERSION
from degrade.shards.writer import shard_image, write_shard


@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 3), (np.uint16, 1)])
def test_plain_h5py_reads_every_dataset_and_attribute(shard_maker, dtype, channels) -> None:
    header, rows = shard_maker(dtype=dtype, channels=channels)
    with h5py.File(io.BytesIO(shard_image(header, rows)), "r") as file:
        assert set(file) == set(DATASETS)
        for name in ("hr", "lr", "hr_index", "source_index", "origin"):
            np.testing.assert_array_equal(file[name][:], getattr(rows, name))
        for name, (dtypes, axes) in DATASETS.items():
            dataset = file[name]
            assert dataset.dtype.newbyteorder("<").str in dtypes
            assert dataset.ndim == axes
            assert dataset.chunks is dataset.compression is None
        for name in ("hr", "lr"):
            expected = [zlib.crc32(row.tobytes()) for row in getattr(rows, name)]
            assert file[f"{name}_crc"][:].tolist() == expected
        traces = file["trace"][:].tobytes().decode().splitlines()
        assert traces == rows.traces
        assert file["trace_end"][-1] == file["trace"].size
        sources = [json.loads(line) for line in file["sources"][:].tobytes().splitlines()]
        assert sources == rows.sources
        assert file["recipe"][:].tobytes().decode() == rows.recipe
        attributes = {k: v.decode() if isinstance(v, bytes) else int(v) for k, v in file.attrs.items()}
        assert attributes == {"format": FORMAT, "format_version": FORMAT_VERSION, **dataclasses.asdict(header)}


def test_the_record_tells_the_file(shard_maker, tmp_path: Path) -> None:
    header, rows = shard_maker(first_pair=24)
    path = tmp_path / "a.h5"
    record = write_shard(path, header, rows)
    data = path.read_bytes()
    (hr_start, hr_end), (lr_start, lr_end) = record.pixels
    (start, end), (next_start, next_end) = sorted(record.pixels)
    index = data[:start] + data[end:next_start] + data[next_end:]
    assert data == shard_image(header, rows)
    assert data[hr_start:hr_end] == rows.hr.tobytes()
    assert data[lr_start:lr_end] == rows.lr.tobytes()
    assert record.sha256 == hashlib.sha256(data).hexdigest()
    assert record.index_sha256 == hashlib.sha256(index).hexdigest()
    assert (record.num_bytes, record.first_pair, record.num_pairs, record.num_hr) == (len(data), 24, 12, 6)


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from conftest import make_shard
from degrade.shards.writer import shard_image
import hashlib
junk = [bytes([i % 251]) * 3000 for i in range(int(sys.argv[2]))]
del junk[::2]
print(hashlib.sha256(shard_image(*make_shard())).hexdigest())
"""


def test_processes_with_dirty_heaps_write_the_same_bytes(shard_maker) -> None:
    expected = hashlib.sha256(shard_image(*shard_maker())).hexdigest()
    for perturb, junk in (("85", "1000"), ("170", "0")):  # glibc fills fresh memory with this byte
        environment = os.environ | {"MALLOC_PERTURB_": perturb, "PYTHONHASHSEED": junk}
        command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), junk]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == expected


def test_layout_and_strides_of_the_arrays_do_not_matter(shard_maker) -> None:
    header, rows = shard_maker()
    strided = dataclasses.replace(
        rows,
        hr=np.asfortranarray(rows.hr),
        hr_index=rows.hr_index.astype(np.int16),
        lr=np.repeat(rows.lr, 2, axis=0)[::2],
    )
    assert shard_image(header, strided) == shard_image(header, rows)


def test_one_value_changes_the_bytes_where_it_lies(shard_maker) -> None:
    header, rows = shard_maker()
    before = np.frombuffer(shard_image(header, rows), np.uint8)
    rows.lr[3, 0, 0, 0] ^= 1
    after = np.frombuffer(shard_image(header, rows), np.uint8)
    assert 2 <= np.count_nonzero(before != after) <= 5  # the value and its CRC


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": np.zeros((12, 5, 8, 3), np.uint8)}, "lr: expected shape"),
        ({"hr_index": np.full(12, 6)}, "hr_index: expected 0 to 5"),
        ({"source_index": np.full(6, -1)}, "source_index"),
        ({"traces": ["{}"] * 11}, "traces"),
        ({"traces": ["{}\n"] * 12}, "newline"),
        ({"hr": np.zeros((6, 24, 32, 3), np.float32)}, "uint8 or uint16"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(shard_maker, change, message) -> None:
    header, rows = shard_maker()
    with pytest.raises(ValueError, match=message):
        shard_image(header, dataclasses.replace(rows, **change))


def test_a_full_disk_is_one_line_and_leaves_the_old_shard(shard_maker, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    header, rows = shard_maker()
    write_shard(path, header, rows)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then the write fails with EFBIG
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(ResourceError, match=r"a\.h5: no room left on the disk, \d+ bytes needed"):
            write_shard(path, *shard_maker(seed=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.h5"]
